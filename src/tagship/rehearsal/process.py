"""Runs the commands of a rehearsal so that no process is left behind, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: A failed test, as pytest and unittest print it, and how many are shown.
FAILED, SHOWN = re.compile(r"(?:FAILED|ERROR|FAIL:|ERROR:) \S"), 50
GRACE = 0.5  # seconds for a command to clean up after itself


@contextmanager
def closing_undisturbed() -> Iterator[ExitStack]:
    """Yield an exit stack that a second Ctrl-C does not interrupt, as nothing else would clean up."""
    stack = ExitStack()
    try:
        try:
            yield stack
        finally:
            _close(stack)
    finally:
        # An interrupt between `finally` and `close` leads here; closing twice is harmless.
        _close(stack)


def _close(stack: ExitStack) -> None:
    if threading.current_thread() is not threading.main_thread():
        stack.close()
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stack.close()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Delay a Ctrl-C until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *received: held.append(received))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held and callable(before):
        before(*held[0])


@dataclass(frozen=True)
class Done:
    """A finished command: its exit status, its output, its time in seconds, and the log of its step."""

    status: int
    output: str
    seconds: float
    log: Path

    @property
    def said(self) -> tuple[str, ...]:
        """The relevant output of a failure: errors, else failed tests and the last lines."""
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in self.output.splitlines()]
        errors = dropwhile(lambda line: not line.startswith("error: "), lines)
        if said := tuple(line for line in errors if line.startswith(("error: ", "  "))):
            return said
        end = [*filter(None, lines)][-15:]
        return (*[line for line in lines if FAILED.match(line) and line not in end][:SHOWN], *end)


class Processes:
    """The commands of a rehearsal; none is left running at the end of the block, however it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        #: Runs one thing at a time in the background.
        self.background = ThreadPoolExecutor(1)
        #: Starts processes in another thread: a Ctrl-C only reaches the main thread, and could lose track of one here.
        self._starter = ThreadPoolExecutor(1)

    def __enter__(self) -> Processes:
        # Their threads start now: nothing would wait for one that starts during an interrupt.
        with interrupts_held():
            self.background.submit(int).result()
            self._starter.submit(int).result()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _end(process)
        self.background.shutdown(cancel_futures=True)
        self._starter.shutdown(cancel_futures=True)

    def run(self, command: Sequence[object], cwd: Path, env: Mapping[str, str], log: Path) -> Done:
        """Run `command` in `cwd` with `env`, with its output in the file `log`; an interrupt ends all its processes."""
        started = time.perf_counter()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            begin = output.tell()
            process = self._starter.submit(self._start, list(map(str, command)), cwd, dict(env), output).result()
            try:
                status = process.wait()
            except BaseException:
                # If this is interrupted too, the end of the block continues it.
                _end(process)
                raise
            self._running.discard(process)
        text = log.read_bytes()[begin:].decode("utf-8", "replace")
        return Done(status, text, time.perf_counter() - started, log)

    def _start(self, command: list[str], cwd: Path, env: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise InterruptedError("the rehearsal has ended")
            # In its own process group: a Ctrl-C only reaches us, and we end the group, grandchildren included.
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
    """End the process and its group: with SIGTERM, then with SIGKILL."""
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
    return _any_runs(process.pid)


def _any_runs(group: int) -> bool:
    """Return whether a process of the group still runs; zombies do not count."""
    stats = list(Path("/proc").glob("[0-9]*/stat"))
    for stat in stats:
        try:
            # After the name in parentheses, which may hold any characters: state, parent, group.
            state, _, of = stat.read_bytes().rpartition(b")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state not in {b"Z", b"X"}:
            return True
    # Without /proc, `killpg` has decided.
    return not stats
