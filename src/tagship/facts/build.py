"""The metadata of an isolated build, if the user allows the build backend to run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from . import report

SECONDS = 300
#: Prints what `build` gets from the backend in an isolated environment; a description may have lines like headers.
ASK = """
import sys, build, build.util
try:
    found = build.util.project_wheel_metadata(sys.argv[1])
except build.BuildBackendException as error:
    said = getattr(error.exception, "output", None)  # of the backend, whose last line says why
    sys.exit(said.decode("utf-8", "replace") if said else str(error))
print("Metadata-Version:", found["Metadata-Version"])
print("Name:", found["Name"])
print("Version:", found["Version"])
"""
#: What current tools print about a project that they can no longer build, the cause, and the fix.
CAUSES = (
    ("No module named 'pkg_resources'", "setup.py needs pkg_resources, which setuptools 81 removed", "setuptools<81"),
    ("No module named 'distutils'", "it needs distutils, which Python 3.12 removed", "setuptools"),
    ("use_2to3 is invalid", "use_2to3 was removed in setuptools 58", "setuptools<58"),
    ("has no attribute 'readfp'", "its versioneer.py is older than Python 3.12: update it", ""),
    ("has no attribute 'SafeConfigParser'", "its versioneer.py is older than Python 3.12: update it", ""),
    ("unable to detect version for", "setuptools-scm finds no tag: fetch the tags", ""),
    (
        "Multiple top-level packages discovered",
        "setuptools refuses to choose: list the packages",
        "",
    ),
)


def inspect(path: Path) -> dict[str, Any]:
    """Return the facts about the repository at `path`, with the names and versions of its distributions as built."""
    data = report.inspect(path)
    for each in data.get("distributions", ()):
        said = ask(path / each["path"])
        each["name"], each["version"] = said.get("name", each["name"]), said.get("version", each["version"])
        each["unknown"] = [*([said["error"]] if "error" in said else each["unknown"] if not said else [])]
    return data


def ask(folder: Path) -> dict[str, str]:
    """Return the `name` and `version` that the build backend of the project in `folder` gives, or the `error`."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", ASK, str(folder.resolve())]
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return {"error": f"its build backend did not answer within {SECONDS} seconds"}
    if done.returncode:
        return {"error": cause(done.stdout + done.stderr)}
    found = HeaderParser().parsestr(done.stdout[done.stdout.rfind("Metadata-Version:") :])
    return {"name": str(found["Name"]), "version": str(found["Version"])}


def cause(said: str) -> str:
    """Return why a build failed, from its output: a known cause with its fix, else its last line."""
    for text, reason, cure in CAUSES:
        if text in said:
            return f"{reason}; add {cure!r} to requires of [build-system] in pyproject.toml" if cure else reason
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"its build fails: {lines[-1] if lines else 'without a message'}"
