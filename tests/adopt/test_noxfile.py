"""The lines that are added to a project's own noxfile and tasks: the rest is unchanged, and linters pass."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tagship import noxfile
from tagship.adopt.files import insertion
from tagship.adopt.plan import carry_out, plan
from tests.adopt.repositories import make

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "\n\n@nox.session\ndef lint(session: nox.Session) -> None:\n    session.log(str(Path()))\n"
FILES = {
    "third party": "import nox\n\nPath = str\n" + SESSION,
    "standard library": '"""Sessions."""\n\nfrom pathlib import Path\n\nimport nox\n' + SESSION,
    "future": "from __future__ import annotations\n\nimport nox\n\nPath = str\n" + SESSION,
    "all": """\
# What this project does.
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.options.sessions = ["lint"]
sys.path.append(str(shutil))
"""
    + SESSION,
    "around": """\
import abc
import uuid
from abc import ABC
from pathlib import Path

import nox

X = (abc, uuid, ABC)
"""
    + SESSION,
    "mixed": "from abc import ABC\nimport math\nfrom uuid import UUID\n\nimport nox\n\nPath, X = UUID, (ABC, math)\n"
    + SESSION,
    "single quotes": "import nox\n\nPath = str\nX = ['a', \"it's\", 'b']\n" + SESSION,
    "two blank lines": "import nox\n" + SESSION.replace("Path()", "1"),
    "nothing": "",
    "a comment": "# nothing yet\n",
    "several lines": "import nox\nfrom nox import (\n    Session,\n)\n\nPath = str\nX = Session\n" + SESSION,
}


OPTIONS = {
    "two blank lines": ["--config=lint.isort.lines-after-imports=2"],
    "mixed": ["--config=lint.isort.force-sort-within-sections=true"],
    "single quotes": ["--config=format.quote-style='single'", "--config=lint.flake8-quotes.inline-quotes='single'"],
}


@pytest.mark.parametrize("kind", FILES)
def test_no_linter_finds_more_and_every_line_stays_in_its_order(kind: str, tmp_path: Path) -> None:
    path, text = tmp_path / "noxfile.py", FILES[kind]
    path.write_text(insertion.with_sessions(text, gap=2 if kind == "two blank lines" else 1))
    rules = "--select=E,F,W,I,B,C4,PGH,PTH,Q,RUF,SIM,UP"
    for command in (["check", rules], ["check"], ["format", "--check"]):
        done = subprocess.run(
            ["ruff", *command, "--isolated", *OPTIONS.get(kind, []), path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, path.read_text() + done.stdout
    after = iter(path.read_text().splitlines())
    assert all(line in after for line in text.splitlines())


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_line_ends_are_those_of_the_file(text: str) -> None:
    after = insertion.with_sessions(text.replace("\n", "\r\n") or "\r\n")
    assert after.replace("\r\n", "").count("\n") == 0


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_byte_order_mark_stays_in_front(text: str) -> None:
    assert insertion.with_tasks(f"\ufeff{text}", set()) == "\ufeff" + insertion.with_tasks(text, set())


def test_nox_finds_the_imported_sessions_and_the_own_ones(tmp_path: Path) -> None:
    package = tmp_path / ".github/release/its_suite"  # a name that is not installed here
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sessions.py").write_text("import nox\n\n\n@nox.session\ndef build(session):\n    pass\n")
    text = insertion.with_sessions(FILES["standard library"]).replace("tagship_suite", "its_suite")
    (tmp_path / "noxfile.py").write_text(text)
    command = [sys.executable, "-m", "nox", "--list"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "* build" in done.stdout
    assert "* lint" in done.stdout
    shutil.rmtree(tmp_path / ".github")  # as in an sdist
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "* build" not in done.stdout
    assert "* lint" in done.stdout


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@nox.session\ndef build(s): ...\n", {"build": 2}),
        ("@nox.session(python='3.12')\ndef test(s): ...\n", {"test": 2}),
        ("@session(name='publish-test')\ndef p(s): ...\n", {"publish-test": 2}),
        ("@nox.session\n@nox.parametrize('x', [1])\ndef publish(s): ...\n", {"publish": 3}),
        ("if True:\n    @nox.session\n    def build(s): ...\n", {"build": 3}),
        ("def build(): ...\n", {}),
        ("# @nox.session\ndef build(): ...\n", {}),
        ("@nox.session\ndef tests(s): ...\n", {}),
    ],
)
def test_an_own_session_with_a_name_of_the_release_is_found(text: str, names: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(text)
    found = noxfile.own(noxfile.read(tmp_path / "noxfile.py"))
    assert [problem.where for problem in found] == [f"noxfile.py:{line}" for line in names.values()]
    assert all(f"'{name}'" in problem.found for name, problem in zip(names, found, strict=True))


@pytest.mark.parametrize(
    "line",
    [
        "from tagship_suite.sessions import build, github_release, publish, publish_test, test, verify_version",
        "from tagship_suite.sessions import *",
        "import tagship_suite.sessions",
        "from tagship_suite import sessions",
        'import_module("tagship_suite.sessions")',
    ],
)
def test_the_release_s_sessions_are_seen_however_they_are_imported(line: str, tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(f"{line}\n")
    assert noxfile.problem(tmp_path, "") is None
    (tmp_path / "noxfile.py").write_text(f"# {line}\n")
    assert noxfile.problem(tmp_path, "") is not None


@pytest.mark.parametrize("sort", ["true", "false"])
def test_new_modules_sort_their_imports_as_the_project_does(sort: str, tmp_path: Path) -> None:
    config = f'[tool.ruff.lint]\nselect = ["I"]\n[tool.ruff.lint.isort]\nlength-sort = {sort}\n'
    files = {"pyproject.toml": f'[project]\nname = "thing"\nversion = "1"\n{config}', "thing.py": ""}
    folder = make(tmp_path / "thing", files)
    carry_out(plan(folder))
    done = subprocess.run(["ruff", "check", "noxfile.py", "tasks.py"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
