"""Simulates the OIDC providers of GitHub and GitLab: each job of a tag push can get an ID token, signed with RS256.

The protocol and the claims are those of
https://docs.github.com/en/actions/concepts/security/openid-connect.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from werkzeug.wrappers import Response

from tagship.indexes import INDEXES
from tagship.rehearsal import gitlab
from tagship.rehearsal.faults import Fault, Faults
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tagship.rehearsal.web import Form

ISSUER = "https://token.actions.githubusercontent.com"
"""The `iss` claim, as on GitHub; an index maps it to the URL where the keys really are."""
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks"
REQUEST_TOKEN = "/token"
LIFETIME = 300
"""Seconds for which an ID token is valid, as on GitHub."""
_BACKDATED = 600
_KID = uuid.uuid4().hex


@cache
def _key() -> rsa.RSAPrivateKey:
    """Return the provider's key: one for everybody, as at GitHub, created on first use."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims_of(push: TagPush, environment: str | None) -> dict[str, Any]:
    """Return the claims that GitHub would send for a job of this push, except those for time and audience.

    A job without an environment has no `environment` claim, and a different `sub`.
    """
    context = f"environment:{environment}" if environment else f"ref:{push.ref}"
    workflow_ref = f"{push.slug}/.github/workflows/{push.workflow}@{push.ref}"
    claims = {
        "sub": f"repo:{push.slug}:{context}",
        "repository": push.slug,
        "repository_id": push.repository_id,
        "repository_owner": push.owner,
        "repository_owner_id": push.owner_id,
        "repository_visibility": push.visibility,
        "workflow": push.workflow_name,
        "workflow_ref": workflow_ref,
        "workflow_sha": push.sha,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": push.sha,
        "ref": push.ref,
        "ref_type": "tag",
        "ref_protected": push.ref_protected,
        "sha": push.sha,
        "event_name": push.event_name,
        "base_ref": "",
        "head_ref": "",
        "actor": push.actor or push.owner,
        "actor_id": push.actor_id,
        "run_id": push.run_id,
        "run_number": push.run_number,
        "run_attempt": push.run_attempt,
        "runner_environment": push.runner_environment,
    }
    return {**claims, "environment": environment} if environment else claims


@dataclass(frozen=True)
class Job:
    """A job that may request ID tokens (`id-token: write`)."""

    claims: Mapping[str, Any]
    bearer: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Issuer:
    """The provider: its key, the jobs that may request tokens, and the three URLs of the protocol."""

    def __init__(self, faults: Faults | None = None, clock: Callable[[], float] = time.time) -> None:
        self._faults = faults or Faults()
        self._clock = clock
        self._key = _key()
        self._jobs: dict[str, Job] = {}
        self.server = WebServer(self.answer)

    @property
    def address(self) -> str:
        """The base URL of the provider and its discovery document."""
        return f"http://127.0.0.1:{self.server.port}"

    def job(self, push: TagPush, environment: str | None = None, **claims: Any) -> dict[str, str]:
        """Let a job of this push request ID tokens; return the variables that GitHub or GitLab sets for it.

        Further arguments override claims; None removes a claim.
        """
        if isinstance(push, gitlab.GitLabPush):
            tokens = _present({**gitlab.claims_of(push, environment), **claims})
            names = {audience: f"{audience.upper()}_ID_TOKEN" for audience in (*INDEXES, "sigstore")}
            signed = {name: self.sign(tokens, audience, gitlab.LIFETIME) for audience, name in names.items()}
            return {"GITLAB_CI": "true", **signed}
        job = Job(_present({**claims_of(push, environment), **claims}))
        self._jobs[job.bearer] = job
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.address}{REQUEST_TOKEN}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": job.bearer,
        }

    def sign(self, claims: Mapping[str, Any], audience: str, lifetime: int = LIFETIME) -> str:
        """Return a signed token with these claims; those for time and audience are added if missing."""
        now = int(self._clock() + self._faults.seconds(Fault.CLOCK_SKEW))
        timed = {"iss": ISSUER, "aud": audience, "jti": str(uuid.uuid4()), "iat": now}
        timed |= {"nbf": now - _BACKDATED, "exp": now + lifetime}
        return jwt.encode({**timed, **claims}, self._key, algorithm="RS256", headers={"kid": _KID})

    def answer(self, request: Form) -> Response:
        """Answer a request for a token, for the discovery document or for the keys."""
        if request.method != "GET":
            return _json({"message": "Only GET is answered."}, 405)
        if request.path == DISCOVERY:
            return _json(self._discovery())
        if request.path == JWKS:
            return _json({"keys": [self._public_key()]})
        if request.path == REQUEST_TOKEN:
            return self._token(request)
        return _json({"message": "Not found"}, 404)

    def _token(self, request: Form) -> Response:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        job = self._jobs.get(bearer.strip()) if scheme.lower() == "bearer" else None
        if job is None:
            return _json({"message": "The request token is missing or not valid."}, 401)
        # Without an audience GitHub names the repository's owner.
        default = f"https://github.com/{job.claims.get('repository_owner', '')}"
        return _json({"value": self.sign(job.claims, request.args.get("audience") or default)})

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{self.address}{JWKS}",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }

    def _public_key(self) -> dict[str, Any]:
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**key, "kid": _KID, "use": "sig", "alg": "RS256"}


def _present(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
