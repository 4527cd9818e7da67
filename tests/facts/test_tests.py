"""How adoption finds the way in which a project runs its tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tagship.facts.tests import Guess, guess, poetry

if TYPE_CHECKING:
    from pathlib import Path

PYTEST_FILE = {"tests/test_a.py": "def test_a():\n    assert True\n", "tests/conftest.py": ""}
UNITTEST_FILE = {"tests/test_a.py": "import unittest\n"}
CONSTRAINED = "-c https://example.org/c.txt"
TOX = """
[common]
deps =
    mock
    pytest<9  # until
[testenv]
extras = yaml
deps =
    {[common]deps}
    x
    .[toml]
    py38: old
    {env:MORE}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def settings(found: Guess) -> dict[str, list[str]]:
    names = ("command", "requires", "groups", "extras")
    return {name: [*value] for name in names if (value := getattr(found, name)) is not None}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": '[dependency-groups]\ntest = ["pytest>=8", {include-group = "x"}]\nx = ["x"]\n'}, {}),
        ({"pyproject.toml": '[project.optional-dependencies]\ntests = ["pytest"]\n'}, {}),
        ({"setup.cfg": "[options.extras_require]\ntest = pytest\n"}, {}),
        (
            {
                "pyproject.toml": '[tool.setuptools.dynamic.optional-dependencies]\ntest = {file = ["a.txt"]}\n',
                "a.txt": "-r b.txt\n",
                "b.txt": "pytest\n",
            },
            {},
        ),
        (
            {
                "pyproject.toml": (
                    "[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]\ndev = ['a.txt']\n"
                ),
                "a.txt": "pytest\n",
            },
            {"extras": ["dev"]},
        ),
        ({"pyproject.toml": '[dependency-groups]\ndev = ["pytest"]\n'}, {"groups": ["dev"]}),
        ({"pyproject.toml": '[dependency-groups]\ntest = ["mock"]\n'}, {"requires": ["pytest"], "groups": ["test"]}),
        ({"setup.cfg": "[options.extras_require]\ntesting = pytest\n"}, {"extras": ["testing"]}),
        ({"setup.py": "e = {'tests': ['pytest']}\nsetup(extras_require=e)\n"}, {"extras": ["tests"]}),
        ({"setup.py": "setup(extras_require={'test': ['mock']})\n"}, {"requires": ["pytest"], "extras": ["test"]}),
        ({"setup.py": "import x\nsetup(extras_require={'test': x.y()})\n"}, {"extras": ["test"]}),
        (
            {"pyproject.toml": '[tool.poetry.group.test.dependencies]\npytest = "^8.1"\n'},
            {"requires": ["pytest>=8.1,<9"]},
        ),
        ({"pyproject.toml": '[tool.poetry.dev-dependencies]\nmock = "*"\n'}, {"requires": ["mock", "pytest"]}),
        ({"pyproject.toml": '[tool.uv]\ndev-dependencies = ["pytest", "x"]\n'}, {"requires": ["pytest", "x"]}),
        ({"pyproject.toml": '[tool.pdm.dev-dependencies]\ntest = ["pytest"]\n'}, {"requires": ["pytest"]}),
        ({"pyproject.toml": '[tool.hatch.envs.default]\ndependencies = ["pytest"]\n'}, {"requires": ["pytest"]}),
        (
            {"pyproject.toml": '[tool.hatch.envs.hatch-test]\nextra-dependencies = ["x"]\n'},
            {"requires": ["pytest", "pytest-mock", "pytest-rerunfailures", "pytest-xdist[psutil]", "x"]},
        ),
        ({"requirements-dev.txt": "pytest\n"}, {"requires": ["-r requirements-dev.txt"]}),
        ({"dev.requirements.txt": "mock\n"}, {"requires": ["-r dev.requirements.txt", "pytest"]}),
        ({"requirements.txt": "-e .[http2]\npytest==8.1\n"}, {"requires": ["pytest==8.1"], "extras": ["http2"]}),
        ({"requirements.txt": "requests\n"}, {"requires": ["pytest"]}),
        ({"requirements-dev.txt": "# to release\n-e .\ntwine>=3\nbuild\n"}, {"requires": ["pytest"]}),
        ({"pyproject.toml": '[dependency-groups]\ndev = ["ruff", "yapf==1"]\n'}, {"requires": ["pytest"]}),
        (
            {".travis.yml": "install: pip install old\nscript: pytest\n", "tox.ini": "[testenv]\ncommands = pytest\n"},
            {"requires": ["pytest"]},
        ),
        (
            {"requirements/dev.txt": "# tools\n-e .\nx>=8  # why\n-r base.txt\n", "requirements/base.txt": "pytest\n"},
            {"requires": ["x>=8", "-r requirements/base.txt"]},
        ),
        (
            {"tox.ini": TOX, "requirements-dev.txt": "ruff\n"},
            {"requires": ["mock", "pytest<9", "x"], "extras": ["toml", "yaml"]},
        ),
        (
            {"pyproject.toml": f"[tool.tox]\nlegacy_tox_ini = {json.dumps(TOX)}\n"},
            {"requires": ["mock", "pytest<9", "x"], "extras": ["toml", "yaml"]},
        ),
        ({"pyproject.toml": '[tool.tox.env_run_base]\ndeps = ["x", "pytest"]\n'}, {"requires": ["x", "pytest"]}),
        ({"tox.ini": "[testenv]\ndeps = -rt.txt\n", "t.txt": "-e .\npytest\n"}, {"requires": ["pytest"]}),
        # What is there for some environments only, or nowhere here, is not for all.
        ({"tox.ini": "[testenv]\ndeps =\n  pytest<9\n  -r ci/{envname}.txt\n  -rno.txt\n"}, {"requires": ["pytest<9"]}),
        (
            {"tox.ini": "[testenv]\ndeps = -chttps://example.org/c.txt\n  pytest<9\n"},
            {"requires": [CONSTRAINED, "pytest<9"]},
        ),
        ({"tox.ini": "[testenv]\ndeps = -e{toxinidir}[x]\n"}, {"requires": ["pytest"], "extras": ["x"]}),
        ({"tox.ini": "[testenv]\ndeps = poetry\n"}, {"requires": ["pytest"]}),
        # Linters and types for them are for no test, unless one mentions them.
        ({"tox.ini": "[testenv]\ndeps =\n  pytest<9\n  pyright>=1\n  types-x\n"}, {"requires": ["pytest<9"]}),
        (
            {
                "pyproject.toml": '[tool.hatch.envs.default]\ndependencies = ["pytest", "mypy", "ruff"]\n',
                "test_b.py": "mypy",
            },
            {"requires": ["pytest", "mypy"]},
        ),
        ({"tox.ini": "no section\n"}, {"requires": ["pytest"]}),
        ({}, {"requires": ["pytest"]}),
    ],
)
def test_what_the_tests_need_is_found_where_projects_name_it_and_left_out_where_the_default_fits(
    files: dict[str, str], expected: dict[str, list[str]], tmp_path: Path
) -> None:
    assert settings(guess(write(tmp_path, {**PYTEST_FILE, **files}))) == expected


