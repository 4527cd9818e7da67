"""Rules about projects with the suite: whether their sessions, jobs and managed files still match it."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from tagship import noxfile, suite, update
from tagship.audit.model import Hit, Rule
from tagship.facts import events
from tagship_suite.config import load
from tagship_suite.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.audit.context import Context

SESSION = re.compile(r"\bnox\b[^\n]*?\s(?:-s|--session|--sessions)[ =]([a-z][\w-]*)")


class SessionWithoutJob(Rule):
    """A session of the release has no job.

    A step of the release is silently skipped.
    """

    name = "session-without-job"
    remedy = "restore the job: `tagship sync --force`"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each session of the suite that the release workflow has no job for."""
        ours = context.workflows.by_file.get(suite.WORKFLOW.as_posix()) if context.has_suite else None
        if ours is not None:
            line = ours.node.line_of("jobs")
            yield from (Hit(ours.file, line, "", name) for name in noxfile.SESSIONS if name not in ours.jobs)


class JobWithoutSession(Rule):
    """A job runs a session that the noxfile does not have.

    The job fails during a release.
    """

    name = "job-without-session"
    level = "error"
    remedy = "import the session in noxfile.py: `tagship adopt`"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each step of the release workflow before publishing that runs an unknown session."""
        ours = context.workflows.by_file.get(suite.WORKFLOW.as_posix()) if context.has_suite else None
        if ours is None:
            return
        try:
            module = noxfile.read(context.root / "noxfile.py")
        except (ReleaseError, OSError):
            return  # reported by the rule for managed files
        known = {*module.sessions, *(noxfile.SESSIONS if noxfile.SESSIONS_MODULE in module.imported else ())}
        for job in ours.jobs.values():
            for step in job.steps:
                for match in SESSION.finditer(step.run):
                    if match[1] not in known and not str(job.id).startswith("publish") and " -f" not in step.run:
                        yield Hit(ours.file, step.line, str(job.id), match[1])


class TwoReleases(Rule):
    """Another workflow creates the GitHub Release of the same tag.

    The first one decides on its title and notes, and files of the other are missing or refused if releases are
    immutable.
    """

    name = "two-releases"
    remedy = "remove that job, or set `github-release = false` in [tool.tagship]"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line outside the job `github-release` that creates a release."""
        ours = context.workflows.by_file.get(suite.WORKFLOW.as_posix())
        if not context.has_suite or ours is None or "github-release" not in ours.jobs:
            return
        with suppress(ReleaseError):  # broken settings are reported by the release itself
            if load(context.root).github_release:
                yield from releases(context)


def releases(context: Context) -> Iterator[Hit]:
    """Yield each line that creates the GitHub Release of a pushed tag."""
    for workflow in context.workflows.by_file.values():
        pushed = [event for event in events.of(workflow) if event.is_tag and event.name == "push"]
        for job in workflow.jobs.values():
            if any(events.runs(workflow, job, event) is not False for event in pushed):
                for line, how, _ in context.tags_made(workflow.file, str(job.id)):
                    if "release" in how and "drafter" not in how:
                        yield Hit(line.file, line.line, str(job.id))


class ManagedFile(Rule):
    """A managed file was edited or is out of date.

    It no longer does what was tested and documented, and updates do not overwrite an edited file.
    """

    name = "managed-file"
    remedy = "run `tagship sync`, with `--force` if it was edited"
    fixes = "updates the managed files; unsafe if one was edited or is newer, because the edit is lost"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each managed file that differs from what this version writes."""
        if not update.has_suite(context.root):
            return
        found = update.check(context.root)
        stops = bool(update.refusals(found))
        for finding in found.findings:
            where = finding.problem.where.partition("\n")[0]
            file, _, line = where.partition(":")
            yield Hit(
                file,
                int(line) if line.isdecimal() else 1,
                "",
                f"{finding.kind}: {' '.join(finding.problem.found.split())}",
                fixable="" if finding.kind in {"foreign", "in-the-way", "noxfile"} else "unsafe" if stops else "safe",
            )
