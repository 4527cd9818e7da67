"""Formats a plan as text, or as Markdown for a pull request or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship_suite.errors import links
from tagship_suite.report import code

if TYPE_CHECKING:
    from .model import Held, Job, Plan


def lines(plan: Plan) -> list[str]:
    """Return the plan as lines of text."""
    rows = [(label, value) for label, value in _rows(plan) if value]
    width = max(len(label) for label, _ in rows)
    shown = [f"  {label.ljust(width)}  {value}" for label, value in rows]
    jobs = ["  jobs, in this order:", *(f"    {_job(job)}" for job in plan.jobs)] if plan.jobs else []
    notes = [f"note: {note}" for note in plan.notes]
    stops = [f"error: {problem}" for problem in plan.problems]
    verdict = f"{len(stops)} problem{'s' * (len(stops) > 1)} would stop it" if stops else "nothing here would stop it"
    return [
        f"{plan.name} {plan.version or '(no version)'} at {plan.commit[:12]}",
        *shown,
        *jobs,
        *notes,
        *stops,
        *links(plan.problems),
        verdict,
    ]


def markdown(plan: Plan) -> list[str]:
    """Return the plan as lines of Markdown."""
    title = f"## {code(plan.name)} {code(plan.version or 'no version')}"
    table = ["| | |", "|---|---|", *(f"| {label} | {code(value)} |" for label, value in _rows(plan) if value)]
    jobs = ["", "| job | may | environment |", "|---|---|---|"]
    jobs += [f"| {code(job.id)} | {_may(job)} | {job.environment and code(job.environment)} |" for job in plan.jobs]
    changes = ["", "<details><summary>Changes</summary>", "", plan.changes, "", "</details>"] if plan.changes else []
    stops = ["", "**What would stop it**", "", *(f"- {code(problem)}" for problem in plan.problems)]
    notes = ["", *(f"- {note}" for note in plan.notes)] if plan.notes else []
    return [title, "", *table, *(jobs if plan.jobs else []), *(stops if plan.problems else []), *notes, *changes]


def _rows(plan: Plan) -> list[tuple[str, str]]:
    return [
        ("version", f"{plan.version}, from {plan.version_source}" if plan.version else ""),
        ("tag", plan.tag),
        ("dists", ", ".join(plan.dists)),
        ("tested on", ", ".join(f"Python {python}" for python in plan.pythons)),
        *((held.index, _held(held)) for held in plan.indexes),
        ("publisher", plan.publisher),
        ("changes", f"{len(plan.changes.splitlines())} lines of the changelog" if plan.changes else ""),
    ]


def _held(held: Held) -> str:
    return held.saw or (f"has {held.newest}" if held.newest else "has no version of it")


def _job(job: Job) -> str:
    return f"{job.id}: may {_may(job)}" + (f", environment {job.environment}" if job.environment else "")


def _may(job: Job) -> str:
    words = {
        ("contents", "read"): "read the repository",
        ("contents", "write"): "write the repository's contents",
        ("id-token", "write"): "request an OIDC token",
    }
    return (
        " and ".join(words.get((scope, level), f"{level} {scope}") for scope, level in job.permissions.items())
        or "nothing"
    )