def test_each_part_of_the_guess_comes_with_its_evidence(tmp_path: Path) -> None:
    files = {**PYTEST_FILE, "pyproject.toml": '[dependency-groups]\ndev = ["mock"]\n[tool.pytest.ini_options]\n'}
    assert guess(write(tmp_path, files)).why == {
        "command": "pyproject.toml configures pytest",
        "requires": "the runner pytest, which is not declared",
        "groups": "the dependency group dev in pyproject.toml",
    }


def test_unittest_is_run_if_nothing_mentions_pytest(tmp_path: Path) -> None:
    found = guess(write(tmp_path, UNITTEST_FILE))
    assert settings(found) == {"command": ["python", "-m", "unittest", "discover", "-s", "tests"]}
    assert found.why == {"command": "tests/test_a.py imports unittest, and nothing mentions pytest"}
    command = guess(write(tmp_path, {"tests/__init__.py": ""})).command
    assert command is not None
    assert command[-2:] == ("-t", ".")


@pytest.mark.parametrize(
    "files",
    [
        {"tests/test_b.py": "import pytest\n"},
        {"pytest.ini": ""},
        {"setup.cfg": "[tool:pytest]\n"},
        {"tox.ini": "[pytest]\n"},
        {"pyproject.toml": "[tool.pytest.ini_options]\n"},
        {"tests/conftest.py": ""},
    ],
)
def test_any_sign_of_pytest_makes_it_the_runner(files: dict[str, str], tmp_path: Path) -> None:
    assert settings(guess(write(tmp_path, {**UNITTEST_FILE, **files}))) == {"requires": ["pytest"]}


