"""The project's own tests: what is installed for them, and the proof that they tested the wheel."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tagship_suite.errors import ReleaseError
from tagship_suite.testing.plan import NO_TESTS, Plan, plans
from tagship_suite.testing.proof import Evidence, problems, read
from tests.archives import write_wheel
from tests.conftest import commit, nox, try_nox

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
BRANCH = {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"}
TABLE = "[tool.tagship]\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def planned(root: Path, folder: str = "", python: str = HERE) -> Plan:
    (plan,) = plans(root, folder, python, BRANCH)
    return plan


@pytest.mark.parametrize(
    ("pyproject", "arguments"),
    [
        (
            '[dependency-groups]\ntest = ["pytest>=8", {include-group = "More"}]\nmore = ["x"]\n',
            ["pytest>=8", "x", "."],
        ),
        ('[dependency-groups]\nTests = ["pytest"]\n', ["pytest", "."]),
        ('[project.optional-dependencies]\ntests = ["pytest"]\n', [".[tests]"]),
        ('[tool.poetry.extras]\ntest = ["pytest"]\n', [".[test]"]),
        ('[tool.setuptools.dynamic.optional-dependencies]\ntest = {file = "t.txt"}\n', [".[test]"]),
        (
            '[dependency-groups]\ntest = ["pytest"]\n[project.optional-dependencies]\ntest = ["x"]\n',
            ["pytest", "."],
        ),
        (
            (
                '[project.optional-dependencies]\ntest = ["x"]\n[dependency-groups]\ntest = ["y"]\n'
                f"{TABLE}test-groups = []\n"
            ),
            [".[test]"],
        ),
        (f'{TABLE}test-extras = ["a", "b"]\n[dependency-groups]\ntest = ["x"]\n', [".[a,b]"]),
        (f'{TABLE}test-groups = ["qa"]\n[dependency-groups]\nqa = ["x"]\ntest = ["y"]\n', ["x", "."]),
        (
            f'{TABLE}test-requires = ["pytest >= 8", "-r https://example.org/r.txt", "-e ./helper"]\n',
            ["pytest >= 8", "-r", "https://example.org/r.txt", "-e", "./helper", "."],
        ),
        (f'{TABLE}test-requires = []\n[dependency-groups]\ntest = ["x"]\n', ["."]),
        (f'{TABLE}test-command = "make check"\n', ["."]),
    ],
)
def test_what_the_tests_need_is_the_default_or_what_the_settings_name(
    pyproject: str, arguments: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"pyproject.toml": pyproject})
    assert [text.replace(str(tmp_path), ".") for text in planned(tmp_path).arguments] == arguments


def test_the_extras_of_a_dist_are_those_of_its_metadata(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "dist", extra=("Provides-Extra: docs", "Provides-Extra: tests"))
    assert planned(tmp_path, str(tmp_path / "dist")).arguments == [f"{wheel}[tests]"]


def test_files_of_requirements_are_found_from_the_root(tmp_path: Path) -> None:
    requires = 'test-requires = ["-r requirements/test.txt", "--constraint=c.txt"]\n'
    write(tmp_path, {"pyproject.toml": TABLE + requires, "requirements/test.txt": "", "c.txt": ""})
    first, second = str(tmp_path / "requirements/test.txt"), str(tmp_path / "c.txt")
    assert planned(tmp_path).arguments[:4] == ["-r", first, "--constraint", second]
    (tmp_path / "c.txt").unlink()
    with pytest.raises(ReleaseError, match=r"found '--constraint=c\.txt', expected an existing file"):
        planned(tmp_path)


@pytest.mark.parametrize(
    ("python", "file"), [("3.9", "old.txt"), ("3.10", "new.txt"), ("3.14t", "new.txt"), ("pypy3.9", "old.txt")]
)
def test_a_file_of_requirements_may_be_for_some_pythons(python: str, file: str, tmp_path: Path) -> None:
    lines = "\"-rold.txt ;python_version<'3.10'\", \"-r new.txt; python_version >= '3.10'\""
    write(tmp_path, {"pyproject.toml": f"{TABLE}test-requires = [{lines}]\n", "old.txt": "", "new.txt": ""})
    assert planned(tmp_path, python=python).arguments[:-1] == ["-r", str(tmp_path / file)]


@pytest.mark.parametrize("marker", ["python_verse > 3", "python_version ~= '3'", "'x' in extras"])
def test_a_marker_that_is_not_valid_is_one_line(marker: str, tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": f'{TABLE}test-requires = ["-r a.txt; {marker}"]\n', "a.txt": ""})
    match = rf"found {re.escape(repr(marker))}: [^\n]*, expected a marker after ';'; correct it"
    with pytest.raises(ReleaseError, match=match):
        planned(tmp_path)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ('test = [{include-group = "test"}]', "test includes itself"),
        ('test = [{include-group = "x"}]', "Dependency group 'x' not found"),
        ("test = [3]", "Invalid dependency group item: 3"),
        ('test = ["no requirement!"]', "no requirement!"),
        ("test = 'pytest'", "contained a string"),
    ],
)
def test_a_broken_dependency_group_is_one_line(groups: str, found: str, tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": f"[dependency-groups]\n{groups}\n"})
    with pytest.raises(ReleaseError) as error:
        planned(tmp_path)
    assert found in str(error.value)
    assert "correct [dependency-groups]" in str(error.value)


def test_if_nothing_is_named_the_error_has_the_lines_to_write(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError) as error:
        planned(write(tmp_path, {"pyproject.toml": '[project]\nname = "ship"\n', "requirements-test.txt": "pytest\n"}))
    assert str(error.value).splitlines() == [
        (
            "pyproject.toml [tool.tagship]: found nothing that the tests need, expected a dependency group or an extra "
            "called test; write one of these lines there: [test-command]"
        ),
        '  test-requires = ["pytest"]',
        "  test-command = []  # where there are no tests",
    ]


def test_the_empty_command_says_that_there_are_no_tests(tmp_path: Path) -> None:
    found = planned(write(tmp_path, {"pyproject.toml": f"{TABLE}test-command = []\n"}))
    assert (found.command, found.reason) == ((), NO_TESTS)


@pytest.mark.parametrize(
    "sources", ['helper = { path = "libs/helper" }', "helper = { workspace = true }", "", "other = { git = 'x' }"]
)
def test_a_path_or_member_of_the_workspace_is_never_taken_from_the_index(sources: str, tmp_path: Path) -> None:
    root = '[project]\nname = "ship"\n[dependency-groups]\ntest = ["helper"]\n[build-system]\nrequires = []\n'
    workspace = f"[tool.uv.workspace]\nmembers = ['libs/*']\n[tool.uv.sources]\n{sources}\n"
    helper = '[project]\nname = "Helper"\n[build-system]\nrequires = []\n'
    write(tmp_path, {"pyproject.toml": root + workspace, "libs/helper/pyproject.toml": helper})
    option, file = planned(tmp_path).arguments[1:3]
    lines = (tmp_path / file).read_text()
    assert (option, lines) == ("--constraint", f"helper @ {(tmp_path / 'libs/helper').as_uri()}\n")


# --- the proof ------------------------------------------------------------------------------------

CODE = "x = 1\n"
FLAT = {"ship/__init__.py": CODE, "ship/core.py": CODE, "tests/test_a.py": "", "conftest.py": ""}
SHIPPED = ("ship/__init__.py", "ship/core.py")


def judge(
    folder: Path,
    files: dict[str, str],
    loose: list[str],
    *,
    shipped: tuple[str, ...] = SHIPPED,
    imported: tuple[str, ...] = ("ship/__init__.py",),
    ran: tuple[int, ...] = (),
    kind: str = "module",
    text: str = CODE,
) -> list[str]:
    """Return what is wrong when the checkout's `loose` files ran and the wheel's `imported`, without codes."""
    checkout, site = write(folder / "checkout", files), write(folder / "site", dict.fromkeys(shipped, text))
    seen = {checkout / name: kind for name in loose} | {site / name: "module" for name in imported}
    found = map(str, problems(Evidence(checkout, site, frozenset(shipped), seen, ran), "ship.whl"))
    return [re.sub(r" \[[a-z-]+\]$", "", line) for line in found]


@pytest.mark.parametrize(
    "files",
    [
        {"tests/helpers.py": "", "tests/data/fake.py": "", "tests/sub/test_b.py": "", "tests/sub/__init__.py": ""},
        {"ship/tests/__init__.py": "", "ship/tests/test_b.py": "", "ship/tests/helpers.py": ""},
        {"ship/test_core.py": "", "ship/conftest.py": ""},
        {"checks/conftest.py": "", "checks/fake/__init__.py": ""},
        # What setuptools does not take for packages of a flat layout.
        {"docs/conf.py": "", "examples/__init__.py": "", "benchmarks/a.py": "", "setup.py": "", "_dev/a.py": ""},
        {"t/__init__.py": "", "t/mocks.py": "", "t/unit/test_a.py": ""},
        {"testing/__init__.py": "", "testing/support.py": ""},
        # An environment, and tests that mirror the names of what they test.
        {".venv/lib/site-packages/ship/core.py": CODE, "env/lib/site-packages/other.py": ""},
        {"qa/ship/__init__.py": "", "qa/ship/core.py": "import ship\n", "qa/test_a.py": ""},
    ],
    ids=[
        "helpers",
        "inside the package",
        "beside modules",
        "other folder",
        "no packages",
        "a folder t",
        "a folder testing",
        "environments",
        "a mirror",
    ],
)
def test_what_is_the_tests_own_may_come_from_the_checkout(files: dict[str, str], tmp_path: Path) -> None:
    assert judge(tmp_path, {**FLAT, **files}, ["tests/test_a.py", "conftest.py", *files]) == []


@pytest.mark.parametrize(
    ("layout", "loose", "module"),
    [
        (FLAT, "ship/forgotten.py", "ship.forgotten"),
        (FLAT, "ship/sub/__init__.py", "ship.sub"),
        (FLAT, "other/__init__.py", "other"),
        (FLAT, "alone.py", "alone"),
        ({"src/ship/core.py": CODE}, "src/other/__init__.py", "other"),
        ({"lib/ship/core.py": CODE}, "lib/other/deep/a.py", "other.deep.a"),
        (FLAT, "ship/_speedups.cpython-311-x86_64-linux-gnu.so", "ship._speedups"),
    ],
)
def test_a_module_that_the_wheel_lacks_is_named_with_its_path(
    layout: dict[str, str], loose: str, module: str, tmp_path: Path
) -> None:
    files = {**layout, loose: CODE, "tests/test_a.py": "", "conftest.py": ""}
    assert judge(tmp_path, files, [loose, "tests/test_a.py", "conftest.py"]) == [
        (
            f"{loose}: found module {module} imported from the checkout, expected the one in ship.whl; "
            "include it in the wheel, or move it to the tests"
        )
    ]
    assert judge(tmp_path, files, [loose], kind="script") == []


@pytest.mark.parametrize(
    ("written", "loose"),
    [
        ("import utils", "utils/__init__.py"),
        ("import utils.text", "utils/text.py"),
        ("import utils.text", "utils/__init__.py"),
        ("from testing.more import x", "testing/__init__.py"),
        ("from utils import text", "utils/text.py"),
        ("from utils.text import wrap", "utils/text.py"),
        ("def late():\n    from helper import a", "libs/helper/__init__.py"),
        ("import helper.deep.a", "libs/helper/deep/a.py"),
        ("import _fast", "libs/_fast.cpython-311-x86_64-linux-gnu.so"),
    ],
)
def test_what_the_wheel_imports_and_lacks_is_never_the_tests_own(written: str, loose: str, tmp_path: Path) -> None:
    layout = {"src/ship/core.py": CODE} if loose.startswith("libs/") else FLAT
    files = {**layout, loose: "", "tests/json.py": "", "tests/pytest.py": "", "tests/test_a.py": ""}
    seen = [loose, "tests/test_a.py", "tests/json.py", "tests/pytest.py"]
    assert judge(tmp_path / "without", files, seen) == []
    site = tmp_path / "with/site"
    write(site, {"pytest/__init__.py": ""})
    text = f"import json, pytest\nfrom . import utils, helper\n{written}\n"
    (line,) = judge(tmp_path / "with", files, seen, text=text)
    module = loose.partition(".")[0].replace("/", ".").removesuffix(".__init__")
    assert line == (
        f"{loose}: found module {module} imported from the checkout, expected the one in ship.whl, which imports it; "
        "include it in the wheel, or declare it as a dependency"
    )
    write(
        site, {"utils.py": "", "testing.py": "", "helper/__init__.py": "", "_fast.cpython-311-x86_64-linux-gnu.so": ""}
    )
    assert judge(tmp_path / "with", files, seen, text=text) == [], "it is a dependency of this name"


@pytest.mark.parametrize("source", ["", "src/", "lib/", "build/lib/", "python/"])
def test_a_module_of_the_wheel_that_ran_from_elsewhere_is_named(source: str, tmp_path: Path) -> None:
    (line,) = judge(tmp_path, {f"{source}ship/core.py": CODE}, [f"{source}ship/core.py"])
    assert line.startswith(f"{source}ship/core.py: found module ship.core run from the checkout, expected the one of")


def test_shipped_tests_may_run_from_the_checkout_as_long_as_they_are_the_same(tmp_path: Path) -> None:
    shipped = (*SHIPPED, "ship/tests/test_a.py")
    same, other = ({**FLAT, "ship/tests/test_a.py": text} for text in (CODE, "x = 2\n"))
    assert judge(tmp_path / "same", same, ["ship/tests/test_a.py"], shipped=shipped) == []
    (line,) = judge(tmp_path / "other", other, ["ship/tests/test_a.py"], shipped=shipped)
    assert line.startswith("ship/tests/test_a.py: found module ship.tests.test_a run from the checkout")


def test_a_module_that_is_run_as_a_script_may_be_that_of_the_checkout_as_long_as_it_is_the_same(tmp_path: Path) -> None:
    assert judge(tmp_path / "same", FLAT, ["ship/core.py"], kind="script") == []
    (line,) = judge(tmp_path / "other", {**FLAT, "ship/core.py": "x = 2\n"}, ["ship/core.py"], kind="script")
    assert line.startswith("ship/core.py: found module ship.core run from the checkout")


def test_a_script_that_could_read_data_that_the_wheel_lacks_proves_nothing(tmp_path: Path) -> None:
    files = {**FLAT, "ship/data/a.json": "{}", "ship/tests/b.txt": "", "ship/.cache": "", "README.md": ""}
    (line,) = judge(tmp_path / "lacks", files, ["ship/core.py"], kind="script")
    assert (
        "found module ship.core run from the checkout, expected the one of ship.whl, which lacks data/a.json; include"
        in line
    )
    assert judge(tmp_path / "has", files, ["ship/core.py"], kind="script", shipped=(*SHIPPED, "ship/data/a.json")) == []


@pytest.mark.parametrize("logs", [("script", "module"), ("module", "script")])
def test_a_file_that_is_both_run_and_imported_is_imported_whichever_process_was_first(
    logs: tuple[str, str], tmp_path: Path
) -> None:
    write(tmp_path, {f"{pid}.seen": f"{kind} /checkout/ship/core.py\n" for pid, kind in enumerate(logs)})
    write(tmp_path, {"installed": "/checkout\n/site\nship/core.py\n"})
    assert read(tmp_path).seen == {Path("/checkout/ship/core.py"): "module"}


def test_a_wheel_of_which_nothing_was_imported_is_not_proven(tmp_path: Path) -> None:
    assert judge(tmp_path, FLAT, ["tests/test_a.py"], imported=()) == [
        (
            "tests: found no module of ship.whl imported, expected at least one; correct what the wheel includes, or "
            "test-command; or set test-in-place = true in [tool.tagship]"
        )
    ]
    assert judge(tmp_path / "empty", FLAT, ["ship/core.py"], shipped=(), imported=()) == [
        (
            "ship.whl: found no module, expected the project's modules; "
            "include them, or set test-in-place = true in [tool.tagship] if the project has none"
        )
    ]


def test_no_test_at_all_is_a_failure_unless_another_run_had_some(tmp_path: Path) -> None:
    (line,) = judge(tmp_path, FLAT, [], ran=(0, 0))
    assert line.startswith("tests: found no test that ran, expected at least one")
    assert judge(tmp_path, FLAT, [], ran=(0, 3)) == []


def test_an_installed_test_module_that_ran_from_the_checkout_is_no_module_of_the_same_name(tmp_path: Path) -> None:
    one, name = tmp_path / "checkout/ship/tests/test_a.py", "lib/site-packages/ship/tests/test_a.py"
    for site in (tmp_path / "elsewhere", tmp_path / "checkout/.nox"):
        twins = {site / name: one}
        where = site / "lib/site-packages"
        seen = {where / "ship/a.py": "module"}
        evidence = Evidence(tmp_path / "checkout", where, frozenset({"ship/a.py"}), seen, (1,), twins)
        assert problems(evidence, "ship.whl") == []


def test_many_modules_are_not_all_named(tmp_path: Path) -> None:
    names = [f"ship/m{number}.py" for number in range(9)]
    lines = judge(tmp_path, FLAT | dict.fromkeys(names, CODE), names)
    assert (len(lines), lines[-1].split(",")[0]) == (6, "tests: found 4 more modules from the checkout")


# --- real sessions --------------------------------------------------------------------------------

SETUPTOOLS = """\
[project]
name = "ship"
version = "1.0"
requires-python = ">=3.10"
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[dependency-groups]
test = ["pytest", "pytest-xdist"]
"""
HATCHLING = SETUPTOOLS.replace("setuptools>=77", "hatchling").replace("setuptools.build_meta", "hatchling.build")
PACKAGES = "[tool.setuptools]\npackages = [{}]\n"
USES = "import ship\n\n\ndef test_one():\n    assert ship.one() == 1\n    assert 'site-packages' in ship.__file__\n"
UNITTEST = "import unittest, ship\n\n\nclass T(unittest.TestCase):\n    def test_one(self):\n        ship.one()\n"
PACKAGE = "def one():\n    return 1\n"
INSERTS = "import os, sys\n\nsys.path.insert(0, os.path.dirname(__file__))\n"
LAYOUT = {
    "pyproject.toml": SETUPTOOLS + PACKAGES.format('"ship"'),
    "ship/__init__.py": PACKAGE,
    "tests/__init__.py": "",
    "tests/test_one.py": USES,
    "conftest.py": INSERTS,
    ".gitignore": ".nox/\n/build/\n/dist/\n*.egg-info/\n__pycache__/\n",
}


def with_table(lines: str, packages: str = '"ship"') -> dict[str, str]:
    return {"pyproject.toml": f"{SETUPTOOLS}{PACKAGES.format(packages)}{TABLE}{lines}\n"}


GREEN: dict[str, dict[str, str]] = {
    "a test in parallel, the others skipped": {
        **with_table('test-command = "pytest -n 2"'),
        "tests/test_two.py": "import unittest\n\n\n@unittest.skip('x')\nclass T(unittest.TestCase):\n"
        "    def test_one(self): ...\n",
    },
    "subtests that are skipped": {
        **with_table('test-command = "python -m unittest discover -s tests -t ."'),
        "tests/test_one.py": f"{UNITTEST}        for number in range(3):\n            with self.subTest(number):\n"
        "                self.skipTest('x')\n",
    },
    "a script that only imports pytest": {
        **with_table('test-command = "python tests/test_one.py"'),
        "tests/test_one.py": f"import pytest\n{USES}\n\ntest_one()\n",
    },
    "a flat layout and a conftest that inserts the root": {},
    "pytest's pythonpath": {
        "pyproject.toml": SETUPTOOLS + '[tool.pytest.ini_options]\npythonpath = ["src"]\n',
        "src/ship/__init__.py": PACKAGE,
        "conftest.py": "",
    },
    "parallel processes": with_table('test-command = "pytest -n 2"'),
    "shipped tests with data that is not": {
        **with_table("", '"ship", "ship.tests"'),
        "tests/test_one.py": "from ship.tests import helpers\n",
        "ship/tests/__init__.py": "",
        "ship/tests/helpers.py": "",
        "ship/tests/test_two.py": "from pathlib import Path\nfrom . import helpers\n\n\ndef test_data():\n"
        "    assert Path(__file__).with_name('data.txt').read_text() == 'x'\n",
        "ship/tests/data.txt": "x",
    },
    "shipped tests in the mode importlib": {
        **with_table('test-command = "pytest --import-mode=importlib ship"', '"ship", "ship.tests"'),
        "ship/tests/__init__.py": "",
        "ship/tests/test_two.py": f"from ship import one\n{USES}",
    },
    "shipped tests of unittest": {
        **with_table('test-command = "python -m unittest discover -s tests -t ."', '"ship", "tests"'),
        "tests/test_one.py": UNITTEST,
    },
    "tests inside the package that are not shipped": {
        "ship/tests/__init__.py": "",
        "ship/tests/helpers.py": "",
        "ship/tests/test_two.py": "import ship.tests.helpers\n" + USES,
    },
    "doctests of the modules": {
        **with_table('test-command = "pytest --doctest-modules ship"'),
        "ship/__init__.py": f'"""A doctest.\n\n>>> "site-packages" in __file__\nTrue\n"""\n\n{PACKAGE}',
    },
    "sources read, git asked, a folder called build, an optional extension": {
        "ship/__init__.py": f"try:\n    from ship import _fast\nexcept ImportError:\n    _fast = None\n{PACKAGE}",
        "build/test_build.py": "import subprocess\nfrom pathlib import Path\n\nimport ship\n\n\ndef test_it():\n"
        "    assert Path('ship/__init__.py').read_text()\n"
        "    subprocess.run(['git', 'status'], check=True)\n",
        **with_table('test-command = "pytest build tests"'),
        ".gitignore": ".nox/\n/dist/\n",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("case", GREEN)
def test_a_sound_project_is_green_and_proven(case: str, suite: Path) -> None:
    commit(write(suite, {**LAYOUT, **GREEN[case]}))
    assert "nox > proven: the tests imported " in nox(suite, "-s", f"test-{HERE}").stdout


GREEN["tests by another name, a script, and the project's own exec()"] = {
    "pyproject.toml": LAYOUT["pyproject.toml"] + '[tool.pytest.ini_options]\npython_files = ["check_*.py"]\n',
    "checks/__init__.py": "",
    "checks/helper.py": "",
    "checks/check_one.py": "import subprocess, sys\nfrom pathlib import Path\n\nimport checks.helper\nimport ship\n\n\n"
    "def test_it():\n    subprocess.run([sys.executable, 'loose.py'], check=True)\n"
    "    exec(compile(Path('ship/__init__.py').read_text(), 'ship/__init__.py', 'exec'), {})\n",
    "loose.py": "import ship\n",
}
RED: dict[str, tuple[dict[str, str], str]] = {
    "a forgotten package": (
        {"other/__init__.py": "", "tests/test_one.py": f"import other\n{USES}"},
        "error: other/__init__.py: found module other imported from the checkout, expected the one in ship-1.0",
    ),
    "a forgotten package of a name that is usually not one": (
        {
            "utils/__init__.py": "def one():\n    return 1\n",
            "ship/__init__.py": "from utils import one\n",
            "tests/test_one.py": f"import utils\n{USES}",
        },
        "error: utils/__init__.py: found module utils imported from the checkout, expected the one in ship-1.0",
    ),
    "a forgotten module": (
        {
            "ship/forgotten.py": "",
            "pyproject.toml": HATCHLING + '[tool.hatch.build.targets.wheel]\nonly-include = ["ship/__init__.py"]\n',
            "tests/test_one.py": "import ship.forgotten\n" + USES,
        },
        "error: ship/forgotten.py: found module ship.forgotten imported from the checkout",
    ),
    "a forgotten subpackage": (
        {"ship/sub/__init__.py": "", "tests/test_one.py": "import ship.sub\n" + USES},
        "error: ship/sub/__init__.py: found module ship.sub imported from the checkout",
    ),
    "an empty wheel": (
        {**with_table("", ""), "tests/test_one.py": "import ship\n\n\ndef test_one():\n    assert ship.one() == 1\n"},
        "error: dist/ship-1.0-py3-none-any.whl: found no module, expected ship; add it to packages or package_data of",
    ),
    "a module that is loaded by its file": (
        {
            "tests/test_one.py": f"import runpy\n{USES}",
            "tests/test_two.py": "import runpy\n\n\ndef test_it():\n    runpy.run_path('ship/__init__.py')\n",
        },
        "error: ship/__init__.py: found module ship run from the checkout, expected the one of ship-1.0-py3-none-any",
    ),
    "a data file that the wheel lacks": (
        {
            "ship/data.txt": "1",
            "ship/__init__.py": "from pathlib import Path\n\n\ndef one():\n"
            "    return int(Path(__file__).with_name('data.txt').read_text())\n",
            **with_table('test-command = "pytest"'),
        },
        "FileNotFoundError",
    ),
    "unittest that finds nothing": (
        {
            **with_table('test-command = "python -m unittest discover -s checks -t ."'),
            "checks/__init__.py": "",
            "checks/test_none.py": "import ship\n",
        },
        "tests: found no test that ran",
    ),
    "pytest that skips all tests": (
        {"tests/test_one.py": f"import pytest\n{USES}\n\npytestmark = pytest.mark.skip\n"},
        "tests: found no test that ran, expected at least one",
    ),
    "pytest that finds nothing, as a module skips itself": (
        {"tests/test_one.py": f"import pytest\n\npytest.importorskip('nowhere')\n{USES}"},
        "tests: found no test that ran, expected at least one",
    ),
    "unittest that skips all tests": (
        {
            **with_table('test-command = "python -m unittest discover -s tests -t ."'),
            "tests/test_one.py": UNITTEST.replace("    def", "    @unittest.skip('x')\n    def"),
        },
        "tests: found no test that ran, expected at least one",
    ),
    "two test modules of one name": (
        {"tests/a/test_it.py": USES, "tests/b/test_it.py": USES},
        "tests/b/test_it.py: found the tests of tests/a/test_it.py instead of its own, expected modules of two names",
    ),
    "pytest without the plugin of an option": (
        {"pytest.ini": "[pytest]\naddopts = --cov=ship\n"},
        "found an error of pytest before any test, expected tests that run; see above; unrecognized arguments need",
    ),
    "pytest that is not named": (
        {"pyproject.toml": f'{SETUPTOOLS.partition("[dependency")[0]}{TABLE}test-requires = ["mock"]\n'},
        '  test-requires = ["pytest"]',
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", RED)
def test_what_the_wheel_lacks_or_nothing_tested_is_red(case: str, suite: Path) -> None:
    files, message = RED[case]
    commit(write(suite, {**LAYOUT, **files}))
    done = try_nox(suite, "-s", "build", f"test-{HERE}", "--", "--installpkg", "dist")
    assert (done.returncode, "Traceback (most recent call last)" in done.stdout) == (1, False), done.stdout
    assert message in done.stdout


@pytest.mark.slow
def test_in_place_says_that_the_wheel_was_not_proven(suite: Path, tmp_path: Path) -> None:
    files = {**with_table("test-in-place = true"), "tests/test_one.py": USES.replace("'site", "'no' or 'site")}
    commit(write(suite, {**LAYOUT, **files}))
    summary = tmp_path / "summary"
    done = nox(suite, "-s", f"test-{HERE}", GITHUB_STEP_SUMMARY=str(summary))
    said = "test-in-place is set: the wheel was installed, but nothing proves that the tests imported it"
    assert (said in done.stdout, said in summary.read_text(), "proven:" in done.stdout) == (True, True, False)


@pytest.mark.slow
def test_without_tests_the_session_is_skipped_and_says_so(suite: Path, tmp_path: Path) -> None:
    write(suite, {**LAYOUT, **with_table("test-command = []")})
    done = nox(suite, "-s", f"test-{HERE}", GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert f"skipped: nothing was tested: {NO_TESTS}" in done.stdout
    assert f"Nothing was tested: {NO_TESTS}" in (tmp_path / "summary").read_text()
