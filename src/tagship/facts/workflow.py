"""A GitHub workflow: its triggers, jobs and steps, each with its lines, as GitHub reads them."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from . import marked
from .marked import Map, Seq, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ".github/workflows"
NAMES = (".yml", ".yaml")
#: `secrets.NAME` and `secrets['NAME']` within an expression.
SECRET = re.compile(r"\b(?:secrets|outer)\s*(?:\.\s*([A-Za-z_][\w-]*)|\[\s*'([^']+)'\s*\])")


@dataclass(frozen=True)
class Step:
    """A step: `line` to `end` are its lines; `run` and `uses` are empty if it has none."""

    index: int
    line: int
    end: int
    id: Text
    name: Text
    condition: Text
    uses: Text
    run: Text
    shell: Text
    folder: Text
    env: Map
    inputs: Map
    node: Map = field(repr=False)

    @classmethod
    def read(cls, index: int, node: Map) -> Step:
        """Return the step that `node` describes."""
        return cls(
            index=index,
            line=node.line,
            end=node.end,
            id=node.text("id"),
            name=node.text("name"),
            condition=node.text("if"),
            uses=_uses(node),
            run=node.text("run"),
            shell=node.text("shell"),
            folder=node.text("working-directory"),
            env=node.map("env"),
            inputs=node.map("with"),
            node=node,
        )

    @property
    def action(self) -> str:
        """The action without its version, in lower case, as GitHub ignores case; "" without one."""
        return self.uses.partition("@")[0].strip().lower() if not self.uses.startswith("./") else ""


@dataclass(frozen=True)
class Job:
    """A job: `line` (of its name) to `end` are its lines; `uses` is a reusable workflow, "" for a job with steps.

    `permissions` are those of the job, else of the workflow; None if neither has any, and
    `{"*": "write"}` for `write-all`.
    """

    id: Text
    line: int
    end: int
    name: Text
    needs: tuple[Text, ...]
    condition: Text
    permissions: dict[str, Text] | None
    own_permissions: bool
    environment: Text
    env: Map
    uses: Text
    inputs: Map
    secrets: Map | Text
    steps: tuple[Step, ...]
    outputs: Map
    node: Map = field(repr=False)

    @classmethod
    def read(cls, name: Text, node: Map, default: dict[str, Text] | None) -> Job:
        """Return the job that `node` describes, with the workflow's permissions as its default."""
        own = permissions(node.get("permissions"))
        environment = node.text("environment") or node.map("environment").text("name")
        secrets = node.get("secrets")
        steps = [each for each in node.list("steps") if isinstance(each, Map)]
        return cls(
            id=name,
            line=name.line,
            end=max(name.line, node.end),
            name=node.text("name"),
            needs=tuple(each for each in node.list("needs") if isinstance(each, Text)),
            condition=node.text("if"),
            permissions=default if own is None else own,
            own_permissions=own is not None,
            environment=environment,
            env=node.map("env"),
            uses=_uses(node),
            inputs=node.map("with"),
            secrets=secrets if isinstance(secrets, (Map, Text)) else Map(name.line),
            steps=tuple(Step.read(index, each) for index, each in enumerate(steps)),
            outputs=node.map("outputs"),
            node=node,
        )

    def grants(self, scope: str, level: str = "write") -> bool | None:
        """Return whether the job's token has `scope` at `level`; None if the repository's settings decide."""
        if self.permissions is None:
            return False if scope == "id-token" else None  # no repository has it by default
        given = self.permissions.get(scope, self.permissions.get("*", Text("")))
        return given == level or (level == "read" and given == "write")


