"""Tasks for people; CI runs the nox sessions. A project's tasks.py imports them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

REQUIREMENTS = ".github/release/requirements"
#: One file for every Python and platform. Extras stay: pip 23 refuses a hashed `name[extra]` that is locked as `name`.
LOCK = ("--universal", "--python-version", "3.10", "--generate-hashes", "--no-strip-extras", "--only-binary", ":all:")


@task
def check(_: Context) -> None:
    """Run what a release needs to pass: build, test, verify-version."""
    apart = Path("release_noxfile.py")  # where the project's own noxfile has sessions of these names
    options = ("-f", str(apart)) if apart.is_file() else ()
    run(sys.executable, "-m", "nox", *options, "-s", "build", "test", "verify-version")


@task(
    help={
        "version": "a version, major, minor, patch, or current as it stands; NAME/patch for one of several",
        "push": "also push",
        "dry-run": "only show the changes, the tag, and what its push would start",
    }
)
def release(_: Context, version: str, *, push: bool = False, dry_run: bool = False) -> None:
    """Bump the version, date the changelog, commit and tag; the pushed tag is what publishes."""
    if version in {"-h", "--help"}:  # which invoke takes for the version
        return run(sys.executable, "-m", "invoke", "--help", "release")
    from .cli import Reported, reporting
    from .repo.bump import cut

    try:
        with reporting():
            print(cut(Path(), version, push=push, dry_run=dry_run))
    except Reported:
        raise Exit(code=1) from None


@task
def rehearse(_: Context) -> None:
    """Rehearse the whole release against a local index that behaves as PyPI does."""
    command = shutil.which("tagship")
    if command is None:
        raise Exit("tagship: found no such command; run: pip install CLONE, of the template [missing-tool]", 1)
    run(command, "rehearse")


@task
def lock(_: Context) -> None:
    """Compile the release tools' requirements anew, with hashes, for every Python and platform."""
    if importlib.util.find_spec("uv") is None:
        raise Exit("uv: found no such package, expected what compiles them; run: pip install uv [missing-tool]", 1)
    compile_ = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", *LOCK)
    for source in sorted(Path(REQUIREMENTS).glob("*.in")):  # there Dependabot runs the command that each file records
        run(*compile_, "--output-file", f"{source.stem}.txt", source.name, cwd=REQUIREMENTS)


def run(*command: str, cwd: str = ".") -> None:
    """Run `command` without a shell; end with its exit status where it fails."""
    status = subprocess.run(command, cwd=cwd, check=False).returncode
    if status:
        raise Exit(code=status)
