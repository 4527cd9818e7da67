"""The dists of several machines, which each lie in a folder of their own: brought together, or refused."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .errors import Problem, refuse

if TYPE_CHECKING:
    from pathlib import Path


def gather(folder: Path, expected: str) -> None:
    """Move what lies in the folders inside `folder` up into it; `expected` is how many built ("" is not checked).

    One machine's dists lie in `folder` itself. Raises `ReleaseError`, and moves nothing, where a machine's dists are
    missing, or where two made different files of one name: what ships might not be what was tested.
    """
    parts = [path for path in sorted(folder.glob("*")) if path.is_dir() and not path.is_symlink()]
    found = str(len(parts) or 1)
    if expected and found != expected:
        remedy = "run the workflow again; BUILD_ON may name at most eight machines"
        refuse([Problem(str(folder), f"the dists of {found} machines", f"those of {expected}", remedy)])
    files = {path.name: path for path in folder.glob("*") if path.is_file()}
    problems = []
    for path in [path for part in parts for path in sorted(part.iterdir())]:
        first = files.setdefault(path.name, path)
        if not _same(first, path):
            remedy = "let one machine build it: set build or skip in [tool.cibuildwheel]"
            problems.append(Problem(str(path), "other bytes", f"those of {first}", remedy))
    refuse(problems)
    for name, path in files.items():
        path.replace(folder / name)
    for part in parts:
        shutil.rmtree(part)


def _same(one: Path, other: Path) -> bool:
    return one == other or (one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes())
