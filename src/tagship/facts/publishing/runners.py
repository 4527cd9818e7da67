"""The targets of task runners with a file of their own: make, tox, nox, invoke, just, npm and similar."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tagship.facts import marked
from tagship.facts.marked import Map, Text

from . import python
from .blocks import Block
from .shell import Command, commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Read = Callable[[str], "str | None"]

#: Around the arguments that a tox environment has by default.
BEGIN, END = "{posargs:", ":posargs}"
RULE = re.compile(r"^([^\s#:=][^#:=]*?)\s*::?(?!=)\s*([^=#;]*)(?:;(.*))?(?:#.*)?$")
VARIABLE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:[:?+]{0,2})=\s*(.*?)\s*$")
RECIPE = re.compile(r"^@?([A-Za-z_][\w-]*)(?:\s+[^:=]*?)?\s*:(?!=)\s*([^#]*)$")


def _find(read: Read, folder: str, names: Sequence[str]) -> tuple[str, str] | None:
    for name in names:
        file = f"{folder}/{name}" if folder else name
        if (text := read(file)) is not None:
            return file, text
    return None


def make(read: Read, folder: str) -> dict[str, Block]:
    """Return the rules of a Makefile; the prerequisites of a rule run before it."""
    found = _find(read, folder, ("Makefile", "makefile", "GNUmakefile"))
    return {} if found is None else _rules(*found)


def _rules(file: str, text: str) -> dict[str, Block]:
    values: dict[str, str] = {}
    blocks: dict[str, Block] = {}
    current: list[str] = []
    for line, content in _joined(text):
        if content.startswith("\t"):
            recipe = _substituted(content.strip().lstrip("@-+ "), values)
            _append(blocks, current, [replace(each, text=content.strip()) for each in commands(recipe, line)])
        elif match := VARIABLE.match(content):
            values[match[1]] = match[2]
            current = []
        elif match := RULE.match(content):
            current = _substituted(match[1], values).split()
            before = [Command(("make", name), (), line, content) for name in _substituted(match[2], values).split()]
            for name in current:
                blocks.setdefault(name, Block(file, name, line, content, ()))
            after = commands(_substituted(match[3] or "", values), line)
            _append(blocks, current, [*(each for each in before if each.words[1] not in current), *after])
        elif content.strip() and not content.startswith("#"):
            current = []
    return blocks


def _append(blocks: dict[str, Block], names: list[str], more: Sequence[Command]) -> None:
    for name in names:
        blocks[name] = replace(blocks[name], commands=(*blocks[name].commands, *more))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines, joined with their continuation lines, with the number of the first."""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        while line.endswith("\\"):
            line = line[:-1] + " " + next(lines, (0, ""))[1].strip()
        yield number, line


def _substituted(text: str, values: dict[str, str], depth: int = 0) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return _substituted(values[name], values, depth + 1) if name in values and depth < 5 else match[0]

    return re.sub(r"\$\(([\w.-]+)\)|\$\{([\w.-]+)\}", value, text).replace("$$", "$")


def just(read: Read, folder: str) -> dict[str, Block]:
    """Return the recipes of a justfile."""
    found = _find(read, folder, ("justfile", "Justfile", ".justfile"))
    blocks: dict[str, Block] = {}
    if found is None:
        return blocks
    file, text = found
    current: list[str] = []
    for line, content in _joined(_of_just(text)):
        if content[:1].isspace():
            _append(blocks, current, commands(content.strip().lstrip("@-"), line))
        elif match := RECIPE.match(content):
            current = [match[1]]
            before = [Command(("just", name), (), line, content) for name in re.findall(r"[\w-]+", match[2])]
            blocks[match[1]] = Block(file, match[1], line, content, tuple(before))
        elif content.strip():
            current = []
    return blocks


def _of_just(text: str) -> str:
    """Return a justfile without parameters: defaults are filled in, and other expressions removed."""
    defaults = dict(re.findall(r"(?m)(?<=[ \t])[*+$]*(\w+)=[\"']([^\"'\n]*)[\"'](?=.*:)", text))
    text = re.sub(r"(?m)^(@?[\w-]+)(?:[ \t]+[*+$]*\w+(?:=(?:\"[^\"\n]*\"|'[^'\n]*'|\w+))?)+[ \t]*:(?!=)", r"\1:", text)
    return re.sub(r"\{\{\s*(\w*)\b.*?\}\}", lambda match: defaults.get(match[1], ""), text)


def taskfile(read: Read, folder: str) -> dict[str, Block]:
    """Return the tasks of a Taskfile."""
    found = _find(read, folder, ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "Taskfile.dist.yml"))
    tree = _yaml(found)
    if found is None or not isinstance(tree, Map):
        return {}
    blocks = {}
    for name, task in tree.map("tasks").items():
        given = task if isinstance(task, Map) else Map()
        steps = [*given.list("deps"), *given.list("cmds"), *given.list("cmd")] if isinstance(task, Map) else [task]
        line = tree.map("tasks").line_of(name)
        blocks[str(name)] = Block(found[0], str(name), line, f"{name}:", tuple(_task_steps(steps)))
    return blocks


