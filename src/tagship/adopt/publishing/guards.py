"""What could stop an upload but does not stop a release: checks right before it, and jobs that it waited for."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from tagship.facts import workflow
from tagship.facts.marked import Unreadable
from tagship.facts.tests import ci, ways
from tagship.facts.tests.declared import Project

from .prepared import BUILDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.facts.model import Publishing
    from tagship.facts.workflow import Job, Step

CHECKS = re.compile(r"\bexit [1-9]|::error")
#: Checks of the project's version, which verify-version compares with the tag too, and commands that only set outputs.
OTHER = re.compile(
    r"__version__|pyproject|setup\.(?:py|cfg)|--version|\b(?:poetry|hatch|uv|pdm|flit) version|importlib|metadata"
    r"|\bdist\b|GITHUB_(?:OUTPUT|ENV)"
)


def lost(root: Path, found: tuple[Publishing, ...]) -> Iterator[str]:
    """Yield a step left to do for each check before the uploads `found` in workflows, and for the jobs before them."""
    here = [each for each in found if each.index in {"pypi", "testpypi"}]
    names = {(each.file, each.job) for each in here}
    for file in dict.fromkeys(each.file for each in here if (root / each.file).parent == root / workflow.FOLDER):
        with suppress(Unreadable):
            read = workflow.read(root / file, root)
            uploads = [(job, each) for each in here if each.file == file and (job := read.jobs.get(each.job))]
            for job, upload in uploads:
                yield from _checks(job, upload)
            waited = {str(each.id) for job, _ in uploads for each in read.before(str(job.id))}
            others = {name: job for name, job in read.jobs.items() if name in waited and (file, name) not in names}
            kept = [name for name, job in others.items() if _guards(job, file, root)]
            if kept:
                named = f"the job{'s' if kept[1:] else ''} {' and '.join(kept)}"
                passed = "they have passed" if kept[1:] else "it has passed"
                yield f"{file}: the upload waited for {named}, but the release does not: push a tag only after {passed}"


def _checks(job: Job, upload: Publishing) -> Iterator[str]:
    last = next((at.line for at in reversed(upload.evidence) if at.file == upload.file), job.end)
    for step in job.steps:
        if step.end < last and CHECKS.search(step.run) and not OTHER.search(step.run):
            shown = step.name or step.run.strip().splitlines()[0]
            remedy = "if a release depends on it, make it one of the tests"
            yield f"{upload.file}:{step.line}: {shown!r} could stop the upload, but no session runs it: {remedy}"


def _guards(job: Job, file: str, root: Path) -> bool:
    """Return whether a job only checks something: it has no outputs, builds nothing, and runs no tests."""
    if job.uses or job.outputs or job.grants("contents") or any(map(_builds, job.steps)):
        return False
    checks = any(step.run or "pre-commit" in step.action for step in job.steps)
    return checks and not ways.follow(ci.commands(job, file, root), Project(root, root)).test


def _builds(step: Step) -> bool:
    return bool(BUILDS.search(step.run) or BUILDS.search(step.action))
