"""Archives that were manipulated or broken are refused by name, and never unpacked without a limit."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tagship_suite.dists.rules as rules
import tagship_suite.dists.tars as tars
from tagship_suite.dists.reading import read_dist
from tests.archives import write_release, write_sdist, write_wheel
from tests.conftest import release, try_release

if TYPE_CHECKING:
    from collections.abc import Callable

WHEEL, SDIST, INFO = "ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz", "ship-1.0.dist-info"
TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
MIB = 2**20
INIT = "ship/__init__.py"


def said(path: Path) -> str:
    return "\n".join(map(str, rules.problems([read_dist(path)], 100)))


# Wheels.


def add(path: Path, name: str, content: bytes = b"", **fields: Any) -> None:
    """Add a member to a wheel; `fields` are those of its `ZipInfo`."""
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, content)


def patch(path: Path, old: bytes, new: bytes, count: int = -1) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, count))


def directory(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return archive.start_dir


def hide(path: Path) -> None:
    """Put an entry before the directory that the directory does not list."""
    content, start = path.read_bytes(), directory(path)
    hidden = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0) + b"hid.py"
    end = bytearray(content[start:])
    struct.pack_into("<L", end, len(end) - 6, start + len(hidden))
    path.write_bytes(content[:start] + hidden + end)


def nest(path: Path) -> None:
    """Put the directory and its end into a comment, behind a directory that has another name for a file."""
    content, start = path.read_bytes(), directory(path)
    own, first, last = content[start:-22], bytearray(content[-22:]), bytearray(content[-22:])
    struct.pack_into("<H", first, 20, len(own) + len(last))
    struct.pack_into("<L", last, 16, start + len(own) + len(first))
    path.write_bytes(content[:start] + own.replace(b"ship/__init__", b"ship/__evil__") + first + own + last)


def interlock(path: Path) -> None:
    """Begin a second end, with a directory 20 bytes further on, in the comment's length of the first one."""
    content, start = path.read_bytes(), directory(path)
    own, count = bytearray(content[start:-22]), int.from_bytes(content[-12:-10], "little")
    struct.pack_into("<H", own, own.rindex(b"PK\1\2") + 30, 4 + 20)  # an extra field that holds the first end
    own += struct.pack("<2H", 0x9999, 20)
    ends = [struct.pack("<4H2L", 0, 0, count, count, len(own) + 20, at) for at in (start, start + 20)]
    comment = (b"\5\6" + ends[1] + bytes(2)).ljust(int.from_bytes(b"PK", "little"), b" ")
    path.write_bytes(content[:start] + bytes(20) + own + b"PK\5\6" + ends[0] + b"PK" + comment)


def overlap(path: Path) -> None:
    """Let the directory's second entry have the offset of the first one."""
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", directory(path) + 4)
    struct.pack_into("<L", content, second + 42, 0)
    path.write_bytes(content)


