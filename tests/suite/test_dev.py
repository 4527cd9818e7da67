"""Dev builds: a push to the branch in `dev-builds` is built, verified, and published to TestPyPI only."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

import tagship_suite.gate.dev as dev
from tagship import suite
from tagship_suite.errors import ReleaseError
from tests.archives import write_release
from tests.conftest import NOXFILE, commit, copy_suite, git, nox, release, try_release
from tests.suite.publishing import PUSH, REGISTERED, serving

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REF_NAME": "main",
    "GITHUB_RUN_NUMBER": "45",
}
STATIC = """\
[build-system]
requires = ["flit-core"]
build-backend = "flit_core.buildapi"
[project]
name = "ship"
version = "1.2.0"
description = "Ships"
requires-python = ">=3.10"
[tool.tagship]
dev-builds = "main"
"""
FROM_GIT = STATIC.replace("flit-core", "hatchling", 1).replace("flit_core.buildapi", "hatchling.build")
FROM_GIT = FROM_GIT.replace('["hatchling"]', '["hatchling", "hatch-vcs"]').replace(
    'version = "1.2.0"', 'dynamic = ["version"]'
)
FROM_GIT += '[tool.hatch.version]\nsource = "vcs"\n'


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back the variables that a dev build sets for git."""
    for role, what in product(("AUTHOR", "COMMITTER"), ("NAME", "EMAIL", "DATE")):
        monkeypatch.setenv(f"GIT_{role}_{what}", "")
        monkeypatch.delenv(f"GIT_{role}_{what}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = copy_suite(tmp_path / "ship")
    (folder / "noxfile.py").write_text(NOXFILE)
    (folder / suite.WORKFLOW).write_bytes(suite.workflow(dev=True))
    (folder / "ship").mkdir()
    (folder / "ship/__init__.py").write_text('"""Ships."""\n')
    (folder / "pyproject.toml").write_text(STATIC)
    (folder / ".gitignore").write_text("dist/\nbundle/\n.nox/\n__pycache__/\n")
    return folder


def checkout(repository: Path, to: Path) -> Path:
    """Return a clone, as each job has one of its own."""
    git(repository, "clone", "-q", ".", str(to))
    return to


def outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


@pytest.mark.slow
def test_a_push_to_the_branch_goes_to_testpypi_as_the_next_version(repository: Path, tmp_path: Path) -> None:
    """Of a project whose version comes from git; one with a written version goes through the whole workflow in act."""
    (repository / "pyproject.toml").write_text(FROM_GIT)
    commit(repository)
    git(repository, "tag", "v1.2.0")
    commit(repository, "one more")
    build, gate = checkout(repository, tmp_path / "build"), checkout(repository, tmp_path / "gate")
    nox(build, "-s", "build", **BRANCH)
    names = ["ship-1.2.1.dev45-py3-none-any.whl", "ship-1.2.1.dev45.tar.gz"]
    assert sorted(path.name for path in (build / "dist").iterdir()) == names
    (build / "dist").rename(gate / "dist")
    release(gate, "verify", **BRANCH, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert outputs(tmp_path / "output")["dev"] == "on"
    bundle = (gate / "bundle").rename(tmp_path / "bundle")
    with serving(tmp_path / "index") as servers:
        servers.index.register(replace(REGISTERED, environment="testpypi"), "testpypi")
        job = {**servers.job(PUSH, "testpypi"), **BRANCH}
        release(bundle, "publish", "testpypi", "--no-attestations", **job)
        assert sorted(file.filename for file in servers.index.files("ship", "testpypi")) == names
        refused = try_release(bundle, "publish", "pypi", "--no-attestations", **{**servers.job(PUSH, "pypi"), **BRANCH})
        assert refused.returncode == 1
        assert "found branch 'main', expected a tag such as 'v1.2.1.dev45': only a tag is published" in refused.stdout
        assert servers.index.files("ship", "pypi") == []
    assert git(repository, "tag") == "v1.2.0"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2", "1.2.1.dev45"),
        ("1.3.0.dev0", "1.3.0.dev45"),
        ("2.0rc1", "2.0rc2.dev45"),
        ("2026.02.03", "2026.02.04.dev45"),
    ],
)
def test_the_version_is_greater_than_the_one_that_is_written(repository: Path, version: str, expected: str) -> None:
    (repository / "pyproject.toml").write_text(STATIC.replace("1.2.0", version))
    commit(repository)
    time = git(repository, "log", "-1", "--format=%ct")
    assert dev.make_tag(repository, BRANCH) == {**BRANCH, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": f"v{expected}"}
    assert f'version = "{expected}"' in (repository / "pyproject.toml").read_text()
    assert git(repository, "log", "-1", "--format=%ct") == time, "another attempt must build the same bytes"


def test_the_branch_may_be_any_and_the_changelog_may_have_nothing_new(repository: Path) -> None:
    settings = 'dev-builds = "develop"\nrelease-branches = ["main"]\n'
    (repository / "pyproject.toml").write_text(STATIC.replace('dev-builds = "main"\n', settings))
    (repository / "CHANGELOG.md").write_text(changelog := "## Unreleased\n\n## 1.2.0 - 2026-01-02\n\n- Ships.\n")
    commit(repository)
    git(repository, "checkout", "-q", "-b", "develop")
    write_release(repository / "dist", version="1.2.1.dev45")
    done = release(repository, "verify", **{**BRANCH, "GITHUB_REF_NAME": "develop"})
    assert "2 dists that may be published" in done.stdout
    assert (repository / "CHANGELOG.md").read_text() == changelog


@pytest.mark.parametrize(
    "other",
    [
        {"GITHUB_EVENT_NAME": "pull_request"},
        {"GITHUB_REF_NAME": "feature"},
        {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.2.0"},
        {"GITHUB_RUN_NUMBER": "of a commit that is released"},
    ],
)
def test_any_other_run_is_unchanged(repository: Path, other: dict[str, str]) -> None:
    commit(repository)
    if "GITHUB_RUN_NUMBER" in other:
        git(repository, "tag", "v1.2.0")
    before = git(repository, "rev-parse", "HEAD"), git(repository, "tag")
    environ = {**BRANCH, **other}
    assert dev.make_tag(repository, environ) is environ
    assert dev.accepted(repository, "1.2.1", environ) is environ
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "tag")) == before


