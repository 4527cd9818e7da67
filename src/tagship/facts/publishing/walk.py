"""Follows commands to uploads, through any number of files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagship.facts.model import Evidence

from . import tools
from .shell import ASSIGNMENT, Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .blocks import Block
    from .targets import Targets
    from .tools import Credentials
    from .values import Scope

DEPTH = 8
TO_ENVIRONMENT = re.compile(r"GITHUB_ENV\b|BASH_ENV\b|env:GITHUB_ENV")
TO_OUTPUT = re.compile(r"GITHUB_OUTPUT\b")
VSO = re.compile(r"##vso\[task\.setvariable variable=(\w+)[^\]]*\](.*)|::set-(?:env|output) name=([\w-]+)::(.*)")
#: The name of a variable or secret that can only be a credential of a Python index.
ABOUT_INDEX = re.compile(
    r"PYPI|TWINE|FLIT_|POETRY|HATCH_INDEX|UV_PUBLISH|PDM_PUBLISH|WAREHOUSE|CHEESESHOP", re.IGNORECASE
)


@dataclass(frozen=True)
class Upload:
    """A line that uploads: to which index, with which credentials, and the lines that lead to it."""

    tool: str
    index: str
    credentials: Credentials
    evidence: tuple[Evidence, ...]
    command: Command | None = None


@dataclass
class Walk:
    """What the commands of a job do; `identity` says whether it can get an OIDC token."""

    targets: Targets
    scope: Scope
    identity: bool = False
    pypirc: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Every command that was followed, also those that upload nothing, and every action with its inputs.
    ran: list[tuple[Evidence, Command]] = field(default_factory=list)
    used: list[tuple[Evidence, str, Mapping[str, str]]] = field(default_factory=list)

    def follow(
        self,
        commands: Iterable[Command],
        file: str,
        scope: Scope,
        chain: tuple[Evidence, ...],
        folder: str = "",
        seen: frozenset[tuple[str, str]] = frozenset(),
    ) -> Iterator[Upload]:
        """Yield the uploads of `commands` of `file`, and of what they call."""
        for command in commands:
            self._assign(command, scope)
            own = scope
            if command.words and command.assigned:
                own = scope.child()
                for name, value in command.assigned:
                    own.set(name, value)
            here = Evidence(file, command.line, command.text)
            self.ran.append((here, command))
            chained = chain if chain and (chain[-1].file, chain[-1].line) == (file, command.line) else (*chain, here)
            call = tools.match(command.words)
            if call:
                yield Upload(call.tool.name, tools.index(call, own), self.credentials(call, own), chained, command)
                continue
            if len(seen) >= DEPTH:
                continue
            for block in self.targets.called(command, folder, own.variables):
                if (block.file, block.name) not in seen:
                    yield from self._enter(block, own, chained, folder, seen)

    def _enter(
        self, block: Block, scope: Scope, chain: tuple[Evidence, ...], folder: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[Upload]:
        inner = scope.child()
        for name, value in block.env:
            inner.set(name, value)
        if block.name == block.file:
            self.note(self.targets.text(block.file) or "", scope)
        chain = (*chain, block.evidence) if block.name != block.file else chain
        yield from self.follow(block.commands, block.file, inner, chain, folder, seen | {(block.file, block.name)})

    def credentials(self, call: tools.Call, scope: Scope) -> Credentials:
        """Return how `call` logs in: with its options and variables, else with .pypirc or another variable."""
        found = tools.credentials(call, scope, identity=self.identity)
        if found.auth in {"token", "password"} and found.secrets:
            return found
        for texts in (self.pypirc.get("password", ()), self._leftover(scope)):
            password = scope.origin(" ".join(texts))
            if password.secrets and not password.minted:
                return tools.judge(scope.origin(" ".join(self.pypirc.get("user", ()))), password, identity=False)
        return found

    @staticmethod
    def _leftover(scope: Scope) -> tuple[str, ...]:
        """Return the variables with a secret whose names refer to an index: a script may pass them on."""
        return tuple(
            text
            for name, values in scope.variables.items()
            for text in values
            if ABOUT_INDEX.search(name) or any(ABOUT_INDEX.search(secret) for secret in scope.origin(text).secrets)
        )

    def note(self, script: str, scope: Scope) -> None:
        """Record what `script` writes into a .pypirc."""
        if ".pypirc" not in script and "[pypi]" not in script:
            return
        for key, values in (("user", "username"), ("password", "password|token")):
            lines = re.findall(rf"(?:{values})[ \t]*[=:][ \t]*([^\n]*?)(?=\\n|[\"'\n]|$)", script)
            origins = [_resolved(each, scope) for each in lines]
            self.pypirc[key] = (*self.pypirc.get(key, ()), *origins)

    def _assign(self, command: Command, scope: Scope) -> None:
        if not command.words or command.words[0].lower() in {"export", "declare", "local", "readonly", "set", "setx"}:
            for name, value in command.assigned:
                scope.add(name, value)
        text = " ".join(command.words)
        if command.name == "poetry" and "config" in command.words:
            _configure_poetry(command.words, scope)
        if match := VSO.search(text):
            self.scope.add(match[1] or match[3], match[2] or match[4])
        if TO_ENVIRONMENT.search(text):
            for word in command.words[1:]:
                if match := ASSIGNMENT.fullmatch(word):
                    self.scope.add(match[1], _resolved(match[2], scope))
                    scope.add(match[1], match[2])
        if match := re.match(r"\$env:(\w+)", text):
            scope.add(match[1], text.partition("=")[2].strip().strip("'\""))


def _resolved(text: str, scope: Scope) -> str:
    """Return `text` with a mark where a token was minted, as a script's variables are lost when it ends."""
    origin = scope.origin(text)
    marks = [f"${{{{ secrets.{name} }}}}" for name in origin.secrets]
    return " ".join([text, *marks, *(["mint-token"] if origin.minted else [])])


def _configure_poetry(words: tuple[str, ...], scope: Scope) -> None:
    rest = [word for word in words[words.index("config") + 1 :] if not word.startswith("--")]
    if len(rest) < 2:
        return
    kind, _, name = rest[0].partition(".")
    variable = re.sub(r"\W", "_", name).upper()
    if kind == "pypi-token":
        scope.add(f"POETRY_PYPI_TOKEN_{variable}", rest[1])
    elif kind == "http-basic":
        scope.add(f"POETRY_HTTP_BASIC_{variable}_USERNAME", rest[1])
        scope.add(f"POETRY_HTTP_BASIC_{variable}_PASSWORD", rest[2] if len(rest) > 2 else "")
    elif kind == "repositories":
        scope.add(f"POETRY_REPOSITORIES_{variable}_URL", rest[1])