def stream(path: Path) -> None:
    """Write the wheel again as to a pipe, with the sizes behind each file."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(pipe, "w") as piped:
        for info in archive.infolist():
            piped.writestr(info, archive.read(info))
    path.write_bytes(pipe.getvalue())


def lie(path: Path) -> None:
    """Add a file of 100 MiB that declares 10 bytes."""
    rewrite(path, record(r"\Z", f"bomb,sha256={'A' * 43},10\n"))
    add(path, "bomb", bytes(100 * MIB), compress_type=zipfile.ZIP_DEFLATED)
    patch(path, struct.pack("<L", 100 * MIB), struct.pack("<L", 10))


SPOILED_WHEELS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a path upwards": (lambda path: add(path, "../slip.py"), "'../slip.py' is a path out of the archive"),
    "a path upwards on Windows": (lambda path: add(path, r"a\..\..\slip.py"), "slip.py' is a path out of the archive"),
    "an absolute path": (lambda path: add(path, "/etc/slip"), "'/etc/slip' is a path out of the archive"),
    "a drive": (lambda path: add(path, "C:/slip"), "'C:/slip' is a path out of the archive"),
    "an unprintable name": (lambda path: add(path, "a\x1fb"), r"'a\x1fb' has a control character"),
    "a link": (
        lambda path: add(path, "link", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16),
        "'link' is neither a file nor a folder",
    ),
    "a name twice": (lambda path: add(path, "ship/__init__.py", b"other = 1"), "two entries with the same name"),
    "another name in the local header": (
        lambda path: patch(path, b"ship/__init__.py", b"ship/__evil__.py", 1),
        "'ship/__init__.py' has a header that differs from the directory",
    ),
    "an entry that is not listed": (hide, "a malformed directory"),
    "two directories, the second in the comment of the first": (nest, "data after its end"),
    "two directories, whose ends overlap": (interlock, "data after its end"),
    "entries that overlap": (overlap, "does not directly follow the entry before it"),
    "data before it": (lambda path: path.write_bytes(b"#!/bin/sh\n" + path.read_bytes()), "does not directly follow"),
    "data behind it": (lambda path: path.write_bytes(path.read_bytes() + b"more"), "data after its end"),
    "two archives": (lambda path: path.write_bytes(path.read_bytes() * 2), "does not directly follow"),
    "a comment in the directory": (lambda path: add(path, "a", comment=b"PK"), "a malformed directory"),
    "data descriptors": (stream, "has a data descriptor"),
    "another compression": (
        lambda path: add(path, "a", b"a" * 99, compress_type=zipfile.ZIP_BZIP2),
        "'a' is neither stored nor deflated",
    ),
    "half of it": (lambda path: path.write_bytes(path.read_bytes()[:200]), "a broken archive (File is not a zip file)"),
    "nothing": (lambda path: path.write_bytes(b""), "a broken archive"),
    "a bomb": (
        lambda path: add(path, "bomb", bytes(65 * MIB), compress_type=zipfile.ZIP_DEFLATED),
        "a decompression bomb, which unpacks to 6815",
    ),
    "a bomb that denies it": (lie, "'bomb' unpacks to other bytes than it declares"),
    "a file that RECORD does not list": (
        lambda path: add(path, "extra.py"),
        f"{WHEEL}: extra.py: found no hash in RECORD, expected one of sha256, sha384, sha512",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED_WHEELS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_wheel_that_unpackers_see_differently_or_that_gets_out_is_refused(tmp_path: Path, spoiled: str) -> None:
    path = write_wheel(tmp_path)
    assert said(path) == ""
    spoil, words = SPOILED_WHEELS[spoiled]
    spoil(path)
    assert f"{path}: " in said(path)
    assert words in said(path)


#: What lies beside which other file, and is written over it by some installer or on some system.
TWINS = {
    "purelib": ("ship-1.0.data/purelib/ship/__init__.py", INIT),
    "platlib": ("ship-1.0.data/platlib/ship/__init__.py", INIT),
    "another .data folder": ("other.data/purelib/ship/__init__.py", INIT),
    "the path below the prefix": ("ship-1.0.data/data/lib/python3.12/site-packages/ship/__init__.py", INIT),
    "the path below the prefix on Windows": ("ship-1.0.data/data/Lib/site-packages/ship/__init__.py", INIT),
    "over the metadata": (f"ship-1.0.data/purelib/{INFO}/METADATA", f"{INFO}/METADATA"),
    "case": ("ship/__INIT__.py", INIT),
    "case of the folder": ("Ship/__init__.py", INIT),
    "case of the metadata": (f"{INFO}/metadata", f"{INFO}/METADATA"),
    "case and purelib": ("SHIP-1.0.data/purelib/Ship/__init__.py", INIT),
    "a dot at the end": ("ship/__init__.py.", INIT),
    "a space at the end of a folder": ("ship /__init__.py", INIT),
    "a stream of Windows": ("ship/__init__.py::$DATA", INIT),
    "an empty part": ("ship//__init__.py", INIT),
    "a dot as a part": ("ship/./__init__.py", INIT),
    "a dot before it": ("./ship/__init__.py", INIT),
    "a backslash": ("ship\\__init__.py", INIT),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_wheel_with_two_members_for_one_file_is_refused(tmp_path: Path, twin: str) -> None:
    name, other = TWINS[twin]
    path = write_wheel(tmp_path, files={INIT: "", name: "evil = 1\n"})
    first, second = sorted([name, other], key=list(contents(path)).index)
    assert f"{path}: found a broken archive ({first!r} and {second!r} are written to the same file)" in said(path)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ship/caf\u00e9.py", "ship/cafe\u0301.py"),
        ("ship/\u00c9.py", "ship/e\u0301.py"),
        ("ship/stra\u00dfe.py", "ship/STRASSE.py"),
        ("ship-1.0.data/scripts/run", "ship-1.0.data/data/bin/run"),
    ],
)
def test_names_that_are_one_in_unicode_or_after_the_install_are_refused(tmp_path: Path, name: str, other: str) -> None:
    files = {name: "", other: "evil = 1\n"}
    assert f"{name!r} and {other!r} are written to the same file" in said(write_wheel(tmp_path, files=files))
    if ".data" not in name:
        sdist = write_sdist(tmp_path, files=files)
        assert f"{f'ship-1.0/{name}'!r} and {f'ship-1.0/{other}'!r} are written to the same file" in said(sdist)


@pytest.mark.parametrize("name", ["ship/./a.py", "ship//a.py", "./ship/a.py", "docs/.", "ship//"])
def test_a_member_whose_name_is_another_path_than_it_says_is_refused(tmp_path: Path, name: str) -> None:
    path = write_wheel(tmp_path, files={INIT: "", name: ""})
    assert f"found a broken archive ({name!r} is a path with an empty part or '.'" in said(path)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ship/a", "ship/a/b.py"),
        ("ship/A", "ship/a/b/c.py"),
        ("ship/a", "ship/a/"),
        (INIT, "ship-1.0.data/purelib/ship/__init__.py/x"),
        ("ship-1.0.data/platlib/ship", INIT),
    ],
)
def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path, name: str, other: str) -> None:
    words = "{!r} is a file, and for {!r} a folder".format
    assert words(name, other) in said(write_wheel(tmp_path, files={name: "", other: ""}))
    if ".data" not in name + other:
        path = write_sdist(tmp_path, files={name: ""})
        pack(path, entry(f"ship-1.0/{other}", tarfile.DIRTYPE if other.endswith("/") else tarfile.REGTYPE))
        assert words(f"ship-1.0/{name}", f"ship-1.0/{other}".rstrip("/")) in said(path)


SECOND, NOWHERE = f"is installed as metadata, but is not in {INFO}", "is not where every installer looks"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ship-9.9.dist-info/top_level.txt", SECOND),
        ("other.dist-info", SECOND),
        ("SHIP-9.9.DIST-INFO/METADATA", SECOND),
        ("ship-1.0.data/purelib/ship-9.9.dist-info/METADATA", SECOND),
        ("ship-1.0.data/data/lib/python3.12/site-packages/other-1.0.dist-info/METADATA", SECOND),
        (f"ship-1.0.data/purelib/{INFO}/entry_points.txt", SECOND),
        ("ship-9.9.egg-info", SECOND),
        ("ship.egg-info/PKG-INFO", SECOND),
        ("other-1.0.data/purelib/ship/_version.py", NOWHERE),
        ("Ship-1.0.data/purelib/ship/_version.py", NOWHERE),
        ("ship-1.0.DATA/scripts/run", NOWHERE),
        ("ship-1.0.data/a.py", NOWHERE),
        ("ship-1.0.data/data", NOWHERE),
        ("ship-1.0.data/stdlib/a.py", NOWHERE),
    ],
)
def test_a_file_that_installers_put_in_other_places_is_refused(tmp_path: Path, name: str, words: str) -> None:
    found = said(write_wheel(tmp_path, files={INIT: "", name: ""}))
    assert f"found a broken archive ({name!r} {words}" in found
    assert "build it again, without that file or with another name for it" in found


def test_a_name_in_the_directory_alone_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    content, start = path.read_bytes(), directory(path)
    extra = struct.pack("<HHBL", 0x7075, 5 + len("ship/_other_.py"), 1, zlib.crc32(INIT.encode())) + b"ship/_other_.py"
    end = bytearray(content[start:])
    struct.pack_into("<H", end, 30, len(extra))
    end[46 + len(INIT) : 46 + len(INIT)] = extra
    struct.pack_into("<L", end, len(end) - 10, len(end) - 22)
    path.write_bytes(content[:start] + end)
    assert "a malformed directory" in said(path)


def test_files_of_other_folders_are_no_twins(tmp_path: Path) -> None:
    data = {f"ship-1.0.data/{folder}/a": "" for folder in ("scripts", "data", "headers", "purelib/ship", "data/etc")}
    path = write_wheel(tmp_path, files={INIT: "", "a": "", "ship/.hidden": "", "ship/...": "", "ship/b.": "", **data})
    assert said(path) == ""


@pytest.mark.parametrize("odd", ["\u00a0", "\u200d", "\u202e", "\u2028", "\u0085", "\u3000", "\u00ad", "\U0001f680"])
def test_odd_but_harmless_characters_in_names_are_fine(tmp_path: Path, odd: str) -> None:
    files = {f"ship/a{odd}b.py": "x = 1\n"}
    assert said(write_wheel(tmp_path, files=files)) == said(write_sdist(tmp_path, files=files)) == ""


def test_a_name_that_breaks_the_lines_of_record_for_pypi_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={INIT: "", "\u0085.txt": ""})
    assert "a RECORD that is not a list of files, hashes and sizes: an empty line" in said(path)


@pytest.mark.parametrize("algorithm", ["sha3_256", "sha3_512", "blake2b", "blake2s"])
def test_a_record_may_have_every_strong_hash(tmp_path: Path, algorithm: str) -> None:
    path = write_wheel(tmp_path)
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm).digest()).decode().rstrip("=")
    rewrite(path, record(rf"{INIT},.*", f"{INIT},{algorithm}={digest},0"))
    assert said(path) == ""
    rewrite(path, record(rf"{INIT},.*", f"{INIT},{algorithm}={digest[::-1]},0"))
    assert f"{INIT}: found {algorithm}={digest}, expected" in said(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    paths = [write_wheel(tmp_path / "declared"), write_wheel(tmp_path / "denied")]
    add(paths[0], "bomb", bytes(65 * MIB), compress_type=zipfile.ZIP_DEFLATED)
    lie(paths[1])
    tracemalloc.start()
    try:
        assert all(map(said, paths))
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    finally:
        tracemalloc.stop()


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Change the members of a wheel, and keep its RECORD unless that is changed too."""
    members = contents(path)
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def record(pattern: str, new: str) -> Callable[[dict[str, bytes]], object]:
    """Change what RECORD says."""

    def change(members: dict[str, bytes]) -> None:
        text, times = re.subn(pattern, new, members[f"{INFO}/RECORD"].decode())
        assert times
        members[f"{INFO}/RECORD"] = text.encode()

    return change


