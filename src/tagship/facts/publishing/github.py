"""What the workflows of GitHub upload: every job, through actions, reusable workflows, scripts and task runners."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from tagship.facts import events, marked, workflow
from tagship.facts.marked import Map, Text
from tagship.facts.model import Evidence

from . import actions
from .steps import Steps
from .values import Scope
from .walk import Upload, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tagship.facts.events import Event
    from tagship.facts.workflow import Job, Workflow

    from .targets import Targets

LOCAL = re.compile(r"(?:\./)?(\.github/workflows/[^@]+)")
DEPTH = 5


@dataclass(frozen=True)
class Found:
    """An upload in a job of a workflow that `triggers` start; `events` are those that reach it."""

    file: str
    job: str
    triggers: tuple[str, ...]
    upload: Upload
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Start:
    """How a workflow starts: its events, or those of its caller, with the caller's lines, inputs and secrets."""

    triggers: tuple[str, ...]
    events: tuple[Event, ...]
    scope: Scope = field(default_factory=Scope)
    chain: tuple[Evidence, ...] = ()
    identity: bool = True
    depth: int = 0


@dataclass
class Workflows:
    """The workflows of the repository at `root`, by their files, and the errors of those that cannot be read."""

    root: Path
    targets: Targets
    by_file: dict[str, Workflow] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    #: What was found in each job that has steps, by its file and name.
    walks: dict[tuple[str, str], Walk] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path, targets: Targets, changed: Mapping[str, bytes] = MappingProxyType({})) -> Workflows:
        """Read all workflows of the repository at `root`; those in `changed` have that content instead."""
        found = cls(root, targets)
        for path in workflow.files(root):
            name = f"{workflow.FOLDER}/{path.name}"
            try:
                content = found.contents[name] = changed.get(name) or marked.read_bytes(path, name)
                each = workflow.parse(content, name)
            except marked.Unreadable as error:
                found.errors += [str(line) for line in error.args]
            else:
                found.by_file[each.file] = each
        return found

    def uploads(self) -> Iterator[Found]:
        """Yield each upload that a trigger can start, and those of called workflows that nothing here calls."""
        own = {file: each for file, each in self.by_file.items() if set(each.triggers) != {"workflow_call"}}
        for each in own.values():
            yield from self._workflow(each, Start(each.described(), events.of(each)))
        for file, each in self.by_file.items():
            if file not in own and file not in self.called:
                yield from self._workflow(each, Start(each.described(), events.of(each)))

    def _workflow(self, each: Workflow, start: Start) -> Iterator[Found]:
        scope = start.scope.child()
        for name, value in each.env.items():
            scope.set(name, marked.as_text(value))
        for name, values in _declared(each):
            for given in values:
                scope.add(f"inputs.{name}", given)
        for job in each.jobs.values():
            for name, value in job.outputs.items():
                scope.outputs[(str(job.id), str(name))] = marked.as_text(value)
        for job in each.jobs.values():
            reaching = tuple(event for event in start.events if events.runs(each, job, event) is not False)
            if reaching:
                yield from self._job(each, job, scope.child(), replace(start, events=reaching))

    def _job(self, each: Workflow, job: Job, scope: Scope, start: Start) -> Iterator[Found]:
        for name, value in job.env.items():
            scope.set(name, marked.as_text(value))
        for name, given in _matrix(job):
            scope.add(f"matrix.{name}", given)
        start = replace(start, identity=start.identity and bool(job.grants("id-token")))
        if job.uses:
            yield from self._call(each, job, scope, start)
            return
        walk = self.walks[each.file, str(job.id)] = Walk(self.targets, scope, start.identity)
        steps = Steps(each.file, walk, start.chain, self.errors)
        for upload, reaching in steps.uploads(job.steps, start.events):
            yield Found(each.file, str(job.id), start.triggers, upload, reaching)

    def _call(self, each: Workflow, job: Job, scope: Scope, start: Start) -> Iterator[Found]:
        inputs = {str(name): scope.expand(marked.as_text(value)) for name, value in job.inputs.items()}
        secrets = None
        if isinstance(job.secrets, Map):
            secrets = {str(name): scope.expand(marked.as_text(value)) for name, value in job.secrets.items()}
        chain = (*start.chain, Evidence(each.file, job.uses.line, f"uses: {job.uses}"))
        local = LOCAL.fullmatch(job.uses)
        target = self.by_file.get(local[1]) if local else None
        if target is None:
            if found := actions.workflow(job.uses, inputs, secrets, scope, identity=start.identity):
                upload = Upload(job.uses.partition("@")[0], *found, chain)
                yield Found(each.file, str(job.id), start.triggers, upload, start.events)
            return
        self.called.add(target.file)
        if start.depth < DEPTH:
            given = {**{name: (values or [""])[0] for name, values in _declared(target)}, **inputs}
            reaching = tuple(event.given(given) for event in start.events)
            inner = Scope(inputs=inputs, renamed=secrets)
            yield from self._workflow(
                target, Start(start.triggers, reaching, inner, chain, start.identity, start.depth + 1)
            )


def _declared(each: Workflow) -> Iterator[tuple[str, list[str]]]:
    """Yield the workflow's own inputs with their known values: the default first, then the choices."""
    for event in ("workflow_call", "workflow_dispatch"):
        for name, node in each.triggers.map(event).map("inputs").items():
            if isinstance(node, Map):
                values = [node.text("default"), *(marked.as_text(option) for option in node.list("options"))]
                yield str(name), [str(value) for value in values if value]


def _matrix(job: Job) -> Iterator[tuple[str, str]]:
    """Yield the values of the matrix by their names in expressions."""
    for name, values in job.node.map("strategy").map("matrix").items():
        for row in values if isinstance(values, list) else []:
            if isinstance(row, Text):
                yield str(name), row
            elif isinstance(row, Map):
                prefix = "" if name in {"include", "exclude"} else f"{name}."
                yield from ((prefix + str(key), value) for key, value in row.items() if isinstance(value, Text))
