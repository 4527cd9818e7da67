"""Removes the existing publish jobs or steps from the workflows, line by line, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts import workflow
from tagship.facts.marked import Seq, Text, Unreadable
from tagship.facts.publishing import local
from tagship.lines import Lines

from . import idle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tagship.facts.model import Publishing
    from tagship.facts.workflow import Job, Step, Workflow

MOVED = suite.WORKFLOW.with_name("release-extras.yml")


@dataclass
class Retired:
    """The changes to the workflows, and sentences: what was done, what was left and why, what to do by hand."""

    changes: dict[Path, bytes | None] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)

    def forget(self, file: str) -> None:
        """Drop the sentences about the parts of a file."""
        self.done = [line for line in self.done if not line.startswith(f"{file}:")]
        self.todo = [line for line in self.todo if not line.startswith((f"{file}:", f"{file},"))]


def retire(root: Path, found: Iterable[Publishing]) -> Retired:
    """Remove the publish jobs `found` for PyPI or TestPyPI from the workflows of the repository at `root`.

    Those elsewhere, or that cannot be removed line by line, are listed as left to do.
    """
    result = Retired()
    by_file: dict[str, list[Publishing]] = {}
    for each in found:
        if each.index in {"pypi", "testpypi"}:
            by_file.setdefault(each.file, []).append(each)
        elif "://" not in each.index and not each.triggers:  # the name of an index in somebody's .pypirc
            place = f"{each.file}{_in_parentheses({each.within})}"
            result.todo.append(f"remove the upload in {place}, if {each.index!r} in your .pypirc is PyPI")
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
            result.todo.append(f"remove the upload in {file}{_in_parentheses({each.within for each in uploads})}")
    _make_room(root, result)
    return result


def _in_parentheses(names: set[str]) -> str:
    named = ", ".join(sorted(names - {""}))
    return f" ({named})" if named else ""


def _from_workflow(root: Path, file: str, uploads: list[Publishing], result: Retired) -> None:
    try:
        read = workflow.read(root / file, root)
    except Unreadable as error:
        result.todo.append(f"remove the upload in {file}, which cannot be read: {error}")
        return
    lines = Lines((root / file).read_bytes())
    cut: dict[str, Job] = {}
    idles = idle.is_idle if idle.is_of_release(read) else idle.prepares
    for each in uploads:
        if job := read.jobs.get(each.job):
            steps = _uploading(job, each)
            if more := next((line for step in steps for line in _beside(root, step, each)), ""):
                at = each.evidence[-1]
                result.todo.append(f"{file}, job {each.job}: remove the upload in {at.file}:{at.line}, but not {more}")
            elif job.uses or (steps and all(step in steps or idles(step) for step in job.steps)):
                cut[each.job] = job
            elif steps:
                _remove_steps(job, steps, "upload", lines, file, result)
            else:
                result.todo.append(f"remove the upload in {file}, job {each.job}")
    cut |= idle.without(cut, read)
    for job in idle.feeding(cut, read):
        if signing := [step for step in job.steps if idle.signs(step)]:
            _remove_steps(job, signing, "attest what was published", lines, file, result)
    if cut:
        result.done.append(f"{file}: removed {_jobs(cut)}")
    left = {name: job for name, job in read.jobs.items() if name not in cut}
    if cut and idle.is_done(read, left):
        result.changes[Path(file)] = None
        result.forget(file)
        how = "replaced" if file == suite.WORKFLOW.as_posix() else "deleted"
        result.done.append(f"{file}: {how}, because it only published")
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
        if (read.permissions or {}).get("id-token") == "write":
            result.todo.append(f"{file}: remove `id-token: write` from its permissions, if nothing else needs it")
        return
    result.forget(file)
    if not _only_steps(root / file, read, uploads, result):
        result.todo.append(f"remove the uploads in {file}: {_jobs({each.job: None for each in uploads})}")


def _only_steps(path: Path, read: Workflow, uploads: list[Publishing], result: Retired) -> bool:
    """Remove the steps that upload from jobs that cannot go, as others repeat a part of them (a YAML alias)."""
    lines = Lines(path.read_bytes())
    found = [(job, _uploading(job, each)) for each in uploads if (job := read.jobs.get(each.job))]
    for job, steps in found:
        _remove_steps(job, steps, "upload", lines, read.file, result)
    if not all(steps for _, steps in found) or not _is_as_planned(lines.content(), read.file, {*read.jobs}):
        result.forget(read.file)
        return False
    result.changes[Path(read.file)] = lines.content()
    return True


def _remove_steps(job: Job, steps: list[Step], what: str, lines: Lines, file: str, result: Retired) -> None:
    for step in steps:
        lines.remove(step.line, step.end)
        if step.id and re.search(rf"\bsteps\.{re.escape(step.id)}\b", lines.text(job.line, job.end)):
            result.todo.append(
                f"{file}: the job {job.id} reads steps.{step.id}, which was removed: remove that from its expressions"
            )
    result.done.append(f"{file}: removed the steps of the job {job.id} that {what}; the other steps stay")
    rights = ["`environment`"] if job.environment else []
    rights += ["`id-token: write`"] if job.own_permissions and job.grants("id-token") else []
    if rights:
        them = "them" if rights[1:] else "it"
        result.todo.append(f"{file}, job {job.id}: remove its {' and '.join(rights)}, if nothing else needs {them}")


def _jobs(names: Iterable[str]) -> str:
    listed = [*names]
    return f"the job{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def _uploading(job: Job, upload: Publishing) -> list[Step]:
    """Return the steps of the job that the evidence points to."""
    at = {each.line for each in upload.evidence if each.file == upload.file}
    return [step for step in job.steps if any(step.line <= line <= step.end for line in at)]


def _beside(root: Path, step: Step, upload: Publishing) -> Iterator[str]:
    """Yield what the step or the scripts that it runs do for others than the index, besides the upload."""
    shown = {(each.file, each.line) for each in upload.evidence}
    texts: list[tuple[str, int, str]] = [(upload.file, step.run.first, step.run)]
    scripts = dict.fromkeys(each.file for each in upload.evidence if each.file not in {upload.file, *local.FILES})
    texts += [(name, 1, (root / name).read_text("utf-8", "replace")) for name in scripts]
    for file, first, text in texts:
        for number, line in enumerate(text.splitlines(), first):
            if (file, number) not in shown and idle.is_outward(line):
                yield f"`{line.strip()}` ({file}:{number})"


def _fix_needs(job: Job, cut: dict[str, Job], lines: Lines, file: str, result: Retired) -> None:
    """Replace the removed jobs in `needs` by those that they needed."""
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
    result.todo.append(
        f"{file}: the job {job.id} ran after the upload, and no longer waits for it: remove it if publish or "
        "github-release does the same, else start it when the release workflow completes (`on: workflow_run`)"
    )
    text = lines.text(job.line, job.end)
    for name in (name for name in cut if re.search(rf"\bneeds\.{re.escape(name)}\b", text)):
        result.todo.append(
            f"{file}: the job {job.id} reads needs.{name}, which was removed: remove that from its expressions"
        )


def _instead(name: str, cut: dict[str, Job], seen: set[str]) -> list[str]:
    if name not in cut or name in seen:
        return [name] if name not in cut else []
    return [each for need in cut[name].needs for each in _instead(str(need), cut, {*seen, name})]


def _callers(root: Path, uploads: list[Publishing]) -> list[Publishing]:
    """Return the jobs that call the reusable workflow of `uploads`, as publish jobs."""
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
    """Rename the rest of the project's own workflow that has the same name as the release's."""
    path = root / suite.WORKFLOW
    if not path.is_file() or (root / suite.SUMS).is_file():
        return
    left = result.changes.get(suite.WORKFLOW, path.read_bytes())
    if left is None or (root / MOVED).exists():
        return
    result.changes[suite.WORKFLOW] = None  # until the release's is written
    result.changes[MOVED] = left
    file = suite.WORKFLOW.as_posix()
    result.todo = [re.sub(rf"(?<!\S){re.escape(file)}(?=[:,])", MOVED.as_posix(), line) for line in result.todo]
    result.done.append(f"{file}: moved the rest to {MOVED.as_posix()}, because the release workflow has this name")
    old, new = (f"/{path.as_posix()}".encode() for path in (suite.WORKFLOW, MOVED))  # behind `.` or `$`
    for other in workflow.files(root):
        name = other.relative_to(root)
        text = result.changes.get(name, other.read_bytes())
        if name != suite.WORKFLOW and text and re.search(rb"[.$]" + re.escape(old), text):
            result.changes[name] = re.sub(rb"(?<=[.$])" + re.escape(old), new, text)
    result.todo.append(f"update links to {suite.WORKFLOW.name}, such as badges, that should now point to {MOVED.name}")
