"""A project's working tree: checks that it can be written to, and writes all changes or none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import writing
from tagship.errors import TagshipError
from tagship_suite.errors import Problem
from tagship_suite.repo import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def dirty(folder: Path) -> list[Problem]:
    """Return a problem if the repository at `folder` has uncommitted changes; none without a repository."""
    changed = git.changed(folder, "--", ".")
    if not changed:
        return []
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    found = f"uncommitted changes ({changed[0]}{more})"
    return [Problem("uncommitted", str(folder), found, "a clean working tree", "commit or stash them first")]


def unwritable(folder: Path, paths: Iterable[Path]) -> list[Problem]:
    """Return a problem for everything in `folder` that prevents writing the files at `paths`, relative to it.

    These are symlinks that lead out of it, files in place of folders, and folders in place of files.
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
        except (OSError, RuntimeError):  # a dangling link, or a loop
            inside = False
        if not inside:
            remedy = "replace the symlink with a file or folder"
            return Problem(
                "in-the-way",
                name,
                f"a symlink to {str(place.readlink())!r}",
                "no symlink that leaves the project",
                remedy,
            )
    if is_file and place.is_dir():
        return Problem("in-the-way", name, "a folder", "a file or nothing", "rename the folder")
    if not is_file and place.exists() and not place.is_dir():
        return Problem("in-the-way", name, "a file", "a folder or nothing", "rename the file")
    return None


def apply(folder: Path, changes: Mapping[Path, bytes | None]) -> None:
    """Write `changes` below `folder`, None for a file to remove; if that fails halfway, restore everything.

    A separate process writes, and continues if this one is killed. Raises `TagshipError` if the file system refuses
    it.
    """
    if not changes:
        return
    staged = Path(tempfile.mkdtemp(prefix="tagship-"))
    try:
        writing.stage(folder, changes, staged)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    command = (sys.executable, "-I", "-S", writing.__file__, str(staged))
    # In a new session, signals for the terminal's process group do not reach it.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said, _ = process.communicate()
    except BaseException:
        process.wait()  # wait: it takes milliseconds, and leaves nothing half-written
        raise
    if process.returncode:
        name, reason = json.loads(said) if said else (None, "the writing process failed")
        remedy = "nothing was changed; make it writable and run the command again"
        raise TagshipError(Problem("file-system", str(name or folder), reason.lower(), "a file to write", remedy))
