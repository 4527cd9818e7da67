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
#: One file for every Python and platform. Extras stay: pip 23 refuses a hashed `name[extra]` that is locked as `name`.
LOCK = "--universal --python-version 3.10 --generate-hashes --no-strip-extras --only-binary :all:"


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
        raise Exit("tagship: found no such command, expected the package; run: pip install CLONE, of the template", 1)
    context.run("tagship rehearse")


@task
def lock(context: Context) -> None:
    """Compile the release tools' requirements anew, with hashes, for every Python and platform."""
    if importlib.util.find_spec("uv") is None:
        raise Exit("uv: found no such package, expected the one that compiles requirements; run: pip install uv", 1)
    compile_ = "-m uv pip compile --quiet --upgrade"
    with context.cd(RELEASE):  # where Dependabot runs the command that each file records
        for name in ("nox", "tools", "wheels"):
            context.run(f"{PYTHON} {compile_} {LOCK} --output-file {name}.txt {name}.in")
