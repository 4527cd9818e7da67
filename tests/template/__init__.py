"""Tests of the cookiecutter template: its questions, its hooks and what it generates."""
