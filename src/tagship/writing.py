"""Writes the files of a staged change, in a separate process, which continues if its parent is killed.

It only needs the standard library: `python -I writing.py FOLDER`; FOLDER holds `plan.json` and the new contents.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN = "plan.json"


def stage(folder: Path, changes: Mapping[Path, bytes | None], to: Path) -> None:
    """Write the changes below `folder` to the folder `to`, for `carry_out` in another process."""
    entries = []
    for number, (path, content) in enumerate(changes.items()):
        if content is not None:
            (to / str(number)).write_bytes(content)
        entries.append([str(path), content is not None])
    # Text that is not UTF-8, as in file names, is kept as escapes.
    (to / PLAN).write_text(json.dumps({"folder": str(folder.resolve()), "changes": entries}), encoding="ascii")


def carry_out(staged: Path) -> None:
    """Make the staged change, all or nothing; raise `OSError` if it was reverted."""
    plan = json.loads((staged / PLAN).read_text(encoding="ascii"))
    folder = Path(plan["folder"])
    before: dict[Path, bytes | None] = {}
    made: list[Path] = []
    try:
        for number, (name, is_written) in enumerate(plan["changes"]):
            place = folder / name
            before[place] = place.read_bytes() if place.is_file() else None
            if is_written:
                _make_parents(place, made)
                _write(place, (staged / str(number)).read_bytes())
            else:
                place.unlink()
    except BaseException:
        _restore(before, made)
        raise
    for name, is_written in plan["changes"]:
        with suppress(OSError):  # a folder that is not empty
            for parent in () if is_written else Path(name).parents[:-1]:
                (folder / parent).rmdir()


def _make_parents(place: Path, made: list[Path]) -> None:
    for parent in reversed(place.parents):
        if not parent.exists():
            parent.mkdir()
            made.append(parent)


def _write(place: Path, content: bytes) -> None:
    """Replace a file atomically, and keep its mode."""
    place = place.resolve()  # a symlink inside the project is kept
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:50]}.")
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


def _restore(before: Mapping[Path, bytes | None], made: list[Path]) -> None:
    for place, content in before.items():
        with suppress(OSError):
            if content is None:
                place.unlink(missing_ok=True)
            else:
                place.write_bytes(content)
    for parent in reversed(made):
        with suppress(OSError):
            parent.rmdir()


def main(staged: Path) -> int:
    """Make the staged change, then remove the staged files; print an error as JSON."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    try:
        carry_out(staged)
    except OSError as error:
        print(json.dumps([error.filename and str(error.filename), error.strerror or str(error)]))
        return 1
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
