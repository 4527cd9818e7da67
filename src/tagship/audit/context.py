"""What the rules look at: the workflows, what they upload, and what leads there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts import events
from tagship.facts.expressions import EXPECTED, Value, evaluate
from tagship.facts.publishing import services
from tagship.facts.publishing.github import Found, Workflows
from tagship.facts.publishing.shell import base
from tagship.facts.publishing.targets import Targets
from tagship.facts.publishing.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tagship.facts.events import Event
    from tagship.facts.model import Evidence
    from tagship.facts.publishing.shell import Command
    from tagship.facts.workflow import Job, Step, Workflow

VERSION_FROM_TAGS = re.compile(
    r"setuptools[-_]scm|hatch[-_]vcs|flit[-_]scm|versioneer|\bpbr\b|versioningit|vcs[-_]versioning|dunamai|"
    r"poetry-dynamic-versioning|source\s*=\s*[\"'](?:scm|vcs)[\"']|setuptools[-_]git[-_]version",
    re.IGNORECASE,
)
BUILD_VERBS = {
    "poetry": {"build"},
    "flit": {"build", "publish"},  # it builds what it publishes
    "hatch": {"build"},
    "uv": {"build"},
    "pdm": {"build", "publish"},
    "maturin": {"build", "publish", "develop"},
    "rye": {"build"},
    "setup.py": {"sdist", "bdist_wheel", "bdist", "build"},
    "pip": {"wheel"},
    "cibuildwheel": set(),
    "pyproject-build": set(),
}
BUILD_ACTIONS = (
    "pypa/cibuildwheel",
    "hynek/build-and-inspect-python-package",
    "jrubics/poetry-publish",
    "pyo3/maturin-action",
)
TAG_MAKERS = (
    "python-semantic-release/python-semantic-release",
    "relekang/python-semantic-release",
    "softprops/action-gh-release",
    "ncipollo/release-action",
    "actions/create-release",
    "googleapis/release-please-action",
    "google-github-actions/release-please-action",
    "cycjimmy/semantic-release-action",
    "mathieudutour/github-tag-action",
    "anothrnick/github-tag-action",
    "rickstaa/action-create-tag",
    "changesets/action",
    "autopub/autopub-action",
    "release-drafter/release-drafter",
    "marvinpinto/action-automatic-releases",
    "elgohr/github-release-action",
)


@dataclass(frozen=True)
class Publish:
    """A job that uploads: the job itself is None for other services than GitHub."""

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
        """The line of the job that uploads, or that leads to what does."""
        return next((line for line in self.found.upload.evidence if line.file == self.file), self.last)

    @property
    def step(self) -> Step | None:
        """The step that uploads."""
        steps = self.job.steps if self.job else ()
        return next((each for each in steps if each.line <= self.in_job.line <= each.end), None)

    @property
    def is_called(self) -> bool:
        """Whether another workflow calls the job's."""
        return self.found.upload.evidence[0].file != self.file

    def certain(self) -> tuple[Event, ...]:
        """Return the events for which it certainly uploads, in the repository that it is written for."""
        if self.workflow is None or self.job is None or self.is_called:
            return ()
        condition = self.step.condition if self.step else ""
        return tuple(
            each
            for each in self.found.events
            if held(self.workflow, self.job, each) and evaluate(condition, at_home(each)) is True
        )


class at_home:  # noqa: N801
    """Looks up an event's contexts in the repository that the workflow is written for."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def __call__(self, path: str) -> Value:
        if path.lower() in {"github.repository", "github.repository_owner", "github.actor"}:
            return EXPECTED
        if path.lower() == "github.event.repository.fork":
            return False
        return self.event.look_up(path)


def held(workflow: Workflow, job: Job, event: Event, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether `job` certainly runs for `event` where all before it succeeds."""
    if events.STATUS.search(job.condition):
        return False
    if evaluate(job.condition, at_home(event)) is not True:
        return False
    needed = [workflow.jobs[name] for name in job.needs if name in workflow.jobs and name not in seen]
    return all(held(workflow, each, event, seen | {str(job.id)}) for each in needed)


