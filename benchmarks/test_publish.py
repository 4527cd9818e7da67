"""What publish adds to the upload itself, after nox has started and the environment exists."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.archives import write_release
from tests.conftest import copy_suite, release, run
from tests.servers import Pypiserver

TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}


def by_twine(bundle: Path, index: Pypiserver) -> None:
    files = sorted((bundle / "dist").iterdir())
    options = ["--non-interactive", "--disable-progress-bar"]
    run(sys.executable, "-m", "twine", "upload", *options, *files, cwd=bundle, **index.twine)


def by_tagship(bundle: Path, index: Pypiserver) -> None:
    release(bundle, "publish", "pypi", **TAG, **index.twine)


WAYS = {"twine upload": by_twine, "python -m tagship_suite publish": by_tagship}


@pytest.mark.benchmark(group="publish 2 files to an index on loopback")
@pytest.mark.parametrize("way", WAYS)
def test_publish(benchmark: BenchmarkFixture, tmp_path: Path, pypiserver: Pypiserver, way: str) -> None:
    suite = copy_suite(tmp_path / "ship")
    write_release(suite / "dist")
    release(suite, "verify", **TAG)

    def empty_index() -> None:
        for path in pypiserver.folder.iterdir():
            path.unlink()

    benchmark.pedantic(lambda: WAYS[way](suite / "bundle", pypiserver), setup=empty_index, rounds=10, warmup_rounds=1)
    assert len(pypiserver.files()) == 2
