"""Invoke tasks; `inv --list` shows them."""

import sys

from invoke.context import Context
from invoke.tasks import task

sys.path.insert(0, __file__.removesuffix("tasks.py") + ".github/release")
from tagship_suite.tasks import check, lock, rehearse, release

__all__ = ["check", "lock", "rehearse", "release"]


@task
def lint(context: Context) -> None:
    """Lint, check the format and the types."""
    context.run("nox -s lint")
