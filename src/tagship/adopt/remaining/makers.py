"""The remaining jobs that create tags or releases: some would not start the release, others repeat a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship import suite
from tagship.adopt.publishing.retire import MOVED
from tagship.audit.context import Context
from tagship.audit.rules.managed import releases
from tagship.audit.rules.triggers import silent
from tagship.facts import events, workflow

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption
    from tagship.facts.workflow import Workflow
    from tagship_suite.errors import Problem


def tag_makers(found: Adoption) -> list[Problem]:
    """Add a step for each remaining job that creates a tag or a release without starting the release's workflow."""
    context, release = _planned(found), workflow.parse(suite.workflow(), suite.WORKFLOW.as_posix())
    found.todo += [
        f"{_name(found, hit.file)}:{hit.line}, job {hit.job}: creates a tag or release with GITHUB_TOKEN, and so "
        "starts no other workflow: push the tag yourself instead, or use the token of a GitHub App"
        for each in context.workflows.by_file.values()
        for hit in silent(context, each, release)
    ]
    return []


def release_makers(found: Adoption) -> list[Problem]:
    """Add a step for each remaining job that creates the GitHub Release itself, or waits for one."""
    context = _planned(found)
    found.todo += [
        f"{_name(found, each.file)}: {_without_release(each)}, because the release that the job github-release "
        "creates starts no workflow"
        for each in context.workflows.by_file.values()
        if each.on("release")
    ]
    found.todo += [
        f"{_name(found, hit.file)}:{hit.line}, job {hit.job}: creates the GitHub Release, and so does the job "
        "github-release: remove this, or set github-release = false in [tool.tagship]"
        for hit in {(hit.file, hit.job): hit for hit in reversed([*releases(context)])}.values()
    ]
    return []


def _planned(found: Adoption) -> Context:
    """Return the workflows as they will be; the one that makes room for the release's has its old name."""
    planned = dict(found.changes)
    if MOVED in planned:
        planned[suite.WORKFLOW] = planned.pop(MOVED)
    context = Context.read(found.folder, {path.as_posix(): content for path, content in planned.items() if content})
    for path in (path for path, content in planned.items() if content is None):
        context.workflows.by_file.pop(path.as_posix(), None)
    return context


def _name(found: Adoption, file: str) -> str:
    """Return the new name of a workflow."""
    return MOVED.as_posix() if file == suite.WORKFLOW.as_posix() and MOVED in found.changes else file


def _without_release(each: Workflow) -> str:
    if any(event.is_tag and event.name == "push" for event in events.of(each)):
        return "remove its trigger `release`"  # pushed tags start it already
    return "change its trigger from `release` to a pushed tag"
