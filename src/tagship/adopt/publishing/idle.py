"""Finds the jobs and steps of a workflow whose only purpose is publishing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagship.facts.workflow import Job, Step, Workflow

#: Actions that only prepare what is published, or pass it from job to job.
ACTIONS = re.compile(
    r"actions/(checkout|setup-python|cache|upload-artifact|download-artifact|attest.*|setup-node)|astral-sh/setup-uv"
    r"|pypa/(gh-action-pypi-publish|cibuildwheel|build|hatch)|step-security/harden-runner|sigstore/.*"
    r"|hynek/(build-and-inspect.*|setup-cached-uv)|(snok|abatilo)/.*poetry.*|pdm-project/setup-pdm|docker/setup-.*"
    r"|pyo3/maturin-action"
)
#: Commands that only do that.
PREPARES = re.compile(
    r"(?:\S*env/(?:bin|Scripts)/)?(python[\d.]*( -m)? |pipx run |uvx |uv run |uv tool run |sudo |-)*"
    r"(pip[\d.]*|ensurepip|uv (pip|sync|build|venv|tool install|publish)|pipx install"
    r"|poetry( .*)? (install|build|config|publish|version|self|check)|pdm (install|build|sync|publish)"
    r"|flit (build|install|publish)|hatch (build|env|publish|version)|build|setup\.py|twine|virtualenv|venv"
    r"|check-wheel-contents|check-manifest|pyroma|find|true|ls|echo|mkdir|rm|cd|cp|mv|cat|tree|export|source|set|test|\[|if|then"
    r"|fi|else|exit|apt(-get)?|git (fetch|describe|config|tag -l)|sed|python -c|date|printf|sha256sum|for|do|done"
    r"|auditwheel|\}|\{)($|[ \t;'\"/])"
)
#: Commands with other effects: their step stays, even if it only runs for a release.
OUTWARD = re.compile(
    r"\b(gh (release|pr|api|workflow)|git (push|commit)|curl|wget|docker|npm|npx|yarn|aws|gcloud|ssh|scp|rsync"
    r"|gh-deploy|ghp-import|mike|slack\w*|notify|deploy|webhook|conda|choco|brew|snapcraft|semantic-release|towncrier"
    r"|https?(?!:))\b"
)
#: Actions and commands that only sign or attest dists.
SIGNS = re.compile(r"actions/attest(-|$)|sigstore/")
RELEASE_EVENTS = {"release", "workflow_dispatch", "create", "workflow_call", "repository_dispatch"}


def is_of_release(read: Workflow) -> bool:
    """Return whether a workflow only runs for releases."""
    return all(event in RELEASE_EVENTS or _is_tags(read, event) for event in read.triggers)


def feeding(cut: dict[str, Job], read: Workflow) -> list[Job]:
    """Return the remaining jobs that only the `cut` ones waited for."""
    needed = {str(name) for job in cut.values() for name in job.needs}
    awaited = _awaited(read, cut)
    return [job for name, job in read.jobs.items() if name in needed and name not in {*cut, *awaited}]


def _awaited(read: Workflow, gone: dict[str, Job]) -> set[str]:
    """Return the names of the jobs that the remaining ones wait for, directly or through one that is `gone`."""
    waiting = [str(need) for name, job in read.jobs.items() if name not in gone for need in job.needs]
    found = set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += map(str, gone[name].needs) if name in gone else ()
    return found


def without(cut: dict[str, Job], read: Workflow) -> dict[str, Job]:
    """Return the jobs without a purpose once those in `cut` are removed: no job waits for them, and all steps are idle.

    In a workflow with other purposes too, these are the jobs that sign what another one has built.
    """
    found: dict[str, Job] = {}
    while new := {name: job for name, job in read.jobs.items() if cut and _is_useless(job, {**cut, **found}, read)}:
        found |= new
    return found


def _is_useless(job: Job, gone: dict[str, Job], read: Workflow) -> bool:
    if job.id in {*gone, *_awaited(read, gone)} or not job.steps or not all(map(is_idle, job.steps)):
        return False
    if job.grants("contents"):  # it writes to a release or a branch
        return False
    if any(map(signs, job.steps)) and not any(step.action == "actions/checkout" for step in job.steps):
        return True
    fed = {str(need) for each in gone.values() for need in each.needs}
    return is_of_release(read) and (job.id in fed or any(need in gone for need in job.needs))


def signs(step: Step) -> bool:
    """Return whether a step only signs or attests dists."""
    return bool(SIGNS.match(step.action))


def prepares(step: Step) -> bool:
    """Return whether a step only prepares what is published."""
    if step.uses:
        return bool(ACTIONS.fullmatch(step.action))
    joined = re.sub(r"\\\n", " ", step.run)
    rows = [row.strip() for line in joined.splitlines() for row in re.split(r"&&|\|\||;", line)]
    return all(PREPARES.match(row) or re.match(r"#|\w+=", row) for row in rows if row)


def is_idle(step: Step) -> bool:
    """Return whether a step of a release only affects what is published: it builds or tries that."""
    written = f"{step.run} {[*step.env.values()]} {[*step.inputs.values()]}"
    if re.search(r"secrets\.|github\.token|GITHUB_TOKEN|GH_TOKEN", written):
        return False
    return bool(ACTIONS.fullmatch(step.action)) if step.uses else not OUTWARD.search(step.run)


def is_outward(line: str) -> bool:
    """Return whether a line of a script does something for others than the index."""
    return bool(OUTWARD.search(line)) and not re.match(r"\s*(#|echo\b|printf\b)", line)


def is_done(read: Workflow, left: dict[str, Job]) -> bool:
    """Return whether a workflow has only jobs left that prepared what was published."""
    if any(job.uses or job.grants("contents") or not all(map(is_idle, job.steps)) for job in left.values()):
        return False
    return not left or is_of_release(read)


def _is_tags(read: Workflow, event: str) -> bool:
    filters = read.triggers.map(event)
    return event == "push" and "tags" in filters and not {"branches", "paths"} & {*filters}
