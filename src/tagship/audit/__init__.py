"""Finds what is unsafe or broken in how a repository publishes, as far as its files show it."""
