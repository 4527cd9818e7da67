"""The page in Markdown: values that a project can choose are shown as code, so that none is markup."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tagship.rehearsal.pages import facts
from tagship_suite.report import code, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.rehearsal.report import Publisher, Report, Step


def page(report: Report) -> str:
    """Return the report as Markdown."""
    mark = "✅" if report.passed else "❌"
    parts = [
        f"# Rehearsal of {code(report.name)} {code(report.tag)}",
        f"{mark} {code(report.verdict)}",
        f"Commit {code(report.commit)}, {code(report.began)}, {facts.seconds(report):.1f} seconds.",
        "## Timeline",
        table(("step", "began", "took", ""), [_row(step) for step in report.steps]),
        *(_details(step) for step in report.steps if step.said),
        *_files(report),
        *(part for publisher in report.publishers for part in _publisher(facts.title(report, publisher), publisher)),
        *_notes(report),
    ]
    return "\n\n".join(parts) + "\n"


def _row(step: Step) -> tuple[str, ...]:
    ran = step.seconds > 0
    return step.name, f"{step.began:.1f} s" if ran else "", f"{step.seconds:.1f} s" if ran else "", step.outcome


def _details(step: Step) -> str:
    said = escape("\n".join(step.said))
    return f"<details><summary>{escape(step.name)}: {step.outcome}</summary>\n\n<pre>\n{said}\n</pre>\n</details>"


def _files(report: Report) -> Iterator[str]:
    yield "## Uploads"
    if not report.bundle:
        yield "`verify-version` passed nothing on, so nothing was uploaded."
        return
    rows = [
        (file.name, facts.size(file), file.sha256, *(facts.at(report, file, index) for index in facts.NAMES))
        for file in report.bundle
    ]
    yield table(("file", "size", "SHA-256", *facts.NAMES.values()), rows)


def _publisher(title: str, publisher: Publisher) -> Iterator[str]:
    yield f"## The publisher at {code(title)}"
    if publisher.compared:
        rows = [(*row[:3], "same" if row[3] else "differs") for row in facts.compared(publisher)]
        yield table(("field", "the job's token", "registered", ""), rows)
    if publisher.differences:
        yield "\n".join(f"- {code(difference)}" for difference in publisher.differences)
    yield f"To register at <{publisher.link}>:"
    yield table(("field", "value"), facts.values(publisher).items())


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield "## Notes"
        yield "\n".join(f"- {code(note)}" for note in report.notes)
