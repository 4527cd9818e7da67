"""What Python code comes to, as far as that follows from its text: an evaluator of a small part of the language.

It knows literals, strings, containers, functions, conditions, loops, and reading the repository's own files. Everything
else comes to `Unknown` with the reason. No code of the repository is ever compiled or run, and nothing is written.
"""
