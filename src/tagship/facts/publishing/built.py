"""Which paths are named in the jobs that build what is published? One may be another distribution's folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import shell
from .github import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tagship.facts.workflow import Job, Step

    from .github import Found, Workflows

#: Inputs of actions that build, upload, or pass dists to another job.
INPUTS = ("package-dir", "packages-dir", "packages_dir", "working-directory", "path", "subject-path")
HANDS_ON = re.compile(r"actions/upload-artifact|pypa/cibuildwheel|hynek/build-and-inspect-.*|pyo3/maturin-action")
#: Commands whose paths mean something else.
OTHER = re.compile(r"pip[\d.]*|uvx?|pipx|pytest|py\.test|tox|nox|coverage|ruff|mypy|black|git|ls|echo|rm|mkdir|twine")
BUILDS = re.compile(r"\b(build|wheel|sdist)\b")


def paths(workflows: Workflows, found: Iterable[Found]) -> Iterator[str]:
    """Yield the paths named in the jobs that upload, and in those that build what is uploaded."""
    seen = set[tuple[str, str]]()
    for each in found:
        read = workflows.by_file.get(each.file)
        for job in read.before(each.job) if read else ():
            if (each.file, str(job.id)) not in seen:
                seen.add((each.file, str(job.id)))
                yield from _of_job(job, workflows, publishes=job.id == each.job)


def _of_job(job: Job, workflows: Workflows, *, publishes: bool) -> Iterator[str]:
    called = LOCAL.fullmatch(job.uses)
    for inner in workflows.by_file[called[1]].jobs.values() if called and called[1] in workflows.by_file else ():
        yield from _of_job(inner, workflows, publishes=False) if not inner.uses else ()
    if publishes or any(HANDS_ON.fullmatch(step.action) for step in job.steps):
        yield str(job.node.map("defaults").map("run").text("working-directory"))
        for step in job.steps:
            yield from _of_step(step)


def _of_step(step: Step) -> Iterator[str]:
    yield str(step.folder)
    yield from (row for name in INPUTS for row in step.inputs.text(name).split())
    for command in shell.commands(step.run):
        if not OTHER.fullmatch(command.name) or BUILDS.search(command.text):
            yield from command.words[1:]
