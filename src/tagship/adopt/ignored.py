"""What .gitignore must cover in a repository with the suite, and what it must not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship import suite
from tagship_suite.repo import git
from tagship_suite.repo.files import load_toml, subtable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Each line, and a file that it covers.
MADE = {
    "/.nox/": ".nox/name/pyvenv.cfg",
    "/build/": "build/name",
    "/bundle/": "bundle/name",
    "/dist/": "dist/name",
    "*.egg-info/": "name.egg-info/name",
    "__pycache__/": "__pycache__/name",
}
#: What a build backend creates besides, if it writes the version to a file.
MADE_BY = {"pdm": {"/.pdm-build/": ".pdm-build/name"}}
NOT = ("!/.github/", f"!/{suite.RELEASE.as_posix()}/", f"!/{suite.RELEASE.as_posix()}/**")


def with_ignored(text: str, folder: Path, written: Iterable[Path]) -> str:
    """Return the `text` of .gitignore that covers what the sessions create, but not the managed files in `written`."""
    backend = str(subtable(load_toml(folder / "pyproject.toml"), "build-system").get("build-backend"))
    made = MADE | MADE_BY.get(backend.partition(".")[0], {})
    covered = {*_ignored(folder, made.values())}
    lines = [line for line, example in made.items() if example not in covered]
    lines += NOT if managed_but_ignored(folder, written) else []
    if not lines:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else end if text.endswith("\n") else end * 2
    return text + gap + "".join(f"{line}{end}" for line in ["# created by the release sessions", *lines])


def managed_but_ignored(folder: Path, written: Iterable[Path]) -> list[str]:
    """Return those of the managed files among `written` that git ignores."""
    managed = [path.as_posix() for path in written if path.is_relative_to(".github")]
    return _ignored(folder, managed) if managed else []


def _ignored(folder: Path, paths: Iterable[str]) -> list[str]:
    return git.lines(folder, "check-ignore", "--no-index", "--", *paths)