EMPTY = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"  # of no bytes at all
RECORDS: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "another content": (lambda members: members.update({INIT: b"evil = 1\n"}), f"{INIT}: found 9 bytes, expected 0 as"),
    "another content of the same size": (
        record(rf"{INIT},sha256=\S+,0", f"{INIT},sha256={'A' * 43},0"),
        f"{INIT}: found {EMPTY}, expected sha256={'A' * 43} as in RECORD",
    ),
    "a folder": (
        lambda members: (members.update({"ship/b/": b""}), record(r"\Z", "ship/b/,,\n")(members)),
        "ship/b/: found no file, expected one, as RECORD lists it",
    ),
    "a file less": (lambda members: members.pop(INIT), f"{INIT}: found no file, expected one, as RECORD lists it"),
    "a line less": (record(rf"{INIT},.*\n", ""), f"{INIT}: found no hash in RECORD, expected one of"),
    "no hash": (record(rf"{INIT},.*\n", f"{INIT},,\n"), f"{INIT}: found no hash in RECORD"),
    "a weak hash": (record(rf"{INIT},.*\n", f"{INIT},md5=x,0\n"), f"{INIT}: found md5=x, expected one of sha256"),
    "a line of two": (record(rf"{INIT},.*\n", f"{INIT},\n"), "a RECORD that is not a list"),
    "bytes": (lambda members: members.update({f"{INFO}/RECORD": b"\xff\xfe"}), "a RECORD that is not a list"),
    "no RECORD": (lambda members: members.pop(f"{INFO}/RECORD"), f"found no {INFO}/RECORD, expected one"),
    "no WHEEL": (lambda members: members.pop(f"{INFO}/WHEEL"), f"found no {INFO}/WHEEL, expected one"),
    "scripts with a path": (
        lambda members: members.update({f"{INFO}/entry_points.txt": b"[console_scripts]\n../x = ship:main\n"}),
        "found the script '../x', expected a name of letters",
    ),
    "scripts that do not parse": (
        lambda members: members.update({f"{INFO}/entry_points.txt": b"x = ship:main\n"}),
        f"{INFO}/entry_points.txt: found File contains no section headers",
    ),
    "another folder": (
        lambda members: members.update({name.replace("1.0", "2.0"): members.pop(name) for name in list(members)}),
        f"found no {INFO}/RECORD",
    ),
}


