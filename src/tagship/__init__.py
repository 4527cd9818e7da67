"""Push a tag, ship to PyPI: the command line."""
