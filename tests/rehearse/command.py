"""Running `tagship rehearse`, and reading what it found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.conftest import try_run

if TYPE_CHECKING:
    from pathlib import Path

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAGSHIP = (sys.executable, "-m", "tagship")
SESSIONS = [
    "nox -s build",
    f"nox -s test -P {HERE}",
    *(f"nox -s {session}" for session in ("verify-version", "publish-test", "publish", "github-release")),
]
#: Those of a quick rehearsal.
QUICK = SESSIONS[2:5]
INSTALL = "pip install, from the index"


def rehearse(repository: Path, *arguments: str, **env: str) -> tuple[int, dict[str, Any]]:
    """Return the exit status and the report."""
    done = try_run(*TAGSHIP, "rehearse", "--format", "json", *arguments, cwd=repository, **env)
    assert done.stdout.startswith("{"), done.stdout
    return done.returncode, json.loads(done.stdout)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each step."""
    return {step["name"]: step["outcome"] for step in report["steps"]}
