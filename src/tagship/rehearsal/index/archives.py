"""Whether an archive is intact, matches its name, and holds what a wheel or an sdist must hold."""

from __future__ import annotations

import configparser
import csv
import re
import tarfile
import zipfile
import zlib
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import commonpath, join
from typing import IO, TYPE_CHECKING

from tagship.rehearsal.index import zipwalk
from tagship.rehearsal.index.refusal import Refusal
from tagship_suite.dists.record import SCANNED
from tagship_suite.dists.rules import encrypted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

UNEXPECTED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    OSError,
    RuntimeError,  # which zipfile also raises for unsupported features
    ValueError,
)
"""Exceptions from archives that PyPI does not expect: its answer is 500 then."""
_BOMB_SIZE = 64 * 1024**2
_BOMB_RATIO = 50
_ENTRY_POINT = re.compile(r"[\w.-]+")
_TOPS = "Incorrect number of top-level directories in sdist"
_SEE = "See https://docs.pypi.org/archives for more information"

Archive = zipfile.ZipFile | tarfile.TarFile


@dataclass(frozen=True)
class Contents:
    """What the index reads from a wheel: its metadata, and the warnings that PyPI would email to its owners."""

    metadata: bytes = b""
    warnings: tuple[str, ...] = ()


@contextmanager
def opened(content: IO[bytes], filename: str) -> Iterator[Archive]:
    """Yield the archive after the checks that PyPI makes for any name; raises Refusal."""
    is_zip, is_tar = zipfile.is_zipfile(content), _is_tar(content)
    if is_zip and is_tar:
        raise _invalid("File is both a zip and a tar file")
    if not (is_tar if filename.endswith(".tar.gz") else is_zip):
        raise _invalid("File is not a tarfile" if filename.endswith(".tar.gz") else "File is not a zipfile")
    broken = (tarfile.ReadError, EOFError, zlib.error) if is_tar else (zipfile.BadZipFile,)
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(closing(_open(content, filename)))
            _check(archive, content, filename)
        except broken:
            raise _invalid("None") from None  # PyPI's wording
        yield archive


def _is_tar(content: IO[bytes]) -> bool:
    found = False
    content.seek(0)
    with suppress(EOFError):  # a file that ends in its first block
        found = tarfile.is_tarfile(content)
    content.seek(0)
    return found


def _open(content: IO[bytes], filename: str) -> Archive:
    if filename.endswith(".tar.gz"):
        return tarfile.open(fileobj=content, mode="r:gz")
    return zipfile.ZipFile(content)


def _invalid(reason: str) -> Refusal:
    return Refusal(f"Invalid distribution file. {reason}")


def _check(archive: Archive, content: IO[bytes], filename: str) -> None:
    if isinstance(archive, tarfile.TarFile):
        _check_tar(archive)
    else:
        _check_zip(archive, content, filename)


def _check_tar(archive: tarfile.TarFile) -> None:
    top = _top(archive.getnames())
    if any(member.issparse() for member in archive.getmembers()):
        raise _invalid(f"tar archive not accepted: Sparse members are not allowed. {_SEE}")
    if top in {"", ".", "/"}:
        raise _invalid(_TOPS)
    if not _has(archive, where := join(top, "PKG-INFO")):
        raise _invalid(f"PKG-INFO not found at {where}")
    code = [member for member in archive.getmembers() if member.isfile() and _is_code(member.name)]
    _scan(file.read() for member in code if (file := archive.extractfile(member)))


def _top(names: Sequence[str]) -> str:
    return commonpath(names) if names else ""


def _has(archive: tarfile.TarFile, name: str) -> bool:
    try:
        archive.getmember(name)
    except KeyError:
        return False
    return True


def _check_zip(archive: zipfile.ZipFile, content: IO[bytes], filename: str) -> None:
    size = content.seek(0, 2)
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _BOMB_SIZE and unpacked / size > _BOMB_RATIO:
        raise _invalid(f"File exceeds compression ratio of {_BOMB_RATIO}")
    if any(e.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for e in archive.infolist()):
        raise _invalid("File does not use a supported compression type")
    _check_core(archive, filename)
    _scan(archive.read(name) for name in archive.namelist() if _is_code(name))
    if problem := zipwalk.problem(archive):
        raise _invalid(f"ZIP archive not accepted: {problem}. {_SEE}")


def _check_core(archive: zipfile.ZipFile, filename: str) -> None:
    if filename.endswith(".zip"):
        if (top := _top(archive.namelist())) in {"", ".", "/"}:
            raise _invalid(_TOPS)
        where = join(top, "PKG-INFO")
        _member(archive, where, _invalid(f"PKG-INFO not found at {where}"))
        return
    if filename.count("-") < 2:
        raise _invalid("Unable to parse name and version from wheel filename")
    where = f"{_info(filename)}/WHEEL"
    _member(archive, where, _invalid(f"WHEEL not found at {where}"))


def _info(filename: str) -> str:
    return "-".join(filename.split("-")[:2]) + ".dist-info"


def _is_code(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in {".py", ".pye"} and not name.endswith("/")


def _scan(files: Iterable[bytes]) -> None:
    for code in files:
        for tool in encrypted(code) if len(code) <= SCANNED else ():
            page = "See https://pypi.org/policy/acceptable-use-policy/ for more information."
            raise _invalid(f"{tool}-encrypted content is not allowed. {page}")


def check_sdist(archive: tarfile.TarFile, filename: str, license_files: Sequence[str]) -> None:
    """Check that an sdist has its license files (PEP 639); raises Refusal."""
    top = _top(archive.getnames())
    for each in license_files:
        if not _has(archive, where := join(top, each)):
            raise _no_license(each, filename, where)


def _no_license(name: str, filename: str, where: str) -> Refusal:
    return Refusal(f"License-File {name} does not exist in distribution file {filename} at {where}")


def read_wheel(archive: zipfile.ZipFile, filename: str, license_files: Sequence[str]) -> Contents:
    """Check the contents of a wheel (PEP 427) and return its metadata; raises Refusal."""
    info = _info(filename)
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


def _record_warnings(archive: zipfile.ZipFile, filename: str, info: str) -> tuple[str, ...]:
    """Compare RECORD with the wheel: PyPI refuses a wheel without one, and sends a mail if the contents differ.

    https://blog.pypi.org/posts/2025-08-07-wheel-archive-confusion-attacks/
    """
    where = f"{info}/RECORD"
    missing = Refusal(f"Wheel '{filename}' does not contain the required RECORD file: {where}")
    try:
        rows = list(csv.reader(_member(archive, where, missing).decode().splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise missing from None
    listed = {name.replace("\\", "/") for name, *_ in rows}
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
