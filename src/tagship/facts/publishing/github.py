"""What the workflows of GitHub upload: every job, through actions, reusable workflows, scripts and task runners."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tagship.facts import marked, workflow
from tagship.facts.marked import Map, Text
from tagship.facts.model import Evidence

from . import actions, python, reach
from .shell import commands
from .values import MINT, Scope
from .walk import Upload, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tagship.facts.workflow import Job, Step, Workflow

    from .shell import Command
    from .targets import Targets

LOCAL = re.compile(r"\./?\.github/workflows/[^@]+|\.github/workflows/[^@]+")
DEPTH = 5


@dataclass(frozen=True)
class Found:
    """An upload of a job of a workflow file, started by `triggers`."""

    file: str
    job: str
    triggers: tuple[str, ...]
    upload: Upload


@dataclass
class _Caller:
    """What a called workflow gets: the triggers, the scope and the lines that lead to it."""

    triggers: tuple[str, ...]
    scope: Scope
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

    @classmethod
    def read(cls, root: Path, targets: Targets) -> Workflows:
        """Read all workflows of the repository at `root`."""
        found = cls(root, targets)
        for path in workflow.files(root):
            try:
                each = workflow.read(path, root)
            except marked.Unreadable as error:
                found.errors += [str(line) for line in error.args]
            else:
                found.by_file[each.file] = each
        return found

    def uploads(self) -> Iterator[Found]:
        """Yield each upload that a trigger can start, and those of called workflows that nothing here calls."""
        called: set[str] = set()
        for each in self.by_file.values():
            if set(each.triggers) != {"workflow_call"}:
                yield from self._workflow(each, _Caller(each.described(), Scope()), called)
        for file, each in self.by_file.items():
            if each.on("workflow_call") and file not in called:
                yield from self._workflow(each, _Caller(each.described(), Scope()), set())

    def _workflow(self, each: Workflow, caller: _Caller, called: set[str]) -> Iterator[Found]:
        scope = caller.scope.child()
        for name, value in each.env.items():
            scope.set(name, marked.as_text(value))
        _set_inputs(each, scope)
        _set_outputs(each, scope)
        for job in each.jobs.values():
            if reach.job(each, job, caller.triggers if caller.depth else None):
                yield from self._job(each, job, scope.child(), caller, called)

    def _job(self, each: Workflow, job: Job, scope: Scope, caller: _Caller, called: set[str]) -> Iterator[Found]:
        for name, value in job.env.items():
            scope.set(name, marked.as_text(value))
        for name, value in _matrix(job):
            scope.add(f"matrix.{name}", value)
        identity = caller.identity and bool(job.grants("id-token"))
        if job.uses:
            here = (*caller.chain, Evidence(each.file, job.node.line_of("uses"), f"uses: {job.uses}"))
            yield from self._call(each, job, scope, caller, here, called, identity=identity)
            return
        walk = Walk(self.targets, scope, identity)
        for upload in self._steps(job.steps, each.file, walk, caller.chain, 0):
            yield Found(each.file, job.id, caller.triggers, upload)

    def _call(
        self,
        each: Workflow,
        job: Job,
        scope: Scope,
        caller: _Caller,
        chain: tuple[Evidence, ...],
        called: set[str],
        *,
        identity: bool,
    ) -> Iterator[Found]:
        inputs = {str(name): scope.expand(marked.as_text(value)) for name, value in job.inputs.items()}
        secrets = None
        if isinstance(job.secrets, Map):
            secrets = {str(name): scope.expand(marked.as_text(value)) for name, value in job.secrets.items()}
        target = self.by_file.get(job.uses.removeprefix("./").partition("@")[0]) if LOCAL.fullmatch(job.uses) else None
        if target is None:
            if found := actions.workflow(job.uses, inputs, secrets, scope, identity=identity):
                yield Found(each.file, job.id, caller.triggers, Upload(job.uses, *found, chain))
            return
        called.add(target.file)
        if caller.depth < DEPTH:
            inner = Scope(inputs=inputs, renamed=secrets)
            yield from self._workflow(
                target, _Caller(caller.triggers, inner, chain, identity, caller.depth + 1), called
            )

    def _steps(
        self, steps: tuple[Step, ...], file: str, walk: Walk, chain: tuple[Evidence, ...], depth: int
    ) -> Iterator[Upload]:
        for step in steps:
            if not reach.step(step):
                continue
            scope = walk.scope.child()
            for name, value in step.env.items():
                scope.set(name, marked.as_text(value))
            if step.uses:
                yield from self._uses(step, file, walk, scope, chain, depth)
            elif step.run:
                yield from self._run(step, file, walk, scope, chain)

    def _run(self, step: Step, file: str, walk: Walk, scope: Scope, chain: tuple[Evidence, ...]) -> Iterator[Upload]:
        walk.note(step.run, scope)
        if step.id:
            walk.scope.outputs[(step.id, "")] = "mint-token" if MINT.search(step.run) else str(step.run)
        if step.shell.startswith("python"):
            block = python.blocks(step.run, file).get("")
            run = [] if block is None else [_moved(each, step.run.first - 1) for each in block.commands]
        else:
            run = commands(step.run, step.run.first)
        yield from walk.follow(run, file, scope, chain, step.folder)

    def _uses(
        self, step: Step, file: str, walk: Walk, scope: Scope, chain: tuple[Evidence, ...], depth: int
    ) -> Iterator[Upload]:
        inputs = {str(name): scope.expand(marked.as_text(value)) for name, value in step.inputs.items()}
        here = (*chain, Evidence(file, step.uses.line, f"uses: {step.uses}"))
        if step.id:
            walk.scope.outputs[(step.id, "")] = "mint-token" if MINT.search(step.uses) else f"output of {step.uses}"
        if step.uses.startswith("./"):
            if depth < DEPTH:
                yield from self._composite(step, inputs, walk, here, depth + 1)
            return
        name, _, version = step.uses.partition("@")
        found = actions.upload(name.lower(), version, inputs, scope, identity=walk.identity)
        if found:
            yield Upload(name, *found, here)
        else:
            yield from self._commands_in(inputs, step, file, walk, scope, here)

    def _commands_in(
        self, inputs: Mapping[str, str], step: Step, file: str, walk: Walk, scope: Scope, chain: tuple[Evidence, ...]
    ) -> Iterator[Upload]:
        """Yield what an action is told to run: a retry around a command, a container."""
        for name in ("run", "command", "script", "cmd", "args", "commands"):
            text = inputs.get(name, "")
            if text and " " in text:
                line = step.inputs.text(name).first or step.line
                yield from walk.follow(commands(text, line), file, scope, chain)

    def _composite(
        self, step: Step, inputs: dict[str, str], walk: Walk, chain: tuple[Evidence, ...], depth: int
    ) -> Iterator[Upload]:
        folder = step.uses.removeprefix("./").rstrip("/")
        for name in ("action.yml", "action.yaml"):
            file = f"{folder}/{name}" if folder else name
            text = self.targets.text(file)
            if text is None:
                continue
            try:
                node = marked.parse(text.encode(), file)
            except marked.Unreadable as error:
                self.errors += [str(line) for line in error.args]
                return
            if isinstance(node, Map):
                defaults = {
                    str(key): each.text("default") for key, each in node.map("inputs").items() if isinstance(each, Map)
                }
                inner = Walk(self.targets, walk.scope.child(), walk.identity)
                inner.scope.inputs = {**defaults, **inputs}
                yield from self._steps(tuple(workflow.steps(node.map("runs"))), file, inner, chain, depth)
                walk.scope.variables.update(inner.scope.variables)
            return


def _moved(command: Command, by: int) -> Command:
    return replace(command, line=command.line + by)


def _set_inputs(each: Workflow, scope: Scope) -> None:
    """Set the values that the workflow's own inputs may have, where its caller gives none."""
    for event in ("workflow_dispatch", "workflow_call"):
        for name, node in each.triggers.map(event).map("inputs").items() if isinstance(each.triggers, Map) else ():
            if isinstance(node, Map):
                for value in (node.text("default"), *(marked.as_text(option) for option in node.list("options"))):
                    if value:
                        scope.add(f"inputs.{name}", value)


def _set_outputs(each: Workflow, scope: Scope) -> None:
    for job in each.jobs.values():
        for name, value in job.outputs.items():
            scope.outputs[(str(job.id), str(name))] = marked.as_text(value)


def _matrix(job: Job) -> Iterator[tuple[str, str]]:
    matrix = job.node.map("strategy").map("matrix")
    for name, values in matrix.items():
        rows = values if isinstance(values, list) else []
        for row in rows:
            if isinstance(row, Text):
                yield str(name), row
            elif isinstance(row, Map):
                prefix = "" if name in {"include", "exclude"} else f"{name}."
                yield from ((prefix + str(key), value) for key, value in row.items() if isinstance(value, Text))
