"""What the rules inspect: the workflows, what they upload, and what starts them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts.publishing import services
from tagship.facts.publishing.github import Workflows
from tagship.facts.publishing.targets import Targets
from tagship.lines import Lines

from .building import built
from .publish import Publish
from .tagging import tags_made

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tagship.facts.model import Evidence
    from tagship.facts.publishing.walk import Walk
    from tagship.facts.workflow import Job, Workflow

VERSION_FROM_TAGS = re.compile(
    r"setuptools[-_]scm|hatch[-_]vcs|flit[-_]scm|versioneer|\bpbr\b|versioningit|vcs[-_]versioning|dunamai|"
    r"poetry-dynamic-versioning|source\s*=\s*[\"'](?:scm|vcs)[\"']|setuptools[-_]git[-_]version",
    re.IGNORECASE,
)


@dataclass
class Context:
    """One repository: its workflows, the jobs that upload, and its errors."""

    root: Path
    workflows: Workflows
    publishes: list[Publish] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path, changed: Mapping[str, bytes] = MappingProxyType({})) -> Context:
        """Read the repository at `root`, with the content of `changed` workflows."""
        targets = Targets(root)
        workflows = Workflows.read(root, targets, changed)
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
        """Whether the repository has the suite."""
        return (self.root / suite.SUMS).is_file()

    def on_github(self, *indexes: str) -> Iterator[Publish]:
        """Yield the jobs of workflows that upload to one of `indexes`."""
        yield from (each for each in self.publishes if each.job is not None and each.index in indexes)

    def lines(self, file: str) -> Lines:
        """Return the editable lines of a workflow."""
        return Lines(self.workflows.contents[file])

    def walk(self, file: str, job: str) -> Walk | None:
        """Return what a job with steps runs."""
        return self.workflows.walks.get((file, job))

    def before(self, workflow: Workflow, job: Job) -> list[Job]:
        """Return `job` and all jobs that it needs, directly or indirectly."""
        found = {str(job.id): job}
        waiting = list(job.needs)
        while waiting:
            name = str(waiting.pop())
            if name in workflow.jobs and name not in found:
                found[name] = workflow.jobs[name]
                waiting += workflow.jobs[name].needs
        return list(found.values())

    def builds(self, file: str, job: str) -> Evidence | None:
        """Return the line in a job that builds dists; None if it builds none."""
        walk = self.walk(file, job)
        return built(walk) if walk else None

    def tags_made(self, file: str, job: str) -> Iterator[tuple[Evidence, str, dict[str, str]]]:
        """Yield the lines of a job that create a tag or a release: the line, the action or command, and its inputs."""
        walk = self.walk(file, job)
        yield from tags_made(walk) if walk else ()

    def makes_tag(self, file: str, jobs: Iterable[Job]) -> bool:
        """Return whether one of `jobs` creates the tag or the release itself."""
        return any(True for job in jobs for _ in self.tags_made(file, str(job.id)))

    @cached_property
    def version_from_tags(self) -> bool:
        """Return whether the version comes from git's tags."""
        texts = (self.workflows.targets.text(name) or "" for name in ("pyproject.toml", "setup.cfg", "setup.py"))
        return any(VERSION_FROM_TAGS.search(re.sub(r"(?m)^\s*#.*$", "", text)) for text in texts)
