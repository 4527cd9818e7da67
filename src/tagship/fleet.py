"""Runs a function over many repositories: on all cores, in the given order; a failure affects one repository only."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tagship_suite.errors import Problem, ReleaseError

from .errors import TagshipError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What is printed about a repository, as an object for JSON with `path`, `status` and `reason`.
Answer = dict[str, Any]
CHUNK = 16  # repositories that a process gets at a time
SECONDS = 20  # of processor time for one repository
LONGEST = 10 * SECONDS  # of real time, if it waits for something
PATIENCE = 2.0  # seconds before progress is shown


class OutOfTime(BaseException):
    """A repository takes too long; a BaseException, so that no other handler catches it."""


class Question(Protocol):
    """A module-level function, as it is sent to other processes."""

    def __call__(self, path: Path) -> Answer: ...


def paths(named: Iterable[Path], file: Path | None) -> Iterator[Path]:
    """Yield the named repositories, then those in `file`, one per line; `-` is standard input."""
    yield from named
    if file is None:
        return
    try:
        with sys.stdin if str(file) == "-" else file.open(encoding="utf-8", errors="surrogateescape") as lines:
            yield from (Path(line) for text in lines if (line := text.rstrip("\r\n")))
    except OSError as error:
        problem = Problem("unreadable-file", str(file), str(error.strerror), "a list of paths", "name another file")
        raise TagshipError(problem) from error


def ask(question: Question, repositories: Iterable[Path], workers: int | None = None) -> Iterator[Answer]:
    """Yield the answer for each repository, in order; only a few are in memory at a time."""
    todo = iter(repositories)
    first = list(islice(todo, CHUNK))
    workers = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(first) < CHUNK // 4 or workers == 1:
        yield from (_answer(question, path) for path in first)
        yield from (_answer(question, path) for path in todo)
        return
    yield from _on_all_cores(question, first, todo, workers)


def _on_all_cores(question: Question, first: list[Path], todo: Iterator[Path], workers: int) -> Iterator[Answer]:
    waiting: deque[tuple[list[Path], Future[list[Answer]]]] = deque()
    pool = ProcessPoolExecutor(workers, initializer=_ignore_interrupts)
    try:
        # The first ones are distributed, so that a few slow repositories do not all go to one process.
        chunks = [[path] for path in first]
        while chunks or waiting:
            while len(waiting) < 4 * workers and (chunk := chunks.pop(0) if chunks else list(islice(todo, CHUNK))):
                waiting.append((chunk, _submitted(pool, question, chunk)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            try:
                yield from future.result()
            except BrokenProcessPool:
                # One of the chunks has ended its process; each of its repositories is tried alone.
                held = [chunk, *(each for each, _ in waiting)]
                waiting.clear()
                pool.shutdown(wait=False, cancel_futures=True)
                for path in (path for each in held for path in each):
                    yield _isolated(question, path)
                pool = ProcessPoolExecutor(workers, initializer=_ignore_interrupts)
    finally:
        # Do not wait after an interrupt, or a thread would print a traceback about its closed pipe.
        pool.shutdown(wait=not waiting, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, question: Question, chunk: list[Path]) -> Future[list[Answer]]:
    try:
        return pool.submit(_answers, question, chunk)
    except BrokenProcessPool as error:  # reported when it is its turn
        future = Future[list[Answer]]()
        future.set_exception(error)
        return future


def _isolated(question: Question, path: Path) -> Answer:
    with ProcessPoolExecutor(1, initializer=_ignore_interrupts) as pool:
        try:
            return pool.submit(_answer, question, path).result()
        except BrokenProcessPool:
            return failed(path, "the process that read it ended; report it with the repository [bug]")


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the main process, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _answers(question: Question, chunk: Sequence[Path]) -> list[Answer]:
    return [_answer(question, path) for path in chunk]


def _answer(question: Question, path: Path) -> Answer:
    try:
        with _limited(SECONDS):
            return question(path)
    except OutOfTime:
        return failed(path, f"it was not read within {SECONDS} seconds [time-limit]")
    except (TagshipError, ReleaseError) as error:
        return failed(path, "; ".join(map(str, error.args)))
    except Exception as error:  # one repository must not stop the others
        return failed(path, f"{type(error).__name__}: {error}; report it with the repository [bug]")


def failed(path: Path, reason: str) -> Answer:
    """Return the answer for a repository that cannot be read."""
    return {"path": str(path), "status": "refused", "reason": " ".join(reason.split())}


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise `OutOfTime` after this time, if there are alarms: a regular expression may search forever."""

    def stop(*_: object) -> None:
        raise OutOfTime

    try:
        before = [signal.signal(each, stop) for each in (signal.SIGPROF, signal.SIGALRM)]
    except (AttributeError, ValueError):  # Windows, or not the main thread
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)
        for each, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(each, handler)


def counted(answers: Iterable[Answer], stream: TextIO | None = None) -> Iterator[Answer]:
    """Yield `answers`, and on a terminal show the number so far if it takes longer."""
    stream = stream or sys.stderr
    begin, shown = time.monotonic(), False
    showing = stream.isatty() and "CI" not in os.environ
    for number, answer in enumerate(answers, 1):
        yield answer
        if showing and time.monotonic() - begin > PATIENCE and number % 10 == 0:
            shown = True
            stream.write(f"\r{number} repositories, {number / (time.monotonic() - begin):.0f} a second")
            stream.flush()
    if shown:
        stream.write("\n")
