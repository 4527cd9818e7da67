"""The existing publish jobs of a repository, and removing them."""