@pytest.mark.parametrize("spoiled", RECORDS)
def test_a_wheel_that_does_not_fit_its_record_is_refused(tmp_path: Path, spoiled: str) -> None:
    path = write_wheel(tmp_path)
    change, words = RECORDS[spoiled]
    rewrite(path, change)
    assert words in said(path)


def test_what_record_may_leave_out_or_write_otherwise_is_fine(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={"ship/a.py": "", "ship/b.py": "b = 1\n"})
    digest = "sha512=" + "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg=="
    rewrite(path, record(r"ship/a\.py,.*", rf"ship\\a.py,{digest},"))
    for name in (f"{INFO}/RECORD.jws", f"{INFO}/RECORD.p7s", "ship/"):
        add(path, name)
    assert said(path) == ""


def test_five_files_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={f"ship/m{number}.py": "" for number in range(20)})
    rewrite(path, record(r"(ship/m\d+\.py),.*", r"\1,,"))
    lines = said(path).splitlines()
    assert len(lines) == 6
    assert "found 15 more" in lines[-1]


def test_a_zip64_wheel_is_fine(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    members = contents(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(content)
    assert said(path) == ""


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_wheel(tmp_path_factory.mktemp("sound"), files={INIT: "value = 1\n" * 20})
    rewrite(path, dict)
    return path


@pytest.mark.parametrize("part", [b"PK\x01\x02", b"PK\x03\x04"])
def test_a_wheel_that_asks_for_a_password_is_refused(sound: Path, tmp_path: Path, part: bytes) -> None:
    content = bytearray(sound.read_bytes())
    content[content.index(part) + (8 if part.endswith(b"\x02") else 6)] |= 1
    locked = tmp_path / sound.name
    locked.write_bytes(content)
    assert "is encrypted" in str(said(locked))


@settings(deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_wheel_with_flipped_bytes_is_refused_or_unpacks_to_the_same(
    sound: Path, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(sound.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    flipped = sound.parent / "flipped" / sound.name
    flipped.parent.mkdir(exist_ok=True)
    flipped.write_bytes(content)
    assert said(flipped) or contents(flipped) == contents(sound)


# Sdists.


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def pack(path: Path, *entries: tarfile.TarInfo) -> None:
    """Add entries to an sdist."""
    raw = io.BytesIO(gzip.decompress(path.read_bytes()))
    with tarfile.open(fileobj=raw, mode="a") as archive:
        for info in entries:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    path.write_bytes(gzip.compress(raw.getvalue()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": "0"}, "'ship-1.0/a' has two sizes"),
        ({"GNU.sparse.name": "ship-1.0/b"}, "'ship-1.0/b' is sparse"),
        ({"path": "ship-1.0/long", "mtime": "1.5", "comment": "x"}, ""),
    ],
)
def test_a_file_of_an_sdist_has_one_name_and_one_size(tmp_path: Path, fields: dict[str, str], words: str) -> None:
    path = write_sdist(tmp_path)
    info = entry("ship-1.0/a")
    info.pax_headers = fields
    pack(path, info)
    assert (words in said(path)) if words else not said(path)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE])
def test_a_link_or_a_folder_has_no_content_that_may_be_read_as_a_member(tmp_path: Path, kind: bytes) -> None:
    path = write_sdist(tmp_path)
    hidden = entry("ship-1.0/hidden.py").tobuf()
    info = entry("ship-1.0/l", kind, "ship-1.0/PKG-INFO" if kind == tarfile.LNKTYPE else "PKG-INFO")
    info.size = len(hidden)
    content = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    path.write_bytes(gzip.compress(content + padding + info.tobuf() + hidden + bytes(2 * tarfile.BLOCKSIZE)))
    assert "'ship-1.0/l' has content and is no file" in said(path)


def test_a_hard_link_names_a_file_before_it(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, files={"b": ""})
    pack(path, entry("ship-1.0/a", tarfile.LNKTYPE, "ship-1.0/b"))
    assert said(path) == ""
    tars.normalise(path, 0)
    assert said(path) == ""
    pack(path, entry("ship-1.0/l", tarfile.LNKTYPE, "ship-1.0/z"), entry("ship-1.0/z"))
    assert "'ship-1.0/l' links to 'ship-1.0/z', and no file before it has that name" in said(path)


@pytest.mark.parametrize(("name", "target"), [("a\\b", ""), ("a\udcff", ""), ("a", "b\\c")])
def test_a_name_in_an_sdist_has_no_backslash_and_is_utf_8(tmp_path: Path, name: str, target: str) -> None:
    path = write_sdist(tmp_path)
    raw = io.BytesIO(gzip.decompress(path.read_bytes()))
    with tarfile.open(fileobj=raw, mode="a", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(entry(f"ship-1.0/{name}", tarfile.SYMTYPE if target else tarfile.REGTYPE, target))
    path.write_bytes(gzip.compress(raw.getvalue()))
    assert "has a backslash or is not UTF-8, and uv does not unpack it" in said(path)


def test_a_file_of_an_sdist_is_not_named_as_a_folder(tmp_path: Path) -> None:
    path = write_sdist(tmp_path)
    pack(path, entry("ship-1.0/d/"))
    assert "'ship-1.0/d/' is a file with the name of a folder" in said(path)


def test_a_record_for_all_files_of_an_sdist_names_none(tmp_path: Path) -> None:
    path = tmp_path / SDIST
    for field, words in (("comment", ""), ("path", "a name or a size for all files")):
        with (
            tarfile.open(write_sdist(tmp_path / "plain")) as plain,
            tarfile.open(path, "w:gz", pax_headers={field: "ship-1.0/b"}) as archive,
        ):
            for info in plain.getmembers():
                archive.addfile(info, plain.extractfile(info))
        assert (words in said(path)) if words else not said(path)


def sparse() -> tarfile.TarInfo:
    info = entry("ship-1.0/holes")
    info.pax_headers = {"GNU.sparse.map": "0,512", "GNU.sparse.size": "512"}
    info.size = 512
    return info


SPOILED_SDISTS = {
    "a path upwards": ([entry("ship-1.0/../../slip")], "'ship-1.0/../../slip' is a path out of the archive"),
    "an absolute path": ([entry("/etc/slip")], "'/etc/slip' is a path out of the archive"),
    "another folder": ([entry("other/file")], "2 folders and files at its top, not one folder"),
    "a file beside the folder": ([entry("README")], "2 folders and files at its top"),
    "an absolute link": ([entry("ship-1.0/l", tarfile.SYMTYPE, "/etc/passwd")], "links to '/etc/passwd', out of"),
    "a link upwards": ([entry("ship-1.0/a/l", tarfile.SYMTYPE, "../../x")], "links to '../../x', out of its folder"),
    "a link down and up": ([entry("ship-1.0/l", tarfile.SYMTYPE, "a/../../x")], "links to 'a/../../x', out of its"),
    "a hard link upwards": ([entry("ship-1.0/l", tarfile.LNKTYPE, "../x")], "links to '../x', out of its folder"),
    "a hard link elsewhere": ([entry("ship-1.0/l", tarfile.LNKTYPE, "etc/x")], "links to 'etc/x', out of its folder"),
    "a path through a link": (
        [entry("ship-1.0/a/b/l", tarfile.SYMTYPE, "../.."), entry("ship-1.0/a/b/l/x")],
        "'ship-1.0/a/b/l/x' is a path through a link",
    ),
    "a device": ([entry("ship-1.0/null", tarfile.CHRTYPE)], "'ship-1.0/null' is neither a file, a folder nor a link"),
    "a pipe": ([entry("ship-1.0/pipe", tarfile.FIFOTYPE)], "'ship-1.0/pipe' is neither a file, a folder nor a link"),
    "a sparse file": ([sparse()], "is sparse"),
}


@pytest.mark.parametrize("spoiled", SPOILED_SDISTS)
def test_an_sdist_that_gets_out_of_its_folder_is_refused(tmp_path: Path, spoiled: str) -> None:
    path = write_sdist(tmp_path)
    assert said(path) == ""
    entries, words = SPOILED_SDISTS[spoiled]
    pack(path, *entries)
    assert words in said(path)
    assert f"{path}: found a broken archive" in said(path)


def test_an_sdist_of_one_file_is_refused_as_pypi_treats_that_as_its_folder(tmp_path: Path) -> None:
    path = write_sdist(tmp_path)
    with tarfile.open(path) as old:
        info = old.getmember("ship-1.0/PKG-INFO")
        content = old.extractfile(info)
        assert content
        text = content.read()
    with tarfile.open(path, "w:gz") as new:
        new.addfile(info, io.BytesIO(text))
    assert "only 'ship-1.0/PKG-INFO', which PyPI takes for the top-level folder" in said(path)


def test_an_sdist_may_link_within_its_folder(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, files={"docs/a.txt": ""})
    links = [entry("ship-1.0/docs/l", tarfile.SYMTYPE, "../PKG-INFO"), entry("ship-1.0/d", tarfile.SYMTYPE, "docs")]
    pack(path, *links, entry("ship-1.0/h", tarfile.LNKTYPE, "ship-1.0/docs/a.txt"), entry("ship-1.0/x"))
    assert said(path) == ""


@pytest.mark.parametrize("target", ["a/../PKG-INFO", "docs/a/../../PKG-INFO", ".", "./docs/./a.txt", "nothing"])
def test_a_link_may_go_down_and_up_within_its_folder(tmp_path: Path, target: str) -> None:
    path = write_sdist(tmp_path, files={"docs/a.txt": ""})
    pack(path, entry("ship-1.0/l", tarfile.SYMTYPE, target))
    assert said(path) == ""


@pytest.mark.parametrize("target", ["e/a/../../../x", "e/A/../x", "e/a/b/../../x"])
def test_a_link_may_not_go_up_behind_another_one(tmp_path: Path, target: str) -> None:
    path = write_sdist(tmp_path, files={"d/e/b": ""})
    # By their names these stay inside; but `e/a` is the top already, and above it is out.
    pack(path, entry("ship-1.0/d/e/a", tarfile.SYMTYPE, "../.."), entry("ship-1.0/d/l", tarfile.SYMTYPE, target))
    assert f"links to {target!r}, out of its folder" in said(path)


@pytest.mark.parametrize(
    "names",
    [
        ("ship-1.0/a", "ship-1.0/a"),
        ("ship-1.0/a", "./ship-1.0/a"),
        ("ship-1.0/PKG-INFO", "./ship-1.0/PKG-INFO"),
        ("ship-1.0/PKG-INFO", "ship-1.0//PKG-INFO"),
        ("ship-1.0/PKG-INFO", "ship-1.0/PKG-INFO"),
        ("ship-1.0/PKG-INFO", "ship-1.0/pkg-info"),
        ("ship-1.0/a", "ship-1.0/a."),
    ],
)
def test_an_sdist_with_two_members_for_one_file_is_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    path = write_sdist(tmp_path)
    pack(path, *(entry(name) for name in names if name != "ship-1.0/PKG-INFO"))
    if names[0] == names[1] == "ship-1.0/PKG-INFO":
        pack(path, entry(names[1]))
    assert f"{path}: found a broken archive ({names[0]!r} and {names[1]!r} are written to the same file)" in said(path)


@pytest.mark.parametrize("name", ["./ship-1.0/x", "./ship-1.0", "./", "."])
def test_an_sdist_some_of_whose_members_begin_with_a_dot_is_refused(tmp_path: Path, name: str) -> None:
    path = write_sdist(tmp_path)
    pack(path, entry("ship-1.0/", tarfile.DIRTYPE), entry(name, tarfile.REGTYPE if "x" in name else tarfile.DIRTYPE))
    assert f"pip does not find the top-level folder next to {name.rstrip('/')!r}" in said(path)


def test_an_sdist_whose_members_all_begin_with_a_dot_is_refused(tmp_path: Path) -> None:
    path = write_sdist(tmp_path)
    with tarfile.open(path) as archive, tarfile.open(tmp_path / "dotted", "w:gz") as dotted:
        for info in archive.getmembers():
            file = archive.extractfile(info) if info.isreg() else None
            info.name = f"./{info.name.removeprefix('./')}"
            dotted.addfile(info, file)
    (tmp_path / "dotted").replace(path)
    assert read_dist(path).metadata["Name"] == "ship"
    assert "PyPI does not find './ship-1.0/PKG-INFO': it looks for 'ship-1.0/PKG-INFO'" in said(path)


def pour(path: Path, size: int) -> None:
    """Add zeros to an sdist, without holding them."""
    with tempfile.TemporaryFile() as hole:
        hole.truncate(size)
        with tarfile.open(path) as old, tarfile.open(path.with_name("poured"), "w:gz", compresslevel=1) as new:
            for info in (entry("ship-1.0/b/zeros"), entry("ship-1.0/a/zeros")):
                hole.seek(0)
                info.size = size
                new.addfile(info, hole)
            for member in old.getmembers():
                new.addfile(member, old.extractfile(member))
    path.with_name("poured").replace(path)


@pytest.mark.slow
def test_an_sdist_that_compresses_well_is_no_bomb_and_takes_little_memory(tmp_path: Path) -> None:
    path = write_sdist(tmp_path)
    pour(path, 40 * MIB)
    tracemalloc.start()
    try:
        assert said(path) == ""
        tars.normalise(path, 1_700_000_000)
        assert said(path) == ""
        assert tracemalloc.get_traced_memory()[1] < 10 * MIB
    finally:
        tracemalloc.stop()
    assert sorted(path.parent.iterdir()) == [path]


def test_an_sdist_is_rewritten_to_the_same_bytes_as_in_memory(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, files={f"data/{name}": name * 40_000 for name in "caÄb"})
    pack(path, entry("ship-1.0/l", tarfile.SYMTYPE, "data/a"), entry("ship-1.0/data", tarfile.DIRTYPE))
    raw = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as new:
        for info in sorted(old.getmembers(), key=lambda info: info.name):
            info.uid = info.gid = 0
            info.uname, info.gname, info.mtime, info.pax_headers = "", "", 1_700_000_000, {}
            info.mode = 0o755 if info.isdir() else 0o644
            new.addfile(info, old.extractfile(info) if info.isreg() else None)
    tars.normalise(path, 1_700_000_000)
    assert gzip.decompress(path.read_bytes()) == raw.getvalue()
    again = path.read_bytes()
    tars.normalise(path, 1_700_000_000)
    assert path.read_bytes() == again


def test_an_sdist_of_many_small_files_is_no_bomb(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, files={f"data/{number}": "" for number in range(5000)})
    assert said(path) == ""


def test_an_sdist_of_headers_without_end_is_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MOST_HEADERS", MIB)
    path = write_sdist(tmp_path, files={f"data/{number}": "" for number in range(3000)})
    assert f"a decompression bomb, whose headers alone unpack to more than {MIB} bytes" in said(path)


def bomb(path: Path) -> None:
    """Write a header that declares more than all that we would unpack, and little behind it."""
    info = entry("ship-1.0/zeros")
    info.size = tars.MOST + MIB
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(MIB)))


BROKEN_SDISTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bomb": (bomb, f"a decompression bomb, which unpacks to more than {10 * 1024 * MIB} bytes"),
    "half of it": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "a broken archive (Compressed file ended"),
    "no gzip": (lambda path: path.write_bytes(b"text"), "a broken archive (Not a gzipped file"),
    "a zip behind it": (
        lambda path: path.write_bytes(path.read_bytes() + write_wheel(path.parent / "other").read_bytes()),
        "a broken archive",
    ),
    "another tar behind it": (lambda path: path.write_bytes(path.read_bytes() * 2), "data after its end"),
    "no PKG-INFO": (
        lambda path: path.write_bytes(
            gzip.compress(gzip.decompress(path.read_bytes()).replace(b"/PKG-INFO", b"/PKG-INF0"))
        ),
        "a broken archive",
    ),
}


