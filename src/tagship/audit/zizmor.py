"""The findings of zizmor about the same workflows, under its own names."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tagship.facts import workflow

from .model import Finding, Level

LEVELS: dict[str, Level] = {"High": "error", "Medium": "warning", "Low": "note", "Informational": "note"}
SECONDS = 60


def executable() -> str | None:
    """Return the path of zizmor: that of this environment, else one on PATH; None if it is not installed."""
    own = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    return own or shutil.which("zizmor")


def findings(root: Path) -> list[Finding]:
    """Return what zizmor finds in the repository at `root`; [] where it is not installed, or cannot read a file."""
    program = executable()
    files = [str(path) for path in workflow.files(root)]
    if program is None or not files:
        return []
    options = ("--offline", "--no-exit-codes", "--no-progress", "--format", "json", "--")
    try:
        run = subprocess.run([program, *options, *files], capture_output=True, timeout=SECONDS, check=False)
        found = json.loads(run.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    unique = {(each.rule, each.file, each.line, each.message): each for one in found for each in _finding(one, root)}
    return sorted(unique.values(), key=lambda each: (each.file, each.line, each.rule))


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
        )
    ]
