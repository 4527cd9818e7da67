"""Wheels for several platforms: the settings that adoption takes over from a workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship import suite
from tagship.adopt.plan import plan
from tagship.adopt.publishing.wheels import EMULATED, NAMES, REFUSED
from tagship_suite.files import tomllib
from tests.adopt.repositories import SETUP_CFG, make
from tests.adopt.test_todo import ON_TAGS, PUBLISH, UPLOAD, left_to_do
from tests.conftest import ROOT, run

if TYPE_CHECKING:
    from typing import Any

    from tagship.adopt.model import Adoption

WHEELS = f"""\
name: wheels
{ON_TAGS}jobs:
  publish:
    runs-on: ubuntu-latest
    permissions: {{ id-token: write }}
    steps:
      - uses: pypa/cibuildwheel@v3
        env: {{ CIBW_SKIP: pp* }}
{UPLOAD}"""


def adopted(folder: Path, wheels: str, **files: str) -> Adoption:
    return plan(make(folder, {**SETUP_CFG, ".github/workflows/wheels.yml": wheels, **files}))


def written(found: Adoption, path: str = "pyproject.toml") -> dict[str, Any]:
    return dict(tomllib.loads(found.text(Path(path)))["tool"]["cibuildwheel"])


def test_the_settings_of_a_workflow_that_builds_wheels_are_taken_over(tmp_path: Path) -> None:
    found = adopted(tmp_path / "thing", WHEELS)
    assert found.text(Path("pyproject.toml")).endswith(
        '[tool.cibuildwheel]\n# .github/workflows/wheels.yml:10\nskip = "pp*"\n'
    )
    assert b"BUILD_ON" in (found.changes[suite.WORKFLOW] or b"")
    assert suite.REQUIREMENTS / "wheels.txt" in found.changes
    assert "cibuildwheel" not in " ".join(found.todo)
    assert "cibuildwheel" not in " ".join(left_to_do(tmp_path / "other", publish=PUBLISH))


def test_what_is_no_single_literal_is_left_to_do_and_the_machines_are_named(tmp_path: Path) -> None:
    several = """env:
      CIBW_SKIP: pp*
      CIBW_ARCHS_LINUX: x86_64 aarch64
      CIBW_ARCHS_MACOS: universal2
      CIBW_BUILD_VERBOSITY: 1
      CIBW_TEST_COMMAND: ${{ matrix.command }}
      CIBW_BUILD: cp312-*
    strategy:
      matrix: {os: [windows-2025, macos-15, ubuntu-24.04-arm, ubuntu-24.04]}
    steps:
      - run: python -m pip install cibuildwheel==3.1
"""
    jobs = WHEELS.replace("    steps:\n", f"    {several}", 1).replace("ubuntu-latest", "${{ matrix.os }}")
    found = adopted(tmp_path / "thing", jobs)
    expected = {"skip": "pp*", "build-verbosity": 1, "build": "cp312-*", "macos": {"archs": "universal2"}}
    assert written(found) == expected
    assert found.todo[0].startswith(
        "complete [tool.cibuildwheel] in pyproject.toml with CIBW_ARCHS_LINUX, CIBW_TEST_COMMAND of "
        ".github/workflows/wheels.yml:20, not copied because each is computed"
    )
    assert 'BUILD_ON to ["ubuntu-24.04", "macos-15", "ubuntu-24.04-arm", "windows-2025"]' in found.todo[1]


@pytest.mark.parametrize(
    ("other", "settings", "lost"),
    [
        ("      - run: cibuildwheel\n        env: {CIBW_SKIP: cp39-*}\n", {}, "CIBW_SKIP of"),
        ("      - run: cibuildwheel\n", {}, "CIBW_SKIP of"),
        (
            "      - run: cibuildwheel\n        env: {CIBW_SKIP: pp*, CIBW_ARCHS_MACOS: arm64}\n",
            {"skip": "pp*", "macos": {"archs": "arm64"}},
            "",
        ),
        (
            "      - run: pipx run cibuildwheel==3\n        env: {CIBW_BUILD: cp39-*, CIBW_ARCHS_LINUX: armv7l}\n",
            {},
            "CIBW_SKIP, CIBW_BUILD, CIBW_ARCHS_LINUX of",
        ),
    ],
)
def test_what_differs_from_step_to_step_or_is_for_one_only_is_no_setting_of_all(
    other: str, settings: dict[str, str], lost: str, tmp_path: Path
) -> None:
    found = adopted(tmp_path / "thing", WHEELS.replace("      - uses: pypa/gh", f"{other}      - uses: pypa/gh"))
    assert written(found) == settings
    assert lost in found.todo[0]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CIBW_MANYLINUX_X86_64_IMAGE", "manylinux_2_28", {"manylinux-x86_64-image": "manylinux_2_28"}),
        ("CIBW_ENVIRONMENT_PASS_LINUX", "TOKEN", {"linux": {"environment-pass": "TOKEN"}}),
        (
            "CIBW_BEFORE_ALL",
            '|\n            echo "one"\n            echo two\n',
            {"before-all": 'echo "one"\necho two'},
        ),
        ("CIBW_REPAIR_WHEEL_COMMAND_MACOS", '""', {"macos": {"repair-wheel-command": ""}}),
        ("CIBW_ARCHS", '""', {}),
        ("CIBW_SKIP", "pp* *_ppc64le", {"skip": "pp* *_ppc64le"}),
        ("CIBW_OUTPUT_DIR", "dist", {}),
        ("CIBW_SKIP_LINUX", "pp*", {}),
        ("CIBW_FUTURE", "1", {}),
    ],
)
def test_only_settings_that_cibuildwheel_reads_from_pyproject_are_written(
    variable: str, value: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    found = adopted(tmp_path / "thing", WHEELS.replace("{ CIBW_SKIP: pp* }", f"\n          {variable}: {value}"))
    assert written(found) == expected


@pytest.mark.parametrize(
    "step", ["uses: PyO3/maturin-action@v1", "uses: pypa/cibuildwheel@v3\n        with: {config-file: ci/wheels.toml}"]
)
def test_settings_that_are_elsewhere_are_left_to_do(step: str, tmp_path: Path) -> None:
    wheels = WHEELS.replace("uses: pypa/cibuildwheel@v3\n        env: { CIBW_SKIP: pp* }", step)
    found = adopted(tmp_path / "thing", wheels)
    assert "cibuildwheel" not in found.text(Path("pyproject.toml"))
    assert found.todo[0].startswith(
        "add [tool.cibuildwheel] to pyproject.toml, with the settings of .github/workflows/wheels.yml:10 (CIBW_*)"
    )


FAST = {
    "python/setup.py": """from setuptools import Extension, setup
