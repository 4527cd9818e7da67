"""How each build backend determines the version, and the packages and modules, from a project's files."""
