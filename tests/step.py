"""Run one step of the suite in the current folder, as a session or a task does, without nox: `step.py verify`."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

OWN = Path(".github/release")


def main(name: str, *arguments: str) -> int:
    """Run the step `name` of the suite that lies here; return 0, or 1 where it refused."""
    sys.path[0] = str(OWN.resolve() if (OWN / "tagship_suite").is_dir() else Path(__file__).parents[1] / "src")
    cli, report, build, verify, bump, pythons = map(
        importlib.import_module,
        (
            "tagship_suite.__main__",
            "tagship_suite.report",
            "tagship_suite.build",
            "tagship_suite.gate.verify",
            "tagship_suite.repo.bump",
            "tagship_suite.testing.pythons",
        ),
    )
    root, environ = Path(), os.environ
    if name in {"publish", "github-release"}:
        return int(cli.main([name, *arguments]))
    steps: dict[str, Any] = {
        "prepare": lambda: print(*build.prepare(root, environ)),
        "describe": lambda: build.describe(root, environ),
        "pythons": lambda: print(pythons.declared(root)),
        "verify": lambda: verify.verify(root, environ),
        "cut": lambda: print(bump.cut_release(root, *arguments, push=False)),
    }
    try:
        with report.reporting():
            steps[name]()
    except report.Reported:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
