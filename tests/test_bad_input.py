"""Malformed repositories: each command reports them in lines, in time, and writes nothing."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tagship import fleet
from tagship.audit import run
from tagship.cli import main
from tagship.facts import report
from tests.conftest import commit, git

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 8  # of a processor, for one command
W = ".github/workflows/publish.yml"
PROJECT = b"[project]\nname = 'thing'\nversion = '1.2.3'\n"
UPLOAD = b"""\
on:
  push:
    tags: ['v*']
jobs:
  publish:
    runs-on: x
    steps:
      - run: python -m build
      - run: twine upload dist/*
        env: {TWINE_PASSWORD: '${{ secrets.T }}'}
"""
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)
TYPES = b"""\
on: 3
permissions: [1]
jobs:
  1: 2
  ~: 3
  a: {steps: {x: y}, needs: {a: b}, if: [1], env: 3, permissions: 5, strategy: 7, runs-on: [[]], uses: {}}
  b: {steps: [1, null, [2], {run: {a: b}, with: 3, env: [1], if: {}}], environment: [x], outputs: 5}
"""
#: By what is wrong: the files next to a valid pyproject.toml, and what `audit` reports, "" if all are readable.
WORKFLOWS: dict[str, tuple[dict[str, bytes], str]] = {
    "broken YAML": ({W: b"jobs: [\n"}, "publish.yml:2: no valid YAML"),
    "10 MB": ({W: b"# x\n" * 2_600_000}, "larger than 1024 KiB"),
    "1 MB of values": ({W: b"jobs: [" + b"a," * 500_000 + b"]\n"}, "more than 50000 lines or values"),
    "1 MB of steps": ({W: UPLOAD + b"      - run: x\n" * 60_000}, "more than 50000 lines or values"),
    "a line of 1 MB": ({W: UPLOAD + b"      - run: " + b"x" * 900_000}, ""),
    "a bomb of aliases": ({W: b"jobs: {}\n" + BOMB}, "more than 50000 values"),
    "a bomb of another service": ({".travis.yml": BOMB}, "more than 50000 values"),
    "an alias for itself": ({W: b"jobs: &a\n  x: *a\n"}, "64 levels"),
    "deep brackets": ({W: b"jobs: " + b"[" * 10_000}, "nested deeper than 64 levels"),
    "deep mappings": ({W: b"".join(b" " * n + b"a:\n" for n in range(1400))}, "nesting depth"),
    "invalid UTF-8": ({W: b"jobs: \xff\xfe\n"}, "publish.yml:1: not UTF-8"),
    "UTF-16": ({W: UPLOAD.decode().encode("utf-16")}, "not UTF-8"),
    "null bytes": ({W: b"\0\0\0"}, "control characters are not allowed"),
    "a scalar": ({W: b"hello\n"}, "it has no mapping `jobs`"),
    "a tag of Python": ({W: b"!!python/object/apply:os.system ['touch pwned']\n"}, "it has no mapping `jobs`"),
    "other types than GitHub's": ({W: TYPES}, ""),
    "jobs that wait for each other": (
        {W: b"on: push\njobs:\n  a: {needs: b, steps: [{run: twine upload x}]}\n  b: {needs: a}\n"},
        "",
    ),
    "a workflow that calls itself": (
        {W: b"on: [push, workflow_call]\njobs:\n  a: {uses: ./" + W.encode() + b"}\n"},
        "",
    ),
    "a deep expression": (
        {W: UPLOAD.replace(b"    runs", b"    if: " + b"(" * 3000 + b")" * 3000 + b"\n    runs")},
        "",
    ),
    "nested substitutions": ({W: UPLOAD + b"      - run: |\n" + b"          $((\n" * 4000}, ""),
    "binary files": ({"Makefile": bytes(range(256)) * 100, "tox.ini": b"[tox\n\xff"}, ""),
    "names that are no text": ({os.fsdecode(b".github/workflows/a\nb\xff.yml"): UPLOAD}, ""),
}
PROJECTS: dict[str, dict[str, bytes]] = {
    "broken TOML": {"pyproject.toml": b"[project\n"},
    "TOML in UTF-16": {"pyproject.toml": PROJECT.decode().encode("utf-16")},
    "deep TOML": {"pyproject.toml": b"a = " + b"[" * 20_000},
    "10 MB of TOML": {"pyproject.toml": b"# x\n" * 2_600_000},
    "a binary setup.py": {"setup.py": bytes(range(256)) * 10},
    "10 MB of setup.py": {"setup.py": b"x = 1\n" * 1_800_000},
    "a broken setup.cfg": {"setup.cfg": b"[metadata\n"},
    "nothing": {},
}
COMMANDS = (("inspect",), ("audit", "--no-zizmor", "--fix"), ("adopt", "--yes", "--no-rehearse"), ("plan", "--offline"))


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def said(root: Path, *command: str) -> tuple[int, str]:
    """Run a command about `root`; return its exit status and what it printed, after checking what holds for all."""
    begin = time.process_time()
    done = CliRunner().invoke(main, [*command, str(root)])
    assert time.process_time() - begin < SECONDS
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "report it" not in done.output
    assert all(line.isprintable() or "\t" in line for line in done.output.splitlines())
    return done.exit_code, done.output


def snapshot(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and ".git" not in path.parts)
    return {str(path): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "kind", [pytest.param(each, marks=[pytest.mark.slow] * each.startswith("a bomb")) for each in WORKFLOWS]
)
def test_a_bad_workflow_is_named_and_each_command_continues(tmp_path: Path, kind: str) -> None:
    files, expected = WORKFLOWS[kind]
    root = put(tmp_path, {"pyproject.toml": PROJECT, "thing.py": b"", **files})
    commit(root)
    before = snapshot(root)
    status, text = said(root, "audit", "--no-zizmor")
    assert (status == 2) == bool(expected)
    assert expected in text
    assert ("not read" in said(root, "inspect")[1]) == bool(expected)
    assert said(root, "adopt", "--dry-run")[0] in {0, 1, 2}
    assert said(root, "plan", "--offline")[0] == 1
    assert snapshot(root) == before


@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_project_that_cannot_be_read_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, kind: str, command: tuple[str, ...]
) -> None:
    root = put(tmp_path, PROJECTS[kind])
    commit(root)
    before = snapshot(root)
    status, text = said(root, *command)
    assert len([line for line in text.splitlines() if "error: " in line or " refused: " in line]) <= 1
    assert (
        status == 2 or (command[0] != "audit" and status == 1) or (command[0], "setup.py" in kind) == ("inspect", True)
    )
    assert snapshot(root) == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_pipes_and_symlinks_that_lead_around_are_not_waited_for(tmp_path: Path, command: tuple[str, ...]) -> None:
    root = put(tmp_path / "links", {"pyproject.toml": PROJECT, "thing.py": b""})
    links = {"loop": "loop", "up": "..", "out": "/etc", "scripts": ".", "tests": "tests", "tox.ini": "/dev/zero"}
    for name, target in (links | {"Makefile": "/dev/random", "setup.py": "setup.py", ".github": "loop"}).items():
        (root / name).symlink_to(target)
    commit(root)
    assert said(root, *command)[0] in {0, 1, 2}
    pipes = tmp_path / "pipes"
    for name in ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "Makefile", W, ".travis.yml", "thing.py"):
        (pipes / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(pipes / name)
    commit(pipes)
    assert said(pipes, *command)[0] in {1, 2}


def test_a_submodule_is_a_repository_and_one_that_is_missing_does_no_harm(tmp_path: Path) -> None:
    inner = put(tmp_path / "inner", {"pyproject.toml": PROJECT, "thing.py": b"", W: UPLOAD})
    commit(inner)
    git(inner, "tag", "v1.2.3")
    outer = put(tmp_path / "outer", {"pyproject.toml": PROJECT, "thing.py": b""})
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendor")
    commit(outer)
    git(tmp_path, "clone", "-q", str(outer), "bare")  # its submodule is an empty folder
    for root in (outer, tmp_path / "bare"):
        statuses = [
            said(root, *command)[0] for command in (("inspect",), ("audit", "--no-zizmor"), ("plan", "--offline"))
        ]
        assert statuses == [0, 0, 1]
        assert said(root, "adopt", "--dry-run")[0] == 0
    assert "tags      v1.2.3" in said(outer / "vendor", "inspect")[1]
    assert "long-lived-credential" in said(outer / "vendor", "audit", "--no-zizmor", "--fix")[1]


PIECES = """\
on: push
jobs:
  a:
  b: &x
  c: *x
    needs: [a, b]
    needs: c
    if: github.ref_type == 'tag' ||
    uses: ./x
    steps:
      - uses: actions/checkout@v4
      - uses: pypa/gh-action-pypi-publish@release/v1
        with:
          skip-existing: true
          password: ${{ secrets.
      - run: |
          tox -e x
          twine upload 'dist
    permissions: write-all
    strategy: {matrix: {a: [1]}}
    env: {A: $B}
permissions: {id-token: write
permissions:
  id-token: write
}
\t
# x
- x
<<: *x
""".splitlines()
LINES = st.lists(st.sampled_from(PIECES), max_size=14)
STARTS = st.sampled_from([[], PIECES[:3], [*PIECES[:3], PIECES[9]]])


@settings(max_examples=150, deadline=None)
@given(start=STARTS, lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
def test_no_workflow_makes_a_reader_or_a_fix_fail(
    start: list[str], lines: list[str], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = put(tmp_path_factory.mktemp("any"), {"pyproject.toml": PROJECT, W: end.join([*start, *lines]).encode()})
    options = run.Options(with_zizmor=False, diff=True, unsafe=True)
    questions: list[fleet.Question] = [report.inspect, partial(run.question, options)]
    for question in questions:
        (answer,) = fleet.ask(question, [root])
        assert answer["status"] != "refused", answer
