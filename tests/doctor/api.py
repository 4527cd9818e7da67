"""A stand-in for GitHub's REST API, and for an index that shows provenance: a table of answers on loopback.

The shapes are those of https://docs.github.com/rest (environments, deployment branch policies, rules, secrets, Actions
permissions, releases) and of https://docs.pypi.org/api/integrity/.
"""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "/repos/octo/ship"
INDEX = "/simple/ship/"
DIGEST = "a" * 64


class GitHub:
    """The answers by path; a tuple is a status, headers and a body. `sent` is what was requested, with the bodies."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.sent: list[tuple[str, str, Any]] = []
        self.tokens: set[str] = set()
        self.answers: dict[str, Any] = {
            f"{REPOSITORY}/environments": {"total_count": 2, "environments": [reviewed("pypi"), limited("testpypi")]},
            f"{REPOSITORY}/rulesets": [{"id": 1, "name": "tags", "target": "tag", "enforcement": "active"}],
            f"{REPOSITORY}/rulesets/1": ruleset("update", "deletion"),
            f"{REPOSITORY}/actions/permissions/workflow": {"default_workflow_permissions": "read"},
            f"{REPOSITORY}/actions/secrets": {"total_count": 1, "secrets": [{"name": "CODECOV_TOKEN"}]},
            f"{REPOSITORY}/immutable-releases": {"enabled": True, "enforced_by_owner": False},
            INDEX: listing("ship-1.0.tar.gz", provenance=f"{address}/provenance"),
            "/provenance": provenance("octo/ship", "release.yml", "pypi"),
        }
        for name in ("pypi", "testpypi"):
            self.answers[f"{REPOSITORY}/environments/{name}/deployment-branch-policies"] = policies(("v*", "tag"))
            self.answers[f"{REPOSITORY}/environments/{name}/secrets"] = {"total_count": 0, "secrets": []}

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body of the answer for `path`."""
        found = self.answers.get(path, (404, {}, {"message": "Not Found", "status": "404"}))
        status, headers, content = found if isinstance(found, tuple) else (200, {}, found)
        return status, headers, content if isinstance(content, bytes) else json.dumps(content).encode()


def limited(name: str) -> dict[str, Any]:
    """Return an environment that only what its rules name deploys to."""
    policy = {"protected_branches": False, "custom_branch_policies": True}
    return {"name": name, "protection_rules": [{"type": "branch_policy"}], "deployment_branch_policy": policy}


def reviewed(name: str, *people: str, self_review: bool = False) -> dict[str, Any]:
    """Return such an environment with required reviewers."""
    reviewers = [{"type": "User", "reviewer": {"login": each, "id": 7}} for each in people or ("anna", "ben")]
    rule = {"type": "required_reviewers", "prevent_self_review": not self_review, "reviewers": reviewers}
    found = limited(name)
    return {**found, "protection_rules": [*found["protection_rules"], rule, {"type": "wait_timer", "wait_timer": 5}]}


def policies(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return the deployment branch policies of these names and types."""
    return {"total_count": len(pairs), "branch_policies": [{"name": name, "type": kind} for name, kind in pairs]}


def ruleset(*types: str, include: str = "refs/tags/v*") -> dict[str, Any]:
    """Return an active tag ruleset with rules of these types."""
    conditions = {"ref_name": {"include": [include], "exclude": []}}
    rules = [{"type": each} for each in types]
    return {"id": 1, "name": "tags", "target": "tag", "enforcement": "active", "conditions": conditions, "rules": rules}


def listing(*names: str, **fields: Any) -> dict[str, Any]:
    """Return a project's page of the simple API, with `fields` for each of its files."""
    return {"files": [{"filename": name, "url": name, "hashes": {"sha256": DIGEST}, **fields} for name in names]}


def provenance(repository: str, workflow: str, environment: str | None, digest: str = DIGEST) -> dict[str, Any]:
    """Return the provenance of a file that a workflow published."""
    publisher = {"kind": "GitHub", "repository": repository, "workflow": workflow, "environment": environment}
    statement = json.dumps({"subject": [{"name": "ship-1.0.tar.gz", "digest": {"sha256": digest}}]}).encode()
    attestation = {"version": 1, "envelope": {"statement": base64.b64encode(statement).decode(), "signature": ""}}
    return {"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": [attestation]}]}


@contextmanager
def serving() -> Iterator[GitHub]:
    """Serve on loopback, at a port that the system chooses, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path = self.path if self.path in github.answers else self.path.partition("?")[0]
            github.sent.append((self.command, self.path, body))
            github.tokens.add(self.headers.get("Authorization", ""))
            status, headers, content = (201, {}, b"{}") if self.command != "GET" else github.answer(path)
            self.send_response(status)
            for name, value in {
                "Content-Length": str(len(content)),
                "Content-Type": "application/json",
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = handle_any  # noqa: N815 (the names are http.server's)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github = GitHub(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
