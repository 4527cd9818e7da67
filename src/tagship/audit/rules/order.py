"""Rules about the order of jobs, and about changes after publishing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.audit.building import is_test
from tagship.audit.editing import add_needs
from tagship.audit.model import Fix, Hit, Rule
from tagship.facts import events, marked
from tagship.facts.publishing.shell import EXPRESSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tagship.audit.context import Context
    from tagship.audit.publish import Publish
    from tagship.facts.model import Evidence
    from tagship.facts.publishing.shell import Command
    from tagship.facts.workflow import Job, Step, Workflow

TESTED = "tests"
DOWNLOAD = "actions/download-artifact"
NEEDS = re.compile(r"\bneeds\s*\.\s*([\w-]+)")
#: A version in the name of a tag. Tags such as `v1`, for the users of an action, may be moved.
VERSIONED = re.compile(r"\.|version|ref_name|tag_name", re.IGNORECASE)


class NeedsIncomplete(Rule):
    """A publish job does not wait for a job that it depends on.

    It may publish although the tests fail, or look for files that do not exist yet.
    """

    name = "needs-incomplete"
    remedy = "add the job to `needs` of the job that publishes"
    fixes = "adds it; unsafe if the job runs tests or is skipped for some events, because that then stops the release"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads without waiting for tests, artifacts or outputs of the same run."""
        for each in context.on_github("pypi", "testpypi"):
            if each.workflow is None or each.job is None:
                continue
            missing = _missing(context, each, each.workflow, each.job)
            for name, reason in missing.items():
                # One fix for all of a kind, as they change the same line.
                added = [other for other, why in missing.items() if reason == TESTED or why != TESTED]
                lines, jobs = context.lines(each.file), [each.workflow.jobs[other] for other in added]
                safe = reason != TESTED and all(_runs_with(each, job) is True for job in jobs)
                fix = Fix(lines, safe) if add_needs(lines, each.job, added) else None
                yield Hit(each.file, each.job.line, each.name, f"{name} ({reason})", fix)


def _missing(context: Context, each: Publish, workflow: Workflow, publishing: Job) -> dict[str, str]:
    """Return the jobs that a publish job does not wait for, and why it depends on each."""
    found, before = dict[str, str](), {str(job.id) for job in context.before(workflow, publishing)}
    for name, job in workflow.jobs.items():
        after = {str(other.id) for other in context.before(workflow, job)}
        if each.name in after:
            continue
        reason = "its outputs" if _reads(publishing, name) else ""
        if name not in before:
            reason = reason or (_artifact(publishing, job) if _runs_with(each, job) is not False else "")
            reason = reason or (TESTED if _tests(context, job, each) else "")
        found |= {name: reason} if reason else {}
    return found


def _runs_with(each: Publish, job: Job) -> bool | None:
    """Return whether `job` runs for every event for which the other one may run; False if for none."""
    assert each.workflow is not None
    states = {events.runs(each.workflow, job, event) for event in each.found.events}
    return states.pop() if len(states) == 1 else None


def _artifact(publishing: Job, other: Job) -> str:
    """Return which artifact of the other job a job downloads, "" for none; both names may be patterns.

    What a job puts together from artifacts adds nothing to those, so a pattern does not need to match it.
    """
    made = [name for step in other.steps if (name := _made(step))]
    inputs = [step.inputs for step in publishing.steps if step.action == DOWNLOAD]
    wanted = [EXPRESSION.sub("*", each.text("name") or each.text("pattern")) for each in inputs]
    if any(step.action == DOWNLOAD for step in other.steps):
        wanted = [each for each in wanted if "*" not in each]
    return next((f"its artifact {name}" for name in sorted(made) if any(_match(name, each) for each in wanted)), "")


def _made(step: Step) -> str:
    """Return the name of the artifact that a step uploads, with `*` for an expression."""
    if step.action == "hynek/build-and-inspect-python-package":
        return f"Packages{EXPRESSION.sub('*', step.inputs.text('upload-name-suffix'))}"
    return EXPRESSION.sub("*", step.inputs.text("name")) if step.action == "actions/upload-artifact" else ""


def _match(name: str, pattern: str) -> bool:
    """Return whether two names, or the beginnings of two patterns, are equal; a bare `*` matches nothing."""
    left, right = name.partition("*")[0], pattern.partition("*")[0]
    if "*" not in name + pattern:
        return name == pattern
    return bool(left and right) and (left.startswith(right) if "*" in pattern else right.startswith(left))


def _reads(publishing: Job, name: str) -> bool:
    """Return whether an expression reads the outputs of a job that is not in `needs`, which are then empty."""
    return name not in publishing.needs and any(name in NEEDS.findall(text) for text in marked.texts(publishing.node))


def _tests(context: Context, job: Job, each: Publish) -> bool:
    """Return whether a job certainly runs tests, no benchmarks, for an event that certainly uploads to PyPI."""
    walk = context.walk(each.file, str(job.id))
    if each.index != "pypi" or walk is None or "bench" in str(job.id).lower():
        return False
    if not any(is_test(command) for _, command in walk.ran):
        return False
    return any(event.is_tag and each.workflow and events.runs(each.workflow, job, event) for event in each.certain())


class ImmutableRelease(Rule):
    """A release is changed after it was published.

    With immutable releases enabled, neither the files nor the tag of a published release can be changed: the step
    fails, and the steps after it do not run.
    """

    name = "changes-published-release"
    level = "note"
    remedy = "create the release as a draft, add all files, and then publish it"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that adds a file to a published release, or moves a tag."""
        publish = {each.file for each in context.on_github("pypi")}
        for workflow in context.workflows.by_file.values():
            if workflow.file in publish or context.has_suite:  # it creates the release with all its files
                for job in workflow.jobs.values():
                    for line in _changes(context, workflow, job):
                        yield Hit(line.file, line.line, str(job.id))


def _changes(context: Context, workflow: Workflow, job: Job) -> Iterator[Evidence]:
    walk = context.walk(workflow.file, str(job.id))
    if walk is None:
        return
    starts = [event for event in events.of(workflow) if events.runs(workflow, job, event) is not False]
    published = bool(starts) and all(event.name == "release" and event.action != "created" for event in starts)
    for line, command in walk.ran:
        if _moves_tag(command) or (published and command.words[:3] == ("gh", "release", "upload")):
            yield line
    for line, action, inputs in walk.used:
        if published and _adds_files(action.partition("@")[0].lower(), inputs):
            yield line


def _moves_tag(command: Command) -> bool:
    words = command.words
    forced = words[:2] == ("git", "tag") and {"-f", "--force"}.intersection(words)
    return bool(forced) and any(VERSIONED.search(word) for word in words[2:])


def _adds_files(action: str, inputs: Mapping[str, str]) -> bool:
    """Return whether an action adds files to a release."""
    if action == "softprops/action-gh-release":
        return bool(inputs.get("files"))
    signs = action == "sigstore/gh-action-sigstore-python" and inputs.get("release-signing-artifacts", "true") == "true"
    return signs or action in {"svenstaro/upload-release-action", "actions/upload-release-asset"}
