"""What a release would do, compared with what nox needs to list its sessions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.conftest import NOX, commit, run

WAYS = {
    "nox --list": (*NOX, "--list"),
    "tagship plan --offline": (sys.executable, "-m", "tagship", "plan", "--offline"),
}


@pytest.mark.benchmark(group="plan the release of the default project")
@pytest.mark.parametrize("way", WAYS)
def test_plan(benchmark: BenchmarkFixture, project: Path, way: str) -> None:
    commit(project)
    benchmark.pedantic(lambda: run(*WAYS[way], cwd=project), rounds=10, warmup_rounds=1)
