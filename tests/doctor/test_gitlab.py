"""`tagship doctor` for a project on GitLab, against an API that answers as GitLab's is documented to.

The shapes are those of https://docs.gitlab.com/api/ (projects, protected tags, protected environments, variables).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tagship.cli import main
from tests.conftest import commit, git

from .api import INDEX, GitHub, listing, provenance, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "/projects/group%2Fsub%2Fship"
TAGS, ENVIRONMENTS, VARIABLES = (
    f"{PROJECT}/{name}" for name in ("protected_tags", "protected_environments", "variables")
)
SECRET = "pypi-TheValueThatNobodyMaySee"


def level(access: int) -> list[dict[str, Any]]:
    return [{"id": 1, "access_level": access, "access_level_description": "", "user_id": None, "group_id": None}]


def environment(name: str, access: int = 40, approvals: int = 1) -> dict[str, Any]:
    return {"name": name, "deploy_access_levels": level(access), "required_approval_count": approvals}


def variable(key: str, scope: str = "*") -> dict[str, Any]:
    return {"key": key, "value": SECRET, "variable_type": "env_var", "protected": False, "environment_scope": scope}


@pytest.fixture
def gitlab() -> Iterator[GitHub]:
    """The answers of a project that is set up well."""
    with serving() as found:
        published = provenance("group/sub/ship", ".gitlab-ci.yml", "pypi")
        publisher = published["attestation_bundles"][0]["publisher"]
        publisher |= {"kind": "GitLab", "workflow_filepath": publisher.pop("workflow")}
        found.answers = {
            PROJECT: {"path_with_namespace": "group/sub/ship", "ci_config_path": ""},
            TAGS: [{"name": "v*", "create_access_levels": level(40)}],
            ENVIRONMENTS: [environment("pypi"), environment("testpypi")],
            VARIABLES: [variable("CODECOV_TOKEN")],
            INDEX: listing("ship-1.0.tar.gz", provenance=f"{found.address}/provenance"),
            "/provenance": published,
        }
        yield found


@pytest.fixture
def repository(tmp_path: Path, gitlab: GitHub) -> Path:
    folder = tmp_path / "ship"
    folder.mkdir()
    index = f'[tool.tagship]\nindex-url = "{gitlab.address}/simple/"\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "ship"\nversion = "1.0"\n\n{index}')
    commit(folder)
    git(folder, "remote", "add", "origin", "git@gitlab.com:group/sub/ship.git")
    return folder


def doctor(repository: Path, gitlab: GitHub, *options: str, **env: str) -> tuple[int, list[str]]:
    address = {"CI_API_V4_URL": gitlab.address, "GITLAB_TOKEN": "glpat-secret"}
    done = CliRunner().invoke(main, ["doctor", *options, str(repository)], env={**address, **env})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert SECRET not in done.output
    return done.exit_code, done.output.splitlines()


def test_safe_settings_are_right_and_seen_with_seven_requests(repository: Path, gitlab: GitHub) -> None:
    status, lines = doctor(repository, gitlab)
    assert (status, {line.split()[0] for line in lines}, len(lines)) == (0, {"right"}, 6), lines
    assert len(gitlab.sent) == 7
    assert {method for method, _, _ in gitlab.sent} == {"GET"}
    assert gitlab.tokens == {"Bearer glpat-secret", ""}, "the index gets no token"


@pytest.mark.parametrize(
    ("path", "answer", "line"),
    [
        (
            PROJECT,
            {"ci_config_path": "ci/main.yml"},
            "wrong   pipeline file: ci/main.yml; expected .gitlab-ci.yml, as in the publisher",
        ),
        (TAGS, [], "wrong   protected tags: v1.0 is not protected; expected tags such as v1.0 are protected"),
        (
            TAGS,
            [{"name": "*", "create_access_levels": level(30)}],
            "wrong   protected tags: developers may create v1.0",
        ),
        (ENVIRONMENTS, [environment("pypi")], "wrong   environment testpypi: not protected"),
        (
            ENVIRONMENTS,
            [environment("pypi", 30), environment("testpypi")],
            "wrong   environment pypi: developers may deploy to it",
        ),
        (
            ENVIRONMENTS,
            [environment("pypi", approvals=0), environment("testpypi")],
            "advice  environment pypi: protected, without an approval",
        ),
        (
            ENVIRONMENTS,
            (403, {}, {"message": "403 Forbidden"}),
            "unknown protected environments: GitLab does not show it to this token (403); expected a maintainer's",
        ),
        (
            VARIABLES,
            [variable("TWINE_PASSWORD"), variable("PYPI_TOKEN", "pypi")],
            "wrong   variables: TWINE_PASSWORD, PYPI",
        ),
        (
            "/groups/group%2Fsub/variables",
            [variable("PYPI_TOKEN")],
            "wrong   variables: PYPI_TOKEN of the group group/sub; expected none",
        ),
        (
            "/provenance",
            provenance("group/sub/ship", "release.yml", "pypi"),
            "wrong   publisher of ship: ship-1.0.tar.gz came from GitHub group/sub/ship release.yml pypi",
        ),
    ],
)
def test_each_setting_that_is_not_right_is_named(
    path: str, answer: Any, line: str, repository: Path, gitlab: GitHub
) -> None:
    gitlab.answers[path] = answer
    status, lines = doctor(repository, gitlab)
    assert [each for each in lines if each.startswith(line)], lines
    assert status == line.startswith("wrong")


def test_what_is_missing_is_protected_after_asking(repository: Path, gitlab: GitHub) -> None:
    gitlab.answers |= {TAGS: [], ENVIRONMENTS: [environment("pypi")]}
    status, lines = doctor(repository, gitlab, "--fix", "--yes")
    assert status == 1
    assert lines[-2:] == ["done: protect tags v*", "done: protect the environment testpypi"]
    assert [sent for sent in gitlab.sent if sent[0] == "POST"] == [
        ("POST", TAGS, {"name": "v*", "create_access_level": 40}),
        ("POST", ENVIRONMENTS, {"name": "testpypi", "deploy_access_levels": [{"access_level": 40}]}),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {}, {"message": "404 Project Not Found"}), "group/sub/ship: found no such repository: GitLab does not"),
        (
            (401, {}, {"message": "401 Unauthorized"}),
            "token: found one that GitLab refuses (401), expected a valid one",
        ),
        ((429, {"Retry-After": "7"}, {}), "found the rate limit reached, expected an answer; try again in 7 s"),
        ((502, {}, {}), "found a server error of GitLab (502), expected an answer; try again later"),
        ((200, {}, b'{"ci_con'), "found a response that is not JSON or is incomplete, expected JSON; try again"),
    ],
)
def test_if_nothing_can_be_seen_one_line_says_why(answer: Any, said: str, repository: Path, gitlab: GitHub) -> None:
    gitlab.answers[PROJECT] = answer
    status, lines = doctor(repository, gitlab)
    assert status == 2
    assert len(lines) == 2  # and the link
    assert said in lines[0]


def test_pages_are_followed(repository: Path, gitlab: GitHub) -> None:
    following = f"{gitlab.address}{VARIABLES}?page=2"
    gitlab.answers[VARIABLES] = (200, {"Link": f'<{following}>; rel="next"'}, [variable("A")])
    gitlab.answers[f"{VARIABLES}?page=2"] = [variable("PYPI_TOKEN")]
    _, lines = doctor(repository, gitlab, "--format=json")
    found = {each["check"]: each for each in json.loads("\n".join(lines))}
    assert (found["variables"]["state"], found["variables"]["saw"]) == ("wrong", "PYPI_TOKEN")
