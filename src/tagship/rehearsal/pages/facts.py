"""The content that both forms of the page share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tagship.publisher import LABELS

if TYPE_CHECKING:
    from tagship.rehearsal.report import File, Publisher, Report

NAMES = {"testpypi": "TestPyPI", "pypi": "PyPI"}
#: The claims that an index does not compare with a publisher.
UNCOMPARED = ("ref", "ref_path", "event_name")


def seconds(report: Report) -> float:
    """Return the total time."""
    return max((step.began + step.seconds for step in report.steps), default=0.0)


def stations(report: Report) -> list[tuple[str, str, str]]:
    """Return the places that the files pass: the name, the session that writes to it, and its outcome."""
    outcomes = {step.name: step.outcome for step in report.steps}
    counts = Counter(file.index for file in report.files)
    ways = [
        ("dist/", "nox -s build"),
        (f"bundle/: {_files(len(report.bundle))}", "nox -s verify-version"),
        (f"TestPyPI: {_files(counts['testpypi'])}", "nox -s publish-test"),
        (f"PyPI: {_files(counts['pypi'])}", "nox -s publish"),
        ("GitHub Release", "nox -s github-release"),
    ]
    found = [(what, how, outcomes[how]) for what, how in ways if how in outcomes]
    return [("dist/", "from an earlier build", "passed"), *found] if report.quick else found


def _files(count: int) -> str:
    return f"{count or 'no'} file{'' if count == 1 else 's'}"


def size(file: File) -> str:
    """Return the size in a readable form."""
    return f"{file.size / 1024:,.1f} KiB" if file.size >= 1024 else f"{file.size} bytes"


def at(report: Report, file: File, index: str) -> str:
    """Return what an index has of a file of the bundle."""
    found = [each for each in report.files if each.index == index and each.name == file.name]
    if not found:
        return "not uploaded"
    return "same bytes" if found[0].sha256 == file.sha256 else "other bytes"


def title(report: Report, publisher: Publisher) -> str:
    """Return the index of a publisher, with the project if there are several."""
    several = len({each.values["project_name"] for each in report.publishers}) > 1
    return NAMES[publisher.index] + (f": {publisher.values['project_name']}" if several else "")


def compared(publisher: Publisher) -> list[tuple[str, str, str, bool]]:
    """Return the label, the token's claim, the registered value and whether they match, for each field."""
    return [
        (LABELS[each.field], each.token or "none", each.registered or "nothing", each.matches)
        for each in publisher.compared
    ]


def uncompared(publisher: Publisher) -> dict[str, str]:
    """Return the claims that an index does not compare."""
    return {name: value for name, value in publisher.seen.items() if name in UNCOMPARED}


def values(publisher: Publisher) -> dict[str, str]:
    """Return the values for the index's form, by its labels."""
    return {LABELS[name]: value for name, value in publisher.values.items()}
