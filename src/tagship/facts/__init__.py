"""Facts about a repository: its distributions, its tests, its tags, and what publishes it today.

Everything here reads files and git; nothing of the repository is ever run.
"""
