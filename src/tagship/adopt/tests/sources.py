"""The commands behind a name: a target of a Makefile, a script of PDM, Poe or Rye, a file for the shell."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tagship_suite.repo.files import subtable

from . import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .declared import Project
    from .model import Command

DEPTH = 4


def target(project: Project, name: str, program: str = "make") -> Iterator[Command]:
    """Yield the commands of a target of a Makefile or justfile, after those of what it depends on."""
    names = ["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile"]
    names = names[3:] if program == "just" else names
    path = next((p for n in names if (p := project.root / n).is_file()), None)
    if path is None:
        return
    text = path.read_text("utf-8", "replace").replace("\\\n", " ")
    variables = dict(re.findall(r"(?m)^(\w+)\s*[:?]?=[ \t]*(.*?)[ \t]*$", text))
    if "justfile" in path.name.lower():
        text = _of_just(text)
    rules = {
        name: (match[2].split(), match[3], text.count("\n", 0, match.start(3)) + 1)
        for match in re.finditer(
            r"(?m)^([\w./ -]+?)[ \t]*:(?![=:])[ \t]*([^#\n;=]*)(?:#.*)?\n((?:(?:[ \t]+.*)?\n)*)", f"{text}\n"
        )
        for name in match[1].split()
    }
    yield from _rule(name or next(iter(rules), ""), rules, variables, path.name, set())


def _of_just(text: str) -> str:
    """Return a justfile as make would have it: parameters with a default are variables, other expressions nothing."""
    defaults = dict(re.findall(r"(?m)(?<=[ \t])[*+$]*(\w+)=[\"']([^\"'\n]*)[\"'](?=.*:)", text))
    text = re.sub(r"(?m)^(@?[\w-]+)(?:[ \t]+[*+$]*\w+(?:=(?:\"[^\"\n]*\"|'[^'\n]*'|\w+))?)+[ \t]*:(?!=)", r"\1:", text)
    return re.sub(r"\{\{\s*(\w*)\b.*?\}\}", lambda match: defaults.get(match[1], ""), text)


def _rule(
    target: str, rules: dict[str, Any], variables: dict[str, str], file: str, seen: set[str]
) -> Iterator[Command]:
    if target not in rules or target in seen:
        return
    seen.add(target)
    before, recipe, line = rules[target]
    for name in before:
        yield from _rule(name, rules, variables, file, seen)
    for _ in range(3):
        recipe = re.sub(r"\$[({](\w+)[)}]", lambda match: variables.get(match[1], f"${match[1]}"), recipe)
    recipe = re.sub(r"(?m)^(\s*)[@+-]+", r"\1", recipe).replace("$$", "$")
    for command in shell.commands(recipe, file, line):
        if command.argv[0] in {"$MAKE", "make", "just"}:
            for name in command.argv[1:]:
                yield from _rule(name, rules, variables, file, seen)
        else:
            # `venv/bin/pytest` is the program of an environment that the Makefile makes.
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
        yield from shell.commands(text, name, 1)
