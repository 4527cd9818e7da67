"""Rules about the published version: that of the tag, of the commit, or one that CI writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.audit.building import PRETENDED, makes_version
from tagship.audit.editing import add_input
from tagship.audit.model import Fix, Hit, Rule
from tagship.audit.publish import CHOSEN
from tagship.audit.tagging import TAG_MAKERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tagship.audit.context import Context
    from tagship.facts.publishing.walk import Walk
    from tagship.facts.workflow import Job, Workflow

TAG = re.compile(
    r"GITHUB_REF|github\.ref\b|github\.ref_name|github\.event\.ref|tag_name|github\.event\.release|RELEASE_TAG|GIT_TAG|"
    r"git describe|check[-_]?version|version[-_]?check|verify[-_]?version|check-tag|tag-check",
    re.IGNORECASE,
)
#: Actions that commit, such as EndBug/add-and-commit and stefanzweifel/git-auto-commit-action.
COMMITS = re.compile(r"/[\w-]*(?:and|auto)-commit", re.IGNORECASE)
TAGGERS = ("tbump.toml", ".bumpversion.cfg", ".bumpversion.toml", ".cz.toml", "setup.cfg", "pyproject.toml")
MAKES_TAG = re.compile(
    r"(?ms)^\[(?:tool\.)?(?:tbump|bumpversion|bumpver)\].*?^tag\s*=\s*\"?true\b|^tag_template\s*=|^\[tool\.(?:commitizen|semantic_release)",
    re.IGNORECASE,
)

#: A script that only creates the release of a tag.
RELEASES = re.compile(r"\s*gh release (?:create|upload|edit)\b(?:.*\\\n)*.*\n?")


class TagNotCompared(Rule):
    """The tag is never compared with the version.

    A tag v1.3.0 on a commit with version 1.2.0 publishes 1.2.0, or fails because 1.2.0 already exists.
    """

    name = "tag-not-compared"
    remedy = "compare them before the upload, as `nox -s verify-version` does"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that a tag starts if nothing before the upload reads the tag."""
        if context.version_from_tags or _tag_from_version(context):
            return
        for each in {(each.file, each.name): each for each in context.on_github("pypi")}.values():
            tagged = [event for event in each.certain() if event.is_tag and event.name not in CHOSEN]
            if not tagged or each.job is None or each.workflow is None:
                continue
            jobs = context.before(each.workflow, each.job)
            if not any(_sees_tag(context, each.workflow, job) for job in jobs):
                yield Hit(each.in_job.file, each.in_job.line, each.name)


def _tag_from_version(context: Context) -> bool:
    """Return whether the project has a tool that writes the version and creates the tag in one step."""
    texts = (context.workflows.targets.text(name) or "" for name in TAGGERS)
    return any(MAKES_TAG.search(text) for text in texts)


def _sees_tag(context: Context, workflow: Workflow, job: Job) -> bool:
    """Return whether a job uses the tag for more than a condition, or for the GitHub Release of that tag."""
    if job.uses:
        return True  # its steps are elsewhere
    walk = context.walk(workflow.file, str(job.id))
    steps = [step for step in job.steps if step.action not in TAG_MAKERS and not RELEASES.fullmatch(step.run)]
    texts = [*(step.run for step in steps), *(value for step in steps for value in step.inputs.values())]
    texts += [value for step in steps for value in step.env.values()] + [step.name for step in steps]
    texts += [*job.env.values(), *workflow.env.values(), *(step.uses for step in steps), job.id, job.name]
    if any(isinstance(text, str) and TAG.search(text) for text in texts):
        return True
    files = {line.file for line, _ in walk.ran} if walk else set()
    return any(TAG.search(context.workflows.targets.text(file) or "") for file in files - {workflow.file})


class ShallowCheckout(Rule):
    """A version that comes from tags is built from a shallow checkout.

    `actions/checkout` fetches one commit and no tags. Unless that is a tag, the version is then 0.0 or 0.1.dev1.
    """

    name = "shallow-checkout"
    level = "error"
    remedy = "set `fetch-depth: 0` for actions/checkout"
    fixes = "sets it"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each such checkout before a build whose dists are uploaded, unless only tags start it."""
        if not context.version_from_tags:
            return
        for each in context.on_github("pypi", "testpypi"):
            if each.workflow is None or each.job is None or all(event.is_tag for event in each.found.events):
                continue
            for job in context.before(each.workflow, each.job):
                walk = context.walk(each.file, str(job.id))
                if walk is None or context.builds(each.file, str(job.id)) is None:
                    continue
                fetched = any("fetch" in command.words and command.name == "git" for _, command in walk.ran)
                if fetched or any(PRETENDED.fullmatch(name) for name in _variables(job)):
                    continue  # the version does not come from the checkout
                for line, action, inputs in walk.used:
                    if action.lower().startswith("actions/checkout@") and _is_shallow(inputs):
                        yield Hit(line.file, line.line, str(job.id), "", _deepened(context, each.file, job, line.line))


def _commits(walk: Walk) -> bool:
    """Return whether a job commits what it changes, itself or with an action."""
    by_hand = any(command.words[:2] == ("git", "commit") for _, command in walk.ran)
    return by_hand or any(COMMITS.search(action) for _, action, _ in walk.used)


def _deepened(context: Context, file: str, job: Job, line: int) -> Fix | None:
    step = next((step for step in job.steps if step.line <= line <= step.end), None)
    lines = context.lines(file)
    return Fix(lines) if step and step.uses.line == line and add_input(lines, step, "fetch-depth", "0") else None


def _variables(job: Job) -> list[str]:
    return [str(name) for variables in (job.env, *(step.env for step in job.steps)) for name in variables]


def _is_shallow(inputs: Mapping[str, str]) -> bool:
    depth = inputs.get("fetch-depth", "1")
    return depth != "0" and "$" not in depth and not inputs.get("ref")


class VersionMadeInCI(Rule):
    """CI writes the version.

    The tagged commit has a different version than the published dists, so they cannot be rebuilt from the source.
    """

    name = "version-made-in-ci"
    remedy = (
        "commit the version before the tag, or let the build backend read it from the tag (hatch-vcs, setuptools-scm)"
    )

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that writes a version from a variable before a build whose dists are uploaded."""
        for each in context.on_github("pypi"):
            if each.workflow is None or each.job is None:
                continue
            # If the same run then tags that version, the tag gives the same version.
            tagged = context.makes_tag(each.file, each.workflow.jobs.values())
            for job in context.before(each.workflow, each.job):
                walk = context.walk(each.file, str(job.id))
                ran = walk.ran if walk else []
                if walk and _commits(walk):
                    continue
                yield from (
                    Hit(line.file, line.line, str(job.id), line.text) for line, command in ran if makes_version(command)
                )
                for step in job.steps:
                    for name, value in () if tagged else [*step.env.items(), *job.env.items()]:
                        if PRETENDED.fullmatch(name) and "${{" in str(value):
                            yield Hit(each.file, getattr(name, "line", step.line), str(job.id), str(name))
