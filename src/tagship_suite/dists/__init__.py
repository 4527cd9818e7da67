"""The sdist and the wheels: reading them, and the rules that they must keep."""
