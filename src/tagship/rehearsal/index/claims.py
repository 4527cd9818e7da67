"""Whether a token's claims match a publisher: the checks after its signature has been verified.

The rules: https://docs.pypi.org/trusted-publishers/internals/ and, for the claims,
https://docs.github.com/en/actions/reference/security/oidc and
https://docs.gitlab.com/ci/secrets/id_token_authentication/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tagship.publisher import Registration
from tagship.rehearsal import gitlab
from tagship.rehearsal.index import publishers
from tagship.rehearsal.index.refusal import MintRefusal, PublisherMismatch

if TYPE_CHECKING:
    import sqlite3

    from tagship.indexes import PackageIndex

REQUIRED = {
    "github": (
        "repository",
        "repository_owner",
        "repository_owner_id",
        "job_workflow_ref",
        "jti",
        "event_name",
        "ref",
        "sha",
    ),
    "gitlab": ("sub", "project_path", "ci_config_ref_uri", "jti", "ref_path", "sha"),
}
"""The claims that a token must have, by its provider; the ref and `sha` may have any value."""
_WORKFLOW_FILE = re.compile(r"[^/]+\.(?:yml|yaml)(?=@)")
_PIPELINE_FILE = re.compile(r"(?<=//).*[^/]\.(?:yml|yaml)(?=@)")


def find_publisher(
    db: sqlite3.Connection, index: PackageIndex, claims: dict[str, Any], *, pending: bool
) -> publishers.Publisher:
    """Return the publisher that a token belongs to.

    Raises PublisherMismatch with PyPI's messages, MintRefusal for a token that was used before.
    """
    provider = "gitlab" if claims["iss"] == gitlab.ISSUER else "github"
    for name in REQUIRED[provider]:
        if claims.get(name) is None:
            raise PublisherMismatch(f"Missing claim {name!r}")
    publisher = publishers.find(db, index, _LOOK_UP[provider](claims), pending=pending)
    if publisher is None:
        raise PublisherMismatch("Publisher with matching claims was not found")
    _CHECK[provider](publisher.registration, claims)
    if publishers.used(db, index, str(claims["jti"])):
        raise MintRefusal("invalid-reuse-token", "invalid token: already used")
    if claims.get("event_name") == "pull_request_target":
        raise PublisherMismatch("Publishing from a workflow invoked via 'pull_request_target' is not supported.")
    return publisher


def _of_github(claims: dict[str, Any]) -> Registration:
    """Return the publisher for a token of GitHub's."""
    found = _WORKFLOW_FILE.search(str(claims["job_workflow_ref"]))
    if not found:
        raise PublisherMismatch("Could not job extract workflow filename from OIDC claims")
    owner, _, repository = str(claims["repository"]).partition("/")
    environment, owner_id = str(claims.get("environment") or ""), str(claims["repository_owner_id"])
    return Registration("", owner, repository, found.group(), environment, owner_id)


def _of_gitlab(claims: dict[str, Any]) -> Registration:
    """Return the publisher for a token of GitLab's."""
    found = _PIPELINE_FILE.search(str(claims["ci_config_ref_uri"]))
    if not found:
        raise PublisherMismatch("Could not extract workflow filename from OIDC claims")
    namespace, _, project = str(claims["project_path"]).rpartition("/")
    environment = str(claims.get("environment") or "")
    return Registration("", namespace, project, found.group(), environment, provider="gitlab")


def _check_github(registered: Registration, claims: dict[str, Any]) -> None:
    # The look-up uses `repository`; GitHub makes no token with another owner claim.
    if claims["repository_owner"] != registered.owner:
        raise PublisherMismatch("Check failed for required claim 'repository_owner'")
    path = f"{registered.owner}/{registered.repository}/.github/workflows/{registered.workflow}"
    _check_file(path, claims, "job_workflow_ref", "ref")


def _check_gitlab(registered: Registration, claims: dict[str, Any]) -> None:
    project = f"{registered.owner}/{registered.repository}"
    if str(claims["sub"]).lower().split(":")[:2] != ["project_path", project.lower()]:
        raise PublisherMismatch("Check failed for required claim 'sub'")
    if not (claims["ref_path"] and claims["sha"]):
        raise PublisherMismatch("The ref_path and sha claims are empty")
    _check_file(f"gitlab.com/{project}//{registered.workflow}", claims, "ci_config_ref_uri", "ref_path")


def _check_file(path: str, claims: dict[str, Any], claim: str, ref: str) -> None:
    expected = sorted(f"{path}@{claims[name]}" for name in (ref, "sha") if claims[name])
    if not expected:
        raise PublisherMismatch(f"The {ref} and sha claims are empty")
    if claims[claim] not in expected:
        raise PublisherMismatch(
            f"The {claim} claim does not match, expecting one of {expected!r}, got {claims[claim]!r}"
        )


_LOOK_UP = {"github": _of_github, "gitlab": _of_gitlab}
_CHECK = {"github": _check_github, "gitlab": _check_gitlab}
