"""Repositories to rehearse: the default project, with and without dists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import commit, git, nox
from tests.rehearse.command import HERE


def _committed(project: Path) -> Path:
    pyproject = project / "pyproject.toml"
    others = rf'\n  "Programming Language :: Python :: (?!{re.escape(HERE)}")[\d.]+",'
    pyproject.write_text(re.sub(others, "", pyproject.read_text()))
    commit(project)
    git(project, "remote", "add", "origin", "git@github.com:Octo/my-package.git")
    return project


@pytest.fixture
def repository(project: Path) -> Path:
    """A generated project, for this Python alone, committed and pushed to GitHub by name."""
    return _committed(project)


@pytest.fixture(scope="session")
def _made(_generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its dists; made once, as building takes most of a test's time."""
    return Path(shutil.copytree(_generated, tmp_path_factory.mktemp("made") / _generated.name))


@pytest.fixture
def built(
    _made: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The same with its dists, for quick rehearsals, which share a cache."""
    if not (_made / ".git").exists():
        nox(_committed(_made), "-s", "build")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    return Path(shutil.copytree(_made, tmp_path / _made.name, ignore=shutil.ignore_patterns(".nox")))
