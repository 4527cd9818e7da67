"""Waiting for what may pass: said each time, longer each time, and not for ever."""

from __future__ import annotations

import email.utils
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from .errors import Problem, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
VARIABLE = "TAGSHIP_PATIENCE"
PATIENCE = 300.0  # seconds without progress
TOTAL = 5  # times as long for everything: below the time that the workflow gives the job
DAY = 86400  # seconds
FIRST, LONGEST = 1.0, 30.0  # seconds


class PassingError(ReleaseError):
    """What may pass by itself; `pause` is how many seconds the other side asked to be left alone."""

    def __init__(self, *problems: Problem | str, pause: float = 0.0) -> None:
        super().__init__(*problems)
        self.pause = pause


class OutOfTimeError(ReleaseError):
    """The time for everything is over."""


class Patience:
    """Repeats what fails with `PassingError`, until nothing has moved for `limit` seconds."""

    def __init__(self, limit: float = PATIENCE) -> None:
        self.limit = limit
        self.renew()

    def renew(self, first: float = FIRST) -> None:
        """Start again: something moved. The first pause is `first` seconds, and each one twice as long."""
        self._until = time.monotonic() + self.limit
        self._pause = first

    def persist(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns; raise its last `PassingError` when patience ends."""
        while True:
            try:
                return attempt()
            except PassingError as error:
                self.wait(error)

    def wait(self, error: PassingError) -> None:
        """Say `error` and wait for the next try; raise it with what was waited where patience is at its end."""
        left = self._until - time.monotonic()
        if left <= 0 or error.pause > left:
            asked = f", it asked for {error.pause:g} s" if error.pause > left > 0 else ""
            raise ReleaseError(f"{error}\n  gave up after {self.limit:g} s without progress{asked}") from error
        pause = min(max(self._pause, error.pause), left)
        print(f"{str(error).splitlines()[0]}\ntrying again in {pause:.3g} s", flush=True)
        time.sleep(pause)
        self._pause = min(2 * self._pause, LONGEST)


def limit_of(environ: Mapping[str, str]) -> float:
    """Return the seconds that $TAGSHIP_PATIENCE gives, or the usual ones; raise `ReleaseError` for no number."""
    text = environ.get(VARIABLE, f"{PATIENCE}")
    if not text.replace(".", "", 1).isdecimal() or not 0 < float(text) <= DAY:
        raise ReleaseError(Problem(VARIABLE, repr(text), f"a number of seconds, {DAY} at most", "mend or unset it"))
    return float(text)


def asked_for(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110); 0.0 for none or another thing."""
    text = (retry_after or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block when it lasts longer, whatever it waits for; not on Windows."""

    def stop(*_: object) -> NoReturn:
        raise OutOfTimeError(f"gave up after {seconds:g} s in all; run this again: what the index has is skipped")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
