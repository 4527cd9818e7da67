"""Nox sessions; `nox --list` shows them."""

import sys
from importlib import import_module

import nox

sys.path.insert(0, ".github/release")
import_module("tagship_suite.sessions")  # the release's, from build to github-release


@nox.session(venv_backend="uv|virtualenv", reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Lint, check the format and the types."""
    project = nox.project.load_toml("pyproject.toml")
    session.install("--editable", ".", *nox.project.dependency_groups(project, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
