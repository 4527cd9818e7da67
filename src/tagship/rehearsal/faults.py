"""The faults that the servers of a rehearsal can simulate."""

from __future__ import annotations

import threading
from enum import Enum

from tagship.errors import TagshipError
from tagship_suite.errors import Problem


class Fault(str, Enum):
    """A fault, by its name for `--fail`; the docstring says what a client sees."""

    EXPIRED_TOKEN = "expired-token"
    """The minted token has expired by the time of the upload (403)."""
    UPLOAD_503 = "upload-503"
    """Uploads are answered with 503."""
    TOO_MANY_REQUESTS = "too-many-requests"
    """Uploads are answered with 429, with the fault's seconds in Retry-After."""
    UPLOAD_RESET = "upload-reset"
    """The connection is reset after an upload has arrived, before an answer; nothing is stored."""
    SLOW = "slow"
    """Every answer of the index is delayed by the fault's seconds."""
    PARTIAL = "partial"
    """The first file of a release is accepted, the following ones are answered with 503."""
    NO_PROVENANCE = "no-provenance"
    """Attestations are accepted, but no provenance of their file is served."""
    INDEX_LAG = "index-lag"
    """An uploaded file is not listed before the fault's seconds have passed."""
    CLOCK_SKEW = "clock-skew"
    """The OIDC issuer's clock is ahead by the fault's seconds."""


_SECONDS = {Fault.TOO_MANY_REQUESTS: 3.0, Fault.SLOW: 2.0, Fault.INDEX_LAG: 5.0, Fault.CLOCK_SKEW: 120.0}


def fault(name: str) -> Fault:
    """Return the fault of that name; raises TagshipError with the list of names if there is none."""
    try:
        return Fault(name)
    except ValueError:
        known = ", ".join(each.value for each in Fault)
        raise TagshipError(Problem("usage", "fault", repr(name), f"one of {known}", "choose one")) from None


class Faults:
    """The faults that are active; shared by the servers, thread-safe."""

    def __init__(self) -> None:
        self._left: dict[Fault, int | None] = {}
        self._seconds: dict[Fault, float] = dict(_SECONDS)
        self._lock = threading.Lock()

    def tell(self, what: Fault, *, times: int | None = None, seconds: float | None = None) -> None:
        """Activate a fault: `times` times (None: until cleared), with `seconds` if it has a duration."""
        with self._lock:
            self._left[what] = times
            if seconds is not None:
                self._seconds[what] = seconds

    def clear(self) -> None:
        """Behave."""
        with self._lock:
            self._left.clear()

    def take(self, what: Fault) -> bool:
        """Return whether the fault is active, and count this time."""
        with self._lock:
            left = self._left.get(what, 0)
            if left:
                self._left[what] = left - 1
            return left is None or left > 0

    def seconds(self, what: Fault) -> float:
        """Return the fault's seconds if it is active, else 0.0; counts as `take` does."""
        return self._seconds[what] if self.take(what) else 0.0
