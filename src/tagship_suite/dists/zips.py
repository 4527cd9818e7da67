"""A wheel's archive: every program unpacks the same files from it, and never more bytes than it declares.

Source of the rules: https://docs.pypi.org/archives/ and https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from posixpath import normpath
from zipfile import BadZipFile, ZipInfo

#: PyPI's limits: a wheel that unpacks to more than both is a decompression bomb.
BOMB_SIZE, BOMB_RATIO = 64 * 2**20, 50
#: Bytes that are unpacked at once: they may expand 1032 times.
PIECE = 8 * 1024

# Signature, flags, method, CRC, packed and unpacked size, lengths of the name and of the extra fields.
LOCAL = struct.Struct("<4s2xHH4xLLLHH")
# The size of an entry of the directory, before its name.
CENTRAL = 46
# Signature, entries here and in all, size and place of the directory; in a zip64 first its own size, in the other
# last the length of the comment.
END = struct.Struct("<4s4xHHLLH")
END64 = struct.Struct("<4sQ12xQQQQ")
LOCATOR64 = struct.Struct("<4s4xQ4x")
SEALED = 0x2061  # flags of what is encrypted, or a patch: bits 0, 5, 6 and 13
DESCRIPTOR = 0x08
ZIP64, UNICODE_PATH = 0x0001, 0x7075
UNKNOWN = 0xFFFFFFFF
#: The start of an absolute path, and what no name may have.
ODD, CONTROL = re.compile(r"\A(?:[/\\]|[A-Za-z]:)|[\x00-\x1f\x7f]"), re.compile(r"[\x00-\x1f\x7f]")
#: What Windows removes from a name.
STRIPPED = re.compile(r"[. ](?:/|$)|::\$")
#: The folders of modules and of scripts in `.data`, by the name of the scheme or by the usual path, and any other.
MODULES = re.compile(r"(?i)^[^/]+\.data/(?:purelib|platlib|data/lib(?:64)?(?:/[^/]+)?/(?:site|dist)-packages)/")
SCRIPTS, DATA = re.compile(r"^[^/]+\.data/(?:data/bin|data/scripts|scripts)/"), re.compile(r"^[^/]+\.data/")


def is_inside(name: str) -> bool:
    """Return whether a file of this name stays in the folder that it is unpacked to, on every system."""
    return bool(name) and not ODD.search(name) and ".." not in name.replace("\\", "/").split("/")


def outside(name: str) -> str:
    """Return why `is_inside` is false for this name."""
    return "has a control character" if CONTROL.search(name) else "is a path out of the archive"


def on_disk(name: str) -> str:
    """Return one name for all names of one file on some file system: by case, Unicode form, or the rules of Windows.

    Source of the rule: https://learn.microsoft.com/windows/win32/fileio/naming-a-file and, for `::$DATA`, its streams.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    path = normpath(name.lower().replace("\\", "/"))
    if STRIPPED.search(path):
        path = "/".join(part.partition("::$")[0].rstrip(". ") or part for part in path.split("/"))
    return path


def twins(members: Iterable[tuple[str, str, bool]]) -> str:
    """Return which two of `members` collide, "" if none do; each is its name, that `on_disk`, and if it is a folder."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name, place, is_folder in members:
        if not is_folder and place in files:
            return f"{files[place]!r} and {name!r} are written to the same file"
        (folders if is_folder else files)[place] = name
        folders.setdefault(place.rpartition("/")[0], name)
    for folder, name in folders.items():
        while folder and folder not in files:
            folder = folder.rpartition("/")[0]
        if folder:
            return f"{files[folder]!r} is a file, and for {name!r} a folder"
    return ""


def installed(name: str) -> str:
    """Return where an installer writes a wheel's file: those in `.data` are spread.

    Source of the rule: https://packaging.python.org/en/latest/specifications/binary-distribution-format/ (spread).
    pip takes every folder `*.data` for it, whatever its name and version.
    """
    place = MODULES.sub("", on_disk(name))
    return DATA.sub(".data/", SCRIPTS.sub(".data/scripts/", place))


def entries(path: Path) -> dict[str, ZipInfo]:
    """Return the archive's entries by name; raise `BadZipFile` for a decompression bomb or a duplicate name."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    if (size := sum(info.file_size for info in infos)) > max(BOMB_SIZE, BOMB_RATIO * path.stat().st_size):
        raise BadZipFile(f"a decompression bomb, which unpacks to {size} bytes")
    found = {info.filename: info for info in infos}
    if len(found) < len(infos):
        raise BadZipFile("two entries with the same name")
    return found


@contextmanager
def opened(path: Path) -> Iterator[mmap]:
    """Map the file at `path`, which may not be empty, into memory."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as view:
        yield view


def unpacked(view: mmap, info: ZipInfo) -> Iterator[bytes]:
    """Yield an entry's bytes in blocks; raise `BadZipFile` if size or checksum are not those that it declares."""
    start, end = _span(view, info)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type else None
    size = crc = 0
    for at in range(start, end, PIECE):
        piece = view[at : min(at + PIECE, end)]
        block = unpacker.decompress(piece) if unpacker else piece
        size, crc = size + len(block), zlib.crc32(block, crc)
        if size > info.file_size:
            break
        yield block
    if (size, crc) != (info.file_size, info.CRC):
        raise BadZipFile(f"{info.filename!r} unpacks to other bytes than it declares")