@pytest.mark.parametrize("broken", BROKEN_SDISTS)
def test_an_sdist_that_does_not_unpack_is_refused(tmp_path: Path, broken: str) -> None:
    path = write_sdist(tmp_path)
    change, words = BROKEN_SDISTS[broken]
    change(path)
    assert words in said(path)


# Where it is found.


@pytest.fixture
def bundle(suite: Path) -> Path:
    write_release(suite / "dist")
    release(suite, "verify", **TAG)
    return suite


def test_build_and_the_gate_refuse_a_zip_slip(suite: Path) -> None:
    write_sdist(suite / "dist")
    add(write_wheel(suite / "dist"), "../slip.py")
    for verb in ("describe", "verify"):
        done = try_release(suite, verb, **TAG)
        assert done.returncode == 1
        assert f"error: {Path('dist', WHEEL)}: found a broken archive ('../slip.py' is a path out of" in done.stdout
    assert not (suite / "bundle").exists()


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_publish_refuses_before_any_network_even_if_the_sums_fit(bundle: Path, name: str) -> None:
    path = bundle / "bundle/dist" / name
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.suffix == ".whl":
        add(path, "../slip.py")
    else:
        pack(path, entry("../slip.py"))
    patch(bundle / "bundle/SHA256SUMS", before.encode(), hashlib.sha256(path.read_bytes()).hexdigest().encode())
    # Nothing listens at this address: a request would fail with other words.
    done = try_release(bundle, "publish", "pypi", **TAG, TWINE_REPOSITORY_URL="http://127.0.0.1:9/")
    assert done.returncode == 1
    assert f"{name}: found a broken archive ('../slip.py' is a path out of the archive)" in done.stdout
    assert "no response" not in done.stdout


def test_a_file_under_another_name_is_refused(bundle: Path) -> None:
    shutil.move(bundle / "bundle/dist" / WHEEL, bundle / "bundle/dist/ship-1.0-py2-none-any.whl")
    done = try_release(bundle, "publish", "pypi", **TAG, TWINE_REPOSITORY_URL="http://127.0.0.1:9/")
    assert done.returncode == 1
    assert f"dist/{WHEEL}: found no file" in done.stdout
    assert "ship-1.0-py2-none-any.whl: found a file, expected no file that SHA256SUMS does not list" in done.stdout
