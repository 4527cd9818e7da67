"""What `tagship doctor` sees of a repository's settings."""
