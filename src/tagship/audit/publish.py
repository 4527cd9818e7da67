"""A job that uploads, and the events for which it certainly does so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship.facts import events
from tagship.facts.expressions import EXPECTED, Value, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagship.facts.events import Event
    from tagship.facts.model import Evidence
    from tagship.facts.publishing.github import Found
    from tagship.facts.workflow import Job, Step, Workflow

#: Events that a person starts, for a ref of their choice.
CHOSEN = frozenset({"workflow_dispatch", "repository_dispatch", "workflow_run", "workflow_call", "deployment"})


@dataclass(frozen=True)
class Publish:
    """A job that uploads; `job` is None for services other than GitHub."""

    found: Found
    workflow: Workflow | None
    job: Job | None

    @property
    def file(self) -> str:
        """The file of the job."""
        return self.found.file

    @property
    def name(self) -> str:
        """The name of the job."""
        return self.found.job

    @property
    def index(self) -> str:
        """The index that it uploads to."""
        return self.found.upload.index

    @property
    def last(self) -> Evidence:
        """The line that uploads."""
        return self.found.upload.evidence[-1]

    @property
    def in_job(self) -> Evidence:
        """The line of the job that uploads, or that leads to the upload."""
        return next((line for line in self.found.upload.evidence if line.file == self.file), self.last)

    @property
    def step(self) -> Step | None:
        """The step that uploads."""
        steps = self.job.steps if self.job else ()
        return next((each for each in steps if each.line <= self.in_job.line <= each.end), None)

    @property
    def is_called(self) -> bool:
        """Whether another workflow calls the job's workflow."""
        return self.found.upload.evidence[0].file != self.file

    def certain(self) -> tuple[Event, ...]:
        """Return the events for which it certainly uploads, in its original repository (not in a fork)."""
        if self.workflow is None or self.job is None or self.is_called:
            return ()
        condition = self.step.condition if self.step else ""
        return tuple(
            each
            for each in self.found.events
            if held(self.workflow, self.job, each) and evaluate(condition, at_home(each)) is True
        )


def at_home(event: Event) -> Callable[[str], Value]:
    """Return a function that looks up the contexts of `event` in the original repository."""

    def look_up(path: str) -> Value:
        if path.lower() in {"github.repository", "github.repository_owner", "github.actor"}:
            return EXPECTED
        return False if path.lower() == "github.event.repository.fork" else event.look_up(path)

    return look_up


def held(workflow: Workflow, job: Job, event: Event, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether `job` certainly runs for `event` if all jobs before it succeed."""
    if events.STATUS.search(job.condition):
        return False
    if evaluate(job.condition, at_home(event)) is not True:
        return False
    needed = [workflow.jobs[name] for name in job.needs if name in workflow.jobs and name not in seen]
    return all(held(workflow, each, event, seen | {str(job.id)}) for each in needed)
