"""Retries: transient errors are retried with exponential backoff, until there is no progress for a while."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from requests import Response, exceptions
from urllib3.exceptions import InvalidHeader, ProtocolError, ReadTimeoutError
from urllib3.util import Retry

from ..errors import Problem, ReleaseError, refusal, within
from .explain import explained

T = TypeVar("T")
VARIABLE = "TAGSHIP_TIMEOUT"
DEFAULT_TIMEOUT = 300.0  # seconds without progress
MAX_TIMEOUT = 86400  # seconds
TOTAL = 5  # the total, as a multiple of the timeout: less than the job's time limit in the workflow
INITIAL_DELAY, MAX_DELAY = 1.0, 30.0  # seconds
TRANSIENT_STATUSES = {408, 425, 429}  # and 5xx
#: Permanent connection errors; a resolver that is temporarily unavailable is not one.
PERMANENT = re.compile(
    r"(?i)certificate|wrong version number|tunnel connection failed: 4"
    r"|(?:NewConnection|NameResolution)Error(?!.*temporary failure)"
)
BROKEN = (
    *(exceptions.ConnectionError, exceptions.Timeout, exceptions.RetryError, exceptions.ChunkedEncodingError),
    *(ProtocolError, ReadTimeoutError, ConnectionError, TimeoutError),
)


class TransientError(ReleaseError):
    """An error that another attempt may fix; `delay` is how many seconds the server asked to wait."""

    def __init__(self, *problems: Problem | str, delay: float = 0.0) -> None:
        super().__init__(*problems)
        self.delay = delay


class DeadlineExceeded(ReleaseError):
    """The whole run has taken longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"gave up after {seconds:g} s in all; run this again: uploaded files are skipped [deadline]")


class RetryPolicy:
    """Retries on `TransientError`, until there was no progress for `timeout` seconds."""

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.timeout = timeout
        self.reset()

    def reset(self, delay: float = INITIAL_DELAY) -> None:
        """Restart the timeout after progress; the first delay is `delay` seconds, and it doubles each time."""
        self._until = time.monotonic() + self.timeout
        self._delay = delay

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raise `ReleaseError` with its last error on timeout."""
        while True:
            try:
                return function()
            except TransientError as error:
                self.wait(error)

    def wait(self, error: TransientError) -> None:
        """Print `error` and sleep until the next attempt; raise it as `ReleaseError` if no time is left for one."""
        left = self._until - time.monotonic()
        if left <= 0 or error.delay > left:
            wanted = f"; the server asked to wait {error.delay:g} s" if error.delay > left > 0 else ""
            raise ReleaseError(f"{error}\n  gave up after {self.timeout:g} s without progress{wanted}") from error
        delay = min(max(self._delay, error.delay), left)
        print(f"{str(error).splitlines()[0]}\nretrying in {delay:.3g} s", flush=True)
        time.sleep(delay)
        self._delay = min(2 * self._delay, MAX_DELAY)


@contextmanager
def limited(environ: Mapping[str, str]) -> Iterator[RetryPolicy]:
    """Yield a policy with the timeout in $TAGSHIP_TIMEOUT; raise `DeadlineExceeded` after `TOTAL` times as long."""
    retry = RetryPolicy(_timeout(environ))
    with within(seconds := TOTAL * retry.timeout, DeadlineExceeded(seconds)):
        yield retry


def _timeout(environ: Mapping[str, str]) -> float:
    """Return the seconds in $TAGSHIP_TIMEOUT, or the default; raise `ReleaseError` for anything else."""
    text = environ.get(VARIABLE, f"{DEFAULT_TIMEOUT}")
    if not text.replace(".", "", 1).isdecimal() or not 0 < float(text) <= MAX_TIMEOUT:
        expected = f"a number of seconds, {MAX_TIMEOUT} at most"
        raise refusal("timeout-value", VARIABLE, repr(text), expected, "correct or unset it")
    return float(text)


def failure(error: Exception, text: str, site: str = "", response: Response | None = None) -> ReleaseError:
    """Return `classified` with the explanation of `text`; `site` is the index's website, for links to its help."""
    return classified(explained(text, site), error, response)


def classified(text: str, error: Exception | None, response: Response | None = None) -> ReleaseError:
    """Return `text` as a `TransientError` if another attempt may succeed after this, else as a `ReleaseError`."""
    if response is None:
        transient = isinstance(error, BROKEN) and not PERMANENT.search(str(error))
        return (TransientError if transient else ReleaseError)(text)
    status, after = response.status_code, response.headers.get("Retry-After")
    if status >= 500 or status in TRANSIENT_STATUSES or (after and status == 403):
        return TransientError(text, delay=_seconds(after))
    return ReleaseError(text)


def _seconds(header: str | None) -> float:
    """Return the seconds of a Retry-After header; 0.0 if it is neither a number nor a date (RFC 9110)."""
    try:
        return Retry().parse_retry_after(header or "0")
    except (InvalidHeader, ValueError, OverflowError):
        return 0.0
