"""Rules about what starts publishing: without a tag, twice, or never."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship import suite
from tagship.audit.editing import only_for_tags
from tagship.audit.model import Fix, Hit, Rule
from tagship.audit.publish import CHOSEN, at_home
from tagship.facts import events
from tagship.facts.expressions import Prefix
from tagship.facts.workflow import secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tagship.audit.context import Context
    from tagship.audit.publish import Publish
    from tagship.facts.events import Event
    from tagship.facts.workflow import Job, Workflow

#: Commands that start another workflow, which the default token may do.
DISPATCHES = re.compile(r"gh workflow run|/dispatches\b")


class WithoutTag(Rule):
    """A run without a tag publishes to PyPI.

    The state of a branch is published under a version that no tag names, and everyone who can push to it can release.
    """

    name = "publish-without-tag"
    remedy = "add `if: github.ref_type == 'tag'` to the job, or start the workflow for tags only"
    fixes = "adds the condition to the job, or to the step that uploads if the job does more; unsafe"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that certainly uploads to PyPI for an event without a tag."""
        for each in context.on_github("pypi"):
            plain = [event for event in each.certain() if event.is_tag is False and event.name not in CHOSEN]
            if plain and each.job is not None and each.workflow is not None:
                before = context.before(each.workflow, each.job)
                if not context.makes_tag(each.file, before):
                    where = (each.in_job.file, each.in_job.line, each.name)
                    yield Hit(*where, f"for {_described(plain)}", _for_tags(context, each, each.job))


def _for_tags(context: Context, each: Publish, job: Job) -> Fix | None:
    """Return the fix that restricts a job, or only its upload if it does more, to tags."""
    if not any(event.is_tag for event in each.found.events):
        return None  # it would never run
    lines, step = context.lines(each.file), each.step
    alone = all(other == step or other.action == "actions/download-artifact" for other in job.steps)
    return Fix(lines, safe=False) if only_for_tags(lines, job, None if alone else step) else None


def _described(found: list[Event]) -> str:
    names = {
        f"a {event.name.replace('_', ' ')}" if event.name != "push" else f"a push to {_ref(event)}": None
        for event in found
    }
    return " and ".join(names)


def _ref(event: Event) -> str:
    text = event.ref.text if isinstance(event.ref, Prefix) else str(event.ref or "")
    name = text.removeprefix("refs/heads/")
    return name if isinstance(event.ref, str) else f"{name}*" if name else "any branch"


class CannotTrigger(Rule):
    """A workflow waits for a tag or release that cannot start it.

    A tag or release created with `GITHUB_TOKEN` starts no other workflow, so nothing is published.
    """

    name = "cannot-trigger"
    level = "error"
    remedy = (
        "publish in the workflow that creates the tag, or create it with an app's token, or start the publishing "
        "workflow with `gh workflow run` and give it the trigger `workflow_dispatch`"
    )

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that creates the tag or release for another workflow with the default token."""
        for waiting in _waiting(context):
            for workflow in context.workflows.by_file.values():
                if workflow is not waiting and not workflow.on("workflow_call"):
                    yield from silent(context, workflow, waiting)


def _waiting(context: Context) -> Iterator[Workflow]:
    """Yield the workflows that publish for a tag only; the release's own has other jobs for other events."""
    by_file = {each.file: each.workflow for each in context.on_github("pypi", "testpypi")}
    yield from (each for each in by_file.values() if each and _only_tags(each))
    own = context.workflows.by_file.get(suite.WORKFLOW.as_posix())
    if own and context.has_suite:
        yield own


def _only_tags(waiting: Workflow) -> bool:
    starts = events.of(waiting) if set(waiting.triggers) <= {"push", "release", "create"} else ()
    return bool(starts) and all(event.is_tag for event in starts)


