"""Run the benchmarks and print their table: medians in seconds, and each as a ratio to the first of its group."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run pytest-benchmark over benchmarks/; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "benchmarks", f"--benchmark-json={report}"]
        done = subprocess.run([*command, "--benchmark-disable-gc", "--benchmark-quiet"], cwd=ROOT, check=False)
        if report.is_file():
            tell(json.loads(report.read_text())["benchmarks"])
    return done.returncode


def tell(benchmarks: list[dict[str, object]]) -> None:
    """Print a Markdown table of what pytest-benchmark measured."""
    print(f"\nCPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores\n")
    print("| | median | ratio |\n|---|---:|---:|")
    for group, members in groupby(benchmarks, key=lambda benchmark: benchmark["group"]):
        print(f"| **{group}** | | |")
        first = None
        for member in members:
            median = float(member["stats"]["median"])  # type: ignore[index]
            first = first or median
            print(f"| {member['param']} | {median:.2f} s | {median / first:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