def _span(view: mmap, info: ZipInfo) -> tuple[int, int]:
    """Return where an entry's packed bytes start and end."""
    *_, name, extra = LOCAL.unpack_from(view, info.header_offset)
    start = info.header_offset + LOCAL.size + int(name + extra)
    return start, start + info.compress_size


def content(view: mmap, info: ZipInfo) -> bytes:
    """Return the bytes of an entry that is read whole; raise `BadZipFile` if it is too long for that."""
    if info.file_size > BOMB_SIZE:
        raise BadZipFile(f"{info.filename!r} has {info.file_size} bytes where text was expected")
    return b"".join(unpacked(view, info))


def check(view: mmap, found: Collection[ZipInfo]) -> None:
    """Raise `BadZipFile` unless programs that read the archive from its start or from its end unpack the same files."""
    if fault := _misnamed(tuple(info.orig_filename for info in found)):
        raise BadZipFile(fault)
    at = 0
    for info in sorted(found, key=lambda info: info.header_offset):
        if fault := _fault(view, info, at):
            raise BadZipFile(f"{info.orig_filename!r} {fault}")
        _, at = _span(view, info)
    _check_directory(view, at, found)
    if view[257:262] == b"ustar":
        raise BadZipFile("it is also a tar archive")


@lru_cache(maxsize=8)  # the wheels of a release mostly have the same
def _misnamed(names: tuple[str, ...]) -> str:
    """Return why a wheel may not have entries of these `names`, "" if it may."""
    if same := twins((name, installed(name), name.endswith("/")) for name in names):
        return same
    for name in names:
        if not is_inside(name):
            return f"{name!r} {outside(name)}"
        if {"", "."} & {*name.removesuffix("/").split("/")}:
            return f"{name!r} is a path with an empty part or '.', so the file would get another name"
    return ""


def _fault(view: mmap, info: ZipInfo, at: int) -> str:
    """Return what is wrong with an entry, whose own header is to be `at`, and to say what the directory says."""
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is neither a file nor a folder"
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "is neither stored nor deflated"
    if info.header_offset != at:
        return "does not directly follow the entry before it"
    signature, flags, method, crc, packed, size, name_length, extra_length = LOCAL.unpack_from(view, at)
    if (flags | info.flag_bits) & SEALED:
        return "is encrypted"
    if flags & DESCRIPTOR:
        return "has a data descriptor"
    name = view[(at := at + LOCAL.size) : (at := at + name_length)]
    extra = _extra(view[at : at + extra_length])
    header = (signature, name, method, crc, *_sizes(extra.get(ZIP64, b""), packed, size))
    listed = (info.orig_filename.encode(), info.compress_type, info.CRC, info.compress_size, info.file_size)
    is_same = header == (b"PK\3\4", *listed) and not _renames(extra, name)
    return "" if is_same else "has a header that differs from the directory"


def _extra(data: bytes) -> dict[int, bytes]:
    """Return the extra fields by number; those that describe the file may not be repeated."""
    fields: dict[int, bytes] = {}
    while data:
        kind, size = struct.unpack_from("<HH", data)
        if len(data) < 4 + size or (kind in fields and kind in {ZIP64, UNICODE_PATH}):
            raise BadZipFile("malformed extra fields")
        fields[kind], data = data[4 : 4 + size], data[4 + size :]
    return fields


def _renames(extra: dict[int, bytes], name: bytes) -> bool:
    """Return whether the extra fields have another name, which Python reads since 3.12."""
    return extra.get(UNICODE_PATH, bytes(5) + name)[5:] != name


def _sizes(zip64: bytes, packed: int, size: int) -> tuple[int, int]:
    if len(zip64) not in {0, 8, 16, 24, 28}:
        raise BadZipFile("malformed extra fields")
    if not zip64:
        return packed, size
    values = struct.unpack_from(f"<{min(len(zip64) // 8, 2)}Q", zip64)
    return values[-1], values[0] if size == UNKNOWN else size


def _check_directory(view: mmap, start: int, found: Collection[ZipInfo]) -> None:
    """Raise `BadZipFile` unless a directory of what was `found` is at `start`, with its end and a comment after it."""
    size = sum(CENTRAL + len(info.orig_filename.encode()) + len(info.extra) for info in found)
    at, values = start + size, (len(found), len(found), size, start)
    is_sound = not any(info.comment or _renames(_extra(info.extra), info.orig_filename.encode()) for info in found)
    if is_zip64 := view[at : at + 4] == b"PK\6\6":
        ends = (END64.unpack_from(view, at)[1:], LOCATOR64.unpack_from(view, at + END64.size))
        is_sound &= ends == ((44, *values), (b"PK\6\7", at))
        at += END64.size + LOCATOR64.size
    signature, *fields, comment = END.unpack_from(view, at)
    unknown = (0xFFFF, 0xFFFF, UNKNOWN, UNKNOWN) if is_zip64 else values
    is_sound &= all(each in pair for each, *pair in zip(fields, values, unknown, strict=True))
    if not is_sound or signature != b"PK\5\6":
        raise BadZipFile("a malformed directory")
    # Another end may begin in this one, with the length of its comment.
    if at + END.size + comment != len(view) or view.find(b"PK\5\6", at + 1) >= 0:
        raise BadZipFile("data after its end")
