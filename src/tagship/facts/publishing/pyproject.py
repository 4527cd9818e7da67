"""The scripts that tools keep in pyproject.toml: those of hatch, PDM, poe, rye and taskipy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tagship_suite.files import subtable, tomllib

from .blocks import Block
from .shell import Command, commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[str], "str | None"]


def _load(read: Read, folder: str) -> tuple[str, str, dict[str, Any]]:
    file = f"{folder}/pyproject.toml" if folder else "pyproject.toml"
    text = read(file) or ""
    try:
        return file, text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return file, text, {}


def _reader(caller: str, *path: str) -> Callable[[Read, str], dict[str, Block]]:
    def read_table(read: Read, folder: str) -> dict[str, Block]:
        file, text, data = _load(read, folder)
        table = subtable(data, *path)
        return {name: _block(file, text, name, _steps(caller, value)) for name, value in table.items()}

    return read_table


def hatch(read: Read, folder: str) -> dict[str, Block]:
    """Return the scripts of hatch's environments, each with and without the name of its environment before its own."""
    file, text, data = _load(read, folder)
    found: dict[str, Block] = {}
    for environment, table in subtable(data, "tool", "hatch", "envs").items():
        for name, value in subtable(table, "scripts").items() if isinstance(table, dict) else ():
            block = _block(file, text, name, _steps("hatch", value))
            found[f"{environment}:{name}"] = block
            found.setdefault(name, block)
    return found


def _steps(caller: str, value: object) -> list[str]:
    """Return the command lines of a script: a line, a list of lines, or a table with the kind of script as its key."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        # In a list, poe and rye may name other tasks; a line that names none is harmless.
        return [line for each in value for line in [*_steps(caller, each), *_reference(caller, each)]]
    if isinstance(value, dict):
        kinds = ("cmd", "shell", "script", "composite", "sequence", "chain", "call")
        lines = [line for kind in kinds if kind in value for line in _steps(caller, value[kind])]
        if isinstance(value.get("cmd"), list) and all(isinstance(each, str) for each in value["cmd"]):
            lines = [" ".join(value["cmd"])]
        return lines
    return []


def _reference(caller: str, value: object) -> list[str]:
    return [f"{caller} {value}"] if isinstance(value, str) and re.fullmatch(r"[\w:.-]+", value) else []


def _block(file: str, text: str, name: str, lines: list[str]) -> Block:
    match = re.search(rf"^\s*(?:\[[^\]\n]*\.)?[\"']?{re.escape(name)}[\"']?\s*(?:=|\]|\.)", text, re.MULTILINE)
    number = text.count("\n", 0, match.end()) + 1 if match else 1
    shown = text.splitlines()[number - 1].strip() if text else ""
    return Block(file, name, number, shown, tuple(_at(lines, text, number, shown)))


def _at(lines: list[str], text: str, number: int, shown: str) -> Iterator[Command]:
    """Yield the commands of `lines`, each with its own line number, else with that of the script's name."""
    source = text.splitlines()
    for line in lines:
        written = next((at for at in range(number - 1, len(source)) if line in source[at]), None)
        at, what = (written + 1, source[written].strip()) if written is not None else (number, shown)
        for each in commands(line, at):
            yield replace(each, line=at, text=what)


READERS: dict[str, Callable[[Read, str], dict[str, Block]]] = {
    "hatch": hatch,
    "pdm": _reader("pdm run", "tool", "pdm", "scripts"),
    "poe": _reader("poe", "tool", "poe", "tasks"),
    "rye": _reader("rye run", "tool", "rye", "scripts"),
    "taskipy": _reader("task", "tool", "taskipy", "tasks"),
}
