"""Errors: the problems of a refused step, one line each and all at once, and the timeout of a step.

Each line ends with a code in brackets, which `PAGE` explains; a multi-line one has it at the end of the first.
"""

import errno
import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

#: The page of all codes. No other line of the code has the address of tagship's repository.
PAGE = "https://github.com/org/tagship/blob/main/docs/errors.md"
#: How many problems of one kind, or names in a message, are listed.
SHOWN = 5


@dataclass(frozen=True)
class Problem:
    """What is wrong: its code, where, the value found, the value expected, and what to do."""

    code: str
    where: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        remedy, end, example = self.remedy.partition("\n")
        return f"{self.where}: found {self.found}, expected {self.expected}; {remedy} [{self.code}]{end}{example}"


class ReleaseError(Exception):
    """A step refuses to continue; `args` has a line or `Problem` for each reason."""

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__(*(str(problem) for problem in problems))

    def __str__(self) -> str:
        return "\n".join(self.args)


def refusal(code: str, where: str, found: str, expected: str, remedy: str) -> ReleaseError:
    """Return the error of one problem."""
    return ReleaseError(Problem(code, where, found, expected, remedy))


def links(lines: Iterable[str]) -> list[str]:
    """Return a line for each code in `lines`, with a link to its explanation."""
    codes = re.findall(r" \[([a-z]+(?:-[a-z]+)*)\]$", "\n".join(lines), re.MULTILINE)
    return [f"see: {PAGE}#{code}" for code in dict.fromkeys(codes)]


def from_os(error: OSError) -> Problem:
    """Return the problem of a file or folder that cannot be read or written."""
    found, file = error.strerror or str(error), error.filename2 or error.filename or "this machine"
    remedy = "free some space" if error.errno == errno.ENOSPC else "correct or remove it, or its permissions"
    return Problem("file-system", str(file), found, "a place that can be read and written", remedy)


def refuse(problems: Sequence[Problem | str]) -> None:
    """Raise one `ReleaseError` that holds all `problems`; nothing if there are none."""
    if problems:
        raise ReleaseError(*problems)


@contextmanager
def collecting(problems: list[Problem | str]) -> Iterator[None]:
    """Add the problems of a `ReleaseError` in the block to `problems` instead of raising it."""
    try:
        yield
    except ReleaseError as error:
        problems += error.args


def some(names: Sequence[str], most: int = SHOWN) -> str:
    """Return the first `most` of `names`, and the number of the others."""
    return ", ".join(names[:most]) + f" and {len(names) - most} more" * (len(names) > most)


def shortened(problems: list[Problem], where: str, more: str, expected: str) -> list[Problem]:
    """Return the first of `problems`, which are of one kind, and one more with the number of the others."""
    others = problems[SHOWN:]
    last = [Problem(each.code, where, f"{len(others)} {more}", expected, "see above") for each in others[:1]]
    return problems[:SHOWN] + last


@contextmanager
def within(seconds: float, error: ReleaseError) -> Iterator[None]:
    """Raise `error` if the block takes longer, whatever it waits for; not on Windows, nor in another thread."""

    def stop(*_: object) -> NoReturn:
        raise error

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before, began = signal.signal(signal.SIGALRM, stop), time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:  # resume the timeout of an enclosing block
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 0.001))
