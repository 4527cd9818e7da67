"""A pytest plugin that writes the outcome of each test to the file that OUTCOMES names, for `benchmarks.parity`.

It is loaded by PYTEST_PLUGINS into the environment of another project: standard library and pytest alone. Of a pytest
that runs others, and of the workers of pytest-xdist, only the outermost process writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

OUTERMOST = os.environ.setdefault("OUTCOMES_PID", str(os.getpid())) == str(os.getpid())


class Outcomes:
    """Writes what pytest reports, one test a line."""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Write the outcome of a test, or of its setup or teardown if that is not as it should be."""
        if report.when == "call" or report.outcome != "passed":
            kind = "x" if hasattr(report, "wasxfail") else ""
            _write(f"{kind}{report.outcome}", report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        """Write which file cannot be collected."""
        if report.failed:
            _write("uncollected", report.nodeid)


def _write(outcome: str, name: str) -> None:
    with Path(os.environ["OUTCOMES"]).open("a", encoding="utf-8") as file:
        file.write(f"{outcome}\t{name}\n")


def pytest_configure(config: Any) -> None:
    """Register the plugin once in the outermost process, before tests change its environment."""
    if OUTERMOST and not hasattr(pytest_configure, "done"):
        pytest_configure.done = True  # type: ignore[attr-defined]
        config.pluginmanager.register(Outcomes())
