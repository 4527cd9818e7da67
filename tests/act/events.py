"""What GitHub sends when something happens in a repository, and which events start a workflow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import git

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("events")


@dataclass(frozen=True)
class Event:
    """An event: its name, the ref and the commit that a workflow sees, and what GitHub sends."""

    name: str
    ref: str
    sha: str
    payload: dict[str, Any]

    @property
    def kind(self) -> str:
        """`github.ref_type`."""
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    @property
    def ref_name(self) -> str:
        """`github.ref_name`."""
        return self.ref.split("/", 2)[2]

    @property
    def from_a_fork(self) -> bool:
        """Whether it is a pull request from another repository, which gets no identity."""
        request = self.payload.get("pull_request", {})
        head, base = (request.get(side, {}).get("repo", {}).get("full_name") for side in ("head", "base"))
        return bool(head != base)


def push(repository: Path, ref: str, *, fork: bool = False) -> Event:
    """Return the push of a tag or of a branch (`refs/…`), in a fork or not."""
    sha, payload = git(repository, "rev-parse", f"{ref}^{{commit}}"), _payload("push")
    payload.update({"ref": ref, "after": sha})
    payload["head_commit"]["id"] = sha
    payload["repository"]["fork"] = fork
    return Event("push", ref, sha, payload)


def pull_request(repository: Path, *, fork: bool = False, title: str = "A change", branch: str = "topic") -> Event:
    """Return a pull request of HEAD, whose merge with the base GitHub puts at `refs/pull/7/merge`."""
    sha, payload = git(repository, "rev-parse", "HEAD"), _payload("pull_request")
    request = payload["pull_request"]
    request["title"] = request["body"] = title
    request["head"].update({"ref": branch, "sha": sha})
    if fork:
        other = {"full_name": "Somebody/my-package", "fork": True}
        request["head"].update({"label": f"Somebody:{branch}", "repo": {**request["head"]["repo"], **other}})
    git(repository, "update-ref", "refs/pull/7/merge", sha)
    return Event("pull_request", "refs/pull/7/merge", sha, payload)


def dispatch(repository: Path, ref: str) -> Event:
    """Return a manual dispatch on a branch or a tag (`refs/…`)."""
    sha, payload = git(repository, "rev-parse", f"{ref}^{{commit}}"), _payload("workflow_dispatch")
    payload["ref"] = ref
    return Event("workflow_dispatch", ref, sha, payload)


def starts(triggers: Mapping[str, Any], event: Event) -> bool:
    """Return whether the `on:` of a workflow starts it for an event; act itself only compares the name."""
    if event.name not in triggers:
        return False
    filters = triggers[event.name] or {}
    if event.name != "push" or not filters:
        return True
    patterns = filters.get("tags" if event.kind == "tag" else "branches", [])
    return any(re.fullmatch(_expression(pattern), event.ref_name) for pattern in patterns)


def _expression(pattern: str) -> str:
    """Return the regular expression of a filter pattern, without `!`.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
    """
    words = {"**": ".*", "*": "[^/]*", ".": r"\."}
    return re.sub(r"\*\*|\*|\.(?![^[]*\])", lambda match: words[match[0]], pattern)


def _payload(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))
