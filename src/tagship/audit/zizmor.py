"""zizmor's findings about the same workflows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship.facts import workflow
from tagship.facts.marked import Unreadable

from .model import Finding, Fixable, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXES: dict[str, Fixable] = {"safe": "safe", "unsafe": "unsafe"}
LEVELS: dict[str, Level] = {"High": "error", "Medium": "warning", "Low": "note", "Informational": "note"}
SECONDS = 60
OPTIONS = ("--offline", "--no-exit-codes", "--no-progress", "--format", "json")
CONFIGS = (".github/zizmor.yml", ".github/zizmor.yaml", "zizmor.yml", "zizmor.yaml")


def executable() -> str | None:
    """Return the path of zizmor, in this environment or on PATH; None if it is not installed."""
    own = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    return own or shutil.which("zizmor")


def findings(root: Path) -> list[Finding]:
    """Return what zizmor finds in the repository at `root`; [] if it is not installed or cannot read a file."""
    program = executable()
    files = [str(path) for path in workflow.files(root)]
    if program is None or not files:
        return []
    found = _run([program, *OPTIONS, "--", *files])
    unique = {(each.rule, each.file, each.line, each.message): each for one in found for each in _finding(one, root)}
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
            Path(folder, name).write_bytes(content)
        _run([program, *options, "--", *(str(Path(folder, name)) for name in before)])
        found = {name: Path(folder, name).read_bytes() for name in before}
    return {name: content for name, content in found.items() if content != before[name] and _is_read(content, name)}


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
