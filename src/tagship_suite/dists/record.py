"""A wheel's RECORD lists every file with its hash, and nothing else; installers agree on where each file goes.

Source of the rules: https://packaging.python.org/en/latest/specifications/binary-distribution-format/. PyPI refuses a
wheel without one, and only warns the owners by e-mail if one does not match; we refuse both.
"""

import csv
import hashlib
import io
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from mmap import mmap
from zipfile import BadZipFile, ZipInfo

from . import zips

Scan = Callable[[str, bytes], object]  # what is done with the name and the content of each file of source code

#: sha256 and stronger algorithms that every Python has.
HASHES = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s")
#: Source code, and how large a file PyPI scans.
SOURCE, SCANNED = re.compile(r"[^/]\.pye?$", re.IGNORECASE), 5 * 2**20


def is_scanned(name: str, size: int) -> bool:
    """Return whether a file is source code that PyPI scans; links have no size of their own."""
    return 0 < size <= SCANNED and SOURCE.search(name) is not None


def differences(view: mmap, entries: dict[str, ZipInfo], info: str, scan: Scan) -> Iterator[tuple[str, str, str]]:
    """Yield each file in which the wheel and the RECORD in its folder `info` differ: its name, found, expected.

    Unpacks the whole wheel, once, and calls `scan` with source code; raises `BadZipFile` if that cannot be done.
    """
    if (record := f"{info}/RECORD") not in entries:
        yield "", f"no {record}", "one"
        return
    if reason := _misplaced(tuple(entries), info):
        raise BadZipFile(reason)
    listed = _listed(zips.content(view, entries[record]))
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    for name, entry in ((name, entry) for name, entry in entries.items() if not entry.is_dir()):
        (expected, size), unpacked = listed.pop(name, ("", "")), zips.unpacked(view, entry)
        if name in exempt:
            continue
        if is_scanned(name, entry.file_size):
            scan(name, content := b"".join(unpacked))
            unpacked = iter([content])
        algorithm = expected.partition("=")[0]
        if algorithm not in HASHES:
            yield name, expected or "no hash in RECORD", f"one of {', '.join(HASHES)}"
        elif size not in {"", str(entry.file_size)}:
            yield name, f"{entry.file_size} bytes", f"{size} as in RECORD"
        elif (found := _hash(unpacked, algorithm)) != expected:
            yield name, found, f"{expected} as in RECORD"
    yield from ((name, "no file", "one, as RECORD lists it") for name in listed)


@lru_cache(maxsize=8)  # the wheels of a release mostly have the same
def _misplaced(names: tuple[str, ...], info: str) -> str:
    """Return why installers disagree on where a wheel's files go, or on what it is; "" if they do not.

    `info` is the folder with its metadata. pip spreads every folder `*.data`, other installers only the wheel's own;
    Python takes each `.dist-info` and `.egg-info` that is next to the modules for an installed distribution.
    """
    own = info.removesuffix(".dist-info") + ".data"
    known = re.compile(rf"{re.escape(own)}/(?:(?:purelib|platlib|headers|scripts|data)/.*)?", re.DOTALL)
    for name in names:
        top, place = name.split("/")[0], zips.MODULES.sub("", name).split("/")[0]
        if place.lower().endswith((".dist-info", ".egg-info")) and top != info:
            return f"{name!r} is installed as metadata, but is not in {info}"
        if top.lower().endswith(".data") and not known.fullmatch(name):
            places = f"purelib, platlib, headers, scripts or data of {own}"
            return f"{name!r} is not where every installer looks: in {places}"
    return ""


def _listed(content: bytes) -> dict[str, tuple[str, str]]:
    try:
        rows = csv.reader(io.StringIO(text := content.decode(), newline=""))  # splitlines() knows more line ends
        if "" in text.splitlines():  # which PyPI uses, and then fails
            raise ValueError("an empty line")
        return {name.replace("\\", "/"): (hashed.rstrip("="), size) for name, hashed, size in rows}
    except (ValueError, csv.Error) as error:
        raise BadZipFile(f"a RECORD that is not a list of files, hashes and sizes: {error}") from None


def _hash(blocks: Iterable[bytes], algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    for block in blocks:
        digest.update(block)
    return f"{algorithm}={urlsafe_b64encode(digest.digest()).decode().rstrip('=')}"