@dataclass
class Context:
    """One repository: its workflows, the jobs that upload, and its errors."""

    root: Path
    workflows: Workflows
    publishes: list[Publish] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path) -> Context:
        """Read the repository at `root`."""
        targets = Targets(root)
        workflows = Workflows.read(root, targets)
        found = cls(root, workflows)
        for each in workflows.uploads():
            workflow = workflows.by_file[each.file]
            found.publishes.append(Publish(each, workflow, workflow.jobs[each.job]))
        found.publishes += [Publish(each, None, None) for each in services.uploads(root, targets, workflows.errors)]
        return found

    @property
    def errors(self) -> list[str]:
        """One line for each file that could not be read."""
        return self.workflows.errors

    @property
    def has_suite(self) -> bool:
        """Whether the repository uses our suite."""
        return (self.root / suite.SUMS).is_file()

    def on_github(self, *indexes: str) -> Iterator[Publish]:
        """Yield the jobs of workflows that upload to one of `indexes`."""
        yield from (each for each in self.publishes if each.job is not None and each.index in indexes)

    def walk(self, file: str, job: str) -> Walk | None:
        """Return what a job with steps runs."""
        return self.workflows.walks.get((file, job))

    def before(self, workflow: Workflow, job: Job) -> list[Job]:
        """Return `job` and all jobs that it needs, directly or not."""
        found = {str(job.id): job}
        waiting = list(job.needs)
        while waiting:
            name = str(waiting.pop())
            if name in workflow.jobs and name not in found:
                found[name] = workflow.jobs[name]
                waiting += workflow.jobs[name].needs
        return list(found.values())

    def builds(self, file: str, job: str) -> Evidence | None:
        """Return the line of a job that builds dists; None if it builds none."""
        walk = self.walk(file, job)
        for line, command in walk.ran if walk else ():
            if is_build(command):
                return line
        for line, action, inputs in walk.used if walk else ():
            name = action.partition("@")[0].lower()
            if name in BUILD_ACTIONS and inputs.get("command", "build") not in {"upload", "sdist-upload"}:
                return line
        return None

    def makes_tag(self, file: str, jobs: Sequence[Job]) -> bool:
        """Return whether one of `jobs` creates the tag or the release itself."""
        return any(True for job in jobs for _ in self.tags_made(file, str(job.id)))

    def tags_made(self, file: str, job: str) -> Iterator[tuple[Evidence, str, dict[str, str]]]:
        """Yield the lines of a job that create a tag or a release: the line, the action or command, and its inputs."""
        walk = self.walk(file, job)
        for line, command in walk.ran if walk else ():
            words = command.words
            if words[:3] == ("gh", "release", "create") or command.name in {
                "semantic-release",
                "release-it",
                "autopub",
            }:
                yield line, " ".join(words[:3]), {"draft": "true"} if "--draft" in words or "-d" in words else {}
            elif "push" in words and command.name == "git" and any(pushes_tag(word) for word in words):
                yield line, "git push", {}
            elif words[:2] == ("gh", "api") and any(word.endswith(("/git/refs", "/git/tags")) for word in words):
                yield line, "gh api", {}
            elif words[:2] == ("gh", "api") and any(word.endswith("/releases") for word in words):
                yield line, "gh api release", {}
        for line, action, inputs in walk.used if walk else ():
            if action.partition("@")[0].lower() in TAG_MAKERS:
                yield line, action.partition("@")[0].lower(), dict(inputs)

    def version_from_tags(self) -> bool:
        """Return whether the version is made from the tags of git."""
        texts = (self.workflows.targets.text(name) or "" for name in ("pyproject.toml", "setup.cfg", "setup.py"))
        return any(VERSION_FROM_TAGS.search(re.sub(r"(?m)^\s*#.*$", "", text)) for text in texts)


def pushes_tag(word: str) -> bool:
    """Return whether an argument of `git push` names tags."""
    return (
        word in {"--tags", "--follow-tags"}
        or "refs/tags/" in word
        or bool(re.search(r"tag|\$\{?v(?:ersion)?\b|^v\$|^v\d", word, re.IGNORECASE))
    )


def is_build(command: Command) -> bool:
    """Return whether a command builds dists."""
    words = command.words
    for at, word in enumerate(words):
        name = base(word)
        if name == "build" and at and words[at - 1] == "-m":
            return True
        if name in BUILD_VERBS:
            rest = [each for each in words[at + 1 :] if not each.startswith("-")]
            if not BUILD_VERBS[name]:
                return at == 0 or words[at - 1] in {"-m", "run"}
            if "--no-build" not in words and (
                (rest[:1] and rest[0] in BUILD_VERBS[name])
                or (name == "setup.py" and BUILD_VERBS[name].intersection(rest))
            ):
                return True
            if name == "poetry" and rest[:1] == ["publish"] and "--build" in words:
                return True
    return False
