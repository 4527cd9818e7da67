"""Versions that are written in a module or come from git's tags, with the real backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import commit, copy_suite, git, nox, run, try_nox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PROJECT = '[project]\nname = "ship"\nversion = "1.2.0"\n'
DYNAMIC = '[project]\nname = "ship"\ndynamic = ["version"]\n'
#: In a module; the build backend reads it from there.
MODULE = {
    "hatchling": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    + DYNAMIC
    + '[tool.hatch.version]\npath = "ship/__init__.py"\n',
    "setuptools": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    + DYNAMIC
    + '[tool.setuptools]\npackages = ["ship"]\n[tool.setuptools.dynamic]\nversion = { attr = "ship.__version__" }\n',
    "flit": '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
    '[project]\nname = "ship"\ndynamic = ["version", "description"]\n',
    "pdm": '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
    + DYNAMIC
    + '[tool.pdm.version]\nsource = "file"\npath = "ship/__init__.py"\n',
}
#: From the tags.
TAGS = {
    "hatch-vcs": '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
    + DYNAMIC
    + '[tool.hatch.version]\nsource = "vcs"\n',
    "setuptools-scm": '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n'
    'build-backend = "setuptools.build_meta"\n'
    + DYNAMIC
    + '[tool.setuptools]\npackages = ["ship"]\n[tool.setuptools_scm]\n',
    "pdm": '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
    + DYNAMIC
    + '[tool.pdm.version]\nsource = "scm"\n',
    "poetry-dynamic-versioning": '[build-system]\nrequires = ["poetry-core", "poetry-dynamic-versioning"]\n'
    'build-backend = "poetry_dynamic_versioning.backend"\n'
    '[tool.poetry]\nname = "ship"\nversion = "0.0.0"\ndescription = ""\nauthors = []\n'
    "[tool.poetry-dynamic-versioning]\nenable = true\n",
}


def repository(folder: Path, pyproject: str, module: str) -> Path:
    """Make a repository with one commit that holds the suite and one package."""
    copy_suite(folder)
    (folder / ".gitignore").write_text("/.nox/\n/dist/\n/bundle/\n__pycache__/\n*.egg-info/\n/build/\n.pdm-build/\n")
    (folder / "pyproject.toml").write_text(pyproject)
    (folder / "ship").mkdir()
    (folder / "ship/__init__.py").write_text(module)
    commit(folder)
    return folder


@pytest.mark.parametrize("backend", MODULE)
def test_a_version_in_a_module_is_built_and_compared_with_the_tag(backend: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "ship", MODULE[backend], '"""Ship."""\n\n__version__ = "1.2.0"\n')
    git(folder, "tag", "v1.2.0")
    nox(folder, "-s", "build", "verify-version")
    assert (folder / "bundle/dist/ship-1.2.0.tar.gz").is_file()


@pytest.mark.parametrize("tool", TAGS)
def test_a_version_from_tags_passes_on_its_tag_and_says_why_it_does_not_elsewhere(tool: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "ship", TAGS[tool], "")
    git(folder, "tag", "v1.2.0")
    nox(folder, "-s", "build", "verify-version")
    assert (folder / "bundle/dist/ship-1.2.0.tar.gz").is_file()
    (folder / "ship/__init__.py").write_text("changed = True\n")
    dirty = try_nox(folder, "-s", "build", "verify-version")
    assert dirty.returncode == 1
    assert "error: git: found 1 changed files (ship/__init__.py)" in dirty.stdout
    git(folder, "commit", "-qam", "later")
    git(folder, "tag", "v1.3.0")
    shallow = tmp_path / "shallow"
    run("git", "clone", "-q", "--depth=1", "--no-tags", folder.as_uri(), shallow, cwd=tmp_path)
    done = try_nox(shallow, "-s", "build", "verify-version", GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v1.3.0")
    assert done.returncode == 1
    assert "error: git: found a shallow clone" in done.stdout
