"""Projects and template repositories that several tests look at, each made once."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .support import CHOICES, ROOT, TEMPLATE, environment, generate


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the rendered hooks, which cookiecutter never deletes, where pytest deletes them."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    yield
    tempfile.tempdir = before


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project generated from the default answers; tests only read it."""
    return generate(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a project for each build backend; tests only read them."""
    backends = CHOICES["build_backend"]
    return {backend: generate(tmp_path_factory.mktemp(backend), build_backend=backend) for backend in backends}


@pytest.fixture
def template_repository(tmp_path: Path) -> Path:
    """Return a git repository of its own that holds the template as it is in the working tree."""
    repository = tmp_path / "tagship"
    for folder in (ROOT / "hooks", ROOT / "templates", TEMPLATE):
        shutil.copytree(folder, repository / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cookiecutter.json", "copier.yml"):
        shutil.copy(ROOT / name, repository)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", *command], cwd=repository, env=environment(tmp_path), check=True)
    return repository
