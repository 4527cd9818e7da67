"""An sdist with the same bytes for the same commit, whichever backend, path, umask or machine made it."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from ._compat import tomllib
from .config import subtable
from .dists import read_dist

if TYPE_CHECKING:
    from pathlib import Path


def normalise(path: Path, epoch: int) -> None:
    """Rewrite the sdist at `path` in place: sorted, owned by nobody, modes 755 or 644, times `epoch` (seconds).

    Contents, names and the executable bit stay. Source of the rule: https://reproducible-builds.org/docs/archives/
    """
    raw = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            new.addfile(_plain(member, epoch), old.extractfile(member) if member.isreg() else None)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed:
        packed.write(raw.getvalue())
    partial.replace(path)


def is_compiled(path: Path) -> bool:
    """Tell whether the sdist at `path` says that cibuildwheel makes its wheels."""
    file = f"{path.name.removesuffix('.tar.gz')}/pyproject.toml"
    dist = read_dist(path)
    text = dist.read([file])[file] if file in dist.members else ""
    return "cibuildwheel" in subtable(tomllib.loads(text), "tool")


def _plain(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = epoch
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.pax_headers = {}
    return member
