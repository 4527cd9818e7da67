"""zizmor's findings about the same workflows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship.facts import workflow
from tagship.facts.marked import Unreadable

from .model import Finding, Fixable, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tagship.facts.workflow import Job, Workflow

FIXES: dict[str, Fixable] = {"safe": "safe", "unsafe": "unsafe"}
LEVELS: dict[str, Level] = {"High": "error", "Medium": "warning", "Low": "note", "Informational": "note"}
SECONDS = 60
OPTIONS = ("--offline", "--no-exit-codes", "--no-progress", "--format", "json")
#: Its rule about credentials that a checkout persists, and a comment that suppresses a finding of it.
CREDENTIALS, MARK = "artipacked", b" # zizmor: ignore[artipacked] here"
#: What needs these credentials.
PUSHES = re.compile(
    r"\bgit push\b|gh-deploy|--push\b|semantic-release|/[\w-]*(?:and|auto)-commit|push-action", re.IGNORECASE
)
CONFIGS = (".github/zizmor.yml", ".github/zizmor.yaml", "zizmor.yml", "zizmor.yaml")


def executable() -> str | None:
    """Return the path of zizmor, in this environment or on PATH; None if it is not installed."""
    own = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    return own or shutil.which("zizmor")


def findings(root: Path) -> list[Finding]:
    """Return what zizmor finds in the repository at `root`; [] if it is not installed or cannot read a file."""
    program = executable()
    files = workflow.files(root)
    if program is None or not files:
        return []
    found = _run([program, *OPTIONS, "--", *map(str, files)])
    pushing = {(read.file, str(job.id)) for read in _read(files, root) for job in read.jobs.values() if _pushes(job)}
    kept = (
        replace(each, fixable="") if each.rule == CREDENTIALS and (each.file, each.job) in pushing else each
        for one in found
        for each in _finding(one, root)
    )
    unique = {(each.rule, each.file, each.line, each.message): each for each in kept}
    return sorted(unique.values(), key=lambda each: (each.file, each.line, each.rule))


def fixed(root: Path, changed: Mapping[str, bytes], *, unsafe: bool) -> dict[str, bytes]:
    """Return the workflows at `root` after zizmor's fixes; those in `changed` already have that content."""
    program, found = executable(), dict[str, bytes]()
    if program is None:
        return found
    before = {f"{workflow.FOLDER}/{path.name}": path.read_bytes() for path in workflow.files(root)} | dict(changed)
    config = next((root / name for name in CONFIGS if (root / name).is_file()), None)
    options = [*OPTIONS, "--fix=all" if unsafe else "--fix", *(["--config", str(config)] if config else [])]
    with tempfile.TemporaryDirectory() as folder:  # it edits files in place
        for name, content in before.items():
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_bytes(_hidden(content, name))
        _run([program, *options, "--", *(str(Path(folder, name)) for name in before)])
        found = {name: Path(folder, name).read_bytes().replace(MARK, b"") for name in before}
    return {name: content for name, content in found.items() if content != before[name] and _is_read(content, name)}


def _read(files: list[Path], root: Path) -> Iterator[Workflow]:
    for path in files:
        with suppress(Unreadable):
            yield workflow.read(path, root)


def _pushes(job: Job) -> bool:
    """Return whether a job pushes with the credentials of its checkout, which a fix would remove."""
    return any(PUSHES.search(step.run) or PUSHES.search(step.action) for step in job.steps)


def _hidden(content: bytes, name: str) -> bytes:
    """Return a workflow in which this finding is suppressed for checkouts whose credentials are needed."""
    lines = content.splitlines(keepends=True)
    for job in workflow.parse(content, name).jobs.values() if _is_read(content, name) else ():
        for step in job.steps if _pushes(job) else ():
            if step.action == "actions/checkout":
                text = lines[step.uses.line - 1]
                lines[step.uses.line - 1] = text.rstrip() + MARK + text[len(text.rstrip()) :]
    return b"".join(lines)


def _is_read(content: bytes, name: str) -> bool:
    try:
        workflow.parse(content, name)
    except Unreadable:
        return False
    return True


def _run(command: list[str]) -> list[dict[str, Any]]:
    """Return the findings of a run of zizmor; [] if it fails or takes too long."""
    try:
        run = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        found: list[dict[str, Any]] = json.loads(run.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return found


def _finding(one: dict[str, Any], root: Path) -> list[Finding]:
    primary = next((each for each in one["locations"] if each["symbolic"]["kind"] == "Primary"), one["locations"][0])
    symbolic = primary["symbolic"]
    path = symbolic["key"].get("Local", {}).get("verbatim_path", "")
    if one.get("ignored") or not path:
        return []
    keys = [str(part["Key"]) for part in symbolic["route"]["route"] if "Key" in part]
    return [
        Finding(
            rule=one["ident"],
            level=LEVELS.get(one["determinations"]["severity"], "note"),
            file=Path(path).relative_to(root).as_posix(),
            line=primary["concrete"]["location"]["start_point"]["row"] + 1,
            job=keys[1] if keys[:1] == ["jobs"] and len(keys) > 1 else "",
            message=f"{one['desc']}: {symbolic['annotation']}",
            why="",
            remedy=f"see {one['url']}",
            source="zizmor",
            url=one["url"],
            fixable=next(
                (FIXES[each["disposition"]] for each in one.get("fixes", ()) if each["disposition"] in FIXES), ""
            ),
        )
    ]