def _task_steps(steps: Sequence[object]) -> Iterator[Command]:
    for step in steps:
        text = step if isinstance(step, Text) else step.text("cmd") if isinstance(step, Map) else Text("")
        yield from commands(text, text.first)
        if isinstance(step, Map) and (name := step.text("task")):
            yield Command(("task", str(name)), (), name.line, f"task: {name}")


def _yaml(found: tuple[str, str] | None) -> object:
    if found is None:
        return None
    try:
        return marked.parse(found[1].encode(), found[0])
    except marked.Unreadable:
        return None


def npm(read: Read, folder: str) -> dict[str, Block]:
    """Return the scripts of a package.json."""
    found = _find(read, folder, ("package.json",))
    scripts = _json(found).get("scripts")
    if found is None or not isinstance(scripts, dict):
        return {}
    return {
        name: _one_line(found, name, rf'"{re.escape(name)}"\s*:', [value])
        for name, value in scripts.items()
        if isinstance(value, str)
    }


def semantic_release(read: Read, folder: str) -> dict[str, Block]:
    """Return what node's semantic-release is configured to run when it publishes."""
    names = (
        ".releaserc",
        ".releaserc.json",
        ".releaserc.yml",
        ".releaserc.yaml",
        "release.config.js",
        "release.config.cjs",
    )
    found = _find(read, folder, (*names, "release.config.mjs", "package.json"))
    if found is None:
        return {}
    pattern = re.compile(
        r"""["']?(?:publish|prepare|success)Cmd["']?\s*:\s*(?:(["'`])(?P<quoted>.+?)(?<!\\)\1|(?P<plain>\S.*))"""
    )
    run: list[Command] = []
    for match in pattern.finditer(found[1]):
        run += commands(match["quoted"] or match["plain"], found[1].count("\n", 0, match.start()) + 1)
    return {"publish": Block(found[0], "publish", run[0].line if run else 1, "publishCmd", tuple(run))}


def _json(found: tuple[str, str] | None) -> dict[str, Any]:
    try:
        value = json.loads(found[1]) if found else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _one_line(found: tuple[str, str], name: str, pattern: str, scripts: Sequence[str]) -> Block:
    """Return a block whose commands all have the line where `pattern` is first found."""
    file, text = found
    match = re.search(pattern, text, re.MULTILINE)
    line = text.count("\n", 0, match.start()) + 1 if match else 1
    shown = text.splitlines()[line - 1].strip() if text else ""
    run = [replace(each, line=line, text=shown) for script in scripts for each in commands(script, line)]
    return Block(file, name, line, shown, tuple(run))


def nox(read: Read, folder: str) -> dict[str, Block]:
    """Return the sessions of a noxfile; the name of the block at "" lists those that run by default."""
    found = _find(read, folder, ("noxfile.py",))
    blocks = _decorated(found, frozenset({"session"}))
    if found is None:
        return blocks
    default = re.search(r"nox\.options\.sessions\s*=\s*[\[(]([^\])]*)", found[1])
    sessions = python.Module(found[1], found[0]).decorated(frozenset({"session"}))
    names = [name for name, (_, by_default) in sessions.items() if by_default]
    if default:
        names = re.findall(r"['\"]([^'\"]+)['\"]", default[1])
    return {**blocks, "": Block(found[0], " ".join(names), 1, "", ())}


def invoke(read: Read, folder: str) -> dict[str, Block]:
    """Return the tasks of invoke."""
    return _decorated(_find(read, folder, ("tasks.py", "tasks/__init__.py")), frozenset({"task"}))


def duty(read: Read, folder: str) -> dict[str, Block]:
    """Return the duties of a duties.py."""
    return _decorated(_find(read, folder, ("duties.py",)), frozenset({"duty"}))


def _decorated(found: tuple[str, str] | None, names: frozenset[str]) -> dict[str, Block]:
    if found is None:
        return {}
    module = python.Module(found[1], found[0])
    chosen = module.decorated(names)
    return {name: replace(module.function(function), name=name) for name, (function, _) in chosen.items()}


