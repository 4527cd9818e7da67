"""What a command calls in the repository: a script, or a target of a task runner."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from tagship.facts.files import Inside

from . import pyproject, python, runners
from .blocks import Block
from .shell import SHELLS, Command, base, commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_BYTES = 1 << 18
#: Programs that run nothing of the repository, whatever their arguments.
SILENT = frozenset(
    ["echo", "printf", "cat", "chmod", "ls", "rm", "cp", "mv", "mkdir", "touch", "git", "curl", "wget", "pip", "pip3"]
)
PACKAGE_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
RUNNERS = PACKAGE_MANAGERS | {
    *("make", "gmake", "tox", "nox", "invoke", "inv", "duty", "task", "just", "taskipy", "semantic-release"),
    *("hatch", "pdm", "poe", "rye", "poethepoet"),
}
#: What a Python script that uploads must mention: most scripts do something else, and they can be long.
HINT = re.compile(r"twine|\bpublish\b|[\"' ]upload[\"' ]", re.IGNORECASE)
OWN_COMMANDS = frozenset({"publish", "upload", "release", "deploy", "pypi", "upload_pypi", "publish_pypi"})
#: Options of task runners that take a value, which is not a target.
VALUED = {
    "make": {"-C", "-f", "-j", "-o", "-I", "--directory", "--file"},
    "tox": {"-e", "-c", "-p", "-m", "-f", "--conf", "--workdir", "--result-json", "--installpkg"},
    "nox": {
        "-s",
        "-e",
        "-f",
        "-p",
        "-k",
        "-t",
        "--session",
        "--sessions",
        "--noxfile",
        "--python",
        "--pythons",
        "--tags",
    },
}


class Targets:
    """The scripts and targets of the repository at `root`, read when they are called."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._is_inside = Inside(self.root)
        self._names: dict[str, frozenset[str]] = {}
        self._texts: dict[str, str | None] = {}
        self._scripts: dict[str, list[Block]] = {}
        self._tables: dict[tuple[str, str], dict[str, Block]] = {}

    def text(self, name: str) -> str | None:
        """Return the text of the file `name` of the repository; None if it is missing or cannot be a script."""
        if name not in self._texts:
            self._texts[name] = self._read(name)
        return self._texts[name]

    def _read(self, name: str) -> str | None:
        place = os.path.join(self.root, name)
        try:
            found = os.stat(place)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES or not self._is_inside(place):
                return None
            with open(place, "rb") as file:
                content = file.read()
        except (OSError, ValueError):
            return None
        return None if b"\0" in content[:1024] else content.decode("utf-8", "replace")

    def names(self, folder: str = "") -> frozenset[str]:
        """Return the names in a folder of the repository; none if it does not exist."""
        if folder not in self._names:
            first = folder.partition("/")[0]
            try:
                found = os.listdir(os.path.join(self.root, folder)) if not first or first in self.names() else ()
            except OSError:
                found = ()
            self._names[folder] = frozenset(found)
        return self._names[folder]

    def table(self, kind: str, folder: str = "") -> dict[str, Block]:
        """Return the targets of the task runner `kind` whose file is in `folder`, by name."""
        key = (kind, folder)
        if key not in self._tables:
            self._tables[key] = {}  # while it is being read, as a table may refer to itself
            readers = {**runners.READERS, **pyproject.READERS}
            self._tables[key] = readers[kind](self.text, folder)
        return self._tables[key]

    def called(self, command: Command, folder: str, variables: Mapping[str, tuple[str, ...]]) -> list[Block]:
        """Return what `command`, run in `folder`, calls in the repository."""
        words = command.words
        if command.name in SILENT:
            return []
        for at, word in enumerate(words):
            name = base(word)
            rest = words[at + 1 :]
            found = self._runner(name, rest, folder, variables) if name in RUNNERS else []
            # A script has a folder or a suffix, unless it is an argument of a shell.
            if not found and ("/" in word or "." in word or "\\" in word or (at and base(words[at - 1]) in SHELLS)):
                found = self._script(word, rest, folder)
            if found:
                return found
        return []

    def _runner(
        self, name: str, rest: Sequence[str], folder: str, variables: Mapping[str, tuple[str, ...]]
    ) -> list[Block]:
        if name in {"make", "gmake"}:
            return self._make(rest, folder)
        if name == "tox":
            return self._tox(rest, folder, variables)
        if name == "nox":
            return self._nox(rest, folder)
        if name in {"invoke", "inv", "duty", "task", "just", "taskipy"}:
            return self._tasks(name, rest, folder)
        if name in PACKAGE_MANAGERS:
            chosen = [word for word in rest if not word.startswith("-") and word not in {"run", "run-script"}]
            return self._named("npm", folder, chosen[:1])
        if name == "semantic-release":
            return self._named("semantic-release", folder, ["publish"])
        if name in {"hatch", "pdm", "poe", "rye", "poethepoet"}:
            chosen = [word for word in rest if not word.startswith("-") and word != "run"]
            names = [each for word in chosen[:2] for each in (word, word.rpartition(":")[2])]
            kind = "poe" if name == "poethepoet" else name
            return self._named(kind, folder, names[:2])
        return []

    def _named(self, kind: str, folder: str, names: Iterable[str]) -> list[Block]:
        table = self.table(kind, folder) or (self.table(kind) if folder else {})
        return [table[name] for name in dict.fromkeys(names) if name in table]

    def _make(self, rest: Sequence[str], folder: str) -> list[Block]:
        inner = _option(rest, "-C", "--directory")
        if inner:
            folder = _join(folder, inner)
        goals = [word for word in _plain(rest, VALUED["make"]) if "=" not in word]
        table = self.table("make", folder)
        goals = goals or [name for name in table if not name.startswith(".")][:1]
        return self._named("make", folder, goals)

    def _tox(self, rest: Sequence[str], folder: str, variables: Mapping[str, tuple[str, ...]]) -> list[Block]:
        if {"--notest", "-l", "list", "--listenvs"}.intersection(rest):
            return []
        given = _option(rest, "-e", "--env") or ",".join(variables.get("TOXENV", ())) or _attached(rest, "-e")
        table = self.table("tox", folder)
        names = (
            [name.strip() for name in given.split(",")]
            if given
            else table.get("", Block("", "", 0, "", ())).name.split()
        )
        posargs = tuple(rest[rest.index("--") + 1 :]) if "--" in rest else ()
        return [_with_posargs(block, posargs) for block in self._named("tox", folder, names)]

    def _nox(self, rest: Sequence[str], folder: str) -> list[Block]:
        if {"--list", "-l", "--install-only"}.intersection(rest):
            return []
        table = self.table("nox", folder)
        names = (
            _values(rest, "-s", "-e", "--session", "--sessions") or table.get("", Block("", "", 0, "", ())).name.split()
        )
        return self._named(
            "nox", folder, [each.partition("(")[0] for name in names for each in (name, name.rpartition("-")[0])]
        )

    def _tasks(self, name: str, rest: Sequence[str], folder: str) -> list[Block]:
        kinds = {"invoke": "invoke", "inv": "invoke", "duty": "duty", "just": "just", "task": "task"}
        names = [each for word in _plain(rest, {"-r", "-c", "-f"}) for each in (word, word.replace("-", "_"))]
        kind = kinds.get(name, "taskipy")
        return self._named(kind, folder, names) or (self._named("taskipy", folder, names) if kind == "task" else [])

    def _script(self, word: str, rest: Sequence[str], folder: str) -> list[Block]:
        """Return the script at the path `word`, if it is a file of the repository that holds commands."""
        name = _path(word)
        if not name or name.startswith(("-", "~")) or name in {".", ".."}:
            return []
        if base(word) == "setup.py" and not OWN_COMMANDS.intersection(rest):
            return []  # `setup.py upload` is known as a command, so setup.py itself is not searched
        for place in dict.fromkeys((_join(folder, name), name)):
            text = self.text(place) if place else None
            if text is not None and place not in self._scripts:
                self._scripts[place] = script(text, place)
            if text is not None:
                return self._scripts[place]
        return []


