"""The failures that `--fail` simulates: a publisher registered with a mistake, or a fault of the servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tagship.rehearsal.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tagship.publisher import Registration
    from tagship.rehearsal.faults import Faults

#: What each of these makes of the registration.
MISREGISTERED: dict[str, Callable[[Registration], Registration | None]] = {
    "invalid-publisher": lambda _: None,
    "wrong-environment": lambda registration: replace(registration, environment="release"),
    "wrong-workflow-file": lambda registration: replace(registration, workflow="publish.yml"),
}
FAILURES = (*MISREGISTERED, *(fault.value for fault in Fault))


def misregistered(registration: Registration, failures: Iterable[str]) -> Registration | None:
    """Return `registration` with the mistakes among `failures`; None if nothing is to be registered."""
    found: Registration | None = registration
    for name in failures:
        if name in MISREGISTERED and found is not None:
            found = MISREGISTERED[name](found)
    return found


def simulate(faults: Faults, failures: Iterable[str]) -> None:
    """Have the servers show the faults among `failures` from now on."""
    for name in failures:
        if name not in MISREGISTERED:
            faults.tell(Fault(name))
