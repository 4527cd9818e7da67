"""A rehearsal, compared with its six sessions alone, each in a fresh environment as on GitHub."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.conftest import commit, git, nox, run
from tests.servers import Pypiserver

from tagship.rehearsal.github import GitHub

TAGSHIP = (sys.executable, "-m", "tagship", "rehearse")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def bare(project: Path, index: Pypiserver, other: Pypiserver, github: GitHub) -> None:
    shutil.rmtree(project / ".nox", ignore_errors=True)
    nox(project, "-s", "build")
    nox(project, "-s", "test", "-P", HERE, "--", "--installpkg", "dist")
    nox(project, "-s", "verify-version")
    nox(project, "-s", "publish-test", **other.twine)
    nox(project, "-s", "publish", **index.twine)
    nox(project, "-s", "github-release", **github.variables())


@pytest.mark.benchmark(group="rehearse the default project")
@pytest.mark.parametrize("way", ["the six sessions, bare", "tagship rehearse", "tagship rehearse --quick"])
def test_rehearse(benchmark: BenchmarkFixture, project: Path, tmp_path: Path, way: str) -> None:
    pyproject = project / "pyproject.toml"
    others = rf'\n  "Programming Language :: Python :: (?!{re.escape(HERE)}")[\d.]+",'
    pyproject.write_text(re.sub(others, "", pyproject.read_text()))
    commit(project)
    git(project, "tag", "v0.1.0")
    if way.endswith("--quick"):
        nox(project, "-s", "build")
    github = GitHub()
    github.push("Octo/my-package", "v0.1.0", git(project, "rev-parse", "HEAD"))
    with Pypiserver(tmp_path / "one") as index, Pypiserver(tmp_path / "two") as other, github.running():

        def empty() -> None:
            github.releases.clear()
            for path in [*index.folder.iterdir(), *other.folder.iterdir()]:
                path.unlink()

        ways = {
            "the six sessions, bare": lambda: bare(project, index, other, github),
            "tagship rehearse": lambda: run(*TAGSHIP, cwd=project),
            "tagship rehearse --quick": lambda: run(*TAGSHIP, "--quick", cwd=project),
        }
        benchmark.pedantic(ways[way], setup=empty, rounds=4, warmup_rounds=1)
