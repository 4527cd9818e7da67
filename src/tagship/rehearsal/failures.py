"""The failures that `--fail` simulates: a publisher registered with a mistake, or a fault of the servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tagship.rehearsal.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tagship.publisher import Registration
    from tagship.rehearsal.faults import Faults

#: How each of these changes the registration.
MISREGISTERED: dict[str, Callable[[Registration], Registration | None]] = {
    "invalid-publisher": lambda _: None,
    "wrong-environment": lambda registration: replace(registration, environment="release"),
    "wrong-workflow-file": lambda registration: replace(registration, workflow="publish.yml"),
}
#: All failures by name, with what each shows.
FAILURES = {
    "invalid-publisher": "No publisher is registered. The index has one message for this and the next two.",
    "wrong-environment": "The publisher names another environment than the job. The field that differs is named.",
    "wrong-workflow-file": "The publisher names another workflow file, as it would after release.yml was renamed.",
    Fault.EXPIRED_TOKEN.value: "The upload token expires before its first file. A new token is requested.",
    Fault.UPLOAD_503.value: "Every upload is answered with 503. It is retried with exponential backoff, then fails.",
    Fault.TOO_MANY_REQUESTS.value: "Every upload is answered with 429. It is retried when the index says so.",
    Fault.UPLOAD_RESET.value: "The connection is reset after the upload. The index is queried before it is retried.",
    Fault.SLOW.value: "Every answer of the index takes two seconds. The release passes.",
    Fault.PARTIAL.value: "The first file is uploaded, the next one is not. Another run of the job completes it.",
    Fault.NO_PROVENANCE.value: "The index accepts attestations and serves no provenance. The release fails.",
    Fault.INDEX_LAG.value: "A file is served five seconds after its upload. The release waits for it and passes.",
    Fault.CLOCK_SKEW.value: "The clock of the OIDC issuer is two minutes ahead. The index refuses its token.",
}


def misregistered(registration: Registration, failures: Iterable[str]) -> Registration | None:
    """Return `registration` with the mistakes among `failures`; None if nothing must be registered."""
    found: Registration | None = registration
    for name in failures:
        if name in MISREGISTERED and found is not None:
            found = MISREGISTERED[name](found)
    return found


def simulate(faults: Faults, failures: Iterable[str]) -> None:
    """Let the servers simulate the faults among `failures` from now on."""
    for name in failures:
        if name not in MISREGISTERED:
            faults.tell(Fault(name))
