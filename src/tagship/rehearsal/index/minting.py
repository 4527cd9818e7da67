"""From an ID token to an upload token: the signature, the publisher, the 900 seconds.

The protocol: https://docs.pypi.org/trusted-publishers/using-a-publisher/.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import urllib.request
from typing import TYPE_CHECKING, Any

import jwt

from tagship.rehearsal import gitlab
from tagship.rehearsal.faults import Fault
from tagship.rehearsal.index import log, publishers
from tagship.rehearsal.index.claims import find_publisher
from tagship.rehearsal.index.refusal import MintRefusal, PublisherMismatch, Refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from tagship.indexes import PackageIndex
    from tagship.rehearsal.faults import Faults
    from tagship.rehearsal.index.state import State

LIFETIME = 900
"""Seconds for which an upload token is valid."""
LEEWAY = 30
"""Seconds by which the issuer's clock may differ for PyPI."""
_ONLY_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Mint:
    """Exchanges tokens of known issuers, which map `iss` to the URL of the discovery document."""

    def __init__(self, state: State, issuers: Mapping[str, str], faults: Faults, clock: Callable[[], float]) -> None:
        self._state = state
        self._issuers = issuers
        self._faults = faults
        self._clock = clock
        self.enabled = True
        """Whether trusted publishing is on at all; PyPI's admins can turn it off."""

    def exchange(self, index: PackageIndex, body: bytes) -> dict[str, Any]:
        """Return PyPI's answer to a valid request; raises MintRefusal for others; logs both."""
        claims: dict[str, Any] = {}
        try:
            token = _payload(body)
            claims = self._verified(token, index)
            answer, projects = self._mint(index, claims)
        except MintRefusal as refusal:
            with self._state.writing() as db:
                log.add_mint(db, index, self._clock(), claims, refusal.code, refusal.description)
            raise
        with self._state.writing() as db:
            log.add_mint(db, index, self._clock(), claims, "", "", projects)
        return answer

    def burn(self, index: PackageIndex, body: bytes) -> None:
        """Revoke an upload token, known or not, before it expires; raises MintRefusal for a bad payload.

        https://github.com/pypi/warehouse/pull/20197
        """
        token = _payload(body)
        with self._state.writing() as db:
            values = (_digest(token), index.name)
            db.execute("DELETE FROM token WHERE digest = ? AND host_index = ?", values)

    def _verified(self, token: str, index: PackageIndex) -> dict[str, Any]:
        issuer = self._issuer(token)
        try:
            return self._decoded(token, issuer, index)
        except (jwt.PyJWTError, OSError, ValueError, TypeError):
            raise MintRefusal("invalid-token", "malformed or invalid token") from None

    def _issuer(self, token: str) -> str:
        try:
            unverified = jwt.decode(token, options={"verify_signature": False})
            issuer = unverified["iss"]
        except Exception:
            raise MintRefusal("invalid-payload", "malformed JWT") from None
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise MintRefusal("invalid-payload", "unknown trusted publishing issuer")
        if not self.enabled:
            provider = "gitlab" if issuer == gitlab.ISSUER else "github"
            raise MintRefusal("not-enabled", f"{provider} trusted publishing functionality not enabled")
        return issuer

    def _decoded(self, token: str, issuer: str, index: PackageIndex) -> dict[str, Any]:
        claims = jwt.decode(
            token,
            key=self._key(token, issuer),
            algorithms=["RS256"],
            options={
                "require": ["iss", "iat", "exp", "aud"],
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
            issuer=issuer,
            audience=index.name,
        )
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        # By the index's clock, which may not be the machine's; the limits are PyJWT's.
        now = self._clock()
        if int(claims["exp"]) <= now - LEEWAY:
            raise jwt.ExpiredSignatureError
        if int(claims["iat"]) > now + LEEWAY or int(claims.get("nbf", 0)) > now + LEEWAY:
            raise jwt.ImmatureSignatureError

    def _key(self, token: str, issuer: str) -> jwt.PyJWK:
        kid = jwt.get_unverified_header(token).get("kid")
        discovery = _fetch(self._issuers[issuer])
        for key in _fetch(discovery["jwks_uri"])["keys"]:
            if key["kid"] == kid:
                return jwt.PyJWK(key)
        raise jwt.PyJWTError(f"Key ID {kid!r} not found")

    def _mint(self, index: PackageIndex, claims: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        refusal: MintRefusal | None = None
        with self._state.writing() as db:
            # A refusal here must not restore the pending publisher.
            try:
                return self._exchange_claims(db, index, claims)
            except MintRefusal as error:
                refusal = error
        raise refusal

    def _exchange_claims(
        self, db: sqlite3.Connection, index: PackageIndex, claims: dict[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        self._reify(db, index, claims)
        try:
            publisher = find_publisher(db, index, claims, pending=False)
        except PublisherMismatch as mismatch:
            description = f"valid token, but no corresponding publisher ({mismatch})"
            raise MintRefusal("invalid-publisher", description) from None
        publishers.use_up(db, index, str(claims["jti"]))
        projects = publishers.projects_of(db, publisher.id)
        return self._token(db, index, publisher.id, list(projects)), list(projects.values())

    def _reify(self, db: sqlite3.Connection, index: PackageIndex, claims: dict[str, Any]) -> None:
        publishers.forget_old(db, self._clock())
        try:
            pending = find_publisher(db, index, claims, pending=True)
        except PublisherMismatch:
            return
        publishers.reify(db, index, pending)

    def _token(
        self, db: sqlite3.Connection, index: PackageIndex, publisher: int, projects: list[int]
    ) -> dict[str, Any]:
        now = int(self._clock())
        token = f"pypi-{secrets.token_urlsafe(96)}"
        expires = now - 1 if self._faults.take(Fault.EXPIRED_TOKEN) else now + LIFETIME
        values = (_digest(token), index.name, publisher, json.dumps(projects), expires)
        db.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?)", values)
        return {"success": True, "token": token, "expires": now + LIFETIME}


def publisher_of(db: sqlite3.Connection, index: PackageIndex, token: str) -> sqlite3.Row:
    """Return the row of an upload token; raises Refusal (403) for one that this index did not mint."""
    query = "SELECT * FROM token WHERE digest = ? AND host_index = ?"
    row: sqlite3.Row | None = db.execute(query, (_digest(token), index.name)).fetchone()
    if row is None:
        raise Refusal(
            "Invalid or non-existent authentication information."
            f" See https://{index.site}/help/#invalid-auth for more information.",
            status=403,
        )
    return row


def check_token(db: sqlite3.Connection, row: sqlite3.Row, project: tuple[int, str], now: float) -> None:
    """Check that a token is still valid, and valid for a project (number, name); raises Refusal (403)."""
    failures = []
    if project[0] not in publishers.projects_of(db, row["publisher"]):
        failures.append(f"OIDC scoped token is not valid for project {project[1]!r}")
    if project[0] not in json.loads(row["projects"]):
        failures.append(f"project-scoped token is not valid for project: {project[1]!r}")
    if now >= row["expires"]:
        failures.append("token is expired")
    if failures:
        raise Refusal(f"Invalid API Token: {failures[0]}", status=403)


def _payload(body: bytes) -> str:
    try:
        token = json.loads(body)["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str):
        raise MintRefusal("invalid-payload", 'The payload must be a JSON object: {"token": "..."}')
    return token


def _fetch(url: str) -> Any:
    with _ONLY_LOOPBACK.open(url, timeout=5) as answer:
        return json.load(answer)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
