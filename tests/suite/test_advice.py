"""What a refusal advises: the remedy fits the cause, ends the trouble, and destroys nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.archives import write_release, write_wheel
from tests.conftest import commit, git, nox, release, try_nox, try_release

if TYPE_CHECKING:
    from pathlib import Path

SCM = """\
[build-system]
requires = ["setuptools", "setuptools-scm"]
build-backend = "setuptools.build_meta"
[project]
name = "ship"
dynamic = ["version"]
[tool.setuptools]
packages = ["ship"]
[tool.setuptools_scm]
"""
WRITTEN = SCM + 'version_file = "ship/_version.py"\n'
IGNORED = "/.nox/\n/dist/\n/bundle/\n__pycache__/\n*.egg-info/\n/build/\n"
DESTRUCTIVE = re.compile("delete|--force|-f |reset|--hard|push :")


def on_tag(tag: str) -> dict[str, str]:
    return {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag}


def errors(text: str) -> list[str]:
    assert "Traceback" not in text, text
    found = [line for line in text.splitlines() if line.startswith("error: ")]
    assert not any(map(DESTRUCTIVE.search, found)), found
    return found


def refused(folder: Path, **env: str) -> list[str]:
    done = try_release(folder, "verify", **env)
    assert done.returncode == 1, done.stdout
    return errors(done.stdout)


@pytest.fixture
def repository(suite: Path) -> Path:
    (suite / ".gitignore").write_text(IGNORED)
    commit(suite)
    return suite


@pytest.mark.parametrize("tag", ["chart-2.0.1", "docs-1.2", "web/v3.0.0", "other@1.0"])
def test_a_tag_of_something_else_is_a_note_here_and_no_release_of_this_project_in_ci(
    repository: Path, tag: str
) -> None:
    write_release(repository / "dist")
    git(repository, "tag", tag)
    said = release(repository, "verify").stdout
    assert f"note: on tag '{tag}', not of ship: the tag is compared when there is one" in said
    (error,) = refused(repository, **on_tag(tag))
    assert "this tag is not of ship and releases nothing; to release it, push v1.0" in error


def test_a_tag_of_something_else_beside_the_right_one_is_in_nobodys_way(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "chart-2.0.1")
    git(repository, "tag", "v1.0")
    assert "tag 'v1.0'" in release(repository, "verify").stdout


def test_a_broken_tag_of_the_project_itself_is_no_note(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "v1.0-final")
    (error,) = refused(repository)
    assert "tag 'v1.0-final': found no version" in error


def test_the_wrong_one_of_two_is_told_what_to_push_and_what_to_set(repository: Path) -> None:
    write_release(repository / "dist", body='__version__ = "1.0"\n')
    (error,) = refused(repository, **on_tag("v1.1"))
    assert error.endswith("; push v1.0 if that is right; else set the version, commit, and tag the new commit")


@pytest.mark.parametrize("before", ["v1.1rc1", "chart-1.1rc1"])
def test_another_tag_at_the_commit_is_named_where_the_version_came_from_it(repository: Path, before: str) -> None:
    (repository / "pyproject.toml").write_text(SCM)
    commit(repository)
    git(repository, "tag", before)
    git(repository, "tag", "v1.1")
    write_release(repository / "dist", version="1.1rc1")
    (error,) = refused(repository, **on_tag("v1.1"))
    assert f"git: found tag '{before}' at this commit too, expected only 'v1.1'; tag a commit of its own" in error


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("setup.cfg", "[egg_info]\ntag_build = dev\ntag_date = 1\n"),
        ("setup.cfg", "[egg_info]\ntag_build = dev\ntag_date = 0\n"),
        ("pyproject.toml", '[tool.distutils.egg_info]\ntag_build = "dev"\n'),
    ],
)
def test_what_setuptools_appends_is_named_where_the_tag_is_right(repository: Path, file: str, text: str) -> None:
    (repository / file).write_text(text)
    commit(repository)
    version = "1.0.dev20260101"
    write_release(repository / "dist", version=version, body='__version__ = "1.0"\n')
    found = refused(repository, **on_tag("v1.0"))
    assert "error: setuptools [egg_info]: found tag_build = dev, expected no tag_build and no tag_date" in found[0]
    assert len(found) == 1 + ("tag_date = 1" in text)


def test_a_tag_build_that_is_empty_is_not_blamed(repository: Path) -> None:
    (repository / "setup.cfg").write_text("[egg_info]\ntag_build =\ntag_date = 0\n")
    commit(repository)
    write_release(repository / "dist")
    (error,) = refused(repository, **on_tag("v1.1"))
    assert "tag 'v1.1'" in error


def test_a_changed_file_that_holds_another_text_with_the_version_is_to_be_committed(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(WRITTEN + "# CHANGES.md\n")
    (repository / "CHANGES.md").write_text("")
    commit(repository)
    git(repository, "tag", "v1.0")
    (repository / "CHANGES.md").write_text("## 1.0\n")
    write_release(repository / "dist")
    (error,) = refused(repository)
    assert "git: found 1 changed files (CHANGES.md), expected a clean tree; commit or stash them" in error


@pytest.mark.slow
def test_a_committed_version_file_is_to_be_ignored_and_that_ends_it(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(WRITTEN)
    (repository / "ship").mkdir()
    (repository / "ship/__init__.py").write_text("")
    (repository / "ship/_version.py").write_text('__version__ = version = "0.9"\n')
    commit(repository)
    git(repository, "tag", "v1.0.0")
    done = try_nox(repository, "-s", "build", "verify-version")
    assert done.returncode == 1
    (error,) = [line for line in errors(done.stdout) if "git:" in line]
    assert "git: found 1 files that the build writes (ship/_version.py), expected none of them in git" in error
    assert "run: git rm --cached ship/_version.py; add it to .gitignore, commit" in error
    git(repository, "rm", "-q", "--cached", "ship/_version.py")
    (repository / ".gitignore").write_text(f"{IGNORED}_version.py\n")
    commit(repository)
    git(repository, "tag", "v1.0.1")
    nox(repository, "-s", "build", "verify-version")


def test_a_wheel_from_before_a_second_one_is_not_explained_by_the_tag(repository: Path) -> None:
    write_release(repository / "dist")
    write_wheel(repository / "dist", version="1.1")
    assert any("clean dist/ and run: nox -s build" in error for error in refused(repository, **on_tag("v1.0")))
