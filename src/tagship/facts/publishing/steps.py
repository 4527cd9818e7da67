"""The steps of a job or of a composite action, each followed to what it uploads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tagship.facts import marked, workflow
from tagship.facts.expressions import evaluate
from tagship.facts.marked import Map
from tagship.facts.model import Evidence

from . import actions, python
from .shell import commands
from .values import MINT
from .walk import Upload, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tagship.facts.events import Event
    from tagship.facts.workflow import Step

    from .values import Scope

DEPTH = 5
#: Inputs that are a command, such as those of actions that retry it.
COMMANDS = ("run", "command", "script", "cmd", "args", "commands")


@dataclass(frozen=True)
class Steps:
    """The steps of `file` in one job; `chain` are the lines that lead to them, `errors` the files not readable."""

    file: str
    walk: Walk
    chain: tuple[Evidence, ...]
    errors: list[str]
    depth: int = 0

    def uploads(self, steps: Iterable[Step], events: tuple[Event, ...]) -> Iterator[tuple[Upload, tuple[Event, ...]]]:
        """Yield each upload of `steps`, with those of `events` that reach it."""
        for step in steps:
            reaching = tuple(each for each in events if evaluate(step.condition, each.look_up) is not False)
            if not reaching:
                continue
            scope = self.walk.scope.child()
            for name, value in step.env.items():
                scope.set(name, marked.as_text(value))
            inputs = {str(name): scope.expand(marked.as_text(value)) for name, value in step.inputs.items()}
            if step.uses.startswith("./"):
                yield from self._composite(step, inputs, reaching)
            elif step.uses:
                yield from ((each, reaching) for each in self._uses(step, inputs, scope))
            else:
                yield from ((each, reaching) for each in self._run(step, scope))

    def _run(self, step: Step, scope: Scope) -> Iterator[Upload]:
        self.walk.note(step.run, scope)
        self._remember(step, step.run)
        if step.shell.startswith("python"):
            block = python.Module(step.run, self.file).main()
            run = [replace(each, line=each.line + step.run.first - 1) for each in block.commands]
        else:
            run = commands(step.run, step.run.first)
        yield from self.walk.follow(run, self.file, scope, self.chain, step.folder)

    def _remember(self, step: Step, source: str) -> None:
        """Record what an output of the step is computed from."""
        if step.id:
            self.walk.scope.outputs[(step.id, "")] = "mint-token" if MINT.search(source) else f"output of {source}"

    def _uses(self, step: Step, inputs: Mapping[str, str], scope: Scope) -> Iterator[Upload]:
        self._remember(step, step.uses)
        chain = (*self.chain, Evidence(self.file, step.uses.line, f"uses: {step.uses}"))
        self.walk.used.append((chain[-1], step.uses, inputs))
        name, _, version = step.uses.partition("@")
        own = {str(key): scope.expand(marked.as_text(value)) for key, value in step.env.items()}
        if found := actions.upload(name.lower(), version, {**own, **inputs}, scope, identity=self.walk.identity):
            yield Upload(name, *found, chain)
            return
        if name.lower().endswith("/semantic-release-action"):  # node's, which runs what its configuration says
            yield from self.walk.follow(commands("semantic-release", step.uses.line), self.file, scope, chain)
        for each in COMMANDS:
            text = inputs.get(each, "")
            if " " in text:
                line = step.inputs.text(each).first or step.line
                yield from self.walk.follow(commands(text, line), self.file, scope, chain)

    def _composite(
        self, step: Step, inputs: Mapping[str, str], events: tuple[Event, ...]
    ) -> Iterator[tuple[Upload, tuple[Event, ...]]]:
        self._remember(step, step.uses)
        found = self._action(step.uses.removeprefix("./").rstrip("/")) if self.depth < DEPTH else None
        if found is None:
            return
        file, node = found
        declared = node.map("inputs").items()
        inputs = {**{name: each.text("default") for name, each in declared if isinstance(each, Map)}, **inputs}
        inner = replace(self.walk, scope=self.walk.scope.child())
        inner.scope.inputs = dict(inputs)
        chain = (*self.chain, Evidence(self.file, step.uses.line, f"uses: {step.uses}"))
        steps = Steps(file, inner, chain, self.errors, self.depth + 1)
        reaching = tuple(event.given(inputs) for event in events)
        for upload, starts in steps.uploads(workflow.steps(node.map("runs")), reaching):
            yield upload, tuple(events[reaching.index(each)] for each in starts)
        self.walk.scope.variables.update(inner.scope.variables)  # it may have written to GITHUB_ENV

    def _action(self, folder: str) -> tuple[str, Map] | None:
        for name in ("action.yml", "action.yaml"):
            file = f"{folder}/{name}" if folder else name
            text = self.walk.targets.text(file)
            if text is None:
                continue
            try:
                node = marked.parse(text.encode(), file)
            except marked.Unreadable as error:
                self.errors.extend(str(line) for line in error.args)
                return None
            return (file, node) if isinstance(node, Map) else None
        return None
