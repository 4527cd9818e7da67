"""Tokens are exchanged or refused as by PyPI."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tagship.errors import TagshipError
from tagship.rehearsal.issuer import ISSUER
from tests.rehearsal.client import Client
from tests.rehearsal.conftest import PUSH, REGISTERED
from tests.rehearsal.dists import Dist

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

NOT_FOUND = (
    "invalid-publisher",
    "valid token, but no corresponding publisher (Publisher with matching claims was not found)",
)


@pytest.mark.parametrize("index", ["pypi", "testpypi"])
def test_each_index_names_its_own_audience(servers: Servers, index: str) -> None:
    client = Client(servers, index)
    answer = client.session.get(f"https://{client.index.upload_host}/_/oidc/audience", timeout=10)
    assert answer.json() == {"audience": index}


def test_a_minted_token_is_good_for_900_seconds(registered: Servers) -> None:
    client = Client(registered)
    answer = client.exchange(client.id_token()).json()
    assert answer["success"] is True
    assert answer["token"].startswith("pypi-")
    assert abs(answer["expires"] - time.time() - 900) < 10


def test_the_log_shows_the_claims_and_the_projects_of_a_mint(registered: Servers) -> None:
    Client(registered).mint()
    (entry,) = registered.index.mints()
    assert (entry.code, entry.projects) == ("", ("tiny",))
    assert entry.claims["job_workflow_ref"] == "Octo/tiny/.github/workflows/release.yml@refs/tags/v1.0"
    assert entry.claims["ref_type"] == "tag"


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"repository": "octo/tiny", "repository_owner": "octo"}, id="owner in another case"),
        pytest.param({"repository": "Octo/Tiny"}, id="repository in another case"),
        pytest.param({"repository": "Fork/tiny", "repository_owner": "Fork"}, id="fork"),
        pytest.param({"repository_owner_id": "78"}, id="owner's number"),
        pytest.param({"job_workflow_ref": "Octo/tiny/.github/workflows/ship.yml@refs/tags/v1.0"}, id="other file"),
        pytest.param(
            {"job_workflow_ref": "Octo/tiny/.github/workflows/release.yaml@refs/tags/v1.0"}, id="yaml for yml"
        ),
        pytest.param({"environment": "testpypi"}, id="other environment"),
        pytest.param({"environment": None}, id="no environment"),
    ],
)
def test_a_publisher_that_does_not_match_has_one_message_for_every_cause(
    registered: Servers, claims: dict[str, Any]
) -> None:
    assert Client(registered).refusal(**claims) == NOT_FOUND
    (entry,) = registered.index.mints()
    assert entry.code == "invalid-publisher"
    assert entry.claims["iss"] == ISSUER


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (
            {"event_name": "pull_request_target"},
            "Publishing from a workflow invoked via 'pull_request_target' is not supported.",
        ),
        ({"ref": None}, "Missing claim 'ref'"),
        ({"sha": None}, "Missing claim 'sha'"),
        ({"jti": None, "repository": None}, "Missing claim 'repository'"),
        ({"job_workflow_ref": "nothing"}, "Could not job extract workflow filename from OIDC claims"),
        ({"repository_owner": "Other"}, "Check failed for required claim 'repository_owner'"),
        ({"ref": "", "sha": ""}, "The ref and sha claims are empty"),
        (
            {"job_workflow_ref": "Other/lib/.github/workflows/release.yml@refs/tags/v1.0"},
            "The job_workflow_ref claim does not match, expecting one of"
            " ['Octo/tiny/.github/workflows/release.yml@" + "a" * 40 + "',"
            " 'Octo/tiny/.github/workflows/release.yml@refs/tags/v1.0'],"
            " got 'Other/lib/.github/workflows/release.yml@refs/tags/v1.0'",
        ),
    ],
)
def test_other_mismatches_say_what_they_are(registered: Servers, claims: dict[str, Any], reason: str) -> None:
    expected = f"valid token, but no corresponding publisher ({reason})"
    assert Client(registered).refusal(**claims) == ("invalid-publisher", expected)


@pytest.mark.parametrize("claims", [{"environment": "PyPI"}, {"ref": "refs/heads/any", "sha": "b" * 40}])
def test_the_environment_matches_in_any_case_and_the_ref_is_not_checked(
    registered: Servers, claims: dict[str, Any]
) -> None:
    if "ref" in claims:
        claims["job_workflow_ref"] = f"Octo/tiny/.github/workflows/release.yml@{claims['ref']}"
    assert Client(registered).mint(**claims)


@pytest.mark.parametrize("environment", ["anything", None])
def test_a_publisher_without_an_environment_accepts_any(servers: Servers, environment: str | None) -> None:
    servers.index.register(replace(REGISTERED, environment=""))
    assert Client(servers).mint(environment)


def test_a_token_is_exchanged_once(registered: Servers) -> None:
    client = Client(registered)
    token = client.id_token()
    assert client.exchange(token).status_code == 200
    answer = client.exchange(token)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"code": "invalid-reuse-token", "description": "invalid token: already used"}]


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": int(time.time()) - 60}, id="expired"),
        pytest.param({"iat": int(time.time()) + 86400}, id="issued later"),
        pytest.param({"nbf": int(time.time()) + 86400}, id="not good yet"),
        pytest.param({"aud": "testpypi"}, id="for the other index"),
        pytest.param({"aud": ["pypi"]}, id="a list of audiences"),
        pytest.param({"exp": "soon"}, id="no time"),
    ],
)
def test_a_token_that_is_not_good_here_and_now_is_refused(registered: Servers, claims: dict[str, Any]) -> None:
    assert Client(registered).refusal(**claims) == ("invalid-token", "malformed or invalid token")


def test_clocks_may_differ_by_30_seconds(registered: Servers) -> None:
    client, now = Client(registered), int(time.time())
    assert client.mint(exp=now - 20)
    assert client.mint(iat=now + 20)


def test_a_token_signed_by_another_key_is_refused(registered: Servers) -> None:
    client = Client(registered)
    header = jwt.get_unverified_header(client.id_token())
    claims = jwt.decode(client.id_token(), options={"verify_signature": False})
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(claims, forger, algorithm="RS256", headers={"kid": header["kid"]})
    assert client.exchange(forged).json()["errors"][0]["code"] == "invalid-token"


@pytest.mark.parametrize(
    ("token", "description"),
    [
        ("nonsense", "malformed JWT"),
        (jwt.encode({"iss": "https://example.org"}, "k" * 32), "unknown trusted publishing issuer"),
        (jwt.encode({"sub": "x"}, "k" * 32), "malformed JWT"),
        (7, 'The payload must be a JSON object: {"token": "..."}'),
    ],
)
def test_what_is_no_token_is_an_invalid_payload(servers: Servers, token: object, description: str) -> None:
    answer = Client(servers).exchange(token)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"code": "invalid-payload", "description": description}]


def test_trusted_publishing_can_be_off(registered: Servers) -> None:
    registered.index.mint.enabled = False
    client = Client(registered)
    assert client.refusal() == ("not-enabled", "github trusted publishing functionality not enabled")
    audience = client.session.get(f"https://{client.index.upload_host}/_/oidc/audience", timeout=10)
    assert audience.status_code == 403


def test_a_pending_publisher_creates_its_project_at_the_first_mint(servers: Servers, folder: Path) -> None:
    servers.index.register_pending(REGISTERED)
    client = Client(servers)
    assert client.get("/simple/tiny/").status_code == 404
    first = client.mint()
    assert client.get("/simple/tiny/").status_code == 200
    assert client.upload(Dist().write_wheel(folder), first, Dist().metadata).status_code == 200
    assert client.mint(), "it is an ordinary publisher now"


def test_a_pending_publisher_whose_name_differs_cannot_create_the_project(servers: Servers, folder: Path) -> None:
    servers.index.register_pending(replace(REGISTERED, project="tinny"))
    client = Client(servers)
    answer = client.upload(Dist().write_wheel(folder), client.mint(), Dist().metadata)
    assert answer.status_code == 400
    assert answer.reason.startswith("Non-user identities cannot create new projects. This was probably")


def test_a_pending_publisher_is_void_if_the_name_was_taken_meanwhile(servers: Servers) -> None:
    servers.index.register_pending(REGISTERED)
    servers.index.put_release("Tiny", "0.1")
    refused = ("invalid-pending-publisher", "valid token, but project already exists")
    assert Client(servers).refusal() == refused
    assert Client(servers).refusal() == NOT_FOUND, "it is gone"


def test_a_pending_publisher_cannot_take_the_name_of_a_standard_module(servers: Servers) -> None:
    servers.index.register_pending(replace(REGISTERED, project="json"))
    code, description = Client(servers).refusal()
    assert code == "invalid-payload"
    assert "conflict with Python Standard Library module name" in description
    assert Client(servers).refusal() == (code, description), "it stays"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("importlib-metadata", "isn't allowed (conflict with Python Standard Library module name)"),
        ("Distutils.Command", "isn't allowed (conflict with Python Standard Library module name)"),
        ("urllib2", "isn't allowed (conflict with Python Standard Library module name)"),
        ("for.bidden", "isn't allowed"),
        ("t1.ny_l0ok", "is too similar to an existing project"),
    ],
)
def test_a_pending_publisher_creates_no_project_whose_name_pypi_refuses(
    servers: Servers, name: str, reason: str
) -> None:
    servers.index.prohibit("For-Bidden")
    servers.index.put_release("tiny-look", "1.0")
    servers.index.register_pending(replace(REGISTERED, project=name))
    page = "See https://pypi.org/help/#project-name for more information."
    assert Client(servers).refusal() == ("invalid-payload", f"The name {name!r} {reason}. {page}")


def test_a_project_that_exists_keeps_its_name_whatever_it_is(servers: Servers) -> None:
    servers.index.register(replace(REGISTERED, project="importlib-metadata"))
    assert Client(servers).mint()


def test_three_pending_publishers_are_the_most(servers: Servers) -> None:
    for number in range(3):
        servers.index.register_pending(replace(REGISTERED, project=f"p{number}", environment=f"e{number}"))
    with pytest.raises(TagshipError, match="found 3 pending publishers, expected fewer"):
        servers.index.register_pending(REGISTERED)


def test_one_pending_publisher_for_each_owner_repository_workflow_and_environment(servers: Servers) -> None:
    servers.index.register_pending(REGISTERED)
    with pytest.raises(TagshipError, match="expected a new publisher; use that one"):
        servers.index.register_pending(replace(REGISTERED, project="other"))


def test_the_publisher_with_the_environment_comes_before_the_one_without(servers: Servers) -> None:
    servers.index.register(replace(REGISTERED, project="any", environment=""))
    servers.index.register(REGISTERED)
    client = Client(servers)
    client.mint("pypi")
    client.mint("other")
    assert [entry.projects for entry in servers.index.mints()] == [("tiny",), ("any",)]


def test_a_token_of_one_index_is_worth_nothing_at_the_other(registered: Servers, folder: Path) -> None:
    registered.index.register(replace(REGISTERED, environment="testpypi"), "testpypi")
    other = Client(registered, "testpypi")
    answer = other.upload(Dist().write_wheel(folder), Client(registered).mint(), Dist().metadata)
    assert answer.status_code == 403
    assert answer.reason.startswith("Invalid or non-existent authentication information.")


def test_a_job_asks_the_issuer_with_its_own_bearer(servers: Servers) -> None:
    variables = servers.issuer.job(PUSH, "pypi")
    session = Client(servers).session
    url = variables["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=pypi"
    assert session.get(url, timeout=10).status_code == 401
    bearer = {"Authorization": f"bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    token = session.get(url, headers=bearer, timeout=10).json()["value"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "pypi"
    assert claims["sub"] == "repo:Octo/tiny:environment:pypi"


def test_the_issuer_is_found_by_its_discovery_document(servers: Servers) -> None:
    session = Client(servers).session
    document = session.get(f"{servers.issuer.address}/.well-known/openid-configuration", timeout=10).json()
    assert document["issuer"] == ISSUER
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    (key,) = session.get(document["jwks_uri"], timeout=10).json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert "d" not in key, "the private part stays private"


def test_without_an_environment_the_subject_names_the_ref(servers: Servers) -> None:
    token = Client(servers).id_token(None)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "repo:Octo/tiny:ref:refs/tags/v1.0"
    assert "environment" not in claims


def test_a_burnt_token_is_worth_nothing(registered: Servers, folder: Path) -> None:
    client = Client(registered)
    token = client.mint()
    url = f"https://{client.index.upload_host}/_/oidc/burn-token"
    assert client.session.post(url, json={"token": token}, timeout=10).status_code == 202
    assert client.upload(Dist().write_wheel(folder), token, Dist().metadata).status_code == 403
    assert client.session.post(url, json={}, timeout=10).status_code == 422


def test_a_second_pending_publisher_for_a_name_is_void_once_the_first_has_made_the_project(servers: Servers) -> None:
    servers.index.register_pending(REGISTERED)
    servers.index.register_pending(replace(REGISTERED, project="Tiny", environment="late"))
    client = Client(servers)
    client.mint("pypi")
    assert client.refusal("late") == ("invalid-pending-publisher", "valid token, but project already exists")
    assert client.refusal("late") == NOT_FOUND
