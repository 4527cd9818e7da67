"""What CI sets up for its tests and the release does not: service containers, system packages; and further tests."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from tagship.facts import tests, workflow
from tagship.facts.marked import Unreadable
from tagship.facts.publishing import shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.adopt.model import Adoption
    from tagship.facts.model import Evidence
    from tagship.facts.workflow import Job
    from tagship_suite.errors import Problem

#: The release's tests run on Linux, on GitHub's runners unless a variable names others.
SYSTEM = re.compile(r"\b(?:apt(?:-get)?|dnf|yum|apk)\b.*\b(?:install|add)\b")


def of_tests(found: Adoption) -> list[Problem]:
    """Add a step for each service container, system package and further test command of the job with the tests."""
    found.todo += [
        f"{where}: `{shlex.join(words)}` also runs tests, and test-command does not: if a release needs them, "
        'combine the two: test-command = ["sh", "-c", "... && ..."]'
        for where, words in sorted(tests.guess(found.folder).others.items())
    ]
    if found.on_gitlab:
        return []
    testing = [*_testing(found.folder, found.facts.tests.evidence)]
    jobs = {(line.file, str(job.id)): (line, job) for line, job in reversed(testing)}
    for line, job in jobs.values():
        if names := [*map(str, job.node.map("services"))]:
            where = f"{line.file}:{job.node.line_of('services')}, job {job.id}"
            services = f"the service{'s' * bool(names[1:])} {', '.join(names)}"
            found.todo.append(
                f"{where}: runs the tests with {services}, the release without: set test-command to a script that "
                "starts what they need, or to tests that need no service"
            )
        found.todo += [
            f"{line.file}:{at}: `{text}` runs before the tests in CI, but not in a release: if the tests need it, "
            "set test-command to a script that runs it first"
            for at, text in _installed(job, line.line)
        ]
    return []


def _testing(root: Path, evidence: tuple[Evidence, ...]) -> Iterator[tuple[Evidence, Job]]:
    """Yield the lines of workflows that show how the tests run, the last first, with their jobs."""
    for line in sorted(evidence, key=lambda each: -each.line):
        if (root / line.file).parent == root / workflow.FOLDER:
            with suppress(Unreadable):
                for job in workflow.read(root / line.file, root).jobs.values():
                    if job.line <= line.line <= job.end:
                        yield line, job


def _installed(job: Job, before: int) -> Iterator[tuple[int, str]]:
    """Yield the lines and commands of a job that install system packages before the line `before`."""
    for step in (step for step in job.steps if step.line < before):
        for command in shell.commands(step.run, step.run.first):
            if SYSTEM.search(text := " ".join(command.words)):
                yield command.line, text
