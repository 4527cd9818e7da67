"""Reading dists: names, versions and metadata, without running anything in them."""

from __future__ import annotations

import email.parser
import hashlib
import re
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from posixpath import normpath
from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion

from ..errors import Problem, ReleaseError, refusal, refuse
from . import tars, zips
from .modules import misplaced
from .record import differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from mmap import mmap
    from pathlib import Path
    from zipfile import ZipInfo

    from packaging.tags import Tag

BROKEN_ARCHIVE = (
    OSError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
#: How many files of a wheel that differ from its RECORD are listed.
SHOWN = 5


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
        return file_hash(self.path, "sha256")

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

    @cached_property
    def metadata(self) -> Message:
        """Its core metadata, from METADATA or PKG-INFO; raises `ReleaseError` if there is none."""
        return _parsed(self.metadata_text)

    @cached_property
    def metadata_text(self) -> str:
        """The text of its core metadata, likewise."""
        name = self._metadata_path()
        return self.read([name], "utf-8")[name]  # a byte order mark would be part of its first field

    def read(self, names: list[str], encoding: str = "utf-8-sig") -> dict[str, str]:
        """Return the text of the files `names` in it; raise `ReleaseError` if it cannot be read."""
        return {name: content.decode(encoding, "replace") for name, content in self.contents(names)}

    def contents(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes of the files `names` in it, one by one; raise `ReleaseError` if it cannot be read."""
        with _readable(self.path):
            yield from self._read(names)

    def check(self) -> list[Problem]:
        """Return why installers could unpack it differently, and each file that does not match RECORD.

        Raises `ReleaseError` if its archive is broken, see `zips` and `tars`.
        """
        with _readable(self.path):
            if not self.is_wheel:
                tars.check(self.path, self._tarred)
                return []
            with zips.opened(self.path) as view:
                zips.check(view, self._zipped.values())
                return self._record_problems(view)

    @property
    def info(self) -> str:
        """The path in a wheel of the folder with its metadata."""
        return "-".join(self.path.name.split("-")[:2]) + ".dist-info"

    def _record_problems(self, view: mmap) -> list[Problem]:
        record, remedy = f"{self.info}/RECORD", "build it again"
        if record not in self._zipped:
            return [Problem("broken-dist", str(self.path), f"no {record}", "one", remedy)]
        if reason := misplaced(self._zipped, self.info):
            raise zipfile.BadZipFile(reason)
        found = list(differences(view, self._zipped, record))
        problems = [
            Problem("broken-dist", f"{self.path}: {name}", is_, expected, remedy) for name, is_, expected in found
        ]
        if len(problems) > SHOWN:
            more = f"{len(found) - SHOWN} more"
            problems[SHOWN:] = [Problem("broken-dist", str(self.path), more, "files as in RECORD", remedy)]
        return problems

    @cached_property
    def _zipped(self) -> dict[str, ZipInfo]:
        return zips.entries(self.path)

    @cached_property
    def _tarred(self) -> list[tarfile.TarInfo]:
        return tars.entries(self.path)

    def _read(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        if self.is_wheel:
            with zips.opened(self.path) as view:
                yield from ((name, zips.text(view, self._zipped[name])) for name in names)
            return
        with tars.opened(self.path) as tar:
            found = {normpath(entry.name): entry for entry in self._tarred}
            for name in names:
                if file := tar.extractfile(found[name]):
                    yield name, file.read()

    def _metadata_path(self) -> str:
        folder, file = (r"[^/]+\.dist-info", "METADATA") if self.is_wheel else ("[^/]+", "PKG-INFO")
        found = [name for name in self.members if name.endswith(file) and re.fullmatch(f"{folder}/{file}", name)]
        if len(found) != 1:
            raise refusal("broken-dist", str(self.path), f"{len(found)} {file} files", "one", "build it again")
        return found[0]


@lru_cache(maxsize=8)  # the wheels of a release mostly have the same
def _parsed(text: str) -> Message:
    return email.parser.Parser().parsestr(text)


def file_hash(path: Path, algorithm: str) -> str:
    """Return the hash of the file at `path` in hexadecimal, by an algorithm of `hashlib`."""
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_dist(path: Path) -> Dist:
    """Return the dist at `path` by its file name; raise `ReleaseError` if it is not one.

    Source of the rule: the binary and source distribution format specifications of packaging.python.org.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise InvalidSdistFilename("not a regular file")
        if not path.name.isprintable():  # a tag may hold anything, and each name is one line of SHA256SUMS
            raise InvalidWheelFilename("a name of several lines")
        if path.suffix == ".whl":
            name, version, _, tags = parse_wheel_filename(path.name)
        else:
            name, version = parse_sdist_filename(path.name)
            tags = frozenset()
    except (InvalidSdistFilename, InvalidWheelFilename, InvalidVersion) as error:
        expected = "only an sdist (.tar.gz) and wheels"
        raise refusal("not-a-dist", str(path), f"no dist ({error})", expected, "remove it, build again") from error
    return Dist(path, name, str(version), tags)


def read_dists(folder: Path) -> list[Dist]:
    """Return the dists in `folder`, sorted by name; raise `ReleaseError` for each file that is not one."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        raise refusal("no-dists", str(folder), "no dists", "an sdist and wheels", "run: nox -s build")
    dists: list[Dist] = []
    problems: list[str] = []
    for path in paths:
        try:
            dists.append(read_dist(path))
        except ReleaseError as error:
            problems.extend(error.args)
    if problems:
        raise ReleaseError(*problems)
    return dists


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN_ARCHIVE as error:
        reason = " ".join(str(error).split())
        is_name = reason.startswith(("'", '"'))  # which the project's own file may have, in every build
        remedy = "build it again, without that file or with another name for it" if is_name else "build it again"
        refuse([Problem("broken-dist", str(path), f"a broken archive ({reason})", "a readable one", remedy)])
