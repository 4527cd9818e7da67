"""A project that was generated for GitLab names GitLab everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.template.support import generate, tomllib

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a group of a group."""
    return generate(tmp_path, publish_with="gitlab", github_owner="group/sub", project_slug="Some.Name")


def test_every_path_that_the_readme_names_exists_and_no_folder_is_empty(project: Path) -> None:
    text = (project / "README.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:`|\()([\w./-]+(?:\.\w+|/)|LICENSE)(?:`|\))", text)) - {"dist/", "Some.Name"}
    assert {".gitlab-ci.yml", ".gitlab/release.yml", ".github/release/"} <= paths
    assert [path for path in paths if not (project / path).exists()] == []
    assert [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def test_the_readme_and_the_metadata_name_gitlab_alone(project: Path) -> None:
    text = (project / "README.md").read_text(encoding="utf-8")
    assert "GitHub" not in text
    assert "github.com" not in text
    values = "provider=gitlab&namespace=group%2Fsub&project=Some.Name&workflow_filepath=.gitlab-ci.yml&environment=pypi"
    assert f"https://pypi.org/manage/project/Some.Name/settings/publishing/?{values})" in text
    urls = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert urls == {
        "Source": "https://gitlab.com/group/sub/Some.Name",
        "Changelog": "https://gitlab.com/group/sub/Some.Name/-/blob/HEAD/CHANGELOG.md",
        "Issues": "https://gitlab.com/group/sub/Some.Name/-/issues",
    }
