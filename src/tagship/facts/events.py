"""The events that start a workflow, and which of its jobs and steps can run for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import marked
from .expressions import UNKNOWN, Prefix, Value, evaluate
from .marked import Map, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .workflow import Job, Workflow

HEADS, TAGS = "refs/heads/", "refs/tags/"
PULLS = frozenset({"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"})
#: What a pattern of a branch or a tag may hold besides plain characters.
SPECIAL = re.compile(r"[*?+\[\]!\\]")
#: A condition with one of these can also be true if a needed job was skipped.
STATUS = re.compile(r"\b(?:always|cancelled|failure)\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """One way to start a workflow: the event, the ref as far as it is known, and the type of activity."""

    name: str
    ref: str | Prefix | None = None
    action: str = ""
    #: The inputs of a called workflow or action, as far as known; None outside of one.
    inputs: tuple[tuple[str, str], ...] | None = None

    def given(self, inputs: Mapping[str, str]) -> Event:
        """Return the event as a called workflow or action with these `inputs` sees it."""
        return replace(self, inputs=tuple((name.lower(), value) for name, value in inputs.items()))

    @property
    def is_tag(self) -> bool | None:
        """Whether the ref is a tag; None if that depends on a caller."""
        return None if self.ref is None else _known(self.ref).startswith(TAGS)

    def look_up(self, path: str) -> Value:
        """Return the value of a context at `path`, `UNKNOWN` if it is known at run time only."""
        path = path.lower()
        if path in {"github.event_name", "github.ref", "github.ref_type", "github.ref_name", "github.event.action"}:
            return self._github(path.rpartition(".")[2])
        if path == "github.event.ref" and self.name in {"push", "create", "delete"}:
            return UNKNOWN if self.ref is None else self.ref
        if path.startswith("github.event."):
            return self._payload(path.split(".")[2])
        if path.startswith("inputs.") and self.inputs is not None:
            return _literal(dict(self.inputs).get(path.removeprefix("inputs."), ""))
        if path.startswith("inputs.") and self.name not in {"workflow_dispatch", "workflow_call"}:
            return None
        return UNKNOWN

    def _github(self, name: str) -> Value:
        if name == "event_name":
            return UNKNOWN if self.name == "workflow_call" else self.name
        if name == "action":
            return self.action or (UNKNOWN if self.name not in {"push", "schedule", "workflow_dispatch"} else None)
        if self.ref is None:
            return UNKNOWN
        known = _known(self.ref)
        if name == "ref_type":
            return "tag" if known.startswith(TAGS) else "branch"
        if name == "ref_name":
            rest = re.sub(r"^refs/(?:heads|tags|pull)/", "", known)
            return rest if isinstance(self.ref, str) else Prefix(rest) if rest else UNKNOWN
        return self.ref

    def _payload(self, key: str) -> Value:
        only = {
            "release": {"release"},
            "pull_request": PULLS,
            "workflow_run": {"workflow_run"},
            "inputs": {"workflow_dispatch"},
        }
        if key in only and self.name not in only[key] and self.name != "workflow_call":
            return None
        return UNKNOWN


def _literal(value: str) -> Value:
    if "${{" in value:
        return UNKNOWN
    return {"true": True, "false": False}.get(value, value)


def _known(ref: str | Prefix) -> str:
    return ref.text if isinstance(ref, Prefix) else ref


def of(workflow: Workflow) -> tuple[Event, ...]:
    """Return the ways to start `workflow`."""
    return tuple(each for name, filters in workflow.triggers.items() for each in _of(name, filters))


def _of(name: str, filters: object) -> Iterator[Event]:
    given = filters if isinstance(filters, Map) else Map()
    if name == "push":
        yield from (Event(name, ref) for ref in _pushed(given))
    elif name == "release":
        actions = [str(each) for each in given.list("types") if isinstance(each, Text)]
        yield from (Event(name, Prefix(TAGS), action) for action in actions or ["published", "created", "released"])
    elif name in PULLS:
        yield Event(name, Prefix("refs/pull/" if name == "pull_request" else HEADS))
    elif name == "workflow_call":
        yield Event(name)
    elif name in {"workflow_dispatch", "create", "deployment", "deployment_status"}:
        yield from (Event(name, Prefix(kind)) for kind in (HEADS, TAGS))  # the user chooses a branch or a tag
    elif name == "repository_dispatch":
        actions = [str(each) for each in given.list("types") if isinstance(each, Text)]
        yield from (Event(name, Prefix(HEADS), action) for action in actions or [""])
    else:
        yield Event(name, Prefix(HEADS))


def _pushed(filters: Mapping[str, object]) -> Iterator[str | Prefix]:
    branches = [each for key in ("branches", "branches-ignore") if key in filters for each in _patterns(filters, key)]
    tags = [each for key in ("tags", "tags-ignore") if key in filters for each in _patterns(filters, key)]
    if branches or not tags:
        yield from (_ref(HEADS, each) for each in branches or [""])
    if tags or not branches:
        yield from (_ref(TAGS, each) for each in tags or [""])


def _patterns(filters: Mapping[str, object], key: str) -> list[str]:
    """Return the patterns that include refs; "*" if those of `key` only exclude some."""
    if key.endswith("-ignore"):
        return ["*"]
    return [
        str(each) for each in marked.as_list(filters[key]) if isinstance(each, Text) and not each.startswith("!")
    ] or ["*"]


def _ref(kind: str, pattern: str) -> str | Prefix:
    special = SPECIAL.search(pattern)
    if special is None and pattern:
        return kind + pattern
    at = special.start() if special else 0
    # `?` and `+` apply to the character before them.
    return Prefix(kind + pattern[: at - 1 if special and special[0] in "?+" and at else at])


def runs(
    workflow: Workflow,
    job: Job,
    event: Event,
    seen: frozenset[str] = frozenset(),
    look_up: Callable[[str], Value] | None = None,
) -> bool | None:
    """Return whether `job` runs for `event`; None if that depends on the run.

    `look_up` returns the values of contexts, by default those that the event determines.
    """
    held = evaluate(job.condition, look_up or event.look_up)
    if held is False or STATUS.search(job.condition):
        return held
    needed = [workflow.jobs[name] for name in job.needs if name in workflow.jobs and name not in seen]
    states = [runs(workflow, each, event, seen | {str(job.id)}, look_up) for each in needed]
    return False if False in states else None if None in states else held
