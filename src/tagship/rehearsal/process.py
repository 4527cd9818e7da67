"""Running the commands of a rehearsal so that nothing of them is left, whenever it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRACE = 3.0  # seconds for a command to clean up after itself


@dataclass(frozen=True)
class Done:
    """A command that ended: its exit status, what it printed, and how long it took in seconds."""

    status: int
    output: str
    seconds: float


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], log: Path) -> Done:
    """Run `command` in `cwd` with `env`, its output in the file `log`; an interrupt ends it and all it started."""
    started = time.perf_counter()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        begin = output.tell()
        # In a group of its own: a Ctrl-C reaches only us, and we end the group, grandchildren included.
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait()
        except BaseException:
            _end(process)
            raise
    text = log.read_bytes()[begin:].decode("utf-8", "replace")
    return Done(status, text, time.perf_counter() - started)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group: politely, then not."""
    if os.name == "nt":
        process.kill()
        process.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + GRACE
        while _group_lives(process) and time.monotonic() < deadline:
            time.sleep(0.02)
    process.wait()


def _group_lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
