"""A wheel's RECORD: it lists every file of the wheel with its hash, and nothing else.

Source of the rule: https://packaging.python.org/en/latest/specifications/binary-distribution-format/. PyPI refuses a
wheel without one, and only warns the owners by e-mail if one does not match; we refuse both.
"""

from __future__ import annotations

import csv
import hashlib
import io
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from . import zips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap
    from zipfile import ZipInfo

#: sha256 and stronger algorithms that every Python has.
HASHES = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s")


def differences(view: mmap, entries: dict[str, ZipInfo], record: str) -> Iterator[tuple[str, str, str]]:
    """Yield each file in which the wheel and its RECORD, the entry `record`, differ: its name, found, expected.

    Unpacks the whole wheel; raises `BadZipFile` if that cannot be done.
    """
    listed = _listed(zips.text(view, entries[record]))
    exempt = {f"{record}.jws", f"{record}.p7s"}
    for name, info in entries.items():
        if info.is_dir() or name == record:
            continue
        expected, size = listed.pop(name, ("", ""))
        if name in exempt:
            continue
        if expected.partition("=")[0] not in HASHES:
            yield name, expected or "no hash in RECORD", f"one of {', '.join(HASHES)}"
        elif size not in {"", str(info.file_size)}:
            yield name, f"{info.file_size} bytes", f"{size} as in RECORD"
        elif (found := _hash(view, info, expected.partition("=")[0])) != expected:
            yield name, found, f"{expected} as in RECORD"
    listed.pop(record, None)
    for name in listed:
        yield name, "no file", "one, as RECORD lists it"


def _listed(content: bytes) -> dict[str, tuple[str, str]]:
    try:
        rows = csv.reader(io.StringIO(text := content.decode(), newline=""))  # splitlines() knows more line ends
        if "" in text.splitlines():  # which PyPI uses, and then fails
            raise ValueError("an empty line")
        return {name.replace("\\", "/"): (hashed.rstrip("="), size) for name, hashed, size in rows}
    except (ValueError, csv.Error) as error:
        raise BadZipFile(f"a RECORD that is not a list of files, hashes and sizes: {error}") from None


def _hash(view: mmap, info: ZipInfo, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    for block in zips.unpacked(view, info):
        digest.update(block)
    return f"{algorithm}={urlsafe_b64encode(digest.digest()).decode().rstrip('=')}"