def test_of_several_distributions_only_those_in_lockstep_have_dev_builds(repository: Path) -> None:
    for name in ("ship-a", "ship-b"):
        (repository / "packages" / name).mkdir(parents=True)
        own = f'[build-system]\n[project]\nname = "{name}"\nversion = "1.2.0"\n'
        (repository / "packages" / name / "pyproject.toml").write_text(own)
    settings = '[tool.tagship]\ndev-builds = "main"\npackages = ["packages/*"]\n'
    (repository / "pyproject.toml").write_text(settings)
    commit(repository)
    with pytest.raises(ReleaseError, match="dev-builds: found several distributions, expected one, or lockstep"):
        dev.make_tag(repository, BRANCH)
    assert git(repository, "tag") == ""
    (repository / "pyproject.toml").write_text(f"{settings}lockstep = true\n")
    commit(repository)
    assert dev.make_tag(repository, BRANCH)["GITHUB_REF_NAME"] == "v1.2.1.dev45"


def test_a_workflow_from_before_the_setting_is_not_silently_one_that_publishes_nothing(repository: Path) -> None:
    (repository / suite.WORKFLOW).write_bytes(suite.workflow())
    commit(repository)
    with pytest.raises(ReleaseError, match="found a workflow without dev builds, expected"):
        dev.make_tag(repository, BRANCH)
    assert git(repository, "tag") == ""


def test_without_the_setting_a_push_releases_nothing(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(STATIC.replace('dev-builds = "main"', ""))
    commit(repository)
    assert dev.make_tag(repository, BRANCH) is BRANCH
    assert dev.accepted(repository, "1.2.1.dev45", BRANCH) is BRANCH
