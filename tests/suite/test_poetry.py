"""Projects of Poetry, and private registries with credentials, for what a build and the tests need."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.archives import write_wheel
from tests.conftest import commit, copy_suite, git, nox, try_nox
from tests.servers import Pypiserver
from tests.suite.test_workflow import PRIVATE
from tests.template.support import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_poetry_core_that_the_project_names_builds_and_no_poetry_is_there(tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend="poetry")
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("poetry-core>=2.2", "poetry-core==2.2.0"))
    commit(project)
    git(project, "tag", "v0.1.0")
    assert shutil.which("poetry") is None
    nox(project, "-s", "build", "verify-version")
    with zipfile.ZipFile(next((project / "bundle/dist").glob("*.whl"))) as wheel:
        assert "Generator: poetry-core 2.2.0\n" in wheel.read("my_package-0.1.0.dist-info/WHEEL").decode()
    assert not list((project / ".nox").glob("*/bin/poetry"))


POETRY = """
[build-system]
requires = ["poetry-core", "private-builder"]
build-backend = "poetry.core.masonry.api"

[project]
name = "ship"
version = "1.0"
classifiers = ["Programming Language :: Python :: {here}"]

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


def index(server: Pypiserver) -> dict[str, str]:
    """The variables of the steps that build and test, made of the secret PRIVATE_INDEX as the workflow makes them."""
    return dict.fromkeys(PRIVATE, server.simple)


def test_build_and_tests_use_a_private_registry_with_a_password(private: Pypiserver, tmp_path: Path) -> None:
    project = copy_suite(tmp_path / "project")
    (project / "pyproject.toml").write_text(POETRY.format(url=private.url, here=HERE))
    (project / "ship").mkdir()
    (project / "ship/__init__.py").write_text("")
    assert try_nox(project, "-s", "build", **dict.fromkeys(PRIVATE, "")).returncode == 1
    done = nox(project, "-s", "build", "test", "--", "--installpkg", "dist", **index(private))
    assert "secret@" not in done.stdout


def test_the_same_secret_serves_uv_and_pip_if_there_is_no_poetry(private: Pypiserver, tmp_path: Path) -> None:
    project = copy_suite(tmp_path / "project")
    (project / "setup.py").write_text(
        "from setuptools import setup\nsetup(name='ship', version='1.0', py_modules=['ship'])\n"
    )
    (project / "ship.py").write_text("")
    command = "test-command = \"python -c 'import private_helper, ship'\"\n"
    (project / "pyproject.toml").write_text(f'[tool.tagship]\ntest-requires = ["private-helper"]\n{command}')
    for backend in ("uv", "virtualenv"):
        nox(project, "-s", "test", "--default-venv-backend", backend, **index(private))
