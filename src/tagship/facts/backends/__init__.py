"""What each build backend makes of a project's files: which version, and which packages and modules."""
