"""A project's working tree: whether it may be written to, and writing to it all or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tagship.errors import TagshipError
from tagship_suite.errors import Problem
from tagship_suite.repo import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def dirty(folder: Path) -> list[Problem]:
    """Return the problem that something in the repository at `folder` is not committed; none without a repository."""
    changed = git.lines(folder, "status", "--porcelain", "--", ".")
    if not changed:
        return []
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    found = f"uncommitted changes ({changed[0][3:]}{more})"
    return [Problem(str(folder), found, "a clean working tree", "commit or stash them first")]


def unwritable(folder: Path, paths: Iterable[Path]) -> list[Problem]:
    """Return a problem for everything in `folder` that keeps the files at `paths`, relative to it, from being written.

    That is a symlink that leads out of it, a file where a folder is needed, and the reverse.
    """
    found: dict[Path, Problem] = {}
    for path in paths:
        for part in [*reversed(path.parents), path][1:]:
            if part not in found and (problem := _in_the_way(folder, part, is_file=part == path)):
                found[part] = problem
            if part in found:
                break
    return list(found.values())


def _in_the_way(folder: Path, path: Path, *, is_file: bool) -> Problem | None:
    place, name = folder / path, path.as_posix()
    if place.is_symlink():
        try:
            inside = place.resolve(strict=True).is_relative_to(folder.resolve())
        except (OSError, RuntimeError):  # it leads nowhere, or in a circle
            inside = False
        if not inside:
            remedy = "replace the symlink by what belongs there"
            return Problem(
                name, f"a symlink to {str(place.readlink())!r}", "no symlink that leaves the project", remedy
            )
    if is_file and place.is_dir():
        return Problem(name, "a folder", "a file or nothing", "rename the folder")
    if not is_file and place.exists() and not place.is_dir():
        return Problem(name, "a file", "a folder or nothing", "rename the file")
    return None


def apply(folder: Path, changes: Mapping[Path, bytes | None]) -> None:
    """Write `changes` below `folder`, None for a file that is removed; what fails half-way is taken back.

    Raises `TagshipError` where the file system does not let it.
    """
    before: dict[Path, bytes | None] = {}
    made: list[Path] = []
    try:
        for path, content in changes.items():
            place = folder / path
            before[path] = place.read_bytes() if place.is_file() else None
            if content is None:
                place.unlink()
            else:
                _make_parents(place, made)
                _write(place, content)
    except BaseException as error:
        _restore(folder, before, made)
        if isinstance(error, OSError):
            reason = (error.strerror or str(error)).lower()
            remedy = "nothing was changed; make it writable and run the command again"
            raise TagshipError(
                str(Problem(str(error.filename or folder), reason, "a file to write", remedy))
            ) from error
        raise
    for path in [path for path, content in changes.items() if content is None]:
        with suppress(OSError):  # where it is not empty
            for parent in path.parents[:-1]:
                (folder / parent).rmdir()


def _make_parents(place: Path, made: list[Path]) -> None:
    for parent in reversed(place.parents):
        if not parent.exists():
            parent.mkdir()
            made.append(parent)


def _write(place: Path, content: bytes) -> None:
    """Write a file in one step, so that nobody sees half of it; its mode stays."""
    place = place.resolve()  # a symlink that stays in the project stays one
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if place.exists():
            shutil.copymode(place, temporary)
        else:
            Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _restore(folder: Path, before: Mapping[Path, bytes | None], made: list[Path]) -> None:
    for path, content in before.items():
        with suppress(OSError):
            if content is None:
                (folder / path).unlink(missing_ok=True)
            else:
                (folder / path).write_bytes(content)
    for parent in reversed(made):
        with suppress(OSError):
            parent.rmdir()
