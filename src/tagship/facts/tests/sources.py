"""The commands of a Makefile's target, of a script of PDM, Poe or Rye, and of a shell script."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tagship.facts.publishing.targets import Targets
from tagship_suite.files import subtable

from . import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.facts.publishing.blocks import Block

    from .declared import Project
    from .model import Command

DEPTH = 4


def target(project: Project, name: str, program: str = "make") -> Iterator[Command]:
    """Yield the commands of a target of a Makefile or justfile, after those of its prerequisites."""
    targets = Targets(project.root)
    for kind in ("make", "just") if program == "make" else ("just",):
        if table := targets.table(kind):
            first = next((each for each in table if not each.startswith(".")), "")
            yield from _rule(name or first, table, set())
            return


def _rule(target: str, table: dict[str, Block], seen: set[str]) -> Iterator[Command]:
    if target not in table or target in seen:
        return
    seen.add(target)
    block = table[target]
    for command in shell.as_commands(block.commands, block.file, apart=True):
        if command.argv[0].strip("$(){}").lower() in {"make", "just"}:
            for name in command.argv[1:]:
                yield from _rule(name, table, seen)
        else:
            # `venv/bin/pytest` is the program in an environment that the Makefile creates.
            yield replace(command, argv=(command.argv[0].rpartition("bin/")[2], *command.argv[1:]))


def scripts(project: Project) -> dict[str, Any]:
    tool = project.tool
    places = (("pdm", "scripts"), ("poe", "tasks"), ("rye", "scripts"), ("taskipy", "tasks"))
    return {name: value for keys in places for name, value in subtable(tool, *keys).items()}


def script(name: str, scripts: dict[str, Any], where: str, depth: int = 0) -> Iterator[Command]:
    value = scripts.get(name)
    if isinstance(value, dict):
        value = next((value[key] for key in ("cmd", "shell", "composite", "sequence") if key in value), None)
    for row in value if isinstance(value, list) else [value] if value else []:
        text = next((row[key] for key in ("cmd", "shell") if key in row), "") if isinstance(row, dict) else str(row)
        text = re.sub(r"\{args(?::([^{}]*))?\}|\{\{.*?\}\}", lambda match: match[1] or "", text)
        first = text.split()[0] if text.split() else ""
        if first in scripts and first != name and depth < DEPTH:
            yield from script(first, scripts, where, depth + 1)
        else:
            yield from shell.commands(text, where, 0)


def file(project: Project, name: str) -> Iterator[Command]:
    """Yield the commands of a shell script of the project."""
    path = project.root / name
    try:
        text = path.read_text("utf-8") if path.is_file() and path.stat().st_size < 100_000 else ""
    except (OSError, ValueError):
        return
    if re.match(r"#!.*\b(ba|z|da)?sh\b", text) or name.endswith((".sh", ".bash")):
        variables = dict(re.findall(r"(?m)^\s*(?:export )?(\w+)=[\"']?([\w./-]*)[\"']?\s*$", text))
        text = re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match[1], match[0]), text)
        yield from shell.commands(text, name.removeprefix("./"), 1)
