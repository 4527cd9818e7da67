"""Taking what publishes today out of the workflows: the job, or the step, by its lines, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts import workflow
from tagship.facts.marked import Seq, Text, Unreadable

from .lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tagship.facts.model import Publishing
    from tagship.facts.workflow import Job, Step, Workflow

#: Actions that only prepare what is published, or carry it from job to job.
ACTIONS = re.compile(
    r"actions/(checkout|setup-python|cache|upload-artifact|download-artifact|attest.*|setup-node)|astral-sh/setup-uv"
    r"|pypa/(gh-action-pypi-publish|cibuildwheel|build|hatch)|step-security/harden-runner|sigstore/.*"
    r"|hynek/(build-and-inspect.*|setup-cached-uv)|(snok|abatilo)/.*poetry.*|pdm-project/setup-pdm|docker/setup-.*"
    r"|pyo3/maturin-action"
)
#: Commands that do no more than that.
PREPARES = re.compile(
    r"(python[\d.]*( -m)? |pipx run |uvx |uv run |uv tool run |sudo |-)*"
    r"(pip[\d.]*|ensurepip|uv (pip|sync|build|venv|tool install|publish)|pipx install"
    r"|poetry( .*)? (install|build|config|publish|version|self|check)|pdm (install|build|sync|publish)"
    r"|flit (build|install|publish)|hatch (build|env|publish|version)|build|setup\.py|twine|virtualenv|venv"
    r"|check-wheel-contents|check-manifest|pyroma|ls|echo|mkdir|rm|cd|cp|mv|cat|tree|export|source|set|test|\[|if|then"
    r"|fi|else|exit|apt(-get)?|git (fetch|describe|config|tag -l)|sed|python -c|date|printf|sha256sum|for|do|done"
    r"|auditwheel|\}|\{)($|[ \t;'\"/])"
)
#: What a step does for others than the index: it stays, also where it only runs for a release.
OUTWARD = re.compile(
    r"\b(gh (release|pr|api|workflow)|git (push|commit)|curl|wget|docker|npm|npx|yarn|aws|gcloud|ssh|scp|rsync"
    r"|gh-deploy|ghp-import|mike|slack\w*|notify|deploy|webhook|conda|choco|brew|snapcraft|semantic-release|towncrier"
    r"|http\w*)\b"
)
RELEASE_EVENTS = {"release", "workflow_dispatch", "create", "workflow_call", "repository_dispatch"}
MOVED = suite.WORKFLOW.with_name("release-extras.yml")


@dataclass
class Retired:
    """What changes in the workflows, and sentences: what was done, why something was left, what to do by hand."""

    changes: dict[Path, bytes | None] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def retire(root: Path, found: Iterable[Publishing]) -> Retired:
    """Take what is `found` to publish to PyPI or TestPyPI out of the workflows of the repository at `root`.

    What lies elsewhere, or cannot be taken out by lines, is named in what is to do.
    """
    result = Retired()
    by_file: dict[str, list[Publishing]] = {}
    for each in found:
        if each.index in {"pypi", "testpypi"}:
            by_file.setdefault(each.file, []).append(each)
    called = [file for file, uploads in by_file.items() if _callers(root, uploads)]
    for file in called:
        uploads = by_file.pop(file)
        _from_workflow(root, file, uploads, result)
        for caller in _callers(root, uploads) if result.changes.get(Path(file), b"") is None else ():
            by_file.setdefault(caller.file, []).append(caller)
    for file, uploads in by_file.items():
        if Path(file).parent == suite.WORKFLOW.parent:
            _from_workflow(root, file, uploads, result)
        else:
            jobs = ", ".join(sorted({each.job for each in uploads if each.job}))
            result.todo.append(f"remove what publishes in {file}{f' ({jobs})' if jobs else ''}")
    _make_room(root, result)
    return result


def _from_workflow(root: Path, file: str, uploads: list[Publishing], result: Retired) -> None:
    try:
        read = workflow.read(root / file, root)
    except Unreadable as error:
        result.todo.append(f"remove what publishes in {file}, which cannot be read: {error}")
        return
    lines = Lines((root / file).read_bytes())
    cut: dict[str, Job] = {}
    for each in uploads:
        if job := read.jobs.get(each.job):
            steps = _uploading(job, each)
            of_release = all(event in RELEASE_EVENTS or _is_tags(read, event) for event in read.triggers)
            idle = _is_idle if of_release else _prepares
            if job.uses or (steps and all(step in steps or idle(step) for step in job.steps)):
                cut[each.job] = job
            elif steps:
                for step in steps:
                    lines.remove(step.line, step.end)
                result.done.append(
                    f"{file}: the steps of the job {each.job} that upload are taken out; its others stay"
                )
                if job.grants("id-token") or job.environment:
                    what = "its `environment` and `id-token: write`, where nothing else needs them"
                    result.todo.append(f"{file}, job {each.job}: remove {what}")
            else:
                result.todo.append(f"remove what publishes in {file}, job {each.job}")
    if cut:
        result.done.append(f"{file}: {_jobs(cut)} taken out")
    left = {name: job for name, job in read.jobs.items() if name not in cut}
    if cut and _is_done(read, left):
        result.changes[Path(file)] = None
        result.done[-1] = f"{file}: deleted, as it only published"
        return
    for job in cut.values():
        lines.remove(job.line, job.end, comments=True)
    for job in left.values():
        _fix_needs(job, cut, lines, file, result)
    content = lines.content()
    if content == (root / file).read_bytes():
        return
    if _is_as_planned(content, file, {*left}):
        result.changes[Path(file)] = content
    else:
        result.done = [line for line in result.done if not line.startswith(f"{file}:")]
        result.todo.append(f"remove what publishes in {file}: {_jobs({each.job: None for each in uploads})}")


def _jobs(names: Iterable[str]) -> str:
    listed = [*names]
    return f"the job{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def _uploading(job: Job, upload: Publishing) -> list[Step]:
    """Return the steps of the job to which the evidence leads."""
    at = {each.line for each in upload.evidence if each.file == upload.file}
    return [step for step in job.steps if any(step.line <= line <= step.end for line in at)]


def _prepares(step: Step) -> bool:
    """Return whether a step only prepares what is published."""
    if step.uses:
        return bool(ACTIONS.fullmatch(step.action))
    joined = re.sub(r"\\\n", " ", step.run)
    rows = [row.strip() for line in joined.splitlines() for row in re.split(r"&&|\|\||;", line)]
    return all(PREPARES.match(row) or re.match(r"#|\w+=", row) for row in rows if row)


def _is_idle(step: Step) -> bool:
    """Return whether a step of a release has no effect but on what is published: it builds and tries that."""
    written = f"{step.run} {[*step.env.values()]} {[*step.inputs.values()]}"
    if re.search(r"secrets\.|github\.token|GITHUB_TOKEN|GH_TOKEN", written):
        return False
    return bool(ACTIONS.fullmatch(step.action)) if step.uses else not OUTWARD.search(step.run)


def _is_done(read: Workflow, left: dict[str, Job]) -> bool:
    """Return whether nothing is left of a workflow but jobs that prepared what was published for a release."""
    if any(job.uses or job.grants("contents") or not all(map(_is_idle, job.steps)) for job in left.values()):
        return False
    return not left or all(event in RELEASE_EVENTS or _is_tags(read, event) for event in read.triggers)


def _is_tags(read: Workflow, event: str) -> bool:
    filters = read.triggers.map(event)
    return event == "push" and "tags" in filters and not {"branches", "paths"} & {*filters}


def _fix_needs(job: Job, cut: dict[str, Job], lines: Lines, file: str, result: Retired) -> None:
    """Let a job wait for what those wait for that are gone."""
    waits = [str(name) for name in job.needs]
    if not {*waits} & {*cut}:
        return
    after = list[str]()
    for name in waits:
        after += _instead(name, cut, set())
    after = list(dict.fromkeys(name for name in after if name != job.id))
    line, value = job.node.line_of("needs"), job.node.get("needs")
    end = value.end if isinstance(value, (Seq, Text)) else line
    lines.set_list(line, end, "needs", after)
    text = lines.text(job.line, job.end)
    for name in (name for name in cut if re.search(rf"\bneeds\.{re.escape(name)}\b", text)):
        result.todo.append(
            f"{file}: the job {job.id} reads needs.{name}, which is gone: remove that from its expressions"
        )


def _instead(name: str, cut: dict[str, Job], seen: set[str]) -> list[str]:
    if name not in cut or name in seen:
        return [name] if name not in cut else []
    return [each for need in cut[name].needs for each in _instead(str(need), cut, {*seen, name})]


def _callers(root: Path, uploads: list[Publishing]) -> list[Publishing]:
    """Return the jobs that call the reusable workflow of `uploads`, as what publishes."""
    found = []
    for each in uploads:
        for line in each.evidence:
            path = root / line.file
            if line.file == each.file or each.file not in line.text or path.parent != root / workflow.FOLDER:
                continue
            jobs = workflow.read(path, root).jobs.values()
            found += [
                replace(each, file=line.file, job=str(job.id)) for job in jobs if job.line <= line.line <= job.end
            ]
    return found


def _is_as_planned(content: bytes, file: str, left: set[str]) -> bool:
    try:
        after = workflow.parse(content, file)
    except Unreadable:
        return False
    known = {*after.jobs}
    return known == left and all(str(name) in known for job in after.jobs.values() for name in job.needs)


def _make_room(root: Path, result: Retired) -> None:
    """Move what is left of a workflow of the project's own that has the name of the release's."""
    path = root / suite.WORKFLOW
    if not path.is_file() or (root / suite.SUMS).is_file():
        return
    left = result.changes.get(suite.WORKFLOW, path.read_bytes())
    if left is None or (root / MOVED).exists():
        return
    result.changes[suite.WORKFLOW] = None  # until the release's is there
    result.changes[MOVED] = left
    result.done.append(f"{suite.WORKFLOW.as_posix()}: what is left is {MOVED.as_posix()}, as the release has its name")
    old, new = f"./{suite.WORKFLOW.as_posix()}", f"./{MOVED.as_posix()}"
    for other in workflow.files(root):
        name = other.relative_to(root)
        text = result.changes.get(name, other.read_bytes())
        if name != suite.WORKFLOW and text and old.encode() in text:
            result.changes[name] = text.replace(old.encode(), new.encode())
    result.todo.append(f"look for links to {suite.WORKFLOW.name}, such as badges, that mean {MOVED.name} now")
