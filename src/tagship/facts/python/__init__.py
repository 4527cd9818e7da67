"""Evaluates a small part of the Python language, as far as values follow from the source.

It supports literals, strings, containers, functions, conditions, loops, and reading the repository's files. Everything
else evaluates to `Unknown`, with the reason. No code of the repository is ever compiled or run; nothing is written.
"""
