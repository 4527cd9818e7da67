"""Tasks for people; CI runs the nox sessions. A project's tasks.py imports them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

REQUIREMENTS = ".github/release/requirements"
#: One file for every Python and platform. Extras are kept: pip 23 refuses `name[extra]` if only `name` is locked.
LOCK = ("--universal", "--python-version", "3.10", "--generate-hashes", "--no-strip-extras", "--only-binary", ":all:")


@task
def check(_: Context) -> None:
    """Run what a release needs to pass: build, test, verify-version."""
    enter_root()
    apart = Path("release_noxfile.py")  # for a project whose own noxfile has sessions of these names
    options = ("-f", str(apart)) if apart.is_file() else ()
    run(sys.executable, "-m", "nox", *options, "-s", "build", "test", "verify-version")


@task(
    help={
        "version": "a version, major, minor, patch, or current for the one in the files; NAME/patch for one of several",
        "push": "also push",
        "dry-run": "only show the changes, the tag, and what its push would start",
    },
)
def release(_: Context, version: str, *, push: bool = False, dry_run: bool = False) -> None:
    """Bump the version, date the changelog, commit and tag; the pushed tag is what publishes."""
    if version in {"-h", "--help"}:  # invoke takes it for the version
        return run(sys.executable, "-m", "invoke", "--help", "release")
    enter_root()
    from .repo.bump import cut_release
    from .report import Reported, reporting

    try:
        with reporting():
            print(cut_release(Path(), version, push=push, dry_run=dry_run))
    except Reported:
        raise Exit(code=1) from None


@task
def rehearse(_: Context) -> None:
    """Rehearse the whole release against a local index that behaves as PyPI does."""
    enter_root()
    command = shutil.which("tagship")
    if command is None:
        raise Exit("tagship: found no such command; run: pip install CLONE, a clone of the template [missing-tool]", 1)
    run(command, "rehearse")


@task
def lock(_: Context) -> None:
    """Update the locked release tools, with hashes, for every Python and platform."""
    enter_root()
    if importlib.util.find_spec("uv") is None:
        raise Exit("uv: found no such package, which compiles the requirements; run: pip install uv [missing-tool]", 1)
    compile_ = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", *LOCK)
    for source in sorted(Path(REQUIREMENTS).glob("*.in")):
        # In that folder, so that Dependabot can run the command that each lock records.
        run(*compile_, "--output-file", f"{source.stem}.txt", source.name, cwd=REQUIREMENTS)


def enter_root() -> None:
    """Change to the repository's root: invoke runs a task in the folder where it was called, which may be elsewhere."""
    here, release = Path.cwd(), Path(__file__).resolve().parents[1]
    own = release.parents[1:2] if release.match(".github/release") else ()  # the project with this copy of the suite
    os.chdir(next((each for each in (*own, here, *here.parents) if (each / REQUIREMENTS).is_dir()), here))


def run(*command: str, cwd: str = ".") -> None:
    """Run `command` without a shell; end with its exit status if it fails."""
    status = subprocess.run(command, cwd=cwd, check=False).returncode
    if status:
        raise Exit(code=status)
