"""Tasks for people; CI runs the nox sessions. `inv --list` shows them."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

PYTHON = shlex.quote(sys.executable)
RELEASE = ".github/release"


@task
def check(context: Context) -> None:
    """Run what a release needs to pass: build, test, verify-version."""
    context.run(f"{PYTHON} -m nox")


@task(
    help={
        "version": "a version, major, minor, patch, or current as it stands; NAME/patch for one of several",
        "push": "also push",
    }
)
def release(context: Context, version: str, *, push: bool = False) -> None:
    """Bump the version, date the changelog, commit and tag; the pushed tag is what publishes."""
    context.run(f"{PYTHON} {RELEASE} cut {shlex.quote(version)}{' --push' * push}")


@task
def rehearse(context: Context) -> None:
    """Rehearse the whole release against a local index that behaves as PyPI does."""
    if shutil.which("tagship") is None:
        raise Exit("tagship: found no such command, expected the package; run: pip install tagship", 1)
    context.run("tagship rehearse")


@task
def lock(context: Context) -> None:
    """Compile the release tools' requirements anew, with hashes, for every Python and platform."""
    if importlib.util.find_spec("uv") is None:
        raise Exit("uv: found no such package, expected the one that compiles requirements; run: pip install uv", 1)
    for name in ("nox", "tools", "wheels"):
        context.run(
            f"{PYTHON} -m uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes"
            f" --only-binary :all: --no-emit-build-options --no-emit-index-url --no-emit-find-links"
            f" --custom-compile-command 'inv lock' --output-file {RELEASE}/{name}.txt {RELEASE}/{name}.in"
        )