def silent(context: Context, workflow: Workflow, waiting: Workflow) -> Iterator[Hit]:
    """Yield each line of `workflow` that creates the tag or release for `waiting` without starting it."""
    starts = events.of(workflow)
    for job in workflow.jobs.values():
        has_tag = _has_tag(workflow, job, starts)
        for line, how, inputs in context.tags_made(workflow.file, str(job.id)):
            is_release = "release" in how
            wanted = not has_tag or (is_release and waiting.on("release"))
            draft = inputs.get("draft", "").lower() == "true" or "drafter" in how
            if (
                wanted
                and not draft
                and job.grants("contents") is not False
                and _with_default_token(workflow, job, inputs)
            ):
                yield Hit(line.file, line.line, str(job.id), f"{waiting.file} is not started")


def _has_tag(workflow: Workflow, job: Job, starts: Iterable[Event]) -> bool:
    """Return whether a person may have pushed the tag, which starts workflows: the job runs for tags, or may do so."""
    holds = {event: events.runs(workflow, job, event, look_up=at_home(event)) for event in starts}
    runs = [event for event, held in holds.items() if held is not False]
    return all(event.is_tag or (holds[event] is not True and any(each.is_tag for each in runs)) for event in runs)


def _with_default_token(workflow: Workflow, job: Job, inputs: dict[str, str]) -> bool:
    """Return whether only the default token is used; with any other one, the tag may start a workflow."""
    given = " ".join(value for name, value in inputs.items() if "token" in name.lower())
    if "steps." in given or "needs." in given or any(DISPATCHES.search(step.run) for step in job.steps):
        return False
    text = " ".join(
        str(value)
        for step in job.steps
        for value in [
            *step.env.values(),
            *(step.inputs.values() if step.action == "actions/checkout" else ()),
            step.run,
        ]
    )
    text = " ".join([text, given, *(str(value) for value in [*job.env.values(), *workflow.env.values()])])
    return not re.search(r"steps\.[\w-]+\.outputs\.token", text) and all(
        name.upper() == "GITHUB_TOKEN" for name in secrets(text)
    )


class TwoPublishers(Rule):
    """Two jobs publish on the same tag.

    The first upload wins; the second job has different files with the same names, and fails or skips them.
    """

    name = "two-publishers"
    level = "error"
    remedy = "remove one of them, together with its trusted publisher or token"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield the second of two jobs that the same tag starts, in different files or with the same build."""
        found = list({(each.file, each.name): each for each in context.on_github("pypi")}.values())
        for number, second in enumerate(found):
            for first in found[:number]:
                if _both_build(context, first, second) and _meet(first.certain(), second.certain()):
                    yield Hit(
                        second.in_job.file, second.in_job.line, second.name, f"so does {first.file}:{first.in_job.line}"
                    )
        ours = context.workflows.by_file.get(suite.WORKFLOW.as_posix()) if context.has_suite else None
        if ours is not None:
            for each in found:
                if each.file != ours.file and _meet(each.certain(), events.of(ours)):
                    yield Hit(each.in_job.file, each.in_job.line, each.name, f"so does {ours.file}")


def _both_build(context: Context, first: Publish, second: Publish) -> bool:
    """Return whether two jobs build the same dists; in one workflow, each may build for a different platform."""
    if first.file != second.file or first.job is None or second.job is None:
        return True
    if any("strategy" in each.job.node or "container" in each.job.node for each in (first, second) if each.job):
        return False
    same = first.job.node.get("runs-on") == second.job.node.get("runs-on")
    return same and all(context.builds(each.file, each.name) for each in (first, second))


def _meet(some: tuple[Event, ...], others: tuple[Event, ...]) -> bool:
    """Return whether a tag starts both: a release belongs to a tag, so its event follows the tag's push."""
    left, right = ([each for each in events if each.is_tag and each.name not in CHOSEN] for events in (some, others))
    return any(_overlap(one, other) for one in left for other in right)


def _overlap(one: Event, other: Event) -> bool:
    left, right = (event.ref.text if isinstance(event.ref, Prefix) else str(event.ref) for event in (one, other))
    return left.startswith(right) or right.startswith(left)
