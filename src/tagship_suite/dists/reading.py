"""Reading dists: names, versions and metadata, without running anything in them."""

import email.parser
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import cached_property, lru_cache
from pathlib import Path
from posixpath import normpath
from tarfile import TarError, TarInfo
from zipfile import BadZipFile, ZipInfo

from packaging.tags import Tag
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from ..errors import Problem, collecting, refusal, refuse, shortened
from . import record, tars, zips

BROKEN = (OSError, EOFError, LookupError, RuntimeError, ValueError, struct.error, TarError, BadZipFile, zlib.error)


@dataclass(frozen=True)
class Dist:
    """An sdist or a wheel: its path, and what its file name says."""

    path: Path
    name: str
    version: str
    tags: frozenset[Tag]

    @cached_property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; an sdist otherwise."""
        return self.path.suffix == ".whl"

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """Its SHA-256 in hexadecimal."""
        return sha256_of(self.path)

    @cached_property
    def members(self) -> dict[str, int]:
        """The size in bytes of each file in it, by path; raises `ReleaseError` if it cannot be read."""
        with _readable(self.path):
            if self.is_wheel:
                return {name: info.file_size for name, info in self._zipped.items() if not info.is_dir()}
            return {normpath(entry.name): entry.size for entry in self._tarred if not entry.isdir()}

    @cached_property
    def folders(self) -> set[str]:
        """The folders that an sdist lists, which may be license files; in a wheel PyPI wants files."""
        return set() if self.is_wheel else {normpath(entry.name) for entry in self._tarred if entry.isdir()}

    @property
    def metadata(self) -> Message:
        """Its core metadata, from METADATA or PKG-INFO; raises `ReleaseError` if there is none."""
        return message(self.metadata_text)

    @cached_property
    def metadata_text(self) -> str:
        """The text of its core metadata, likewise."""
        folder, file = (r"[^/]+\.dist-info", "METADATA") if self.is_wheel else ("[^/]+", "PKG-INFO")
        found = [name for name in self.members if name.endswith(file) and re.fullmatch(f"{folder}/{file}", name)]
        if len(found) != 1:
            raise refusal("broken-dist", str(self.path), f"{len(found)} {file} files", "one", "build it again")
        return self.read(found[0], "utf-8")  # a byte order mark would be part of its first field

    @property
    def info(self) -> str:
        """The path in a wheel of the folder with its metadata."""
        return "-".join(self.path.name.split("-")[:2]) + ".dist-info"

    def read(self, name: str, encoding: str = "utf-8-sig") -> str:
        """Return the text of the file `name` in it; raise `ReleaseError` if it cannot be read."""
        return dict(self.contents([name]))[name].decode(encoding, "replace")

    def contents(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes of the files `names` in it, one by one; raise `ReleaseError` if it cannot be read."""
        with _readable(self.path):
            if self.is_wheel:
                with zips.opened(self.path) as view:
                    yield from ((name, zips.content(view, self._zipped[name])) for name in names)
                return
            found = {normpath(entry.name): entry for entry in self._tarred}
            with tars.opened(self.path) as tar:
                yield from ((name, file.read()) for name in names if (file := tar.extractfile(found[name])))

    def check(self, scan: record.Scan = lambda *_: None) -> list[Problem]:
        """Return each file that does not match RECORD; call `scan` with the path and the bytes of source code.

        Raises `ReleaseError` if its archive is broken or installers could unpack it differently, see `zips` and `tars`.
        """
        with _readable(self.path):
            if self.is_wheel:
                with zips.opened(self.path) as view:
                    zips.check(view, self._zipped.values())
                    differing = list(record.differences(view, self._zipped, self.info, scan))
                remedy = "build it again"
                problems = [self.problem("broken-dist", is_, to_be, remedy, name) for name, is_, to_be in differing]
                return shortened(problems, str(self.path), "more", "files as in RECORD")
            tars.check(self.path, self._tarred)
        code = [name for name, size in self.members.items() if record.is_scanned(name, size)]
        for name, content in self.contents(code):
            scan(name, content)
        return []

    def problem(self, code: str, found: str, expected: str, remedy: str, name: str = "") -> Problem:
        """Return a problem of it, or of the file `name` in it."""
        return Problem(code, f"{self.path}: {name}" if name else str(self.path), found, expected, remedy)

    @cached_property
    def _zipped(self) -> dict[str, ZipInfo]:
        return zips.entries(self.path)

    @cached_property
    def _tarred(self) -> list[TarInfo]:
        return tars.entries(self.path)


@lru_cache(maxsize=8)  # the dists of a release mostly have the same
def message(text: str) -> Message:
    """Return core metadata as a message."""
    return email.parser.Parser().parsestr(text)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file at `path` in hexadecimal, "" if it is no file."""
    if not path.is_file():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_dist(path: Path) -> Dist:
    """Return the dist at `path` by its file name; raise `ReleaseError` if it is not one."""
    tags: frozenset[Tag] = frozenset()
    try:
        if path.is_symlink() or not path.is_file():
            raise ValueError("not a regular file")
        if not path.name.isprintable():  # a tag may hold anything, and each name is one line of SHA256SUMS
            raise ValueError("a name of several lines")
        if path.suffix == ".whl":
            name, version, _, tags = parse_wheel_filename(path.name)
        else:
            name, version = parse_sdist_filename(path.name)
    except ValueError as error:
        expected = "only an sdist (.tar.gz) and wheels"
        raise refusal("not-a-dist", str(path), f"no dist ({error})", expected, "remove it, build again") from error
    return Dist(path, name, str(version), tags)


def read_dists(folder: Path, problems: list[Problem | str] | None = None) -> list[Dist]:
    """Return the dists in `folder`, sorted by name; raise `ReleaseError` if there is nothing, and for all other files.

    With `problems`, those are added to it instead.
    """
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        raise refusal("no-dists", str(folder), "no dists", "an sdist and wheels", "run: nox -s build")
    dists: list[Dist] = []
    others: list[Problem | str] = [] if problems is None else problems
    for path in paths:
        with collecting(others):
            dists.append(read_dist(path))
    refuse(others if problems is None else [])
    return dists


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        reason = " ".join(str(error).split())
        is_name = reason.startswith(("'", '"'))  # which the project's own file may have, in every build
        remedy = "build it again, without that file or with another name for it" if is_name else "build it again"
        raise refusal("broken-dist", str(path), f"a broken archive ({reason})", "a readable one", remedy) from None
