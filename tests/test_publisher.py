"""A token is compared with the registration, field by field, and the forms are named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from tagship.indexes import INDEXES
from tagship.project import read_all
from tagship.publisher import Registration, explain, form, forms, registration_of
from tagship.rehearsal.issuer import claims_of
from tagship.rehearsal.push import TagPush
from tagship_suite.publish.claims import values
from tests.conftest import git

if TYPE_CHECKING:
    from pathlib import Path

PUSH = TagPush(owner="Octo", repository="tiny", tag="v1.0", sha="a" * 40, owner_id="77")
REGISTERED = Registration("tiny", "Octo", "tiny", "release.yml", "pypi", "77")


def claims(push: TagPush = PUSH, environment: str | None = "pypi", **changed: Any) -> dict[str, Any]:
    return {**claims_of(push, environment), **changed}


def test_the_indexes_are_those_that_twine_knows() -> None:
    assert [each.upload_url for each in INDEXES.values()] == [DEFAULT_REPOSITORY, TEST_REPOSITORY]


def test_a_token_that_matches_needs_no_explanation() -> None:
    assert explain(claims(), [REGISTERED]) == []
    assert explain(claims(environment="PyPI"), [REGISTERED]) == []
    assert explain(claims(environment="other"), [replace(REGISTERED, environment="")]) == []
    assert explain(claims(), [replace(REGISTERED, owner_id="")]) == [], "an unknown number is not compared"


@pytest.mark.parametrize(
    ("push", "field", "sentence"),
    [
        (replace(PUSH, owner="octo"), "owner", "differs in case only: register 'octo'"),
        (replace(PUSH, owner="Fork"), "owner", "looks like a fork of (or was moved from) Octo/tiny"),
        (replace(PUSH, repository="Tiny"), "repository", "differs in case only: register 'Tiny'"),
        (replace(PUSH, repository="small"), "repository", "is 'small' (renamed?), but 'tiny' is registered"),
        (replace(PUSH, owner_id="78"), "owner_id", "is 78, but 77 was registered"),
        (replace(PUSH, workflow="release.yaml"), "workflow", "has another extension: it is 'release.yaml'"),
        (replace(PUSH, workflow="Release.yml"), "workflow", "differs in case only: it is 'Release.yml'"),
        (replace(PUSH, workflow="ship.yml"), "workflow", "is 'ship.yml', but 'release.yml' is registered"),
        (replace(PUSH, event_name="pull_request_target"), "event_name", "is not supported"),
    ],
)
def test_the_field_that_differs_is_named_with_what_to_do(push: TagPush, field: str, sentence: str) -> None:
    (difference,) = explain(claims(push), [REGISTERED])
    assert difference.field == field
    assert sentence in difference.sentence


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ("testpypi", "The job's environment is 'testpypi', but 'pypi' is registered."),
        (None, "The job has no environment: add `environment: pypi` to it."),
    ],
)
def test_the_environment_is_named_or_missed(environment: str | None, sentence: str) -> None:
    (difference,) = explain(claims(environment=environment), [REGISTERED])
    assert (difference.field, difference.sentence) == ("environment", sentence)


def test_another_owner_and_another_repository_are_two_differences() -> None:
    other = replace(PUSH, owner="Cat", repository="big")
    found = explain(claims(other), [REGISTERED])
    assert [each.field for each in found] == ["owner", "repository"]
    assert found[0].sentence == "The owner is 'Cat', but 'Octo' is registered."


def test_a_reusable_workflow_is_explained_first() -> None:
    called = "Octo/shared/.github/workflows/publish.yml@refs/heads/main"
    first, second = explain(claims(job_workflow_ref=called), [REGISTERED])
    assert first.field == "job_workflow_ref"
    assert "reusable workflows are not supported" in first.sentence
    assert second.field == "workflow"


def test_the_registration_that_comes_closest_is_explained() -> None:
    far = replace(REGISTERED, owner="Else", repository="else", workflow="else.yml")
    (difference,) = explain(claims(environment="staging"), [far, REGISTERED])
    assert difference.field == "environment"


def test_nothing_registered_says_what_to_register() -> None:
    (difference,) = explain(claims(), [])
    assert difference.field == "registration"
    assert "register Octo/tiny, release.yml, environment 'pypi'." in difference.sentence


def test_a_token_shows_what_to_register() -> None:
    assert registration_of(claims(), "tiny") == REGISTERED


@pytest.mark.parametrize("claim", ["", "nothing", "a/b/.github/workflows/x.txt@ref", None])
def test_a_token_without_a_workflow_file_has_none(claim: object) -> None:
    assert values({"job_workflow_ref": claim})["workflow_filename"] == ""


def test_the_link_for_a_project_that_exists_is_filled_in() -> None:
    shown = form(REGISTERED, INDEXES["pypi"], exists=True)
    url = urlsplit(shown.link)
    assert shown.prefilled
    assert (url.hostname, url.path) == ("pypi.org", "/manage/project/tiny/settings/publishing/")
    assert parse_qs(url.query) == {
        "provider": ["github"],
        "owner": ["Octo"],
        "repository": ["tiny"],
        "workflow_filename": ["release.yml"],
        "environment": ["pypi"],
    }


def test_a_new_project_has_a_plain_link_and_the_values_to_type() -> None:
    shown = form(REGISTERED, INDEXES["testpypi"], exists=False)
    assert not shown.prefilled
    assert shown.link == "https://test.pypi.org/manage/account/publishing/"
    assert shown.values["project_name"] == "tiny"
    assert shown.values["workflow_filename"] == "release.yml"


def test_there_is_a_form_for_each_index() -> None:
    registrations = {"testpypi": replace(REGISTERED, environment="testpypi"), "pypi": REGISTERED}
    first, second = forms(registrations, exists={"pypi"})
    assert (first.index, first.prefilled, first.values["environment"]) == ("testpypi", False, "testpypi")
    assert (second.index, second.prefilled, second.values["environment"]) == ("pypi", True, "pypi")


@pytest.mark.parametrize(
    ("remote", "config"),
    [
        ("origin", ""),
        ("upstream", ""),
        ("upstream", "origin"),  # which is a fork
    ],
)
def test_the_repository_is_the_one_that_releases_are_pushed_to(tmp_path: Path, remote: str, config: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ship"\nversion = "1"\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", remote, "ssh://git@ssh.github.com:443/acme/shipit.git")
    if config:
        git(tmp_path, "remote", "add", config, "git@github.com:me/shipit.git")
        git(tmp_path, "config", "branch.main.remote", remote)
    (found,) = read_all(tmp_path)
    assert (found.owner, found.repository) == ("acme", "shipit")