def script(text: str, file: str) -> list[Block]:
    """Return what the script `text` of `file` runs; [] if it is data or prose instead."""
    suffix = file.rpartition("/")[2].rpartition(".")[2].lower() if "." in file.rpartition("/")[2] else ""
    shebang = text.partition("\n")[0] if text.startswith("#!") else ""
    if suffix == "py" or "python" in shebang:
        return [replace(python.Module(text, file).main(), name=file)] if HINT.search(text) else []
    if suffix in {"sh", "bash", "ps1", "bat", "cmd"} or (not suffix and (shebang or "/" in file)) or "sh" in shebang:
        lines = text
        if suffix in {"bat", "cmd"}:
            lines = "\n".join(
                "" if line.strip().lower().startswith(("rem ", "::")) else line.lstrip("@") for line in text.split("\n")
            )
        return [Block(file, file, 1, text.partition("\n")[0], tuple(commands(lines)))]
    return []


def _path(word: str) -> str:
    """Return the path within the repository that `word` may be."""
    for root in (
        "${{ github.workspace }}/",
        "$GITHUB_WORKSPACE/",
        "${GITHUB_WORKSPACE}/",
        "$CI_PROJECT_DIR/",
        "{toxinidir}/",
        "{tox_root}/",
    ):
        word = word.removeprefix(root)
    word = word.replace("\\", "/")
    if any(char in word for char in "*?$\n\0:") or word.startswith("/") or len(word) > 200:
        return ""
    return _join("", word)


def _join(folder: str, name: str) -> str:
    parts: list[str] = []
    for part in f"{folder}/{name}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", ".", ".."}:
            parts.append(part)
    return "/".join(parts)


def _with_posargs(block: Block, posargs: tuple[str, ...]) -> Block:
    return replace(block, commands=tuple(runners.with_posargs(each, posargs) for each in block.commands))


def _option(words: Sequence[str], *names: str) -> str:
    return next(iter(_values(words, *names)), "")


def _values(words: Sequence[str], *names: str) -> list[str]:
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            break
        if word in names:
            for value in words[at + 1 :]:
                if value.startswith("-"):
                    break
                found.append(value)
        elif word.partition("=")[0] in names:
            found.append(word.partition("=")[2])
    return found


def _attached(words: Sequence[str], name: str) -> str:
    return next((word[len(name) :] for word in words if word.startswith(name) and len(word) > len(name)), "")


def _plain(words: Sequence[str], valued: set[str]) -> list[str]:
    return [
        word for at, word in enumerate(words) if not word.startswith("-") and (at == 0 or words[at - 1] not in valued)
    ]