setup(name="fast", version="1.0", packages=["fast"], ext_modules=[Extension("fast._x", ["x.c"])])
""",
    "python/fast/__init__.py": "",
}
SETTINGS = '[tool.cibuildwheel]\nskip = "pp*"\n'


def test_the_settings_for_wheels_go_into_the_folder_of_the_project(tmp_path: Path) -> None:
    workflow = {".github/workflows/wheels.yml": WHEELS}
    found = plan(make(tmp_path / "thing", {**FAST, **workflow}))
    assert written(found, "python/pyproject.toml") == {"skip": "pp*"}
    several = {"pyproject.toml": '[tool.tagship]\npackages = ["python", "pure"]\n', "python/pyproject.toml": SETTINGS}
    pure = {"pure/setup.py": 'from setuptools import setup\nsetup(name="pure", version="1.0")\n', "pure/pure.py": ""}
    both = plan(make(tmp_path / "both", {**FAST, **workflow, **several, **pure}))
    assert "cibuildwheel" not in " ".join(both.todo)
    assert "cibuildwheel" not in both.text(Path("pure/pyproject.toml"))


def test_a_compiled_project_in_a_folder_has_the_tools_for_its_wheels_from_the_beginning(tmp_path: Path) -> None:
    found = plan(make(tmp_path / "thing", {**FAST, "python/pyproject.toml": SETTINGS}))
    assert suite.REQUIREMENTS / "wheels.txt" in found.changes
    assert b"BUILD_ON" in (found.changes[suite.WORKFLOW] or b"")


POETRY_BUILD = """[build-system]
requires = ["poetry-core", "setuptools"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "thing"
version = "1.2.0"
[tool.poetry.build]
script = "build.py"
"""


@pytest.mark.parametrize(("script", "expected"), [("ext = [Extension('x', ['x.c'])]\n", True), ("print()\n", False)])
def test_a_build_script_of_poetry_may_compile(script: str, expected: bool, tmp_path: Path) -> None:
    files = {"pyproject.toml": POETRY_BUILD, "build.py": script, "thing/__init__.py": ""}
    todo = plan(make(tmp_path / "thing", files)).todo
    assert ("as the project has compiled code" in " ".join(todo)) is expected


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ("from setuptools import Extension\nsetup(ext_modules=[Extension('x', ['x.c'])])\n", True),
        ("setup(ext_modules=[])\n", False),
        ("setup(rust_extensions=make())\n", True),
    ],
)
def test_compiled_code_needs_wheels_of_several_platforms(setup: str, expected: bool, tmp_path: Path) -> None:
    files = {**SETUP_CFG, "setup.py": f"from setuptools import setup\n{setup}"}
    todo = plan(make(tmp_path / "thing", files)).todo
    assert ("as the project has compiled code" in " ".join(todo)) is expected


@pytest.mark.slow
def test_the_settings_are_those_that_the_locked_cibuildwheel_reads(tmp_path: Path) -> None:
    lock = ROOT / suite.REQUIREMENTS / "wheels.txt"
    run("uv", "pip", "install", "--no-deps", "--require-hashes", f"--target={tmp_path}", f"-r{lock}", cwd=ROOT)
    schema = json.loads((tmp_path / "cibuildwheel/resources/cibuildwheel.schema.json").read_text())
    platforms = ("linux", "macos", "windows", "pyodide", "android", "ios")
    tables = {"": schema["properties"], **{name: schema["properties"][name]["properties"] for name in platforms}}
    for platform, table in tables.items():
        ours = {key for key in NAMES.values() if not (platform and REFUSED.fullmatch(f"{platform}.{key}"))}
        theirs = {key for key in table if not EMULATED.search(key)} - {*platforms, "overrides", "inherit"}
        assert ours == theirs, platform
