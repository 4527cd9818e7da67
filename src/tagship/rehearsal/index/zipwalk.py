"""Whether the local headers of a zip archive match its central directory: PyPI checks every record.

The rules: https://docs.pypi.org/archives/; the records: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
"""

from __future__ import annotations

import os
import re
import struct
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zipfile import ZipFile

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
END64, LOCATOR64 = b"PK\6\6", b"PK\6\7"
ZIP64, UNICODE_PATH = 0x0001, 0x7075
DESCRIPTOR = 0x08
UNKNOWN = 0xFFFFFFFF
MALFORMED: Final = "Malformed zip file"
_UNPRINTABLE = re.compile(rb"[\x00-\x1f\x7f]")


class _Malformed(Exception):
    """A record that PyPI does not accept; the text is PyPI's."""


def problem(archive: ZipFile) -> str:
    """Return why PyPI does not accept the archive, in its wording; "" if it does."""
    assert archive.fp
    walk = _Walk(archive.fp, {info.orig_filename: (info.compress_size, info.file_size) for info in archive.filelist})
    try:
        walk.run()
    except _Malformed as malformed:
        return str(malformed)
    return ""


class _Walk:
    """Reads one record after the other; `listed` are the sizes of each file in the central directory."""

    def __init__(self, file: IO[bytes], listed: dict[str, tuple[int, int]]) -> None:
        self._file = file
        self._listed = listed
        self._local: set[bytes] = set()
        self._central: set[bytes] = set()
        self._start: int | None = None
        """Where the central directory begins."""
        self._size = 0
        self._told: tuple[int, int, int] | None = None
        """The directory's number of entries, size and offset, as in the end record."""
        self._has_end64 = self._has_locator = False

    def run(self) -> None:
        self._file.seek(0)
        while (signature := self._read(4)) != END:
            self._record(signature)
        if self._has_end64 and not self._has_locator:
            raise _Malformed(MALFORMED)
        self._end()
        if self._file.tell() != self._file.seek(0, os.SEEK_END):
            raise _Malformed("Trailing data")

    def _record(self, signature: bytes) -> None:
        if signature == LOCAL:
            self._entry()
        elif signature == CENTRAL:
            self._directory()
        elif signature == END64:
            size, here, everywhere, *place = struct.unpack("<Q12xQQQQ", self._read(52))
            self._told = (_same(here, everywhere), *place)
            if size != 44:
                raise _Malformed("ZIP64 extensible data not allowed")
            self._has_end64 = True
        elif signature == LOCATOR64:
            self._read(16)
            self._has_locator = True
        else:
            raise _Malformed("Unknown record signature")

    def _entry(self) -> None:
        flags, method, packed, size, name_length, extra_length = struct.unpack("<2xHH8xLLHH", self._read(26))
        name, extra = self._read(name_length), self._read(extra_length)
        _check_name(name)
        packed, size = _sizes(extra, method, packed, size)
        if flags & DESCRIPTOR:
            raise _Malformed("ZIP contains a data descriptor")
        self._compare(name, packed, size)
        self._file.seek(packed, os.SEEK_CUR)
        if name in self._local:
            raise _Malformed("Duplicate filename in local headers")
        self._local.add(name)

    def _compare(self, name: bytes, packed: int, size: int) -> None:
        try:
            listed = self._listed[name.decode()]
        except UnicodeDecodeError:
            raise _Malformed("Filename not unicode") from None
        except KeyError:
            raise _Malformed("Filename not in central directory") from None
        if listed[0] != packed:
            raise _Malformed("Mis-matched data size")
        if listed[1] != size:
            raise _Malformed("Mis-matched file size")

    def _directory(self) -> None:
        if self._start is None:
            self._start = self._file.tell() - 4
        name_length, extra_length, comment = struct.unpack("<24xHHH12x", self._read(42))
        if comment:
            raise _Malformed("Comment in central directory")
        name = self._read(name_length)
        self._read(extra_length)
        _check_name(name)
        self._size += 46 + int(name_length + extra_length)
        if name in self._central:
            raise _Malformed("Duplicate filename in central directory")
        if name not in self._local:
            raise _Malformed("Missing filename in local headers")
        self._central.add(name)

    def _end(self) -> None:
        start = self._file.tell() - 4 if self._start is None else self._start
        here, everywhere, size, place, comment = struct.unpack("<4xHHLLH", self._read(18))
        if self._told is None or not self._has_locator:
            self._told = (_same(here, everywhere), size, place)
        self._file.seek(comment, os.SEEK_CUR)
        found = (len(self._central), self._size, start)
        for what, told, counted in zip(("records", "size", "offset"), self._told, found, strict=True):
            if told != counted:
                raise _Malformed(f"Mismatched central directory {what}")

    def _read(self, length: int) -> bytes:
        block = self._file.read(length)
        if len(block) < length:
            raise _Malformed(MALFORMED)
        return block


def _same(here: int, everywhere: int) -> int:
    if here != everywhere:
        raise _Malformed(MALFORMED)
    return here


def _check_name(name: bytes) -> None:
    if _UNPRINTABLE.search(name):
        raise _Malformed("Invalid character in filename")


def _sizes(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the compressed and uncompressed size of an entry, which may be in its extra fields."""
    seen = set()
    while extra:
        if len(extra) < 4:
            raise _Malformed(MALFORMED)
        kind, length = struct.unpack_from("<HH", extra)
        value, rest = extra[4 : 4 + length], extra[4 + length :]
        if len(value) < length:
            raise _Malformed(MALFORMED)
        if kind in seen and kind in {ZIP64, UNICODE_PATH}:
            raise _Malformed("Invalid duplicate extra in local file")
        seen.add(kind)
        if kind == ZIP64:
            packed, size = _sizes64(value, method, packed, size)
        elif kind == UNICODE_PATH:
            _check_unicode_path(value[5:])
        extra = rest
    return packed, size


def _sizes64(value: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    unknown = {packed, size} & {UNKNOWN}
    if len(value) not in {0, 8, 16, 24, 28} or (not value and unknown) or (len(value) == 8 and method):
        raise _Malformed(MALFORMED)
    if not value:
        return packed, size
    real = struct.unpack_from("<Q", value)[0]
    packed = real if len(value) == 8 else struct.unpack_from("<Q", value, 8)[0]
    return packed, real if size == UNKNOWN else size


def _check_unicode_path(name: bytes) -> None:
    _check_name(name)
    try:
        name.decode()
    except UnicodeDecodeError:
        raise _Malformed("Filename not valid UTF-8") from None
