"""`inv release`, in a generated project and elsewhere."""

from __future__ import annotations

import re
import shutil
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, commit, git, release, try_release, try_run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

TODAY = f"{datetime.now(timezone.utc):%Y-%m-%d}"


@pytest.fixture
def repository(project: Path) -> Path:
    """A generated project, committed, with a bare remote."""
    commit(project, "the first")
    git(project, "clone", "-q", "--bare", ".", "../remote.git")
    git(project, "remote", "add", "origin", "../remote.git")
    return project


def inv_release(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return try_run(sys.executable, "-m", "invoke", "release", *arguments, cwd=cwd)


def refusal(cwd: Path, *arguments: str) -> str:
    before = git(cwd, "rev-parse", "HEAD"), git(cwd, "tag"), git(cwd, "status", "--porcelain")
    done = inv_release(cwd, *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert before == (git(cwd, "rev-parse", "HEAD"), git(cwd, "tag"), git(cwd, "status", "--porcelain"))
    return done.stdout


def test_patch_bumps_dates_the_changelog_commits_and_tags(repository: Path) -> None:
    done = inv_release(repository, "patch")
    assert done.returncode == 0, done.stdout
    assert "git push --atomic origin main v0.1.1" in done.stdout
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "tag", "--points-at", "HEAD") == "v0.1.1"
    assert git(repository, "cat-file", "-t", "v0.1.1") == "tag"
    assert git(repository, "log", "-1", "--format=%s") == "Release 0.1.1"
    assert sorted(git(repository, "diff", "--name-only", "HEAD~").splitlines()) == [
        "CHANGELOG.md",
        "pyproject.toml",
    ]
    assert 'version = "0.1.1"' in (repository / "pyproject.toml").read_text()
    changelog = (repository / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[?Unreleased\]?\n\n## \[?0\.1\.1\]? - {TODAY}\n", changelog, re.MULTILINE)
    assert git(repository, "ls-remote", "--tags", "origin") == ""


@pytest.mark.parametrize(("wanted", "released"), [("2026.03.01", "2026.03.01"), ("patch", "2026.02.04")])
def test_a_calendar_version_keeps_its_zeros(repository: Path, wanted: str, released: str) -> None:
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('version = "0.1.0"', 'version = "2026.02.03"'))
    commit(repository)
    git(repository, "tag", "2026.02.03")
    done = inv_release(repository, wanted)
    assert done.returncode == 0, done.stdout
    assert git(repository, "tag", "--points-at", "HEAD") == released
    assert git(repository, "log", "-1", "--format=%s") == f"Release {released}"
    assert f'version = "{released}"' in pyproject.read_text()
    assert f"{released} - {TODAY}" in (repository / "CHANGELOG.md").read_text()


def test_no_shell_is_needed(repository: Path, tmp_path: Path) -> None:
    """No shell is available everywhere: Windows has no bash, and other quoting rules."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    command = (sys.executable, "-m", "invoke", "release", "0.2.0; exit 3")
    done = try_run(*command, cwd=repository, PATH=str(tmp_path / "bin"))
    assert done.returncode == 1
    assert "error: version: found '0.2.0; exit 3'" in done.stdout
    assert try_run(*command[:-1], "0.2.0", cwd=repository, PATH=str(tmp_path / "bin")).returncode == 0
    assert git(repository, "tag", "--points-at", "HEAD") == "v0.2.0"


def test_it_works_in_a_folder_below_the_root(repository: Path) -> None:
    done = inv_release(repository / "tests", "patch")
    assert done.returncode == 0, done.stdout
    assert git(repository, "tag", "--points-at", "HEAD") == "v0.1.1"


@pytest.mark.parametrize(
    ("copy", "cwd", "root"),
    [
        ("thing/.github/release", "thing/docs", "thing"),
        ("thing/.github/release", "other", "thing"),
        ("other/thing/src", "other/thing/docs", "other/thing"),
        ("elsewhere", "other/docs", "other"),
    ],
)
def test_the_root_is_that_of_the_suite_or_else_the_one_above(copy: str, cwd: str, root: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src/tagship_suite", tmp_path / copy / "tagship_suite")
    for folder in ("thing", "other", "other/thing"):
        (tmp_path / folder / "docs").mkdir(parents=True)
        (tmp_path / folder / ".github/release/requirements").mkdir(parents=True)
    code = "import os; from tagship_suite.tasks import enter_root; enter_root(); print(os.getcwd())"
    said = try_run(sys.executable, "-c", code, cwd=tmp_path / cwd, PYTHONPATH=str(tmp_path / copy)).stdout
    assert said == f"{tmp_path / root}\n"


def test_push_pushes_the_commit_and_the_tag(repository: Path) -> None:
    done = inv_release(repository, "minor", "--push")
    assert done.returncode == 0, done.stdout
    assert "refs/tags/v0.2.0" in git(repository, "ls-remote", "--tags", "origin")
    assert git(repository, "rev-parse", "HEAD") == git(repository, "ls-remote", "origin", "main").split()[0]


def test_a_push_to_nowhere_is_refused_before_anything_is_done(repository: Path) -> None:
    git(repository, "remote", "remove", "origin")
    said = refusal(repository, "minor", "--push")
    assert "found no remote 'origin', expected one to push to; run: git remote add origin URL" in said


def test_if_git_cannot_answer_nothing_is_released(repository: Path) -> None:
    index = (repository / ".git/index").read_bytes()
    (repository / ".git/index").write_bytes(b"broken")  # which is neither a clean tree nor one with changes
    done = inv_release(repository, "minor")
    assert done.returncode == 1
    assert "git status: found no answer (" in done.stdout
    (repository / ".git/index").write_bytes(index)
    assert git(repository, "status", "--porcelain") == git(repository, "tag") == ""
    done = try_release(repository, "cut", "minor", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert done.returncode == 1
    assert "found no answer (fatal: detected dubious ownership in repository" in done.stdout
    assert f"run: git config --global --add safe.directory {repository}" in done.stdout


def test_current_releases_the_version_unchanged(repository: Path) -> None:
    done = inv_release(repository, "current")
    assert done.returncode == 0, done.stdout
    assert git(repository, "tag") == "v0.1.0"
    assert f"0.1.0 - {TODAY}" in (repository / "CHANGELOG.md").read_text().replace("[", "").replace("]", "")


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1.0rc1"])
def test_a_version_that_is_not_greater_is_refused(repository: Path, version: str) -> None:
    assert f"version: found '{version}', expected one greater than '0.1.0'" in refusal(repository, version)


def test_a_local_version_is_refused(repository: Path) -> None:
    assert "version: found '1.0+x', expected '1.0'" in refusal(repository, "1.0+x")


@pytest.mark.parametrize("version", ["huge", "1.0;id", "１.0"])
def test_what_is_no_version_is_refused(repository: Path, version: str) -> None:
    assert f"version: found {version!r}, expected major, minor, patch, current or a version" in refusal(
        repository, version
    )


def test_a_tag_that_exists_is_refused(repository: Path) -> None:
    git(repository, "tag", "v0.1.1")
    words = "tag 'v0.1.1': found one of that name, expected a new one; release the next version"
    assert words in refusal(repository, "patch")


def test_a_dirty_tree_is_refused_and_unchanged(repository: Path) -> None:
    (repository / "new.txt").write_text("mine")
    (repository / "README.md").write_text("mine too")
    words = "working tree: found 2 changed files (README.md, new.txt), expected a clean one; commit or stash them"
    assert words in refusal(repository, "patch")
    assert (repository / "new.txt").read_text() == "mine"


def test_what_is_not_committed_is_named_in_full(repository: Path) -> None:
    (repository / "naïve notes 1.txt").write_text("mine")
    assert "found 1 changed files (naïve notes 1.txt), expected a clean one" in refusal(repository, "patch")


def test_a_wrong_branch_is_refused(repository: Path) -> None:
    git(repository, "switch", "-qc", "topic")
    assert "branch: found 'topic', expected 'main' or 'master'" in refusal(repository, "patch")
    git(repository, "checkout", "-q", "--detach")
    assert "branch: found 'none'" in refusal(repository, "patch")


def test_release_branches_of_the_project_count(repository: Path) -> None:
    with (repository / "pyproject.toml").open("a") as file:
        file.write('\n[tool.tagship]\nrelease-branches = ["stable"]\n')
    commit(repository)
    assert "branch: found 'main', expected 'stable'" in refusal(repository, "patch")


def test_all_reasons_are_reported_at_once(repository: Path) -> None:
    git(repository, "switch", "-qc", "topic")
    git(repository, "tag", "v0.1.0")
    (repository / "new.txt").write_text("mine")
    said = refusal(repository, "0.1.0")
    assert all(words in said for words in ("working tree:", "version:", "tag 'v0.1.0':", "branch:"))


def test_no_repository_and_no_commit_are_refused(project: Path) -> None:
    assert "git: found no commit" in inv_release(project, "patch").stdout
    git(project, "init", "-q")
    assert "git: found no commit" in inv_release(project, "patch").stdout


def test_a_commit_that_a_hook_rejects_leaves_nothing_behind(repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    assert "git commit: not today" in refusal(repository, "patch")


def test_a_tag_that_cannot_be_created_undoes_its_commit(repository: Path) -> None:
    git(repository, "config", "tag.gpgSign", "true")
    git(repository, "config", "gpg.program", "false")
    assert "git tag:" in refusal(repository, "patch")


def test_the_form_of_the_newest_tag_is_kept(suite: Path) -> None:
    (suite / "setup.py").write_text('from setuptools import setup\nsetup(name="ship", version="1.9.0")\n')
    (suite / "CHANGES.rst").write_text("Changes\n=======\n\nUnreleased\n----------\n\n* one\n")
    commit(suite)
    git(suite, "tag", "RELEASE_1.9.0")
    release(suite, "cut", "minor")
    assert git(suite, "tag", "--points-at", "HEAD") == "RELEASE_1.10.0"
    assert 'version="1.10.0"' in (suite / "setup.py").read_text()
    title = f"1.10.0 - {TODAY}"
    assert (suite / "CHANGES.rst").read_text() == (
        f"Changes\n=======\n\nUnreleased\n----------\n\n{title}\n{'-' * len(title)}\n\n* one\n"
    )


def test_a_tag_such_as_rel_1_9_0_is_followed_by_one_like_it(suite: Path) -> None:
    (suite / "setup.py").write_text('from setuptools import setup\nsetup(name="ship", version="1.9.0")\n')
    commit(suite)
    git(suite, "tag", "rel_1_9_0")
    release(suite, "cut", "1.10.0b1")
    assert git(suite, "tag", "--points-at", "HEAD") == "rel_1_10_0b1"
    assert 'version="1.10.0b1"' in (suite / "setup.py").read_text()


def test_a_version_from_git_needs_only_the_tag(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(
        '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'
    )
    commit(suite)
    git(suite, "tag", "v1.2.3")
    commit(suite)
    head = git(suite, "rev-parse", "HEAD")
    release(suite, "cut", "patch")
    assert git(suite, "tag", "--points-at", head) == "v1.2.4"


def test_tags_with_a_prefix_that_only_the_build_knows_are_a_note(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(
        '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'
    )
    commit(suite)
    git(suite, "tag", "py-v1.2.3")
    said = release(suite, "cut", "2.0").stdout
    assert "note: py-v1.2.3 is no tag of ship: if the build reads such tags, make its tag pattern match v2.0" in said
    git(suite, "tag", "-d", "py-v1.2.3")
    assert "is no tag of" not in release(suite, "cut", "3.0").stdout


def test_a_branch_that_is_behind_is_refused_before_anything_is_committed(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "remote.git", "other")
    commit(tmp_path / "other")
    git(tmp_path / "other", "push", "-q", "origin", "HEAD")
    assert "git push:" in refusal(repository, "patch", "--push")
    git(repository, "remote", "set-url", "origin", "../nowhere.git")
    assert "'../nowhere.git' does not appear to be a git repository" in refusal(repository, "patch", "--push")


def test_every_place_that_names_the_version_is_bumped(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(
        '[project]\nname = "ship"\ndescription = """\nversion = "1.0"\n"""\nversion = "1.0"\n'
        '[tool.tagship]\nversion-file = "docs.py"\nversion-pattern = \'release = "(.*)"\'\n'
    )
    (suite / "docs.py").write_text('release = "1.0"\n')
    (suite / "ship").mkdir()
    (suite / "ship/__init__.py").write_bytes(b'\xef\xbb\xbf"""Doc."""\r\n__version__ = "1.0"  # now\r\n')
    (suite / "other.py").write_text('__version__ = "7.7"\n')
    commit(suite)
    release(suite, "cut", "minor")
    assert (suite / "docs.py").read_text() == 'release = "1.1.0"\n'
    assert (suite / "ship/__init__.py").read_bytes() == b'\xef\xbb\xbf"""Doc."""\r\n__version__ = "1.1.0"  # now\r\n'
    assert (suite / "other.py").read_text() == '__version__ = "7.7"\n'
    assert '"""\nversion = "1.1.0"\n' in (suite / "pyproject.toml").read_text()
    (suite / "docs.py").write_text('release = "1.0.9"\n')
    commit(suite)
    done = try_release(suite, "cut", "patch")
    assert "docs.py: found '1.0.9', expected '1.1.0' as in pyproject.toml" in done.stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Changes\r\n\r\n## Unreleased\r\n\r\n- x\r\n", "## Unreleased\r\n\r\n## 0.1.1 - {}\r\n\r\n- x\r\n"),
        ("# Changes\n\n## [Unreleased]\n- x", "## [Unreleased]\n\n## [0.1.1] - {}\n- x"),
        ("# Changes\n\n## 0.1.1 (unreleased)\n\n- x\n", "# Changes\n\n## 0.1.1 - {}\n\n- x\n"),
    ],
)
def test_changelogs_of_every_form_are_dated(repository: Path, before: str, after: str) -> None:
    (repository / "CHANGELOG.md").write_bytes(before.encode())
    git(repository, "config", "core.autocrlf", "false")
    (repository / ".gitattributes").unlink()
    commit(repository)
    assert inv_release(repository, "patch").returncode == 0
    assert after.format(TODAY) in (repository / "CHANGELOG.md").read_bytes().decode()


