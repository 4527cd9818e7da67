"""An sdist's archive: safe to unpack, everything in its one folder, and the same bytes for the same commit.

Source of the rules: https://packaging.python.org/en/latest/specifications/source-distribution-format/ (unpacking),
https://docs.pypi.org/archives/ and https://reproducible-builds.org/docs/archives/.
"""

import gzip
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import dirname, join, normpath
from tarfile import ReadError, TarFile, TarInfo
from typing import IO, cast

from .zips import BOMB_SIZE, PIECE, is_inside, on_disk, outside, twins

#: How many bytes we unpack at most, and how many of them may be headers, which are held in memory: PyPI has no limit.
MOST, MOST_HEADERS = 10 * 2**30, 128 * 2**20
#: From here on a size does not fit into a header, so that a pax record has it.
OCTAL_SIZE = 8**11
#: The records that give each file another name or size.
RENAMES = {"path", "linkpath", "size"}


class Bounded(gzip.GzipFile):
    """Stops before it has unpacked more than `MOST` bytes, or gives more than one file's text at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= BOMB_SIZE:
            raise ReadError(f"a file of more than {BOMB_SIZE} bytes where text was expected")
        self._check(self.tell() + size)
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return super().seek(offset, whence)

    def _check(self, offset: int) -> None:
        if offset > MOST:
            raise ReadError(f"a decompression bomb, which unpacks to more than {MOST} bytes")


def normalise(path: Path, epoch: int) -> None:
    """Rewrite the sdist at `path` in place: sorted, owned by nobody, modes 755 or 644, times `epoch` (seconds).

    Contents, names and the executable bit stay, whichever backend, path, umask or machine made it.
    """
    partial = path.with_name(f".{path.name}.part")
    with tempfile.TemporaryFile(dir=path.parent) as raw:  # on disk: it may be large, and is read in another order
        with Bounded(path, "rb") as packed:
            shutil.copyfileobj(packed, raw, 2**20)
        raw.seek(0)
        with (
            partial.open("wb") as file,
            gzip.GzipFile("", "wb", 9, file, mtime=epoch) as repacked,
            tarfile.open(fileobj=raw, mode="r:") as old,
            tarfile.open(fileobj=cast("IO[bytes]", repacked), mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            # A hard link comes after the file that it links to.
            for member in sorted(old.getmembers(), key=lambda member: (member.islnk(), member.name)):
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
                member.mtime, member.pax_headers = epoch, {}
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
    partial.replace(path)


@contextmanager
def opened(path: Path) -> Iterator[TarFile]:
    """Open the gzipped tar at `path`."""
    with Bounded(path, "rb") as file, tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:") as archive:
        yield archive


def entries(path: Path) -> list[TarInfo]:
    """Return the entries of the archive at `path`; raise `TarError` for a decompression bomb or data after its end."""
    with opened(path) as archive:
        headers = 0
        for entry in archive:
            headers += entry.offset_data - entry.offset
            if headers > MOST_HEADERS:
                raise ReadError(f"a decompression bomb, whose headers alone unpack to more than {MOST_HEADERS} bytes")
        if archive.pax_headers.keys() & RENAMES:
            raise ReadError("a name or a size for all files, which only some programs read")
        found = archive.getmembers()
        assert archive.fileobj
        while block := archive.fileobj.read(PIECE):
            if block.strip(b"\0"):
                raise ReadError("data after its end")
        return found


def outward(path: Path) -> list[str]:
    """Return the links in the archive at `path` that lead out of its folder."""
    links = _links(found := entries(path))
    return [entry.name for entry in found if not _stays(entry, entry.name.split("/")[0], links)]


def _links(found: list[TarInfo]) -> set[str]:
    return {on_disk(entry.name) for entry in found if entry.issym()}


def check(path: Path, found: list[TarInfo]) -> None:
    """Raise `TarError` for the first entry that other programs would read differently, or that leaves the folder."""
    if zipfile.is_zipfile(path):
        raise ReadError("it is also a zip archive")
    links, files = _links(found), set[str]()
    for entry in found:
        if reason := _fault(entry, links):
            raise ReadError(f"{entry.name!r} {reason}")
        if entry.islnk() and entry.linkname not in files:
            raise ReadError(f"{entry.name!r} links to {entry.linkname!r}, and no file before it has that name")
        files |= {entry.name} if entry.isreg() else set()
    if same := twins((entry.name, on_disk(entry.name), entry.isdir()) for entry in found):
        raise ReadError(same)
    places = {entry.name: normpath(entry.name) for entry in found}
    odd = [name for name, place in places.items() if name != place and name.endswith("PKG-INFO")]
    if odd := [name for name in odd if places[name].count("/") == 1]:
        raise ReadError(f"PyPI does not find {odd[0]!r}: it looks for {places[odd[0]]!r}")
    if odd := [name for name in places if name.split("/")[0] == "."]:
        raise ReadError(f"pip does not find the top-level folder next to {odd[0]!r}")
    names, folders = {*places.values()}, {place.split("/")[0] for place in places.values()}
    if len(folders) != 1 or folders & {places[entry.name] for entry in found if not entry.isdir()}:
        raise ReadError(f"{len(folders)} folders and files at its top, not one folder")
    if len(names) == 1:
        raise ReadError(f"only {names.pop()!r}, which PyPI takes for the top-level folder")


def _fault(entry: TarInfo, links: set[str]) -> str:
    if not is_inside(entry.name):
        return outside(entry.name)
    if "\\" in (text := entry.name + entry.linkname) or text.encode(errors="replace").decode() != text:
        return "has a backslash or is not UTF-8, and uv does not unpack it"
    if entry.issparse() or any(field.startswith("GNU.sparse.") for field in entry.pax_headers):
        return "is sparse"
    if "size" in entry.pax_headers and entry.size < OCTAL_SIZE:
        return "has two sizes, in its header and in a pax record"
    if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        return "is neither a file, a folder nor a link"
    if entry.size and not entry.isreg():
        return "has content and is no file"
    if entry.name.endswith("/") and not entry.isdir():
        return "is a file with the name of a folder"
    parts = normpath(entry.name).split("/")
    if links and _goes_through(parts[:-1], links):
        return "is a path through a link"
    return "" if _stays(entry, parts[0], links) else f"links to {entry.linkname!r}, out of its folder"


def _goes_through(parts: list[str], links: set[str]) -> bool:
    return any(on_disk("/".join(parts[:depth])) in links for depth in range(1, len(parts) + 1))


def _stays(entry: TarInfo, top: str, links: set[str]) -> bool:
    """Return whether a link stays in the folder `top`; it may not go up once it has gone through one of `links`."""
    target = entry.linkname
    if entry.issym():
        path = normpath(dirname(entry.name)).split("/")
        for part in filter(lambda part: part not in {"", "."}, target.split("/")):
            if part == ".." and _goes_through(path, links):
                return False  # the names alone do not tell where that leads
            path = path[:-1] if part == ".." else [*path, part]
        target = normpath(join(dirname(entry.name), target))
    is_link = entry.issym() or entry.islnk()
    return not is_link or (is_inside(target) and normpath(target).split("/")[0] == top)