@dataclass(frozen=True)
class Workflow:
    """A workflow file: `triggers` are its events with their filters, `jobs` are by their ids."""

    file: str
    name: Text
    triggers: Map
    permissions: dict[str, Text] | None
    env: Map
    jobs: dict[str, Job]
    node: Map = field(repr=False)

    def on(self, event: str) -> bool:
        """Return whether `event` starts the workflow."""
        return event in self.triggers

    def before(self, name: str) -> list[Job]:
        """Return the job `name` and those that it waits for, directly or not."""
        found: dict[str, Job] = {}
        waiting = [name]
        while waiting:
            job = self.jobs.get(waiting.pop())
            if job and str(job.id) not in found:
                found[str(job.id)] = job
                waiting += map(str, job.needs)
        return [*found.values()]

    def described(self) -> tuple[str, ...]:
        """Return the triggers as text: the event, with its filters, if any, as JSON."""
        return tuple(
            f"{event}:{json.dumps(marked.data(value))}" if value else str(event)
            for event, value in self.triggers.items()
        )


def _uses(node: Map) -> Text:
    """Return what a job or a step uses; `$/` and `./` both begin a path in the same repository.

    https://github.blog/changelog/2026-07-30-reference-same-repository-actions-with-self-repository-syntax/
    """
    given = node.text("uses")
    path = given.removeprefix("$/").removeprefix("./")
    return Text(f"./{path}", given.line, given.end, given.first) if given.startswith("$/") else given


def permissions(value: object) -> dict[str, Text] | None:
    """Return the permissions in `value` of a workflow or a job; None if it is missing."""
    if isinstance(value, Map):
        return {str(scope): level for scope, level in value.items() if isinstance(level, Text)}
    if isinstance(value, Text):
        return {"*": Text(value.removesuffix("-all"), value.line)} if value.endswith("-all") else {}
    return None


def secrets(text: str) -> tuple[str, ...]:
    """Return the names of the secrets in `text`, in order, each once."""
    return tuple(dict.fromkeys(name or quoted for name, quoted in SECRET.findall(text)))


def files(root: Path) -> list[Path]:
    """Return the workflow files of the repository at `root`, sorted; GitHub ignores subfolders and symlinks."""
    try:
        with os.scandir(root / FOLDER) as entries:
            names = [each.name for each in entries if each.name.endswith(NAMES) and each.is_file(follow_symlinks=False)]
    except OSError:
        return []
    return [root / FOLDER / name for name in sorted(names)]


def readable(root: Path) -> Iterator[Workflow]:
    """Yield the workflows of the repository at `root`, without those that cannot be read."""
    for path in files(root):
        with suppress(marked.Unreadable):  # which is reported where publishing is read
            yield read(path, root)


def read(path: Path, root: Path) -> Workflow:
    """Return the workflow in the file at `path`; raise `Unreadable` if it is not one."""
    name = path.relative_to(root).as_posix()
    return parse(marked.read_bytes(path, name), name)


@lru_cache(maxsize=64)  # several readers need the same ones
def parse(content: bytes, name: str) -> Workflow:
    """Return the workflow in `content` of the file `name`; raise `Unreadable` if it is not one."""
    node = marked.parse(content, name)
    if not isinstance(node, Map) or not isinstance(node.get("jobs"), Map):
        line = getattr(node, "line", 1)
        raise marked.Unreadable(
            f"{name}:{line}: no workflow: it has no mapping `jobs`; correct or remove it [unreadable-file]"
        )
    given = permissions(node.get("permissions"))
    jobs = ((key, each) for key, each in node.map("jobs").items() if isinstance(key, Text) and isinstance(each, Map))
    return Workflow(
        file=name,
        name=node.text("name"),
        triggers=_triggers(node),
        permissions=given,
        env=node.map("env"),
        jobs={str(key): Job.read(key, each, given) for key, each in jobs},
        node=node,
    )


def steps(value: Seq | Map) -> Iterator[Step]:
    """Yield the steps of a composite action's `runs`."""
    nodes = value.list("steps") if isinstance(value, Map) else value
    yield from (Step.read(index, each) for index, each in enumerate(nodes) if isinstance(each, Map))


def _triggers(node: Map) -> Map:
    value: Any = node.get("on")
    if isinstance(value, Map):
        return value
    found = Map(getattr(value, "line", node.line))
    for event in marked.as_list(value):
        if isinstance(event, Text):
            found[event] = None
    found.end = max([found.line, *(event.end for event in found if isinstance(event, Text))])
    return found
