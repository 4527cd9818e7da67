"""The commands that depend on the host, for a project on GitLab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tagship import project, suite
from tagship.cli import main
from tests.conftest import commit, git
from tests.rehearse.command import QUICK, outcomes, rehearse
from tests.rehearse.conftest import _made, built

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["_made", "built"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the suite for GitLab."""
    folder = tmp_path / "ship"
    suite.write(folder, suite.files("gitlab"))
    (folder / "pyproject.toml").write_text('[project]\nname = "ship"\nversion = "1.0"\nrequires-python = ">=3.12"\n')
    commit(folder)
    git(folder, "remote", "add", "origin", "git@gitlab.com:group/sub/ship.git")
    return folder


def asked(*arguments: str) -> tuple[Any, str]:
    """Return the JSON that a command prints to standard output, and what it prints to standard error."""
    done = CliRunner().invoke(main, [*arguments, "--format=json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.stdout), done.stderr


def test_the_publisher_is_printed_by_the_names_of_gitlabs_form(repository: Path) -> None:
    values = {"namespace": "group/sub", "project": "ship", "workflow_filepath": ".gitlab-ci.yml"}
    (pypi, testpypi), _ = asked("publisher", str(repository))
    assert pypi["values"] == {"project_name": "ship", **values, "environment": "pypi"}
    assert testpypi["existing"] == (
        "https://test.pypi.org/manage/project/ship/settings/publishing/?provider=gitlab&namespace=group%2Fsub"
        "&project=ship&workflow_filepath=.gitlab-ci.yml&environment=testpypi"
    )
    done = CliRunner().invoke(main, ["publisher", str(repository)])
    assert "  Top-level pipeline file path .gitlab-ci.yml\n" in done.stdout


def test_the_plan_has_the_jobs_of_the_pipeline_and_the_publisher(repository: Path) -> None:
    (plan,), _ = asked("plan", "--offline", str(repository))
    assert [(job["id"], *job["permissions"], job["environment"]) for job in plan["jobs"]] == [
        *((name, "contents", "") for name in ("build", "test", "verify-version")),
        ("publish-test", "id-token", "testpypi"),
        ("publish", "id-token", "pypi"),
    ]
    assert plan["publisher"] == "group/sub/ship, .gitlab-ci.yml, environment 'pypi'"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("git@gitlab.com:group/sub/ship.git", ("gitlab.com", "group/sub", "ship")),
        ("https://gitlab.com/octo/ship", ("gitlab.com", "octo", "ship")),
        ("ssh://git@gitlab.example.org:2222/octo/ship.git", ("gitlab.example.org", "octo", "ship")),
        ("https://github.com/gitlabhq/gitlabhq", ("gitlab.com", "OWNER", "ship")),
    ],
)
def test_where_a_project_lives_is_read_from_its_remote(
    address: str, place: tuple[str, str, str], repository: Path
) -> None:
    git(repository, "remote", "set-url", "origin", address)
    (found,) = project.read(repository)
    assert (found.host, found.owner, found.repository) == place
    assert found.provider == "gitlab", "the repository has a pipeline"
    done = CliRunner().invoke(main, ["publisher", str(repository)])
    assert ("only if your organisation has arranged it" in done.stderr) == ("example" in address)


@pytest.mark.slow
def test_a_release_is_rehearsed_with_the_identity_that_gitlab_issues(built: Path) -> None:
    (built / suite.WORKFLOW).unlink()
    (built / suite.PIPELINE).parent.mkdir()
    (built / suite.PIPELINE).write_bytes(suite.workflow("gitlab"))
    commit(built)
    git(built, "remote", "set-url", "origin", "git@gitlab.com:group/sub/my-package.git")
    status, report = rehearse(built, "--quick")
    assert status == 0, report
    assert outcomes(report) == dict.fromkeys([each for each in QUICK if "github" not in each], "passed")
    assert {each["seen"]["ci_config_ref_uri"] for each in report["publishers"]} == {
        "gitlab.com/group/sub/my-package//.gitlab-ci.yml@refs/tags/v0.1.0"
    }
    publishers = {file["publisher"] for file in report["files"] if file["index"] == "pypi"}
    assert publishers == {"GitLab group/sub/my-package .gitlab-ci.yml pypi"}
