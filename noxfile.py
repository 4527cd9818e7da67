"""The release of this repository by its own suite, and the sessions for work on it."""

import sys

import nox

sys.path.insert(0, "src")

from tagship_suite.sessions import build, github_release, publish, publish_test, test, verify_version

__all__ = ["build", "github_release", "publish", "publish_test", "test", "verify_version"]


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Lint and check the types of everything here."""
    session.run("ruff", "check", external=True)
    session.run("ruff", "format", "--check", external=True)
    session.run("mypy", external=True)
    session.run("lint-imports", "--no-cache", external=True)


@nox.session(venv_backend="uv|virtualenv", default=False)
def docs(session: nox.Session) -> None:
    """Build the site of docs/ in build/site/, or the folder that is given; a warning is an error."""
    session.install("--editable", ".", *nox.project.dependency_groups(nox.project.load_toml(), "docs"))
    out = session.posargs or ["build/site"]
    session.run("python", "-m", "sphinx", "--fail-on-warning", "--keep-going", "docs", *out)


@nox.session(venv_backend="none", default=False)
def sync(session: nox.Session) -> None:
    """Write the template's copies of the managed files, and the pages of the settings and the rules."""
    session.run(sys.executable, "-m", "dev.sync", external=True)


@nox.session(venv_backend="none", default=False)
def bench(session: nox.Session) -> None:
    """Run the benchmarks and print their table."""
    session.run(sys.executable, "dev", "bench", external=True)
