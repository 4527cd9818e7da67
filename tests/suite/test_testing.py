"""How a project's own tests are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import tagship.release.poetry as poetry
from tagship.release.testing import plan

from tests.archives import write_wheel

if TYPE_CHECKING:
    from pathlib import Path

PYTEST_FILE = {"tests/test_a.py": "def test_a():\n    assert True\n", "tests/conftest.py": ""}
CONSTRAINED = ["-c", "https://example.org/c.txt"]
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
UNITTEST_FILE = {"tests/test_a.py": "import unittest\n"}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "requires", "extras"),
    [
        (
            {"pyproject.toml": '[dependency-groups]\ntest = ["pytest>=8", {include-group = "More"}]\nmore = ["x"]\n'},
            ["pytest>=8", "x"],
            [],
        ),
        ({"pyproject.toml": '[project.optional-dependencies]\ntests = ["pytest"]\n'}, ["pytest"], ["tests"]),
        ({"setup.cfg": "[options.extras_require]\ntest = pytest\n"}, ["pytest"], ["test"]),
        (
            {"pyproject.toml": '[tool.poetry.group.dev.dependencies]\npytest = "^8.1"\n'},
            ["pytest>=8.1,<9"],
            [],
        ),
        ({"pyproject.toml": '[tool.poetry.dev-dependencies]\nmock = "*"\n'}, ["mock", "pytest"], []),
        ({"requirements-dev.txt": "pytest\n"}, ["-r", "requirements-dev.txt", "pytest"], []),
        (
            {"pyproject.toml": '[tool.tagship]\ntest-requires = ["pytest-cov"]\n'},
            ["pytest-cov", "pytest"],
            [],
        ),
        ({"dev.requirements.txt": "pytest\n"}, ["-r", "dev.requirements.txt", "pytest"], []),
        ({"setup.py": "e = {'tests': ['pytest']}\nsetup(extras_require=e)\n"}, ["pytest"], ["tests"]),
        ({"requirements.txt": "-e .[http2]\npytest==8.1\n"}, ["pytest==8.1"], ["http2"]),
        ({"requirements.txt": "requests\n"}, ["pytest"], []),
        (
            {"requirements/dev.txt": "-e .\n-r base.txt\n", "requirements/base.txt": "mock\n"},
            ["-r", "requirements/base.txt", "pytest"],
            [],
        ),
        ({"tox.ini": TOX, "requirements-dev.txt": "ruff\n"}, ["mock", "pytest<9", "x"], ["yaml", "toml"]),
        (
            {"pyproject.toml": f"[tool.tox]\nlegacy_tox_ini = {json.dumps(TOX)}\n"},
            ["mock", "pytest<9", "x"],
            ["yaml", "toml"],
        ),
        (
            {"pyproject.toml": '[tool.tox.env_run_base]\ndeps = ["pytest-cov", "pytest"]\n'},
            ["pytest-cov", "pytest"],
            [],
        ),
        ({"tox.ini": "[testenv]\ndeps = -rt.txt\n", "t.txt": "-e .\npytest\n"}, ["pytest"], []),
        # What is there for some environments only, or nowhere here, is not for all.
        ({"tox.ini": "[testenv]\ndeps =\n  pytest<9\n  -r ci/{envname}.txt\n  -rno.txt\n"}, ["pytest<9"], []),
        ({"tox.ini": "[testenv]\ndeps = -chttps://example.org/c.txt\n  pytest<9\n"}, [*CONSTRAINED, "pytest<9"], []),
        ({"tox.ini": "[testenv]\ndeps = -e{toxinidir}[x]\n"}, ["pytest"], ["x"]),
        ({"tox.ini": "[testenv]\ndeps = poetry\n"}, ["pytest"], []),
        ({"tox.ini": "no section\n"}, ["pytest"], []),
        ({}, ["pytest"], []),
    ],
)
def test_what_the_tests_need_is_read_from_where_projects_say_it(
    tmp_path: Path, files: dict[str, str], requires: list[str], extras: list[str]
) -> None:
    found = plan(write(tmp_path, {**PYTEST_FILE, **files}))
    assert (found.requires, found.extras, found.command) == (requires, extras, ["pytest"])


def test_unittest_runs_isolated_from_the_checkout(tmp_path: Path) -> None:
    found = plan(write(tmp_path, UNITTEST_FILE))
    assert found.requires == []
    assert found.command == ["python", "-I", "-m", "unittest", "discover", "-s", "tests"]
    write(tmp_path, {"tests/__init__.py": ""})
    assert plan(tmp_path).command[-2:] == ["-t", "."]


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
def test_any_sign_of_pytest_makes_it_the_runner(tmp_path: Path, files: dict[str, str]) -> None:
    assert plan(write(tmp_path, {**UNITTEST_FILE, **files})).command == ["pytest"]


@pytest.mark.parametrize(
    "path", ["testing/test_a.py", "ship/_tests/a.py", "src/a/b/tests/test_a.py", "src/ship/test_a.py", "tests.py"]
)
def test_tests_are_found_wherever_they_lie(tmp_path: Path, path: str) -> None:
    assert plan(write(tmp_path, {path: "def test_a(): pass\n"})).command == ["pytest"]


def test_unittest_is_left_to_pytest_where_it_would_find_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"src/a/b/tests/__init__.py": "", "src/a/b/tests/test_a.py": "import unittest\n"})
    assert plan(tmp_path).command == ["pytest"]


def test_a_pytest_that_collects_every_module_leaves_out_those_of_the_suite(tmp_path: Path) -> None:
    write(tmp_path, {**PYTEST_FILE, "pytest.ini": "[pytest]\naddopts = --doctest-modules\n"})
    assert plan(tmp_path).command == ["pytest", "--ignore=noxfile.py", "--ignore=tasks.py"]


def test_the_configured_command_counts_most(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            **PYTEST_FILE,
            "pyproject.toml": "[tool.tagship]\ntest-command = \"python runtests.py --x 'a b'\"\n",
        },
    )
    assert plan(tmp_path).command == ["python", "runtests.py", "--x", "a b"]


def test_a_project_without_tests_has_no_command(tmp_path: Path) -> None:
    write(tmp_path, {"ship.py": "", ".nox/x/tests/test_a.py": "", "build/lib/tests/test_a.py": ""})
    assert plan(tmp_path).command == []


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


def test_plain_functions_are_never_left_to_unittest_which_would_run_none(tmp_path: Path) -> None:
    files = {
        "tests/test_a.py": "def test_a():\n    assert True\n",
        "setup.cfg": "[options.extras_require]\ntest = pytest\n",
    }
    assert plan(write(tmp_path, files)).command == ["pytest"]
    assert plan(write(tmp_path, {"tests/test_a.py": "import unittest\n"})).command == ["pytest"]


def test_the_project_in_its_own_requirements_file_is_left_out(tmp_path: Path) -> None:
    text = "# tools\n-e .\npytest>=8  # runner\n-r other.txt\n"
    found = plan(write(tmp_path, {**PYTEST_FILE, "requirements-dev.txt": text}))
    assert found.requires == ["pytest>=8", "-r", "other.txt"]


@pytest.mark.parametrize("files", [UNITTEST_FILE, PYTEST_FILE])
def test_the_tests_of_a_wheel_cannot_import_the_package_that_lies_beside_them(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, {**files, "ship/__init__.py": "", "ship/sub.py": "", "tests/__init__.py": "", "data.txt": ""})
    wheel = write_wheel(tmp_path / "dist")
    assert plan(tmp_path).folder == "."
    folder = tmp_path / plan(tmp_path, str(wheel)).folder
    assert folder != tmp_path
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*files, "tests/__init__.py", "data.txt"}


def test_tests_stay_in_the_checkout_where_the_project_says_so(tmp_path: Path) -> None:
    setting = "[tool.tagship]\ntest-in-place = true\n"
    write(tmp_path, {**PYTEST_FILE, "ship/__init__.py": "", "pyproject.toml": setting})
    found = plan(tmp_path, str(write_wheel(tmp_path / "dist")))
    assert (found.command, found.folder) == (["pytest"], ".")


def test_tests_inside_the_package_and_a_src_layout_run_where_they_are(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "a/dist")
    assert plan(write(tmp_path / "a", {"ship/tests/test_a.py": ""}), str(wheel)).folder == "."
    assert plan(write(tmp_path / "b", {"src/ship/__init__.py": "", **PYTEST_FILE}), str(wheel)).folder == "."


SHIPPED = {"src/ship/__init__.py": "", "src/ship/tests/test_a.py": "import pytest\n"}


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({}, ["pytest", "--pyargs", "ship"]),
        ({"src/ship/tests/data.txt": ""}, ["pytest"]),
        ({"conftest.py": ""}, ["pytest"]),
        ({"tests/test_b.py": ""}, ["pytest"]),
        ({"pyproject.toml": "[tool.tagship]\ntest-command = 'tox'\n"}, ["tox"]),
    ],
    ids=["all shipped", "data left out", "a conftest", "others", "a command"],
)
def test_only_tests_that_the_wheel_ships_with_all_they_need_are_run_from_it(
    tmp_path: Path, more: dict[str, str], command: list[str]
) -> None:
    write(tmp_path, {**SHIPPED, **more})
    wheel = write_wheel(tmp_path / "dist", files={name[4:]: text for name, text in SHIPPED.items()})
    found = plan(tmp_path, str(wheel))
    assert (found.command, found.folder == ".") == (command, "--pyargs" not in command)


POETRY = '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'


@pytest.mark.parametrize(
    ("pyproject", "tool", "selection"),
    [
        (f'[dependency-groups]\ntest = ["pytest"]\n{POETRY}', "poetry", ["--with=test"]),
        (
            '[tool.poetry]\nrequires-poetry = "^2.1"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n',
            "poetry>=2.1,<3",
            ["--with=dev"],
        ),
        (
            f'[project.optional-dependencies]\ntests = ["pytest"]\n{POETRY}',
            "poetry",
            ["--extras=tests"],
        ),
        ('[tool.poetry.dev-dependencies]\npytest = "*"\n', "poetry", ["--with=dev"]),
    ],
)
def test_what_poetry_has_locked_is_asked_of_the_poetry_that_the_project_names(
    tmp_path: Path, pyproject: str, tool: str, selection: list[str]
) -> None:
    found = plan(write(tmp_path, {**PYTEST_FILE, "poetry.lock": "", "pyproject.toml": pyproject}))
    # What an extra holds is not looked at: pytest is asked for, and is there already.
    assert found.requires == (["pytest"] if "extras" in selection[0] else [])
    assert found.locked[found.locked.index("--from") + 1] == tool
    assert found.locked[found.locked.index("--with-credentials") + 1 :] == selection


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": f'[dependency-groups]\ntest = ["pytest"]\n{POETRY}'},
        {"poetry.lock": "", "pyproject.toml": '[dependency-groups]\ntest = ["pytest"]\n'},
        {"poetry.lock": "", "pyproject.toml": f'[tool.tagship]\ntest-requires = ["pytest"]\n{POETRY}'},
    ],
    ids=["no lock", "a lock left behind", "configured otherwise"],
)
def test_nothing_is_locked_where_poetry_is_not_what_says_so(tmp_path: Path, files: dict[str, str]) -> None:
    found = plan(write(tmp_path, {**PYTEST_FILE, **files}))
    assert (found.requires, found.locked) == (["pytest"], [])


def test_locked_tests_that_lack_pytest_still_get_it(tmp_path: Path) -> None:
    pyproject = f'[dependency-groups]\ntest = ["mock"]\n{POETRY}'
    assert plan(write(tmp_path, {**PYTEST_FILE, "poetry.lock": "", "pyproject.toml": pyproject})).requires == ["pytest"]
