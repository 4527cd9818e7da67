"""On one machine: what a build or a test left behind does not affect the publish sessions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship.rehearsal.faults import Fault
from tests.archives import write_release
from tests.conftest import NOX, nox, release, run, try_nox
from tests.servers import Pypiserver
from tests.suite.publishing import PUSH, TAG, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(suite: Path) -> Path:
    """A folder that contains the bundle, as on a user's machine."""
    write_release(suite / "dist")
    release(suite, "verify", **TAG)
    return suite


def poison(folders: Iterator[Path], marker: Path) -> int:
    """Let each of the packages in `folders` report its import; return how many there are."""
    found = list(folders)
    for folder in found:
        init = folder / "__init__.py"
        text = init.read_text()
        init.unlink()  # it may be a hard link to the cache, or from it
        init.write_text(f"open({str(marker)!r}, 'a').close()\n{text}")
    return len(found)


@pytest.mark.parametrize("options", [(), ("-r",), ("-R",)])
def test_an_environment_that_was_there_before_is_made_anew(
    checkout: Path, pypiserver: Pypiserver, tmp_path: Path, options: tuple[str, ...]
) -> None:
    nox(checkout, "-s", "publish", **TAG, **pypiserver.twine)
    assert poison((checkout / ".nox/publish").glob("lib/*/site-packages/twine"), tmp_path / "ran") == 1
    nox(checkout, "-s", "publish", *options, **TAG, **pypiserver.twine)
    assert not (tmp_path / "ran").exists()


def test_a_cache_that_a_build_could_write_to_is_not_used(
    checkout: Path, pypiserver: Pypiserver, tmp_path: Path
) -> None:
    cache = {"UV_CACHE_DIR": str(tmp_path / "cache")}
    tools = checkout / ".github/release/requirements/tools.txt"
    run("uv", "pip", "install", "--target", tmp_path / "other", "-r", tools, cwd=tmp_path, **cache)
    assert poison((tmp_path / "cache").glob("archive-v0/*/twine"), tmp_path / "ran") == 1
    nox(checkout, "-s", "publish", **TAG, **pypiserver.twine, **cache)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["twine.py", "packaging.py"])
@pytest.mark.parametrize("where", ["", "bundle"])
def test_code_next_to_the_suite_never_runs(checkout: Path, pypiserver: Pypiserver, name: str, where: str) -> None:
    planted = checkout / where / ".github/release" / name
    planted.write_text(f"open({str(checkout / 'ran')!r}, 'a').close()\n")
    done = try_nox(checkout, "-s", "publish", **TAG, **pypiserver.twine)
    assert (done.returncode == 0) == (where == ""), done.stdout
    assert not (checkout / "ran").exists()


def left(marker: Path) -> list[str]:
    """Return the commands of the processes whose environment holds `marker`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(marker).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_nox_ends_the_upload_too(checkout: Path, tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "index") as servers:
        env = {**os.environ, **servers.job(PUSH, "pypi"), **TAG, "MARKER": str(tmp_path / "marker")}
        # The tools come from the real index.
        nox(checkout, "-s", "publish", "--install-only")
        servers.faults.tell(Fault.SLOW, seconds=30)
        command = [*NOX, "-s", "publish", "--reuse-venv=always", "--no-install", "--", "--no-attestations"]
        process = subprocess.Popen(command, cwd=checkout, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while not servers.proxy.seen:
            assert process.poll() is None
            time.sleep(0.1)
        assert any("tagship_suite" in each for each in left(tmp_path / "marker"))
        process.send_signal(number)
        process.communicate(timeout=10)
        assert process.returncode
        assert left(tmp_path / "marker") == []
        servers.faults.clear()
