"""An adoption that is killed leaves the tree unchanged or complete."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.adopt.repositories import SETUP_PY, make
from tests.adopt.test_adopt import TAGSHIP, adopt, snapshot

if TYPE_CHECKING:
    from pathlib import Path


def killed(folder: Path, *, after: float = 60, written: Path | None = None) -> None:
    """Adopt the repository in `folder`, and kill that `after` so many seconds, or when the path `written` is there."""
    command = [*map(str, TAGSHIP), "adopt", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + after
    while process.poll() is None and time.monotonic() < end and not (written and written.exists()):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def state(folder: Path) -> dict[str, bytes | None] | None:
    """Return what is in `folder`, None where that changes meanwhile."""
    try:
        return snapshot(folder)
    except FileNotFoundError:
        return None


@pytest.mark.slow
def test_killed_at_any_moment_the_tree_is_as_it_was_or_complete(tmp_path: Path) -> None:
    start = make(tmp_path / "start", SETUP_PY)
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    begin = time.monotonic()
    adopt(whole)
    seconds, before, after = time.monotonic() - begin, snapshot(start), snapshot(whole)
    assert before != after
    for number in range(8):
        folder = tmp_path / f"thing{number}"
        shutil.copytree(start, folder)
        # Half of the kills come with the first file that is written, the others at any time.
        if number % 2:
            killed(folder, written=folder / ".github")
        else:
            killed(folder, after=seconds * number / 8)
        end = time.monotonic() + 10
        while state(folder) not in (before, after) and time.monotonic() < end:
            time.sleep(0.05)
        assert state(folder) in (before, after)