def test_a_changelog_without_that_heading_is_mentioned(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("# Changes\n")
    commit(repository)
    assert "note: CHANGELOG.md: no heading 'Unreleased' to date" in inv_release(repository, "patch").stdout


@pytest.mark.parametrize("name", ["GIT_TRACE", "GIT_TRACE_SETUP", "GIT_TRACE2"])
def test_what_git_traces_is_no_failure(repository: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    done = inv_release(repository, "patch")
    assert done.returncode == 0, done.stdout


def test_git_in_use_by_another_loses_nothing(repository: Path) -> None:
    (repository / ".git/index.lock").write_text("")
    before = (repository / "pyproject.toml").read_text()
    done = inv_release(repository, "patch")
    assert "git add:" in done.stdout
    assert "index.lock" in done.stdout
    assert (repository / "pyproject.toml").read_text() == before


def test_without_any_version_current_is_refused(suite: Path) -> None:
    (suite / "pyproject.toml").write_text('[project]\nname = "ship"\n[tool.hatch.version]\nsource = "vcs"\n')
    commit(suite)
    done = try_release(suite, "cut", "current")
    assert "tags: found none before HEAD, expected one to derive the version from" in done.stdout
    assert git(suite, "tag") == ""


def test_a_changelog_that_names_another_version_is_not_dated(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("# Changes\n\n## 7.0.0 (unreleased)\n\n- New.\n")
    commit(repository)
    before = git(repository, "rev-parse", "HEAD")
    done = try_release(repository, "cut", "patch")
    assert done.returncode == 1
    assert "CHANGELOG.md: found the heading '7.0.0', expected" in done.stdout
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "status", "--porcelain")) == (before, "")
