"""Push a tag, ship to PyPI: the package beside the template."""
