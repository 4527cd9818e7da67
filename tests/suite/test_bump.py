"""What `inv release` changes besides the version, which tag it creates, and that a refusal leaves nothing behind."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tagship_suite.errors import ReleaseError, within
from tests.conftest import commit, git, run, try_run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

WORDS = datetime.now(timezone.utc)
TODAY = f"{WORDS:%Y-%m-%d}"
STATIC = '[project]\nname = "ship-it"\nversion = "1.0.0"\n'
FROM_GIT = '[project]\nname = "ship-it"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def started(folder: Path, files: dict[str, str]) -> Path:
    """Commit `files` in the repository `folder`, and clone it as its own remote."""
    write(folder, files)
    commit(folder, "the first")
    git(folder, "clone", "-q", "--bare", ".", "../remote.git")
    git(folder, "remote", "add", "origin", "../remote.git")
    return folder


def inv(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return try_run(sys.executable, "-m", "invoke", "release", *arguments, cwd=cwd)


def released(cwd: Path, *arguments: str) -> str:
    done = inv(cwd, *arguments)
    assert done.returncode == 0, done.stdout
    assert git(cwd, "status", "--porcelain") == ""
    return done.stdout


def state(cwd: Path) -> tuple[str | bytes, ...]:
    index = git(cwd, "ls-files", "--stage")
    paths = [path for path in sorted(cwd.rglob("*")) if path.is_file() and not {".git", "__pycache__"} & {*path.parts}]
    files = (path.read_bytes() for path in paths)
    return git(cwd, "rev-parse", "HEAD"), git(cwd, "tag"), git(cwd, "status", "--porcelain"), index, *files


def refused(cwd: Path, *arguments: str) -> str:
    before = state(cwd)
    done = inv(cwd, *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert state(cwd) == before
    return done.stdout


def hook(repository: Path, name: str, script: str) -> None:
    path = (repository / ".git" if (repository / ".git").exists() else repository) / "hooks" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


UV_LOCK = """version = 1\r
\r
[[package]]\r
name = "other"\r
version = "1.0.0"\r
source = {{ registry = "https://pypi.org/simple" }}\r
\r
[[package]]\r
name = "ship-it"\r
version = "{}"\r
source = {{ editable = "." }}\r
"""
CARGO = '[package]\nname = "shipit"\nversion = "{}"\n[dependencies]\nother = "1.0.0"\n'
CARGO_LOCK = """[[package]]
name = "other"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "shipit"
version = "{}"
dependencies = ["other"]
"""
MATURIN = '[build-system]\nbuild-backend = "maturin"\n[project]\nname = "ship-it"\ndynamic = ["version"]\n'


@pytest.mark.parametrize(
    ("wanted", "semver"), [("1.1.0rc1", "1.1.0-rc.1"), ("2.0.0", "2.0.0"), ("2.0a3", "2.0.0-alpha.3")]
)
def test_locks_and_manifests_get_the_version_in_their_own_syntax(suite: Path, wanted: str, semver: str) -> None:
    locks = {"uv.lock": UV_LOCK.format("1.0.0"), "Cargo.lock": CARGO_LOCK.format("1.0.0")}
    started(suite, {"pyproject.toml": MATURIN, "Cargo.toml": CARGO.format("1.0.0"), **locks})
    released(suite, wanted)
    assert git(suite, "tag", "--points-at", "HEAD") == f"v{wanted}"
    assert (suite / "Cargo.toml").read_text() == CARGO.format(semver)
    assert (suite / "Cargo.lock").read_text() == CARGO_LOCK.format(semver)
    assert (suite / "uv.lock").read_bytes().decode() == UV_LOCK.format(wanted)
    assert released(suite, "patch").startswith("v")


def test_a_version_that_cargo_cannot_express_is_refused(suite: Path) -> None:
    started(suite, {"pyproject.toml": MATURIN, "Cargo.toml": CARGO.format("1.0.0")})
    assert "Cargo.toml: found '1.0.0.post1', expected X.Y.Z" in refused(suite, "1.0.0.post1")


def test_the_crates_of_a_workspace_get_its_version(suite: Path) -> None:
    workspace = '[workspace]\nmembers = ["rust"]\n[workspace.package]\nversion = "{}"\n'
    inherits = '[package]\nname = "shipit"\nversion = { workspace = true }\n'
    pyproject = MATURIN + '[tool.maturin]\nmanifest-path = "rust/Cargo.toml"\n'
    cargo = {
        "Cargo.toml": workspace.format("1.0.0"),
        "rust/Cargo.toml": inherits,
        "Cargo.lock": CARGO_LOCK.format("1.0.0"),
    }
    started(suite, {"pyproject.toml": pyproject, **cargo})
    released(suite, "minor")
    assert (suite / "Cargo.toml").read_text() == workspace.format("1.1.0")
    assert (suite / "Cargo.lock").read_text() == CARGO_LOCK.format("1.1.0")


ELSEWHERE = {
    "pyproject.toml": STATIC
    + '[tool.commitizen]\nversion = "1.0.0"\n[tool.bumpversion]\ncurrent_version = "1.0.0"\n[tool.other]\n'
    'v = "1.0.0"\n',
    "CITATION.cff": "cff-version: 1.0.0\nversion: '1.0.0'\ndate-released: 2020-01-02\n",
    "docs/conf.py": 'project = "x"\nrelease = "1.0.0"\nversion = "1.0"\n',
    "setup.py": "from setuptools import setup\nsetup(version='1.0.0')\n",
    "setup.cfg": "[metadata]\nversion = 1.0.0\n[other]\nneeds = 1.0.0\n",
    "VERSION": "1.0.0\n",
    "package.json": '{"dependencies": {"x": "1.0.0"}, "version": "1.0.0"}\n',
    "ship_it/_version.py": '__version__ = "1.0.0"\n',
}


def test_every_place_that_certainly_has_the_version_is_changed(suite: Path) -> None:
    started(suite, ELSEWHERE)
    assert "note:" not in released(suite, "1.1.0rc1")
    new = {name: (suite / name).read_text() for name in ELSEWHERE}
    assert new["pyproject.toml"].count('ersion = "1.1.0rc1"') == 3
    assert 'v = "1.0.0"' in new["pyproject.toml"]
    assert new["CITATION.cff"] == f"cff-version: 1.0.0\nversion: '1.1.0rc1'\ndate-released: {TODAY}\n"
    assert new["docs/conf.py"].endswith('release = "1.1.0rc1"\nversion = "1.1"\n')
    assert "version='1.1.0rc1'" in new["setup.py"]
    assert new["setup.cfg"] == "[metadata]\nversion = 1.1.0rc1\n[other]\nneeds = 1.0.0\n"
    assert new["VERSION"] == "1.1.0rc1\n"
    assert new["package.json"] == '{"dependencies": {"x": "1.0.0"}, "version": "1.1.0-rc.1"}\n'
    assert new["ship_it/_version.py"] == '__version__ = "1.1.0rc1"\n'


def test_what_may_name_the_version_is_not_changed_but_named(suite: Path) -> None:
    uncertain = {
        "README.md": "# It\n\n![](https://img.shields.io/badge/version-1.0.0-blue)\n",
        "docs/install.md": "pip install ship_it==1.0.0\n\nSince 1.0.0 it has a hull.\n",
        "tools/pyproject.toml": '[project]\nname = "tools"\nversion = "1.0.0"\n',
        "ship_it/_vendor/other/__init__.py": '__version__ = "1.0.0"\n',
        "ship_it/info.py": 'VERSION = (1, 0, 0, "final")\n',
    }
    unrelated = {"CHANGELOG.md": "## Unreleased\n\n- x\n\n## Version 1.0.0\n", "requirements.txt": "version==1.0.0\n"}
    unrelated["docs/versionhistory.rst"] = "**1.0.0**\n\n- The first version.\n"
    other = {"docs/api.md": ".. versionadded:: 1.0.0\nversion 1.0.0.1, 11.0.0, version >= (1, 0, 0)\n"}
    said = released(started(suite, {"pyproject.toml": STATIC, **uncertain, **unrelated, **other}), "minor")
    places = ["README.md:3", "docs/install.md:1", "ship_it/_vendor/other/__init__.py:1", "ship_it/info.py:1"]
    places.append("tools/pyproject.toml:3")
    assert f"note: {', '.join(places)}: may name 1.0.0 as the version of this project; update them if so" in said
    assert (suite / "tools/pyproject.toml").read_text() == uncertain["tools/pyproject.toml"]


def test_a_version_from_git_is_changed_where_else_it_is_written(suite: Path) -> None:
    started(suite, {"pyproject.toml": FROM_GIT, "CITATION.cff": "version: 1.0.0\n"})
    git(suite, "tag", "v1.0.0")
    released(suite, "minor")
    assert (suite / "CITATION.cff").read_text() == "version: 1.1.0\n"


def test_a_comment_about_versioneer_derives_nothing(suite: Path) -> None:
    setup = "from setuptools import setup\n# was versioneer.get_version()\nsetup(name='ship-it', version='{}')\n"
    started(suite, {"setup.py": setup.format("1.4.0")})
    released(suite, "patch")
    assert (suite / "setup.py").read_text() == setup.format("1.4.1")
    assert git(suite, "tag") == "v1.4.1"


def test_a_maintenance_branch_continues_from_its_own_tags(suite: Path) -> None:
    started(suite, {"pyproject.toml": FROM_GIT})
    git(suite, "tag", "v1.4.0")
    git(suite, "branch", "1.x")
    commit(suite, "two")
    git(suite, "tag", "v2.0.0")
    git(suite, "switch", "-q", "1.x")
    commit(suite, "one")
    assert released(suite, "patch").startswith("v1.4.1: tagged here")
    assert "branch: found '1.x', expected 'main' or 'master'" in refused(suite, "2.0.1")
    git(suite, "switch", "-q", "main")
    commit(suite, "two again")
    assert released(suite, "patch").startswith("v2.0.1")


def test_without_a_tag_before_head_no_version_is_invented(suite: Path, tmp_path: Path) -> None:
    started(suite, {"pyproject.toml": FROM_GIT})
    git(suite, "switch", "-q", "--orphan", "old")
    commit(suite)
    git(suite, "tag", "release-1.4.0")
    git(suite, "switch", "-q", "main")
    assert "tags: found none before HEAD, but release-1.4.0 elsewhere" in refused(suite, "patch")
    assert released(suite, "1.5.0").startswith("release-1.5.0")
    commit(suite)
    git(tmp_path, "clone", "-q", "--depth=1", suite.as_uri(), "shallow")
    assert "found a shallow clone, expected the earlier tags; run: git fetch" in refused(tmp_path / "shallow", "patch")


def test_a_calendar_version_keeps_the_form_of_the_tags_before(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC.replace("1.0.0", "2026.11.15")})
    git(suite, "tag", "2026.02.03")
    git(suite, "tag", "2026.11.15")
    assert released(suite, "2026.12.1").startswith("2026.12.01")
    assert released(suite, "2027.1.2rc1").startswith("2027.01.02rc1")


LINKS = (
    "[unreleased]: https://github.com/o/r/compare/v1.0.0...HEAD\n[1.0.0]: https://github.com/o/r/releases/tag/v1.0.0\n"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"## [Unreleased]\n\n- x\n\n## [1.0.0]\n\n{LINKS}",
            f"## [Unreleased]\n\n## [1.1.0] - {TODAY}\n\n- x\n\n## [1.0.0]\n\n"
            "[unreleased]: https://github.com/o/r/compare/v1.1.0...HEAD\n"
            "[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0\n" + LINKS.splitlines(keepends=True)[1],
        ),
        (
            "## [Unreleased](https://gitlab.com/o/r/-/compare/1.0.0...main)\r\n\r\n- x\r\n",
            (
                "## [Unreleased](https://gitlab.com/o/r/-/compare/v1.1.0...main)\r\n\r\n"
                f"## [1.1.0](https://gitlab.com/o/r/-/compare/1.0.0...v1.1.0) - {TODAY}\r\n\r\n- x\r\n"
            ),
        ),
        ("## Unreleased\n\n### Added\n\n### Fixed\n\n- x\n", f"## 1.1.0 - {TODAY}\n\n### Added\n\n### Fixed\n\n- x\n"),
        ("## 1.1.0 - 2026-01-01\n\n- x\n", "## 1.1.0 - 2026-01-01\n\n- x\n"),
        ("## 1.1.0 - Unreleased\n\n- x\n", f"## 1.1.0 - {TODAY}\n\n- x\n"),
        # In the form of the release before it.
        ("## Unreleased\n\n- x\n\n## 1.0.0\n\n- y\n", "## 1.1.0\n\n- x\n\n## 1.0.0\n\n- y\n"),
        (
            "1.1 (unreleased)\n----------------\n\n- x\n\n1.0 (2026-01-31)\n----------------\n",
            f"1.1.0 ({TODAY})\n------------------\n\n- x\n\n1.0 (2026-01-31)\n----------------\n",
        ),
        (
            "Unreleased\n---\n\n- x\n\nVersion 1.0\n-----------\r\n\r\n*2026/01/31*\r\n\r\n- y\n",
            (
                f"Version 1.1.0\n-------------\n\n*{TODAY.replace('-', '/')}*\n\n- x\n\nVersion 1.0\n"
                "-----------\r\n\r\n*2026/01/31*\r\n\r\n- y\n"
            ),
        ),
        (
            "## Unreleased\n\n- x\n\n## v1.0 (Jan 9, 2026)\n",
            f"## v1.1.0 ({WORDS:%b} {WORDS.day}, {WORDS.year})\n\n- x\n\n## v1.0 (Jan 9, 2026)\n",
        ),
        (
            "# Unreleased\n- x\n# 1.0\nReleased on 31 January 2026.\n",
            f"# 1.1.0\n\nReleased on {WORDS.day} {WORDS:%B} {WORDS.year}.\n- x\n# 1.0\nReleased on 31 January 2026.\n",
        ),
        (
            "`Unreleased`_\n===\n\n- x\n\n`1.0.0`_ (2026-01-31)\n===\n\n.. _Unreleased: https://x.org/compare/1.0.0...main\n",
            (
                f"`Unreleased`_\n===\n\n`1.1.0`_ ({TODAY})\n{'=' * 21}\n\n- x\n\n`1.0.0`_ (2026-01-31)\n===\n\n"
                ".. _Unreleased: https://x.org/compare/v1.1.0...main\n.. _1.1.0: https://x.org/compare/1.0.0...v1.1.0\n"
            ),
        ),
        (
            "`Unreleased <https://x.org/compare/1.0...main>`__\n---\n\n- x\n\n`v1.0 <https://x.org/0.9>`__\n---\n",
            (
                "`Unreleased <https://x.org/compare/v1.1.0...main>`__\n------\n\n"
                f"`v1.1.0 <https://x.org/compare/1.0...v1.1.0>`__\n{'-' * 47}\n\n- x\n\n`v1.0 <https://x.org/0.9>`__\n---\n"
            ),
        ),
        ("`Unreleased`_\n===\n\n- x\n", f"`Unreleased`_\n===\n\n1.1.0 - {TODAY}\n{'=' * 18}\n\n- x\n"),
        (
            "**UNRELEASED**\n\n- x\n\n**1.0.0**\n\n- y\n",
            "**UNRELEASED**\n\n**1.1.0**\n\n- x\n\n**1.0.0**\n\n- y\n",
        ),
        ("## Unreleased\n\n- x\n\n## 1.0: Ships\n", f"## 1.1.0 - {TODAY}\n\n- x\n\n## 1.0: Ships\n"),
    ],
)
def test_a_changelog_is_dated_and_its_links_are_carried_on(suite: Path, before: str, after: str) -> None:
    write(suite, {".gitattributes": "* -text\n"})
    started(suite, {"pyproject.toml": STATIC, "CHANGELOG.md": before})
    assert "note:" not in released(suite, "minor")
    assert (suite / "CHANGELOG.md").read_bytes().decode().endswith(after)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CHANGELOG.md", "# Changes\n\n## [Unreleased]\n\n## [1.0.0]\n\n- x\n"),
        ("NEWS.md", "## Unreleased\n\n- \n* \n\n## 1.0.0\n"),
        ("Changelog.md", f"## [Unreleased]\n\n### Added\n\n### Fixed\n<!-- none\nyet -->\n\n{LINKS}"),
        ("docs/changelog.md", "Unreleased\n----------\n\nTitle\n~~~~~\n\n1.0.0\n-----\n\n- x\n"),
        ("docs/versionhistory.rst", "Version history\n===\n\n**UNRELEASED**\n\n**1.0.0**\n\n- x\n"),
        ("CHANGES.rst", "Unreleased\n----------\r\n\r\n- Nothing changed yet.\r\n\r\n1.0.0\r\n-----\r\n\r\n- x\r\n"),
    ],
)
def test_an_empty_part_of_the_changelog_is_refused(suite: Path, name: str, text: str) -> None:
    started(suite, {"pyproject.toml": STATIC, name: text})
    assert f"{name}: found nothing below 'Unreleased', expected what this release changes" in refused(suite, "minor")


@pytest.mark.parametrize(
    ("table", "name", "is_left"),
    [
        ("", "newsfragments/1.feature.md", True),
        ('package = "ship"\npackage_dir = "src"\n', "src/ship/newsfragments/+x.bugfix.1.rst", True),
        ('package = "ship"\n[[tool.towncrier.section]]\npath = "api"\n', "ship/api/newsfragments/1.doc", True),
        ('directory = "news"\n[[tool.towncrier.type]]\ndirectory = "break"\n', "news/12.break", True),
        ('directory = "news"\n[[tool.towncrier.type]]\nname = "Security"\n', "news/12.security.md", True),
        ('directory = "news"\n[tool.towncrier.fragment.deps]\n', "news/12.deps.rst", True),
        ('directory = "news"\n[tool.towncrier.fragment.deps]\n', "news/12.doc.rst", False),  # no longer a type
        ('directory = "news"\n', "news/1.0/12.doc.rst", False),  # of an earlier release
        ('directory = "news"\nignore = ["number.doc.rst"]\n', "news/number.doc.rst", False),
        ('directory = "news"\n', "news/README.md", False),
        ('directory = "news"\n', "news/_template.md.jinja", False),
    ],
)
def test_news_fragments_that_the_changelog_lacks_are_refused(suite: Path, table: str, name: str, is_left: bool) -> None:
    towncrier = f'[tool.towncrier]\nfilename = "CHANGELOG.md"\n{table}'
    started(suite, {"pyproject.toml": STATIC, "towncrier.toml": towncrier, name: "x\n"})
    if is_left:
        said = refused(suite, "minor")
        assert f"found news fragments ({name.rpartition('/')[2]}), expected all of them in the changelog" in said
        assert "run: towncrier build --version 1.1.0; commit, and release 1.1.0" in said
    released(suite, "1.1.0rc1" if is_left else "minor")


SCRIV = "[scriv]\nfragment_directory = news\n"


@pytest.mark.parametrize(
    ("files", "name", "is_left"),
    [
        ({"pyproject.toml": f'{STATIC}[tool.scriv]\nformat = "md"\n'}, "changelog.d/20260101_me.md", True),
        ({"setup.cfg": SCRIV}, "news/20260101_me.rst", True),
        ({"setup.cfg": f"{SCRIV}skip_fragments =\n"}, "news/README.rst", True),
        ({"changelog.d/scriv.ini": "[scriv]\nformat = md\n"}, "changelog.d/20260101_me.md", True),
        ({"tox.ini": SCRIV.replace("scriv", "tool.scriv")}, "changelog.d/20260101_me.rst", False),
        ({"setup.cfg": SCRIV}, "news/README.rst", False),
        ({"setup.cfg": SCRIV}, "news/new_fragment.rst.j2", False),
        ({}, "changelog.d/20260101_me.rst", False),
    ],
)
def test_news_fragments_of_scriv_are_refused_too(suite: Path, files: dict[str, str], name: str, is_left: bool) -> None:
    started(suite, {"pyproject.toml": STATIC, **files, name: "x\n"})
    if is_left:
        said = refused(suite, "minor")
        assert f"found news fragments ({name.rpartition('/')[2]}), expected all of them in the changelog" in said
        assert "run: scriv collect --version 1.1.0; commit, and release 1.1.0" in said
    released(suite, "1.1.0rc1" if is_left else "minor")


def test_changelogs_without_an_unreleased_section_are_named_by_their_paths_but_not_pages_that_show_them(
    suite: Path,
) -> None:
    text = "## 1.0.0\n\n- x\n"
    pages = {"docs/changelog.md": "```{include} ../CHANGES.md\n```\n", "docs/history.md": text}
    said = released(started(suite, {"pyproject.toml": STATIC, "CHANGES.md": text, **pages}), "minor")
    assert "note: CHANGES.md and docs/history.md: no heading 'Unreleased' to date" in said


@pytest.mark.parametrize(
    ("tag", "written", "is_noted"), [("v0.9", "1.0.0", True), ("v0.9", "1.0.0.dev0", False), ("v1.0", "1.0.0", False)]
)
def test_a_version_that_is_skipped_is_noted(suite: Path, tag: str, written: str, is_noted: bool) -> None:
    started(suite, {"pyproject.toml": STATIC.replace("1.0.0", written)})
    git(suite, "tag", tag)
    noted = "note: 1.0.0, the version in the files, has no tag: inv release current would have released it"
    assert (noted in released(suite, "minor")) == is_noted


def test_a_version_that_another_branch_has_released_is_not_skipped(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    git(suite, "tag", "v0.9")
    git(suite, "tag", "v1.0.0", git(suite, "commit-tree", "-m", "elsewhere", "HEAD^{tree}").strip())
    assert "has no tag" not in released(suite, "minor")


def test_a_version_whose_link_cannot_be_made_is_mentioned(suite: Path) -> None:
    text = "## [Unreleased]\n\n- x\n\n## [1.0.0]\n\n[1.0.0]: https://example.com/1.0.0\n"
    said = released(started(suite, {"pyproject.toml": STATIC, "CHANGELOG.md": text}), "minor")
    assert "note: CHANGELOG.md: [1.1.0] has no link" in said


TWICE = "test -e .git/ran && exit 0; touch .git/ran; "


@pytest.mark.parametrize(
    "script", [f"{TWICE}echo more >> notes.txt; exit 1", "grep -q more notes.txt || echo more >> notes.txt"]
)
def test_what_a_hook_changes_is_committed_too(suite: Path, script: str) -> None:
    hook(started(suite, {"pyproject.toml": STATIC, "notes.txt": ""}), "pre-commit", script)
    released(suite, "minor")
    assert sorted(git(suite, "diff", "--name-only", "HEAD~").splitlines()) == ["notes.txt", "pyproject.toml"]
    assert git(suite, "log", "--format=%s") == "Release 1.1.0\nthe first"


@pytest.mark.parametrize("status", [0, 1])
def test_a_hook_that_always_changes_files_is_refused_and_its_changes_are_undone(suite: Path, status: int) -> None:
    hook(
        started(suite, {"pyproject.toml": STATIC, "notes.txt": ""}), "pre-commit", f"echo x >> notes.txt; exit {status}"
    )
    assert "error: git commit: " in refused(suite, "minor")


PROTECTED = (
    "while read old new ref; do case $ref in {}) "
    "echo 'error: GH006: Protected update failed for '$ref; exit 1; esac; done"
)


def test_a_protected_branch_gets_the_commands_of_a_pull_request_and_they_work(suite: Path, tmp_path: Path) -> None:
    started(suite, {"pyproject.toml": STATIC, "CHANGELOG.md": "## Unreleased\n\n- x\n"})
    hook(tmp_path / "remote.git", "pre-receive", PROTECTED.format("refs/heads/main"))
    said = refused(suite, "minor", "--push")
    assert git(suite, "ls-remote", "--tags", "origin") == ""
    assert "branch 'main': found no push allowed, expected a pull request; run: git push origin " in said
    assert "v1.1.0: not pushed; commit and tag are undone here" in said
    commands = re.findall(r"git push origin \S+(?=,)|git switch main|git pull|inv release current --push", said)
    run(*commands[0].split(), cwd=suite)
    git(tmp_path / "remote.git", "update-ref", "refs/heads/main", "refs/heads/release-v1.1.0")  # as a merge does
    assert commands[1:] == ["git switch main", "git pull", "inv release current --push"]
    git(suite, "pull", "-q", "origin", "main")
    assert released(suite, "current", "--push").startswith("v1.1.0: pushed to origin")
    assert "refs/tags/v1.1.0" in git(suite, "ls-remote", "origin")
    assert (suite / "CHANGELOG.md").read_text() == f"## Unreleased\n\n## 1.1.0 - {TODAY}\n\n- x\n"


def test_a_tag_that_the_server_refuses_is_not_a_matter_of_pull_requests(suite: Path, tmp_path: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    hook(tmp_path / "remote.git", "pre-receive", PROTECTED.format("refs/tags/*"))
    said = refused(suite, "minor", "--push")
    assert "tag 'v1.1.0': found refused by the server" in said
    assert "pull request" not in said


def test_a_branch_of_another_name_at_the_server_is_pushed_to_that_one(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    git(suite, "push", "-q", "origin", "main:trunk")
    git(suite, "branch", "-q", "--set-upstream-to=origin/trunk")
    assert released(suite, "minor", "--push").startswith("v1.1.0: pushed to origin with main:trunk")
    there = dict(line.split()[::-1] for line in git(suite, "ls-remote", "--heads", "origin").splitlines())
    assert there["refs/heads/trunk"] == git(suite, "rev-parse", "HEAD").strip() != there["refs/heads/main"]


def test_the_only_remote_is_the_one_to_push_to(suite: Path) -> None:
    git(started(suite, {"pyproject.toml": STATIC}), "remote", "rename", "origin", "upstream")
    assert released(suite, "minor", "--push").startswith("v1.1.0: pushed to upstream with main\n")


@pytest.mark.parametrize(
    ("branch", "setting"), [("1.x", ""), ("stable", '[tool.tagship]\nrelease-branches = ["stable"]\n')]
)
def test_a_branch_made_from_another_one_is_not_pushed_to_that_one(suite: Path, branch: str, setting: str) -> None:
    started(suite, {"pyproject.toml": STATIC + setting})
    git(suite, "push", "-q", "origin", "main")
    git(suite, "switch", "-q", "--create", branch, "--track", "origin/main")
    before = git(suite, "ls-remote", "origin", "refs/heads/main")
    assert released(suite, "minor", "--push").startswith(f"v1.1.0: pushed to origin with {branch}\n")
    assert git(suite, "ls-remote", "origin", "refs/heads/main") == before


def test_a_branch_that_follows_one_here_is_pushed_to_origin(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    git(suite, "branch", "base")
    git(suite, "branch", "-q", "--set-upstream-to=base")
    assert released(suite, "minor", "--push").startswith("v1.1.0: pushed to origin with main\n")


def test_a_long_line_about_versions_takes_no_time(suite: Path) -> None:
    text = f"version:{' ' * 9000}1, 0, 0\n{'version' * 9000} 1, 0, 0\nVERSION:Final = (1, 0, 0)\n"
    with within(30, ReleaseError("a regular expression backtracks")):
        said = released(started(suite, {"pyproject.toml": STATIC, "data.txt": text}), "minor")
    assert "note: data.txt:3: may name 1.0.0" in said


def test_line_ends_of_any_kind_are_read(suite: Path) -> None:
    text = "ship-it version 1.0.0 \f\r and \u2028 ship-it 1.0.0\rmore\r"
    said = released(started(suite, {"pyproject.toml": STATIC, "README.md": text}), "minor")
    assert "note: README.md:1: may name 1.0.0" in said


def test_nobodys_configuration_of_git_changes_what_is_read(suite: Path) -> None:
    """Colours and columns are for people, and yet `always` gives them to programs too."""
    started(suite, {"pyproject.toml": STATIC, "README.md": "ship-it version 1.0.0\n"})
    for tag in ("v0.8.0", "v0.9.0", "release-1.0.0"):
        git(suite, "tag", tag)
    for key in ("color.ui", "color.grep", "color.branch", "color.status", "column.ui", "column.tag"):
        git(suite, "config", key, "always")
    for key in (
        "grep.column",
        "grep.lineNumber",
        "grep.fullName",
        "status.short",
        "status.branch",
        "log.showSignature",
    ):
        git(suite, "config", key, "true")
    done = inv(suite, "minor")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("release-1.1.0: committed and tagged here")
    assert "note: README.md:1: may name 1.0.0" in done.stdout


@pytest.mark.parametrize(("command", "name"), [("merge", "MERGE_HEAD"), ("cherry-pick", "CHERRY_PICK_HEAD")])
def test_a_merge_that_is_not_finished_is_no_part_of_a_release(suite: Path, command: str, name: str) -> None:
    started(suite, {"pyproject.toml": STATIC})
    (suite / ".git" / name).write_text(git(suite, "rev-parse", "HEAD"))
    said = refused(suite, "minor")
    assert f"git: found a {command} in progress, expected none; finish it, or run: git {command} --abort" in said


def test_an_earlier_tag_of_a_greater_version_is_mentioned(suite: Path) -> None:
    git(started(suite, {"pyproject.toml": STATIC}), "tag", "v2.0.0")
    (suite / "more.txt").write_text("")
    commit(suite)
    assert "note: v2.0.0 is an earlier tag of a greater version, which installers prefer" in released(suite, "minor")
    assert "earlier tag" not in released(suite, "2.1.0")


def test_without_a_branch_the_command_that_switches_to_one_is_shown(suite: Path) -> None:
    git(started(suite, {"pyproject.toml": STATIC}), "checkout", "-q", "--detach")
    assert "found 'none', expected 'main' or 'master'; HEAD is detached, run: git switch main" in refused(
        suite, "patch"
    )


def test_a_commit_that_a_hook_refuses_can_be_made_by_hand(suite: Path) -> None:
    hook(started(suite, {"pyproject.toml": STATIC}), "commit-msg", "grep -q ^chore: $1 || { echo no type; exit 1; }")
    said = refused(suite, "minor")
    assert "error: git commit: no type" in said
    assert "make the commit that --dry-run shows yourself, then release it as 'current' [commit-hooks]" in said
    (suite / "pyproject.toml").write_text(STATIC.replace("1.0.0", "1.1.0"))
    commit(suite, "chore: release 1.1.0")
    assert released(suite, "current").startswith("v1.1.0: tagged here")


@pytest.mark.parametrize(("name", "package"), [("acme.ship-it", "acme/ship/it"), ("acme-ship", "acme/ship")])
def test_the_version_of_a_package_in_a_namespace_is_bumped(suite: Path, name: str, package: str) -> None:
    files = {"pyproject.toml": STATIC.replace("ship-it", name), f"src/{package}/__init__.py": '__version__ = "1.0.0"\n'}
    released(started(suite, files), "minor")
    assert (suite / f"src/{package}/__init__.py").read_text() == '__version__ = "1.1.0"\n'


def test_a_tag_that_only_the_server_has_is_refused(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    git(suite, "tag", "v1.1.0")
    git(suite, "push", "-q", "origin", "v1.1.0")
    git(suite, "tag", "-d", "v1.1.0")
    said = refused(suite, "minor", "--push")
    assert "tag 'v1.1.0': found one of that name at origin, expected a new one; run: git fetch --tags" in said


def test_what_a_hook_says_is_part_of_the_message(suite: Path) -> None:
    hook(started(suite, {"pyproject.toml": STATIC}), "pre-push", "echo a test has failed; exit 1")
    assert "error: git push: a test has failed" in refused(suite, "minor", "--push")


def test_another_failure_of_the_push_is_undone_too(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    # The branch is asked for first, and then the connection breaks.
    breaks = "f() { test -e .git/late && exit 3; touch .git/late; git-receive-pack $1; }; f"
    git(suite, "config", "remote.origin.receivepack", breaks)
    said = refused(suite, "minor", "--push")
    assert "run the same command again; v1.1.0: not pushed; commit and tag are undone here" in said


def test_a_connection_that_breaks_once_everything_is_pushed_undoes_nothing(suite: Path, tmp_path: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    hook(tmp_path / "remote.git", "post-receive", "kill -9 $PPID")
    released(suite, "minor", "--push")
    assert git(suite, "ls-remote", "origin", "main").split()[0] == git(suite, "rev-parse", "v1.1.0^{commit}")


GITHUB = "git@github.com:owner/ship-it.git"


def test_it_says_which_run_starts_what_waits_and_how_to_undo(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC})
    git(suite, "remote", "set-url", "origin", GITHUB)
    git(suite, "remote", "set-url", "--push", "origin", "../remote.git")
    here = released(suite, "minor")
    address = "https://github.com/owner/ship-it/actions/workflows/release.yml?query=branch%3Av1.1.0"
    assert f"{address}; environment 'pypi' then waits for approval, if it has reviewers" in here
    assert "to undo: git tag -d v1.1.0, then git reset --keep HEAD~1" in here
    git(suite, "tag", "-d", "v1.1.0")
    git(suite, "reset", "-q", "--keep", "HEAD~1")
    pushed = released(suite, "minor", "--push")
    assert pushed.startswith("v1.1.0: pushed to origin with main\n")
    assert address in pushed
    assert "git push --delete origin v1.1.0" in pushed


def test_commands_to_copy_are_quoted(suite: Path) -> None:
    said = released(started(suite, {"pyproject.toml": STATIC}), "1!2.0")
    assert "git push --atomic origin main 'v1!2.0'" in said
    assert "to undo: git tag -d 'v1!2.0', then git reset" in said


def test_a_dry_run_shows_everything_and_does_nothing(suite: Path) -> None:
    started(suite, {"pyproject.toml": STATIC, "CHANGELOG.md": "## Unreleased\n\n- x\n"})
    git(suite, "remote", "set-url", "origin", "https://user:token123@github.com/owner/ship-it.git")
    before = state(suite)
    done = inv(suite, "minor", "--dry-run")
    assert done.returncode == 0, done.stdout
    assert state(suite) == before
    assert "--- a/pyproject.toml\n+++ b/pyproject.toml\n" in done.stdout
    assert '-version = "1.0.0"\n+version = "1.1.0"\n' in done.stdout
    assert f"+## 1.1.0 - {TODAY}\n" in done.stdout
    assert (
        "would commit: Release 1.1.0\nwould tag: v1.1.0\nits push would start: https://github.com/owner/ship-it/"
        in done.stdout
    )
    assert "token123" not in done.stdout
    assert "version: found '0.9', expected one greater" in refused(suite, "0.9", "--dry-run")


def test_a_file_that_no_commit_would_hold_is_refused(suite: Path) -> None:
    pyproject = FROM_GIT.replace('source = "vcs"', 'path = "VERSION.py"')
    write(suite, {"VERSION.py": '__version__ = "1.0.0"\n'})
    started(suite, {"pyproject.toml": pyproject, ".gitignore": "VERSION.py\n__pycache__/\n"})
    assert "VERSION.py: found a file that git does not track, expected a committed one" in refused(suite, "minor")


@pytest.mark.slow
def test_invoke_and_nox_are_all_that_a_release_needs(suite: Path, tmp_path: Path) -> None:
    run("uv", "venv", "-q", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / ("venv/Scripts/python.exe" if sys.platform == "win32" else "venv/bin/python")
    run("uv", "pip", "install", "-q", "--python", python, "invoke", "nox", cwd=tmp_path)
    started(suite, {**ELSEWHERE, "uv.lock": UV_LOCK.format("1.0.0"), "CHANGELOG.md": "## Unreleased\n\n- x\n"})
    done = run(python, "-m", "invoke", "release", "minor", "--push", cwd=suite)
    assert done.stdout.startswith("v1.1.0: pushed to origin with main")
