"""How many repositories a second `tagship inspect` and `tagship audit` read: `python -m benchmarks.fleet [NUMBER...]`.

Writes NUMBER (1,000 and 10,000) repositories of four kinds and of realistic size, and prints for each number and verb
the repositories a second, the time as a ratio to that of the first number, the processor time of a repository, which
other work on the machine distorts least, and the most memory of all processes.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

VERBS = ("inspect", "audit")
MODULES = 12
CODE = "\n".join(f"def f{n}(x):\n    '''Return x, and {n}.'''\n    return x + {n}\n" for n in range(80))
PUBLISH = """\
name: publish
on:
  push:
    tags: ["v*"]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.10", "3.11", "3.12"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - run: pip install -e .[test]
      - run: pytest
  publish:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python -m build
      - uses: pypa/gh-action-pypi-publish@release/v1
        with:
          password: ${{ secrets.PYPI_TOKEN }}
"""
SETUP_PY = """\
import os, re
from setuptools import setup, find_packages
here = os.path.abspath(os.path.dirname(__file__))
with open(os.path.join(here, "README.md"), encoding="utf-8") as file:
    long_description = file.read()
with open(os.path.join(here, "thing", "__init__.py")) as file:
    version = re.search(r"^__version__ = ['\\"]([^'\\"]+)", file.read(), re.M).group(1)
setup(name="thing", version=version, packages=find_packages(exclude=["tests"]), long_description=long_description)
"""
TOP = (
    "[build-system]\nrequires = ['x']\nbuild-backend = '{}'\n[project]\nname = 'thing'\n{}\n[tool.pytest.ini_options]\n"
)
KINDS: tuple[dict[str, str], ...] = (
    {"setup.py": SETUP_PY},
    {"pyproject.toml": TOP.format("hatchling.build", "version = '1.2.3'")},
    {"pyproject.toml": TOP.format("setuptools.build_meta", "dynamic = ['version']\n[tool.setuptools_scm]")},
    {"setup.cfg": "[metadata]\nname = thing\nversion = attr: thing.__version__\n[options]\npackages = find:\n"},
)


def write(folder: Path, number: int) -> None:
    """Write the repository with this `number`."""
    files = {
        ".git/HEAD": "ref: refs/heads/main\n",
        ".git/packed-refs": "".join(f"{n:040x} refs/tags/v1.{n}.0\n" for n in range(40)),
        ".github/workflows/publish.yml": PUBLISH,
        "README.md": "# thing\n" + "A line of prose.\n" * 200,
        "tox.ini": "[tox]\nenvlist = py310, py311\n[testenv]\ndeps = pytest\ncommands = pytest\n",
        "thing/__init__.py": '"""Docs."""\n\n__version__ = "1.2.3"\n',
        **{f"thing/m{n}.py": CODE for n in range(MODULES)},
        **{f"tests/test_{n}.py": "import thing\n\n\ndef test_it():\n    assert thing\n" for n in range(4)},
        **KINDS[number % len(KINDS)],
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def measure(verb: str, listed: Path) -> tuple[float, float, float]:
    """Return the real and the processor seconds of `verb` over the listed repositories, and the peak memory in MiB."""
    own_rules = ["--no-zizmor"] if verb == "audit" else []
    command = [sys.executable, "-m", "tagship", verb, *own_rules, "--format", "json", "--from-file", str(listed)]
    begin, before = time.perf_counter(), _processor()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out)
        peak = [0.0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        process.wait()
        watch.join()
    return time.perf_counter() - begin, _processor() - before, peak[0]


def _processor() -> float:
    """Return the seconds that processors spent on all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_memory, _family(process.pid))) / 1024)
        time.sleep(0.2)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _memory(pid: int) -> int:
    """Return the memory of a process in KiB; what several share is counted once, in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Print a table."""
    numbers = [int(each) for each in sys.argv[1:]] or [1_000, 10_000]
    first = dict[str, float]()
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place, f"r{number:05}") for number in range(max(numbers))]
        for number, folder in enumerate(folders):
            write(folder, number)
        print(f"{'verb':8} {'number':>7} {'seconds':>8} {'a second':>9} {'ratio':>6} {'ms each':>8} {'MiB':>6}")
        for number in numbers:
            listed = Path(place, "list.txt")
            listed.write_text("\n".join(map(str, folders[:number])))
            for verb in VERBS:
                seconds, used, memory = measure(verb, listed)
                ratio = seconds / first.setdefault(verb, seconds)
                rates = f"{number / seconds:9.0f} {ratio:6.1f} {1000 * used / number:8.2f}"
                print(f"{verb:8} {number:7} {seconds:8.1f} {rates} {memory:6.0f}")


if __name__ == "__main__":
    main()
