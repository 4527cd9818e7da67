"""The gate over 500 wheels, compared with a nox session that does nothing."""

from __future__ import annotations

from itertools import islice, product
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.archives import write_sdist, write_wheel
from tests.conftest import copy_suite, nox

WHEELS = 500
MACHINES = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x")
EMPTY = """\
import nox

@nox.session(name="verify-version", venv_backend="none")
def verify_version(session):
    pass
"""


@pytest.mark.benchmark(group=f"verify-version over {WHEELS} wheels")
@pytest.mark.parametrize("way", ["nox, a session that does nothing", "nox -s verify-version"])
def test_verify(benchmark: BenchmarkFixture, tmp_path: Path, way: str) -> None:
    suite = copy_suite(tmp_path / "ship")
    # 20 modules and 90 KB a wheel, packed to 30 KB, as of many projects with a small extension module.
    body = "\n".join(f"def f{number}(x):\n    return x + {number * 2654435761 % 2**32}" for number in range(120))
    files = {"ship/__init__.py": '__version__ = "1.0"\n', **{f"ship/m{number}.py": body for number in range(20)}}
    write_sdist(suite / "dist", files=files)
    tags = (f"cp3{python}-cp3{python}-manylinux_2_{libc}_{machine}" for python, libc, machine in every())
    for tag in islice(tags, WHEELS):
        write_wheel(suite / "dist", files=files, tag=tag)
    if way != "nox -s verify-version":
        (suite / "noxfile.py").write_text(EMPTY)
    benchmark.pedantic(lambda: nox(suite, "-s", "verify-version"), rounds=5, warmup_rounds=1)
    assert (suite / "bundle").exists() == (way == "nox -s verify-version")


def every() -> product[tuple[int, int, str]]:
    """Return more combinations of Python, C library and machine than are needed."""
    return product(range(8, 15), range(17, 40), MACHINES)
