"""Whether a token's claims are those of a publisher: the checks after its signature is known to be good.

The rules: https://docs.pypi.org/trusted-publishers/internals/ and, for the claims,
https://docs.github.com/en/actions/reference/security/oidc.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tagship.rehearsal.index import publishers
from tagship.rehearsal.index.refusal import MintRefusal, PublisherMismatch

if TYPE_CHECKING:
    import sqlite3

    from tagship.indexes import PackageIndex
    from tagship.publisher import Registration

REQUIRED = (
    "repository",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "jti",
    "event_name",
    "ref",
    "sha",
)
"""The claims that a GitHub token must have; `ref` and `sha` may say anything."""
_WORKFLOW_FILE = re.compile(r"[^/]+\.(?:yml|yaml)(?=@)")


def find_publisher(
    db: sqlite3.Connection, index: PackageIndex, claims: dict[str, Any], *, pending: bool
) -> publishers.Publisher:
    """Return the publisher that a token belongs to.

    Raises PublisherMismatch with PyPI's messages, MintRefusal for a token that was used before.
    """
    _check_present(claims)
    workflow = _workflow_file(claims)
    publisher = publishers.find(db, index, claims, workflow, pending=pending)
    if publisher is None:
        raise PublisherMismatch("Publisher with matching claims was not found")
    _check_owner(publisher.registration, claims)
    _check_workflow(publisher.registration, claims)
    if publishers.used(db, index, str(claims["jti"])):
        raise MintRefusal("invalid-reuse-token", "invalid token: already used")
    if claims["event_name"] == "pull_request_target":
        raise PublisherMismatch("Publishing from a workflow invoked via 'pull_request_target' is not supported.")
    return publisher


def _check_present(claims: dict[str, Any]) -> None:
    for name in REQUIRED:
        if claims.get(name) is None:
            raise PublisherMismatch(f"Missing claim {name!r}")


def _workflow_file(claims: dict[str, Any]) -> str:
    found = _WORKFLOW_FILE.search(str(claims["job_workflow_ref"]))
    if not found:
        raise PublisherMismatch("Could not job extract workflow filename from OIDC claims")
    return found.group()


def _check_owner(registered: Registration, claims: dict[str, Any]) -> None:
    # The look-up went by `repository`; a token whose owner claim says otherwise is not GitHub's.
    if claims["repository_owner"] != registered.owner:
        raise PublisherMismatch("Check failed for required claim 'repository_owner'")


def _check_workflow(registered: Registration, claims: dict[str, Any]) -> None:
    path = f"{registered.owner}/{registered.repository}/.github/workflows/{registered.workflow}"
    expected = sorted(f"{path}@{claims[name]}" for name in ("ref", "sha") if claims[name])
    if not expected:
        raise PublisherMismatch("The ref and sha claims are empty")
    if claims["job_workflow_ref"] not in expected:
        raise PublisherMismatch(
            f"The job_workflow_ref claim does not match, expecting one of {expected!r},"
            f" got {claims['job_workflow_ref']!r}"
        )
