"""What starts a publication, and in which order its jobs run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship import suite
from tagship.audit.model import Hit, Rule
from tagship.facts import events
from tagship.facts.expressions import Prefix
from tagship.facts.workflow import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.audit.context import Context, Publish
    from tagship.facts.events import Event
    from tagship.facts.model import Evidence
    from tagship.facts.workflow import Job, Workflow

TAG = re.compile(
    r"GITHUB_REF|github\.ref\b|github\.ref_name|github\.event\.ref|tag_name|github\.event\.release|RELEASE_TAG|GIT_TAG|"
    r"git describe|check[-_]?version|version[-_]?check|verify[-_]?version|check-tag|tag-check",
    re.IGNORECASE,
)
TESTS = re.compile(r"\b(?:pytest|tox|nox|unittest|nosetests|py\.test|stestr|hatch test)\b")
#: Somebody decides to start these, and at what.
CHOSEN = frozenset({"workflow_dispatch", "repository_dispatch", "workflow_run", "workflow_call", "deployment"})


class WithoutTag(Rule):
    """A run without a tag publishes to PyPI.

    The state of a branch is published under a version that no tag names, and everyone who can push to it can release.
    """

    name = "publish-without-tag"
    remedy = "add `if: github.ref_type == 'tag'` to the job, or start the workflow for tags only"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that certainly uploads to PyPI for an event that is not about a tag."""
        for each in context.on_github("pypi"):
            plain = [event for event in each.certain() if event.is_tag is False and event.name not in CHOSEN]
            if plain and each.job is not None and each.workflow is not None:
                before = context.before(each.workflow, each.job)
                if not context.makes_tag(each.file, before):
                    yield Hit(each.in_job.file, each.in_job.line, each.name, f"for {_described(plain)}")


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


class TagNotCompared(Rule):
    """The tag is never compared with the version.

    A tag v1.3.0 on a commit with version 1.2.0 publishes 1.2.0, or fails because 1.2.0 already exists.
    """

    name = "tag-not-compared"
    remedy = "compare them before the upload, as `nox -s verify-version` does"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that a tag starts where nothing before the upload looks at the tag."""
        if context.version_from_tags():
            return
        for each in context.on_github("pypi"):
            tagged = [event for event in each.certain() if event.is_tag and event.name not in CHOSEN]
            if not tagged or each.job is None or each.workflow is None:
                continue
            jobs = context.before(each.workflow, each.job)
            if not context.makes_tag(each.file, jobs) and not any(
                _sees_tag(context, each.workflow, job) for job in jobs
            ):
                yield Hit(each.in_job.file, each.in_job.line, each.name)


def _sees_tag(context: Context, workflow: Workflow, job: Job) -> bool:
    """Return whether a job does anything with the tag besides asking whether there is one."""
    if job.uses:
        return True  # what it does is written elsewhere
    walk = context.walk(workflow.file, str(job.id))
    texts = [*(step.run for step in job.steps), *(value for step in job.steps for value in step.inputs.values())]
    texts += [value for step in job.steps for value in step.env.values()] + [step.name for step in job.steps]
    texts += [*job.env.values(), *workflow.env.values(), *(step.uses for step in job.steps), job.id, job.name]
    if any(isinstance(text, str) and TAG.search(text) for text in texts):
        return True
    files = {line.file for line, _ in walk.ran} if walk else set()
    return any(TAG.search(context.workflows.targets.text(file) or "") for file in files - {workflow.file})


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
        """Yield each line that makes the tag or the release that another workflow waits for, with the default token."""
        for each in {each.file: each for each in context.on_github("pypi", "testpypi")}.values():
            waiting = each.workflow
            if waiting is None or not set(waiting.triggers) <= {"push", "release", "create"}:
                continue
            starts = events.of(waiting)
            if not starts or not all(event.is_tag for event in starts):
                continue
            for workflow in context.workflows.by_file.values():
                if workflow is not waiting and not workflow.on("workflow_call"):
                    yield from silent(context, workflow, waiting)


def silent(context: Context, workflow: Workflow, waiting: Workflow) -> Iterator[Hit]:
    """Yield each line of `workflow` that makes the tag or release that `waiting` waits for, and does not start it."""
    has_tag = all(event.is_tag for event in events.of(workflow))  # somebody pushed it, and that starts workflows
    for job in workflow.jobs.values():
        for line, how, inputs in context.tags_made(workflow.file, str(job.id)):
            is_release = "release" in how
            wanted = not has_tag or (is_release and waiting.on("release"))
            draft = inputs.get("draft", "").lower() == "true" or "drafter" in how
            if wanted and not draft and _with_default_token(workflow, job, inputs):
                yield Hit(line.file, line.line, str(job.id), f"{waiting.file} is not started")


def _with_default_token(workflow: Workflow, job: Job, inputs: dict[str, str]) -> bool:
    """Return whether nothing but the default token is used: with any other one, the tag may well start a workflow."""
    given = " ".join(inputs.values())
    if "steps." in given or "needs." in given:
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
        """Yield the second of each two jobs in different files, or that build alike, which the same tag starts."""
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
    """Return whether two jobs make the same dists; in one workflow, each may make those for another platform."""
    if first.file != second.file or first.job is None or second.job is None:
        return True
    if any("strategy" in each.job.node or "container" in each.job.node for each in (first, second) if each.job):
        return False
    same = first.job.node.get("runs-on") == second.job.node.get("runs-on")
    return same and all(context.builds(each.file, each.name) for each in (first, second))


def _meet(some: tuple[Event, ...], others: tuple[Event, ...]) -> bool:
    """Return whether a tag starts both: a release is made for a tag, so it follows the push of one."""
    return any(_overlap(one, other) for one in some for other in others if one.is_tag and other.is_tag)


def _overlap(one: Event, other: Event) -> bool:
    left, right = (event.ref.text if isinstance(event.ref, Prefix) else str(event.ref) for event in (one, other))
    return left.startswith(right) or right.startswith(left)


class NeedsIncomplete(Rule):
    """A publish job does not wait for a job that it depends on.

    It may publish although the tests fail, or look for files that do not exist yet.
    """

    name = "needs-incomplete"
    remedy = "add the job to `needs` of the job that publishes"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads without waiting for tests or artifacts of the same run."""
        for each in context.on_github("pypi", "testpypi"):
            if each.workflow is None or each.job is None:
                continue
            before = {str(job.id) for job in context.before(each.workflow, each.job)}
            for job in each.workflow.jobs.values():
                after = {str(other.id) for other in context.before(each.workflow, job)}
                if str(job.id) not in before and each.name not in after:
                    reason = _artifact(each.job, job) or (_tests(job, each) and each.index == "pypi" and "tests")
                    if reason:
                        yield Hit(each.file, each.job.line, each.name, f"{job.id} ({reason})")


