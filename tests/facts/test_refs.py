"""Tags and branches, from git's own files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tagship.facts import refs
from tagship.facts.read import repository
from tests.conftest import commit

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["v1.0", "v1.1.2"], "v1.2.3"),
        (["1.0", "1.1.2"], "1.2.3"),
        (["7.0.0", "v8.0.4", "1.0"], "v1.2.3"),
        (["2.1.x", "2.1.0", "N-commits"], "1.2.3"),
        (["thing-1.0", "thing-2.0rc1"], "thing-1.2.3"),
        (["py3/v1.0"], "py3/v1.2.3"),
        (["release_1_2"], "release_1_2_3"),
        (["rel_2_0_1", "rel_0_4_2p3"], "rel_1_2_3"),
        (["bpo-12345", "v3.1"], "v1.2.3"),
        (["hatchling-v2.0", "hatch-v1.0"], "hatch-v1.2.3"),
        (["core-v2.0", "v1.0"], "v1.2.3"),
        (["nightly", ""], ""),
        ([], ""),
    ],
)
def test_the_style_of_tags_is_that_of_the_newest_version(tags: list[str], expected: str) -> None:
    assert refs.tag_style(tags, ["hatch"]) == expected


def test_tags_and_the_branch_are_read_loose_and_packed_and_in_a_worktree(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(name='a', version='1')\n")
    git(tmp_path, "init", "-q", "-b", "develop")
    commit(tmp_path)
    git(tmp_path, "tag", "v1.0")
    git(tmp_path, "pack-refs", "--all")
    git(tmp_path, "tag", "odd/v1.1")
    git(tmp_path, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    assert refs.read(tmp_path) == refs.Refs(("odd/v1.1", "v1.0"), "develop")
    assert refs.read(tmp_path / "tree").tags == ("odd/v1.1", "v1.0")
    assert repository(tmp_path).default_branch == "develop"


def test_the_default_branch_of_a_clone_is_its_remotes(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    git(there, "init", "-q", "-b", "develop")
    (there / "setup.py").write_text("")
    commit(there)
    git(tmp_path, "clone", "-q", str(there), str(here))
    git(here, "checkout", "-q", "-b", "other")
    assert refs.read(here).default_branch == "develop"