@dataclass
class Section:
    """A section of an ini file: where it starts, and the lines of each option."""

    name: str
    line: int
    options: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def sections(text: str) -> dict[str, Section]:
    """Return the sections of an ini file, with the line numbers, which configparser does not keep."""
    found: dict[str, Section] = {}
    section: Section | None = None
    option: list[tuple[int, str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if match := re.match(r"\[([^\]]+)\]", line):
            section, option = found.setdefault(match[1].strip(), Section(match[1].strip(), number)), None
        elif section and not line[0].isspace() and (pair := re.match(r"([^=:]+?)\s*[=:]\s*(.*)", line)):
            option = section.options.setdefault(pair[1].strip().lower().replace("-", "_"), [])
            option[:] = [(number, pair[2])] if pair[2] else []
        elif option is not None:
            option.append((number, line.strip()))
    return found


def tox(read: Read, folder: str) -> dict[str, Block]:
    """Return the environments of tox; the name of the block at "" lists those that run by default."""
    found = _find(read, folder, ("tox.ini",))
    if found is None:
        found = _find(read, folder, ("setup.cfg",))
        if found is None or "[tox:tox]" not in found[1]:
            return {}
    return _ToxIni(found[0], sections(found[1])).blocks()


class _ToxIni:
    def __init__(self, file: str, found: dict[str, Section]) -> None:
        self.file = file
        self.sections = found
        self.base = found.get("testenv", Section("testenv", 1))

    def blocks(self) -> dict[str, Block]:
        main = self.sections.get("tox", self.sections.get("tox:tox", Section("tox", 1)))
        listed = ",".join(text for _, text in [*main.options.get("envlist", []), *main.options.get("env_list", [])])
        default = [name for each in _split_list(listed) for name in expand(each)]
        found = {"": Block(self.file, " ".join(default), 1, "", ())}
        for section in self.sections.values():
            if section.name.startswith("testenv:"):
                for name in expand(section.name.partition(":")[2]):
                    found[name] = self._block(name, section)
        for name in default:
            found.setdefault(name, self._block(name, self.base))
        return found

    def _block(self, name: str, section: Section) -> Block:
        run: list[Command] = []
        for option in ("commands_pre", "commands", "commands_post"):
            lines = section.options.get(option, self.base.options.get(option, []))
            run += self._commands(name, lines, 0)
        env = [
            *self.base.options.get("setenv", []),
            *section.options.get("setenv", []),
            *section.options.get("set_env", []),
        ]
        pairs = tuple(
            (key.strip(), _posargs(value.strip()))
            for _, each in env
            for key, equals, value in [each.partition("=")]
            if equals
        )
        return Block(self.file, name, section.line, f"[{section.name}]", tuple(run), pairs)

    def _commands(self, name: str, lines: list[tuple[int, str]], depth: int) -> Iterator[Command]:
        for number, text in _continued(lines):
            factor = re.match(r"^([\w.,!{}-]+):\s+(.*)$", text)
            if factor and not self._applies(factor[1], name):
                continue
            line = factor[2] if factor else text
            if (other := re.fullmatch(r"\{\[([^\]]+)\](\w+)\}", line.strip())) and depth < 8:
                target = self.sections.get(other[1])
                yield from self._commands(name, target.options.get(other[2].lower(), []) if target else [], depth + 1)
            else:
                for each in commands(_posargs(line).lstrip("-! "), number):
                    yield replace(each, text=text)

    @staticmethod
    def _applies(condition: str, name: str) -> bool:
        have = set(name.split("-"))
        return any(
            all((part[1:] not in have) if part.startswith("!") else part in have for part in option.split("-"))
            for option in expand(condition) or [condition]
        )


def _continued(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    waiting: tuple[int, str] | None = None
    for number, text in lines:
        first, before = waiting or (number, "")
        joined = f"{before} {text}".strip()
        waiting = (first, joined[:-1]) if joined.endswith("\\") else None
        if waiting is None:
            yield first, joined
    if waiting:
        yield waiting


def _posargs(line: str) -> str:
    """Return `line` with the default arguments between `BEGIN` and `END`, and variables in the shell's form."""
    line = re.sub(r"\{env:(\w+):?([^{}]*)\}", r"${\1:-\2}", line)
    line = re.sub(r"\{(?:toxinidir|tox_root)\}/?", "", line)
    return re.sub(r"\{posargs:?((?:[^{}]|\$\{[^{}]*\})*)\}", rf" {BEGIN} \1 {END} ", line)


def with_posargs(command: Command, given: tuple[str, ...]) -> Command:
    """Return `command` with the arguments `given` instead of its default ones."""
    words: list[str] = []
    default = False
    for word in command.words:
        if word == BEGIN:
            words += given
            default = True
        elif word == END:
            default = False
        elif not (default and given):
            words.append(word)
    return replace(command, words=tuple(words))


def expand(text: str) -> list[str]:
    """Expand a generative name such as `py{310,311}-x,docs`."""
    found: list[str] = []
    for name in _split_list(text):
        parts = [part.split(",") if index % 2 else [part] for index, part in enumerate(re.split(r"[{}]", name))]
        if sum(1 for _ in itertools.islice(itertools.product(*parts), 1001)) > 1000:
            continue
        found += ["".join(each).replace(" ", "") for each in itertools.product(*parts)]
    return found


def _split_list(text: str) -> list[str]:
    """Split at commas and newlines outside of braces."""
    return [each.strip() for each in re.split(r"[,\n](?![^{]*\})", text) if each.strip()]


READERS: dict[str, Callable[[Read, str], dict[str, Block]]] = {
    "make": make,
    "tox": tox,
    "nox": nox,
    "invoke": invoke,
    "duty": duty,
    "just": just,
    "task": taskfile,
    "npm": npm,
    "semantic-release": semantic_release,
}
