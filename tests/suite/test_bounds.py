"""Whatever a file, a tag or a pattern is: an answer within seconds that names it, with bounded memory."""

from __future__ import annotations

import os
import random
import signal
import sys
import tarfile
import time
import tracemalloc
from collections import deque
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from tagship_suite import files
from tagship_suite.backend import _cause
from tagship_suite.dists import tars
from tagship_suite.dists.reading import read_dist
from tagship_suite.errors import ReleaseError, within
from tagship_suite.gate import handover
from tagship_suite.repo import literals, versions
from tests.archives import write_release, write_sdist
from tests.conftest import try_release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20
PROJECT = '[project]\nname = "ship"\nversion = "1.0"\n'
posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes and no SIGALRM")


@contextmanager
def seconds(most: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < most


@contextmanager
def memory(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.fixture
def gate(suite: Path) -> Path:
    """A folder with a project and its dists, to be verified."""
    (suite / "pyproject.toml").write_text(PROJECT)
    write_release(suite / "dist")
    return suite


def refused(folder: Path, step: str, **env: str) -> str:
    with seconds(15):
        done = try_release(folder, step, **env)
    assert done.returncode == 1, done.stdout[-2000:]
    assert "Traceback" not in done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("step", "name"),
    [("prepare", "pyproject.toml"), ("verify", "pyproject.toml"), ("verify", "version.txt")],
)
@pytest.mark.parametrize(("kind", "found"), [pytest.param("pipe", "no regular file", marks=posix), ("large", "bytes")])
def test_a_pipe_or_a_huge_file_in_a_files_place_is_named(
    gate: Path, step: str, name: str, kind: str, found: str
) -> None:
    if name == "version.txt":
        (gate / "pyproject.toml").write_text(f"{PROJECT}[tool.tagship]\nversion-file = '{name}'\n")
    else:
        (gate / "pyproject.toml").unlink()
    if kind == "pipe":
        os.mkfifo(gate / name)
    else:
        (gate / name).write_text(PROJECT + "# filled up\n" * MIB)
    said = refused(gate, step)
    (line,) = {line for line in said.splitlines() if "at most" in line}
    assert line.startswith(f"error: {name}: found ")
    assert f"{found}, expected a file of 2097152 bytes at most; check what it is" in line


@posix
def test_so_is_a_pipe_in_the_place_of_setup_cfg_and_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "setup.cfg")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for read, name in ((files.parse_cfg, "setup.cfg"), (files.read_text, "zero"), (files.load_toml, "zero")):
        with pytest.raises(ReleaseError, match=rf"{name}: found no regular file"):
            read(tmp_path / name)


@pytest.mark.slow
@posix
def test_a_pattern_that_backtracks_without_end_is_named(gate: Path) -> None:
    settings = "[tool.tagship]\nversion-file = 'version.txt'\nversion-pattern = '^(a+)+$'\n"
    (gate / "pyproject.toml").write_text(PROJECT + settings)
    (gate / "version.txt").write_text("a" * 50 + "!\n")
    said = refused(gate, "verify")
    assert "version.txt: found no result of '^(a+)+$' within 2 s, expected a version; simplify version-pattern" in said


@pytest.mark.slow
@posix
def test_a_pattern_of_a_python_file_has_no_more_time(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"x = '{'a' * 50}!'\n")
    with seconds(4), pytest.raises(ReleaseError, match="no result of"):
        literals.find(tmp_path / "a.py", r"^x = '(a+)+$")


@pytest.mark.parametrize("digits", [5_000, 100_000])
@pytest.mark.parametrize("before", ["v", "v1.0.", "release-"])
def test_a_tag_of_thousands_of_digits_names_no_version(gate: Path, before: str, digits: int) -> None:
    tag = before + "1" * digits
    said = refused(gate, "verify", GITHUB_REF_TYPE="tag", GITHUB_REF_NAME=tag)
    assert f"tag {tag!r}" in said
    with seconds(1):
        assert versions.read_tag(tag, "ship") is None


def test_a_version_of_thousands_of_digits_in_the_metadata_is_refused(gate: Path) -> None:
    (gate / "dist/ship-1.0.tar.gz").unlink()
    write_sdist(gate / "dist", before=f"Version: {'1' * 5000}\n")
    assert "dist/ship-1.0.tar.gz" in refused(gate, "verify")


@posix
@pytest.mark.timeout(0)  # it has the same timer
def test_the_timeout_of_a_block_continues_after_one_inside_it() -> None:
    outer, inner = ReleaseError("outer"), ReleaseError("inner")

    def wait() -> None:
        with pytest.raises(ReleaseError, match="inner"), within(0.1, inner):
            time.sleep(10)
        with within(5, inner):
            time.sleep(0.1)
        time.sleep(10)

    with seconds(3), pytest.raises(ReleaseError, match="outer"), within(0.5, outer):
        wait()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def write_large(path: Path, size: int) -> None:
    """Write an sdist that does not compress."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in [("PKG-INFO", b"Name: ship\nVersion: 1.0\n"), ("data", random.Random(0).randbytes(size))]:
            entry = tarfile.TarInfo(f"ship-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))


@pytest.mark.slow
def test_a_large_sdist_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    path = tmp_path / "one/ship-1.0.tar.gz"
    path.parent.mkdir()
    write_large(path, 30 * MIB)
    with memory(8 * MIB):
        tars.normalise(path, 1700000000)
        assert read_dist(path).check() == []
        handover.digest(path.parent)


def test_dists_of_two_machines_are_compared_without_reading_them_whole(tmp_path: Path) -> None:
    for machine in ("one", "two"):
        (tmp_path / machine).mkdir()
        (tmp_path / machine / "a.whl").write_bytes(bytes(30 * MIB))
    with memory(8 * MIB):
        handover.gather(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.whl"]


def test_the_cause_of_a_failed_build_is_found_in_lines_of_any_length(tmp_path: Path) -> None:
    words = ("a" * 100_000 + "Errno", "No module named 'numpy'", "Exception" * 50_000)
    assert "the build needs the module numpy" in _cause(tmp_path, deque(words), has_sdist=False)
