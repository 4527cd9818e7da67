"""A release from GitLab: the claims of its tokens, and how the suite uses them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tagship.publisher import Registration, explain
from tagship.rehearsal.faults import Fault
from tagship.rehearsal.gitlab import GitLabPush, claims_of
from tests.conftest import RELEASE, try_run
from tests.rehearsal.client import Client
from tests.suite.publishing import hashes, served, serving, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

PUSH = GitLabPush(owner="group/sub", repository="ship", tag="v1.0", sha="a" * 40)
REGISTERED = Registration("ship", "group/sub", "ship", ".gitlab-ci.yml", "pypi", provider="gitlab")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """An index that knows the project on GitLab."""
    with serving(tmp_path / "index", REGISTERED) as servers:
        yield servers


def publish(bundle: Path, servers: Servers, environment: str = "pypi") -> tuple[int, str]:
    """Publish from a job on GitLab; return the exit status and what was printed."""
    job = {**servers.job(PUSH, environment), "CI_COMMIT_TAG": "v1.0"}
    done = try_run(*RELEASE, "publish", "pypi", "--no-attestations", cwd=bundle, **job)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a publish job gets."""
    return write_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.mark.slow
def test_an_upload_that_is_retried_uses_the_same_token_as_gitlab_gives_a_job_one(
    bundle: Path, servers: Servers
) -> None:
    servers.faults.tell(Fault.UPLOAD_503, times=2)
    status, said = publish(bundle, servers)
    assert status == 0, said
    assert served(servers) == hashes(bundle)
    (mint,) = servers.index.mints("pypi")
    assert mint.claims["ci_config_ref_uri"] == "gitlab.com/group/sub/ship//.gitlab-ci.yml@refs/tags/v1.0"
    assert servers.index.tokens() == 0


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"environment": None}, "(Publisher with matching claims was not found)"),
        ({"environment": "PyPI"}, "(Publisher with matching claims was not found)"),
        ({"project_path": "other/ship"}, "(Publisher with matching claims was not found)"),
        ({"ci_config_ref_uri": "gitlab.com/group/sub/ship//ci/release.yml@refs/tags/v1.0"}, "was not found)"),
        (
            {"ci_config_ref_uri": "gitlab.com/o/r//.gitlab-ci.yml@refs/tags/v1.0"},
            "ci_config_ref_uri claim does not match",
        ),
        ({"ci_config_ref_uri": "none"}, "(Could not extract workflow filename from OIDC claims)"),
        ({"ref_path": None}, "(Missing claim 'ref_path')"),
        ({"sha": ""}, "(The ref_path and sha claims are empty)"),
        (
            {
                "project_path": "Group/Sub/ship",
                "ci_config_ref_uri": "gitlab.com/Group/Sub/ship//.gitlab-ci.yml@refs/tags/v1.0",
            },
            "(The ci_config_ref_uri claim does not match",
        ),
        ({"sub": "project_path:other/ship:ref_type:tag:ref:v1.0"}, "(Check failed for required claim 'sub')"),
    ],
)
def test_the_index_refuses_the_claims_that_pypi_refuses(servers: Servers, claims: dict[str, Any], said: str) -> None:
    merged = {**claims_of(PUSH, "pypi"), **claims}
    token = servers.issuer.sign({name: value for name, value in merged.items() if value is not None}, "pypi")
    (error,) = Client(servers).exchange(token).json()["errors"]
    assert error["code"] == "invalid-publisher"
    assert said in error["description"]


def test_the_values_to_register_are_those_of_gitlabs_form(bundle: Path, servers: Servers) -> None:
    status, said = publish(bundle, servers, environment="release")
    assert status == 1
    assert (
        "register exactly this, upper and lower case included: project_name 'ship', namespace 'group/sub',"
        " project 'ship', workflow_filepath '.gitlab-ci.yml', environment 'release'"
    ) in said


def test_a_difference_from_what_is_registered_is_explained() -> None:
    for change, field in (
        ({"environment": "PyPI"}, "environment"),
        ({"owner": "Group/sub"}, "owner"),
        ({"workflow": ".gitlab-ci.yaml"}, "workflow"),
    ):
        (found,) = explain(claims_of(PUSH, "pypi"), [replace(REGISTERED, **change)])
        assert found.field == field
        assert "GitHub" not in found.sentence
