"""Nox sessions; `nox --list` shows them."""

import sys

import nox

sys.path.insert(0, ".github/release")
from tagship_suite.sessions import build, github_release, publish, publish_test, test, verify_version

__all__ = ["build", "github_release", "publish", "publish_test", "test", "verify_version"]

PROJECT = nox.project.load_toml("pyproject.toml")


@nox.session(venv_backend="uv|virtualenv", reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Lint, check the format and the types."""
    session.install("--editable", ".", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
