"""A release to an index on loopback, compared with what people type today."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.conftest import commit, git, nox, run
from tests.servers import Pypiserver


def by_uv(project: Path, index: Pypiserver) -> None:
    shutil.rmtree(project / "dist", ignore_errors=True)
    run("uv", "build", "-q", cwd=project)
    credentials = ["-u", "maintainer", "-p", "secret"]
    run("uv", "publish", "-q", "--publish-url", index.url, *credentials, cwd=project)


def by_tagship(project: Path, index: Pypiserver) -> None:
    nox(project, "-s", "build", "verify-version", "publish", **index.twine)


def in_a_fresh_clone(project: Path, index: Pypiserver) -> None:
    shutil.rmtree(project / ".nox", ignore_errors=True)
    by_tagship(project, index)


def by_pip(project: Path, index: Pypiserver) -> None:
    shutil.rmtree(project / "dist", ignore_errors=True)
    shutil.rmtree(project.parent / "venv", ignore_errors=True)
    run(sys.executable, "-m", "venv", "../venv", cwd=project)
    python = "../venv/bin/python"
    run(python, "-m", "pip", "install", "-q", "build", "twine", cwd=project)
    run(python, "-m", "build", cwd=project)
    files = [str(path.relative_to(project)) for path in (project / "dist").iterdir()]
    run(python, "-m", "twine", "upload", *files, cwd=project, **index.twine)


WAYS = {
    "uv build && uv publish": by_uv,
    "nox -s build verify-version publish": by_tagship,
    "the same in a fresh clone": in_a_fresh_clone,
    "pip install build twine; build; twine upload": by_pip,
}


@pytest.mark.benchmark(group="release to an index on loopback")
@pytest.mark.parametrize("way", WAYS)
def test_release(benchmark: BenchmarkFixture, project: Path, pypiserver: Pypiserver, way: str) -> None:
    commit(project)
    git(project, "tag", "v0.1.0")

    def empty_index() -> None:
        for path in pypiserver.folder.iterdir():
            path.unlink()

    benchmark.pedantic(lambda: WAYS[way](project, pypiserver), setup=empty_index, rounds=5, warmup_rounds=1)
    assert len(pypiserver.files()) == 2
