"""`tagship adopt` in a repository on GitLab: its pipeline includes the release's, and is otherwise unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tagship import suite
from tagship.cli import main
from tests.adopt.repositories import FLIT, make
from tests.conftest import commit, git

if TYPE_CHECKING:
    from pathlib import Path

INCLUDE = "include:\n  - local: .gitlab/release.yml\n"
#: A pipeline, what comes before and after what is added to it, and that.
PIPELINES = {
    "none": ("", "", INCLUDE),
    "no include": ("# Ours.\nlint: { script: [ruff] }\n", "# Ours.\n", f"{INCLUDE}\n"),
    "a list": (
        "include:\n- remote: https://x/y.yml # theirs\n- local: a.yml\n\nlint: {script: [ruff]}\n",
        "include:\n- remote: https://x/y.yml # theirs\n- local: a.yml\n",
        "- local: .gitlab/release.yml\n",
    ),
    "stages and the same names": (
        "stages: [check, ship, .post]\ntest: { stage: check, script: [pytest] }\n",
        "",
        f'{INCLUDE}    inputs: {{ stage: "ship", prefix: "release:" }}\n\n',
    ),
    "Windows": ("lint: {script: [ruff]}\r\n", "", f"{INCLUDE}\n".replace("\n", "\r\n")),
}


def repository(tmp_path: Path, pipeline: str, address: str = "git@gitlab.com:group/thing.git") -> Path:
    folder = make(tmp_path / "thing", {**FLIT, **({".gitlab-ci.yml": pipeline} if pipeline else {})})
    if address:
        git(folder, "remote", "add", "origin", address)
    return folder


def adopted(folder: Path) -> str:
    """Adopt the repository; return what is printed."""
    done = CliRunner().invoke(main, ["adopt", "--yes", "--no-rehearse", str(folder)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("kind", PIPELINES)
def test_the_pipeline_includes_that_of_the_release_and_keeps_every_line(kind: str, tmp_path: Path) -> None:
    before, kept, added = PIPELINES[kind]
    folder = repository(tmp_path, before)
    adopted(folder)
    after = (folder / ".gitlab-ci.yml").read_bytes().decode()
    assert after == kept + added + before.removeprefix(kept)
    assert (folder / suite.PIPELINE).read_bytes() == suite.workflow("gitlab")
    assert not (folder / suite.WORKFLOW).exists()
    assert not (folder / ".github/dependabot.yml").exists()
    commit(folder)
    assert "nothing to do" in adopted(folder)
    done = CliRunner().invoke(main, ["sync", "--check", str(folder)])
    assert done.exit_code == 0, done.output


def test_what_cannot_be_added_by_a_line_and_what_publishes_today_is_left_to_do(tmp_path: Path) -> None:
    before = """\
include: theirs.yml
workflow: { rules: [{ if: $CI_COMMIT_BRANCH }] }
upload: { script: [twine upload dist/*] }
"""
    folder = repository(tmp_path, before)
    said = adopted(folder)
    assert "add this to `include` in .gitlab-ci.yml: - local: .gitlab/release.yml" in said
    assert "remove the upload in .gitlab-ci.yml (upload)" in said
    assert "on GitLab, protect the release tags" in said
    assert (folder / ".gitlab-ci.yml").read_text() == before


def test_a_pipeline_that_no_tag_starts_is_named(tmp_path: Path) -> None:
    folder = repository(tmp_path, "workflow: { rules: [{ if: $CI_COMMIT_BRANCH }] }\nlint: { script: [ruff] }\n")
    assert "let a pushed tag start a pipeline: add `- if: $CI_COMMIT_TAG` to workflow:rules" in adopted(folder)


@pytest.mark.parametrize(
    ("address", "on_gitlab"),
    [("git@github.com:octo/thing.git", False), ("", True), ("https://gitlab.example.org/octo/thing", True)],
)
def test_the_remote_decides_and_without_one_the_file(address: str, on_gitlab: bool, tmp_path: Path) -> None:
    folder = repository(tmp_path, "lint: { script: [ruff] }\n", address)
    adopted(folder)
    assert ((folder / suite.PIPELINE).exists(), (folder / suite.WORKFLOW).exists()) == (on_gitlab, not on_gitlab)
