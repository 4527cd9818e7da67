"""What git knows of a project: its tags, its branch, the time of its commit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from .errors import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path


#: A tag may be named in any bytes.
TEXT: Any = {"encoding": "utf-8", "errors": "surrogateescape"}


def ask(root: Path, *arguments: str) -> str | None:
    """Return what `git ARGUMENTS` prints at `root`, or None where it fails: no repository, no commit, no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False, **TEXT)
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def run(root: Path, *arguments: str) -> None:
    """Run `git ARGUMENTS` at `root`; raise `ReleaseError` with git's own words where it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False, **TEXT)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise ReleaseError(f"git {arguments[0]}: {' / '.join(words)}")


def lines(root: Path, *arguments: str) -> list[str]:
    """Return the lines that `git ARGUMENTS` prints at `root`, none where it fails."""
    return (ask(root, *arguments) or "").splitlines()


def commit_time(root: Path) -> int | None:
    """Return the time of the commit at `root` in seconds since 1970, if there is one."""
    time = ask(root, "log", "-1", "--no-show-signature", "--format=%ct")
    return int(time) if time else None


def changed(root: Path) -> list[str]:
    """Return the files at `root` that git knows and that differ from the commit."""
    return [line[3:] for line in lines(root, "status", "--porcelain", "--untracked-files=no")]


def is_shallow(root: Path) -> bool:
    """Tell whether the repository at `root` lacks a part of its history, as a clone with a depth does."""
    return ask(root, "rev-parse", "--is-shallow-repository") == "true"


def tags_here(root: Path) -> list[str]:
    """Return the tags that point at the commit at `root`."""
    return lines(root, "tag", "--points-at", "HEAD")