@pytest.mark.parametrize(
    "path", ["testing/test_a.py", "ship/_tests/a.py", "src/a/b/tests/test_a.py", "src/ship/test_a.py", "tests.py"]
)
def test_tests_are_found_wherever_they_lie(path: str, tmp_path: Path) -> None:
    assert settings(guess(write(tmp_path, {path: "def test_a(): pass\n"}))) == {"requires": ["pytest"]}


def test_unittest_is_left_to_pytest_if_it_would_find_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"src/a/b/tests/__init__.py": "", "src/a/b/tests/test_a.py": "import unittest\n"})
    assert settings(guess(tmp_path)) == {"requires": ["pytest"]}


@pytest.mark.parametrize("name", ["pytest.ini", ".pytest.ini"])
def test_a_pytest_that_collects_every_module_leaves_out_those_of_the_suite(name: str, tmp_path: Path) -> None:
    write(tmp_path, {**PYTEST_FILE, name: "[pytest]\naddopts = --doctest-modules\n"})
    assert guess(tmp_path).command == ("pytest", "--ignore=noxfile.py", "--ignore=tasks.py", "--ignore=bundle")


@pytest.mark.parametrize(("option", "own"), [("--doctest-modules", 3), ("--doctest-glob=*.md", 0)])
def test_doctests_are_tests_without_a_test_module(option: str, own: int, tmp_path: Path) -> None:
    write(tmp_path, {"ship.py": '""">>> 1\n1\n"""\n', "pytest.ini": f"[pytest]\naddopts = {option}\n"})
    found = guess(tmp_path)
    assert (len(found.command or ["pytest"]), found.requires) == (1 + own, ("pytest",))


def test_a_project_without_tests_gets_the_empty_command(tmp_path: Path) -> None:
    write(tmp_path, {"ship.py": "", ".nox/x/tests/test_a.py": "", "build/lib/tests/test_a.py": ""})
    found = guess(tmp_path)
    assert (settings(found), found.why) == ({"command": []}, {"command": "there is no test module"})


def test_one_of_several_distributions_may_have_its_needs_named_at_the_top(tmp_path: Path) -> None:
    files = {
        "packages/a/tests/test_a.py": "import pytest\n",
        "pyproject.toml": '[dependency-groups]\ndev = ["pytest"]\n',
    }
    assert settings(guess(write(tmp_path, files) / "packages/a", tmp_path)) == {"groups": ["dev"]}


@pytest.mark.parametrize(
    ("value", "requirement"),
    [
        ("^1.2.3", "p>=1.2.3,<2"),
        ("^0.2.3", "p>=0.2.3,<0.3"),
        ("^0.0.3", "p>=0.0.3,<0.0.4"),
        ("^0", "p>=0,<1"),
        ("~1.2.3", "p>=1.2.3,<1.3"),
        ("~1", "p>=1,<2"),
        ("1.2", "p==1.2"),
        ("1.*", "p==1.*"),
        (">= 1.2, <2", "p>=1.2,<2"),
        ("*", "p"),
        ("^7.0 || ^8.0", "p>=8.0,<9"),
        (
            {"version": "^1.0", "extras": ["x"], "markers": "python_version < '3.12'"},
            "p[x]>=1.0,<2; python_version < '3.12'",
        ),
    ],
)
def test_poetrys_constraints_become_standard_ones(value: object, requirement: str) -> None:
    assert poetry.requirement("p", value) == [requirement]


def test_what_is_no_requirement_in_poetry_is_left_out(tmp_path: Path) -> None:
    assert poetry.requirement("python", "^3.10") == []
    assert poetry.requirement("p", {"path": str(tmp_path)}) == []
