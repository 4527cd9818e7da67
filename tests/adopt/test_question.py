"""The question of `tagship adopt`, and the rehearsal that follows it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.adopt.repositories import FLIT, make
from tests.conftest import git, try_run
from tests.terminal import on_terminal

TAGSHIP = (sys.executable, "-m", "tagship")
QUESTION = "write this? [Y/n]: "
STEPS = ["build", "test", "verify-version", "publish-test", "publish"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose tests run on this Python alone."""
    classifier = f"Programming Language :: Python :: {sys.version_info.major}.{sys.version_info.minor}"
    pyproject = re.sub(
        r"classifiers = \[.*?\]", f'classifiers = ["{classifier}"]', FLIT["pyproject.toml"], flags=re.DOTALL
    )
    return make(tmp_path / "thing", {**FLIT, "pyproject.toml": pyproject})


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [("n\n", 1, "nothing was changed"), ("\x03", 130, "interrupted"), ("\x04", 1, "Aborted!")],
    ids=["no", "Ctrl-C", "Ctrl-D"],
)
def test_nothing_is_written_unless_the_answer_is_yes(repository: Path, typed: str, status: int, said: str) -> None:
    done, got = on_terminal(*TAGSHIP, "adopt", cwd=repository, asked=QUESTION, typed=typed)
    assert (done, said in got) == (status, True), got
    assert "+++ " in got, "the diff comes before the question"
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.slow
def test_after_a_yes_the_release_is_rehearsed_before_anything_is_committed(repository: Path) -> None:
    status, got = on_terminal(*TAGSHIP, "adopt", cwd=repository, asked=QUESTION, typed="\n", NO_COLOR="1")
    assert status == 0, got
    passed = re.findall(r"nox -s ([\w-]+)(?: -P \S+)? +[\d.]+ s  passed", got)
    assert passed[:5] == STEPS
    assert "pushing the tag would publish it" in got.splitlines()[-1]
    assert "?? .github/" in git(repository, "status", "--porcelain"), "it is for the maintainer to commit"
    assert git(repository, "tag") == ""


@pytest.mark.slow
def test_a_rehearsal_that_fails_says_why_and_leaves_what_was_adopted(repository: Path) -> None:
    (repository / "test_thing.py").write_text("def test_red():\n    raise AssertionError\n")
    git(repository, "commit", "-qam", "red")
    done = try_run(*TAGSHIP, "adopt", "--rehearse", "--format", "json", cwd=repository)
    assert done.returncode == 1, done.stdout
    first, *rest = done.stdout.splitlines()
    assert json.loads(first)["status"] == "adopted"
    assert any(line.strip().startswith("FAILED ") for line in rest)
    assert "would not have been published: nox -s test" in rest[-1]
    assert (repository / ".github/release").is_dir()


def test_without_a_terminal_there_is_no_prompt_and_no_rehearsal(repository: Path) -> None:
    done = try_run(*TAGSHIP, "adopt", cwd=repository)
    assert (done.returncode, QUESTION in done.stdout, "rehearsing" in done.stdout) == (0, False, False), done.stdout
    assert (repository / ".github/release").is_dir()
