"""Whether an adopted project's `nox -s test` does what its own way does: `python -m benchmarks.parity CLONES WAYS`.

CLONES is a folder of clones; WAYS a JSON object with, for each of them by its folder's name, the shell command that
installs and runs its tests, such as `uv venv -q $VENV && . $VENV/bin/activate && uv pip install -e .[test] && pytest`.
Both run in a fresh copy with the Python that runs this. Tests of pytest are compared one by one, those of other runners
by the lines in which they report how many there were. Exits with 1 where the results differ.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PLUGIN = Path(__file__).with_name("outcomes.py")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: What unittest, stestr, zope-testrunner and trial say at their end.
SUMMARY = re.compile(r"(?m)^\s*Ran \d+ tests?\b|^(?:OK|FAILED|PASSED)(?: \(.*\))?$|^ - (?:Passed|Failed|Skipped): \d+")
OURS = (
    "tagship adopt --yes --no-rehearse ."
    ' && sed -i "s|PYTHONPATH=|&$PYTHONPATH:|" pyproject.toml'  # where the plugin is that records the outcomes
    " && git add --all --force . && git commit -qm adopt --no-verify"
    f" && nox -s build && nox -p {PYTHON} -s test -- --installpkg dist"
)


@dataclass(frozen=True)
class Result:
    """Whether a run succeeded, and the outcome of each test."""

    green: bool
    tests: dict[str, str]


def main() -> int:
    """Print a line for each project, and how many are equal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("ways", type=Path)
    parser.add_argument("--limit", type=int, default=600, help="seconds for each of the two runs of a project")
    options = parser.parse_args()
    ways = json.loads(options.ways.read_text())
    equal = 0
    for name, own in ways.items():
        results = [run(options.clones / name, command, options.limit) for command in (own, OURS)]
        equal += results[0] == results[1]
        print("equal  " if results[0] == results[1] else "unequal", name, *map(shown, results), flush=True)
        for test in sorted({key for result in results for key in result.tests}):
            outcomes = [result.tests.get(test, "not there") for result in results]
            if len({*outcomes}) > 1:
                print(f"  {test}: {' -> '.join(outcomes)}")
    print(f"{equal} of {len(ways)} equal")
    return 0 if equal == len(ways) else 1


def run(clone: Path, command: str, limit: int) -> Result:
    """Run a shell command in a copy of `clone`, and return what became of its tests."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        shutil.copytree(clone, place / "copy", symlinks=True)
        (place / "plugin").mkdir()
        shutil.copy(PLUGIN, place / "plugin")
        added = {"VENV": "venv", "OUTCOMES": "outcomes", "PYTHONPATH": "plugin"}
        env = {**os.environ, **{name: str(place / path) for name, path in added.items()}, "PYTEST_PLUGINS": PLUGIN.stem}
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-ec", command],
                cwd=place / "copy", env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                green = process.wait(limit) == 0
            except subprocess.TimeoutExpired:
                green = False
            finally:
                with suppress(ProcessLookupError):  # servers that tests have left running, too
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        lines = (place / "outcomes").read_text("utf-8").splitlines() if (place / "outcomes").is_file() else []
        found = SUMMARY.findall((place / "log").read_text("utf-8", "replace"))
    tests = {name: outcome for outcome, _, name in (line.partition("\t") for line in lines)}
    return Result(green, tests or {f"line {at}": line.strip() for at, line in enumerate(found)})


def shown(result: Result) -> str:
    """Return how many tests had each outcome."""
    outcomes = [*result.tests.values()]
    counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in sorted({*outcomes})) or "no tests"
    return f"[{'green' if result.green else 'red'}: {counts}]"


if __name__ == "__main__":
    raise SystemExit(main())
