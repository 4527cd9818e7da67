"""Whether a file is inside what it says outside: sound archives, and what a wheel or an sdist must hold."""

from __future__ import annotations

import configparser
import csv
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from posixpath import commonpath, normpath
from typing import IO, TYPE_CHECKING

from tagship.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    OSError,
    RuntimeError,  # also what zipfile raises for what it does not support
    ValueError,
)
_BOMB_SIZE = 64 * 1024**2
_BOMB_RATIO = 50
_ENTRY_POINT = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Contents:
    """What the index needs of a file: its own metadata, and what PyPI would send its owners a mail about."""

    metadata: bytes
    warnings: tuple[str, ...] = ()


def read_sdist(content: IO[bytes], filename: str, license_files: Sequence[str]) -> Contents:
    """Check an sdist in the form of a tarball (PEP 625) and return its metadata; raises Refusal."""
    if not filename.endswith(".tar.gz"):
        raise Refusal(f"Invalid source distribution filename: {filename}")
    if zipfile.is_zipfile(content):
        raise _invalid("File is both a zip and a tar file")
    content.seek(0)
    try:
        with tarfile.open(fileobj=content, mode="r:gz") as archive:
            return _read_tar(archive, filename, license_files)
    except _BROKEN:
        raise _invalid("File is not a tarfile") from None


def read_wheel(content: IO[bytes], filename: str, license_files: Sequence[str]) -> Contents:
    """Check a wheel (PEP 427) and return its metadata; raises Refusal."""
    if not zipfile.is_zipfile(content):
        raise _invalid("File is not a zipfile")
    try:
        with zipfile.ZipFile(content) as archive:
            return _read_zip(archive, content, filename, license_files)
    except _BROKEN:
        raise _invalid("ZIP archive not accepted: Malformed zip file.") from None


def _invalid(reason: str) -> Refusal:
    return Refusal(f"Invalid distribution file. {reason}")


def _unsafe(names: Iterable[str]) -> str | None:
    """Return a name that would be unpacked outside of where it should."""
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
            return name
    return None


def _read_tar(archive: tarfile.TarFile, filename: str, license_files: Sequence[str]) -> Contents:
    names = [normpath(name) for name in archive.getnames()]
    if any(member.issparse() for member in archive.getmembers()):
        raise _invalid(
            "tar archive not accepted: Sparse members are not allowed."
            " See https://docs.pypi.org/archives for more information"
        )
    absolute = any(name.startswith("/") for name in names)
    top = "" if absolute or not names else commonpath(names)
    if top in {"", ".", "/"}:
        raise _invalid("Incorrect number of top-level directories in sdist")
    if f"{top}/PKG-INFO" not in names:
        raise _invalid(f"PKG-INFO not found at {top}/PKG-INFO")
    for each in license_files:
        if normpath(f"{top}/{each}") not in names:
            raise _no_license(each, filename, f"{top}/{each}")
    member = archive.extractfile(f"{top}/PKG-INFO")
    if member is None:
        raise _invalid(f"PKG-INFO not found at {top}/PKG-INFO")
    return Contents(member.read())


def _no_license(name: str, filename: str, where: str) -> Refusal:
    return Refusal(f"License-File {name} does not exist in distribution file {filename} at {where}")


def _read_zip(archive: zipfile.ZipFile, content: IO[bytes], filename: str, license_files: Sequence[str]) -> Contents:
    name, version, _ = filename.split("-", 2)
    info = f"{name}-{version}.dist-info"
    _check_zip(archive, content)
    _member(archive, f"{info}/WHEEL", _invalid(f"WHEEL not found at {info}/WHEEL"))
    for each in license_files:
        where = f"{info}/licenses/{each}"
        _member(archive, where, _no_license(each, filename, where))
    warnings = _record_warnings(archive, filename, info)
    _check_entry_points(archive, filename, info)
    where = f"{info}/METADATA"
    missing = Refusal(f"Wheel '{filename}' does not contain the required METADATA file: {where}")
    return Contents(_member(archive, where, missing), warnings)


def _member(archive: zipfile.ZipFile, name: str, missing: Refusal) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        raise missing from None


def _check_zip(archive: zipfile.ZipFile, content: IO[bytes]) -> None:
    size = content.seek(0, 2)
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _BOMB_SIZE and unpacked / size > _BOMB_RATIO:
        raise _invalid(f"File exceeds compression ratio of {_BOMB_RATIO}")
    if any(e.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for e in archive.infolist()):
        raise _invalid("File does not use a supported compression type")
    if problem := _zip_problem(archive, content):
        raise _invalid(f"ZIP archive not accepted: {problem}. See https://docs.pypi.org/archives for more information")


def _zip_problem(archive: zipfile.ZipFile, content: IO[bytes]) -> str:
    """Return what different unzippers would see differently, or unpack elsewhere; "" when nothing.

    PyPI reads every record of the archive; these are the findings that a build tool can cause.
    """
    names = archive.namelist()
    if len(names) != len(set(names)):
        return "Duplicate filename in local headers"
    if any(not name.isprintable() for name in names):
        return "Invalid character in filename"
    if unsafe := _unsafe(names):
        return f"Path of {unsafe!r} is not inside the archive"
    content.seek(0)
    if names and content.read(4) != b"PK\x03\x04":
        return "Unknown record signature"
    content.seek(-22 - len(archive.comment), 2)
    return "" if content.read(4) == b"PK\x05\x06" else "Trailing data"


def _record_warnings(archive: zipfile.ZipFile, filename: str, info: str) -> tuple[str, ...]:
    """Compare RECORD with the wheel: without one it is refused, with another content PyPI sends a mail.

    https://blog.pypi.org/posts/2025-08-07-wheel-archive-confusion-attacks/
    """
    where = f"{info}/RECORD"
    missing = Refusal(f"Wheel '{filename}' does not contain the required RECORD file: {where}")
    try:
        rows = list(csv.reader(_member(archive, where, missing).decode().splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise missing from None
    listed = {row[0].replace("\\", "/") for row in rows if row}
    signatures = {f"{where}.jws", f"{where}.p7s"}
    held = {name for name in archive.namelist() if not name.endswith(("/", "\\"))} - signatures
    not_listed = [f"RECORD does not list {name}" for name in sorted(held - listed)]
    return (*not_listed, *(f"RECORD lists {name}, which is missing" for name in sorted(listed - held)))


def _check_entry_points(archive: zipfile.ZipFile, filename: str, info: str) -> None:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(archive.read(f"{info}/entry_points.txt").decode())
    except KeyError:
        return
    except (UnicodeDecodeError, configparser.Error):
        raise _entry_points(filename) from None
    for section in {"console_scripts", "gui_scripts"} & set(parser.sections()):
        if not all(_ENTRY_POINT.fullmatch(name) for name in parser.options(section)):
            raise _entry_points(filename)


def _entry_points(filename: str) -> Refusal:
    return Refusal(f"Wheel '{filename}' has invalid entry points defined in the entry_points.txt file")
