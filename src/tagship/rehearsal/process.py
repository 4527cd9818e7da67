"""Running the commands of a rehearsal so that nothing of them is left, whenever it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

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


class Processes:
    """The commands of a rehearsal; when the block ends, however it does, none of them lives on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        #: Runs one thing at a time, beside what the main thread runs.
        self.background = ThreadPoolExecutor(1)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _end(process)
        self.background.shutdown(cancel_futures=True)

    def run(self, command: Sequence[object], cwd: Path, env: Mapping[str, str], log: Path) -> Done:
        """Run `command` in `cwd` with `env`, its output in the file `log`; an interrupt ends all that it started."""
        started = time.perf_counter()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            begin = output.tell()
            process = self._start(list(map(str, command)), cwd, dict(env), output)
            try:
                status = process.wait()
            except BaseException:
                _end(process)
                raise
            finally:
                self._running.discard(process)
        text = log.read_bytes()[begin:].decode("utf-8", "replace")
        return Done(status, text, time.perf_counter() - started)

    def _start(self, command: list[str], cwd: Path, env: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise InterruptedError("the rehearsal has ended")
            # In a group of its own: a Ctrl-C reaches only us, and we end the group, grandchildren included.
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
            return process


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