def _artifact(publishing: Job, other: Job) -> str:
    made = {str(step.inputs.text("name")) for step in other.steps if step.action == "actions/upload-artifact"}
    wanted = {str(step.inputs.text("name")) for step in publishing.steps if step.action == "actions/download-artifact"}
    both = sorted(name for name in made & wanted if name)
    return f"its artifact {both[0]}" if both else ""


def _tests(job: Job, each: Publish) -> bool:
    """Return whether a job certainly runs tests for an event that certainly uploads."""
    if each.workflow is None or not any(TESTS.search(step.run) for step in job.steps):
        return False
    return any(event.is_tag and events.runs(each.workflow, job, event) for event in each.certain())


class ImmutableRelease(Rule):
    """A release is changed after it was published.

    With immutable releases enabled, neither the files nor the tag of a published release can be changed: the step
    fails, and the steps after it do not run.
    """

    name = "changes-published-release"
    level = "note"
    remedy = "create the release as a draft, add all files, and then publish it"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that adds a file to a release that is already published, or moves a tag."""
        for each in {each.file: each for each in context.on_github("pypi")}.values():
            if each.workflow is None:
                continue
            for job in each.workflow.jobs.values():
                for line in _changes(context, each.workflow, job):
                    yield Hit(line.file, line.line, str(job.id))


def _changes(context: Context, workflow: Workflow, job: Job) -> Iterator[Evidence]:
    walk = context.walk(workflow.file, str(job.id))
    if walk is None:
        return
    starts = [event for event in events.of(workflow) if events.runs(workflow, job, event) is not False]
    published = bool(starts) and all(event.name == "release" and event.action != "created" for event in starts)
    for line, command in walk.ran:
        words = command.words
        forced = {"-f", "--force"}.intersection(words)
        if words[:3] == ("gh", "release", "upload") and published:
            yield line
        if (
            words[:2] == ("git", "tag")
            and forced
            and any(re.search(r"\.|version|ref_name|tag_name", word, re.IGNORECASE) for word in words[2:])
        ):
            yield line
    for line, action, inputs in walk.used:
        name = action.partition("@")[0].lower()
        uploads = name in {
            "svenstaro/upload-release-action",
            "actions/upload-release-asset",
            "softprops/action-gh-release",
        }
        uploads = uploads and bool(name != "softprops/action-gh-release" or inputs.get("files"))
        if published and (
            uploads
            or (
                name == "sigstore/gh-action-sigstore-python"
                and inputs.get("release-signing-artifacts", "true") == "true"
            )
        ):
            yield line
