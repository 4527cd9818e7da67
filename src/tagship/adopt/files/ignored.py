"""What .gitignore must cover in a repository with the suite, and what it must not cover."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tagship import suite
from tagship_suite.errors import ReleaseError
from tagship_suite.files import load_toml, subtable
from tagship_suite.repo import git
from tagship_suite.repo.packages import distribution_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Each line, and a file that it covers.
MADE = {
    "/.nox/": ".nox/name/pyvenv.cfg",
    "/build/": "build/name",
    "/bundle/": "bundle/name",
    "/dist/": "dist/name",
    "*.egg-info/": "{egg}.egg-info/name",
    "__pycache__/": "__pycache__/name.pyc",
}
#: What setuptools creates, and these build backends do not; what each creates instead.
BY_SETUPTOOLS = {"/build/", "*.egg-info/"}
OTHERS: dict[str, dict[str, str]] = {
    **{name: {} for name in ("flit_core", "hatchling", "poetry", "uv_build")},
    "pdm": {"/.pdm-build/": ".pdm-build/name"},  # if it writes the version to a file
}
NOT = ("!/.github/", f"!/{suite.RELEASE.as_posix()}/", f"!/{suite.RELEASE.as_posix()}/**")


def with_ignored(text: str, folder: Path, written: Iterable[Path]) -> str:
    """Return the `text` of .gitignore that covers what the sessions create, but not the managed files in `written`."""
    backend = str(subtable(load_toml(folder / "pyproject.toml"), "build-system").get("build-backend")).partition(".")[0]
    not_made = BY_SETUPTOOLS if backend in OTHERS else set[str]()
    egg = f"{'src/' * (folder / 'src').is_dir()}{_name(folder).replace('-', '_')}"
    made = {line: example.format(egg=egg) for line, example in MADE.items() if line not in not_made}
    made |= OTHERS.get(backend, {})
    covered = {*_ignored(folder, made.values())}
    lines = [line for line, example in made.items() if example not in covered]
    lines += NOT if managed_but_ignored(folder, written) else []
    if not lines:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else end if text.endswith("\n") else end * 2
    return text + gap + "".join(f"{line}{end}" for line in ["# created by the release sessions", *lines])


def _name(folder: Path) -> str:
    with suppress(ReleaseError):
        return distribution_name(folder) or "name"
    return "name"


def managed_but_ignored(folder: Path, written: Iterable[Path]) -> list[str]:
    """Return those of the managed files among `written` that git ignores."""
    managed = [path.as_posix() for path in written if path.is_relative_to(".github")]
    return _ignored(folder, managed) if managed else []


def _ignored(folder: Path, paths: Iterable[str]) -> list[str]:
    return git.lines(folder, "check-ignore", "--no-index", "--", *paths)
