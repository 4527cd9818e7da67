"""The repository: what git and the project's own files say."""
