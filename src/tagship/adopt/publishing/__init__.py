"""What publishes a repository before the suite comes, and taking it out."""
