"""What `tagship adopt` finds out about a repository, once, so that nothing is guessed at release time."""
