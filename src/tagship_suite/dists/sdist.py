"""An sdist with the same bytes for the same commit, whichever backend, path, umask or machine made it."""

import gzip
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

from . import tars


def normalise(path: Path, epoch: int) -> None:
    """Rewrite the sdist at `path` in place: sorted, owned by nobody, modes 755 or 644, times `epoch` (seconds).

    Contents, names and the executable bit stay. Source of the rule: https://reproducible-builds.org/docs/archives/
    """
    partial = path.with_name(f".{path.name}.part")
    with tempfile.TemporaryFile(dir=path.parent) as raw:  # on disk: it may be large, and is read in another order
        with tars.Bounded(path, "rb") as packed:
            shutil.copyfileobj(packed, raw, 2**20)
        raw.seek(0)
        with partial.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed:
            _rewrite(raw, packed, epoch)
    partial.replace(path)


def _rewrite(raw: IO[bytes], packed: gzip.GzipFile, epoch: int) -> None:
    with (
        tarfile.open(fileobj=raw, mode="r:") as old,
        tarfile.open(fileobj=cast("IO[bytes]", packed), mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        # A hard link comes after the file that it links to.
        for member in sorted(old.getmembers(), key=lambda member: (member.islnk(), member.name)):
            new.addfile(_plain(member, epoch), old.extractfile(member) if member.isreg() else None)


def _plain(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.mtime, member.pax_headers = epoch, {}
    return member
