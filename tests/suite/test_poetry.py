"""Poetry's lock file, and private registries with credentials, for what a build and the tests need."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.archives import write_wheel
from tests.conftest import copy_suite, nox, run, try_nox
from tests.servers import Pypiserver
from tests.template.support import generate, tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_tests_get_exactly_what_is_locked(tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend="poetry")
    assert "1 passed" in nox(project, "-s", f"test-{HERE}").stdout
    python = next((project / ".nox").glob("test-*/bin/python"))
    listed = run("uv", "pip", "list", "--format=json", "--quiet", "--python", python, cwd=project).stdout
    installed = {package["name"]: package["version"] for package in json.loads(listed)}
    assert installed.pop("my-package") == "0.1.0"
    packages = tomllib.loads((project / "poetry.lock").read_text(encoding="utf-8"))["package"]
    locked = {package["name"]: package["version"] for package in packages if "test" in package["groups"]}
    assert "pytest" in installed
    assert installed.items() <= locked.items()


def test_a_lock_file_that_is_older_than_pyproject_toml_is_refused(tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend="poetry")
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("dependencies = []", 'dependencies = ["packaging"]'))
    done = try_nox(project, "-s", f"test-{HERE}")
    assert done.returncode == 1
    assert "Run `poetry lock` to fix the lock file" in done.stdout


PRIVATE = """
[build-system]
requires = ["poetry-core", "private-builder"]
build-backend = "poetry.core.masonry.api"

[project]
name = "ship"
version = "1.0"
requires-python = ">=3.10"

[dependency-groups]
test = ["private-helper"]

[tool.poetry]
requires-poetry = ">=2.2"

[[tool.poetry.source]]
name = "private"
url = "{url}simple/"
priority = "primary"

[tool.tagship]
test-command = "python -c 'import private_helper, ship'"
"""


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Pypiserver]:
    """An index that shows nothing to whoever has no password."""
    with Pypiserver(tmp_path / "private", authenticate=["list", "download", "update"]) as server:
        write_wheel(server.folder, "private_builder")
        write_wheel(server.folder, "private_helper")
        yield server


def test_a_build_and_its_tests_use_a_private_registry_with_the_credentials_in_the_environment(
    private: Pypiserver, tmp_path: Path
) -> None:
    project = copy_suite(tmp_path / "project")
    (project / "pyproject.toml").write_text(PRIVATE.format(url=private.url))
    (project / "ship").mkdir()
    (project / "ship/__init__.py").write_text("")
    poetry = {"POETRY_HTTP_BASIC_PRIVATE_USERNAME": "maintainer", "POETRY_HTTP_BASIC_PRIVATE_PASSWORD": "secret"}
    uv = {"UV_INDEX": f"http://maintainer:secret@{private.url.removeprefix('http://')}simple/"}
    run("uv", "tool", "run", "poetry", "lock", cwd=project, HOME=str(tmp_path), **poetry)
    assert try_nox(project, "-s", "build").returncode == 1
    done = nox(project, "-s", "build", "test", "--", "--installpkg", "dist", **poetry, **uv)
    assert "secret@" not in done.stdout
    assert "maintainer:" not in (project / "poetry.lock").read_text()


def test_pips_variables_serve_a_project_that_does_not_use_poetry(private: Pypiserver, tmp_path: Path) -> None:
    project = copy_suite(tmp_path / "project")
    (project / "setup.py").write_text("from setuptools import setup\nsetup(name='ship', version='1.0')\n")
    command = "test-command = \"python -c 'import private_helper'\"\n"
    (project / "pyproject.toml").write_text(f'[tool.tagship]\ntest-requires = ["private-helper"]\n{command}')
    pip = {"PIP_EXTRA_INDEX_URL": f"http://maintainer:secret@{private.url.removeprefix('http://')}simple/"}
    nox(project, "-s", "test", "--default-venv-backend", "virtualenv", **pip)
