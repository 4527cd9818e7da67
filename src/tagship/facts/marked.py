"""YAML as scalars, lists and mappings with line numbers, within limits that no hand-written file reaches."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tagship.errors import TagshipError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 64
BRACKET = re.compile(r"[\[\]{}]")
#: The C loader if PyYAML has it; both produce the same nodes.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS = {"true": True, "false": False}
INDICATORS = re.compile(rf"(?:[-?:][ \t]+){{{MAX_DEPTH}}}")


class Unreadable(TagshipError):
    """A file that cannot be read, with the line if it is known."""


class Text(str):
    """A scalar without its quotes, "" for null; `first` is the line of its first character, `end` its last line."""

    line: int
    first: int
    end: int
    plain: bool
    __slots__ = ("end", "first", "line", "plain")

    def __new__(cls, value: str, line: int = 0, end: int = 0, first: int = 0, *, plain: bool = False) -> Text:
        """Return `value` with the line where it (or its `|`) starts, counted from 1."""
        text = super().__new__(cls, value)
        text.line, text.end, text.first = line, max(end, line), first or line
        text.plain = plain
        return text

    @property
    def data(self) -> str | bool | int | None:
        """The value of the scalar: without quotes, it may be a number, a boolean or null."""
        if not self.plain:
            return str(self)
        if not self:
            return None
        return int(self) if self.isdecimal() and self.isascii() else WORDS.get(self.lower(), str(self))


class Seq(list[Any]):
    """A list with its first and last line."""

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = self.end = line


class Map(dict[str, Any]):
    """A mapping with its first and last line; its keys have theirs."""

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = self.end = line

    def line_of(self, key: str) -> int:
        """Return the line of `key`, or of the mapping if it has no such key."""
        return next((each.line for each in self if each == key and isinstance(each, Text)), self.line)

    def text(self, key: str) -> Text:
        """Return the scalar at `key`, an empty one if there is none."""
        return as_text(self.get(key))

    def map(self, key: str) -> Map:
        """Return the mapping at `key`, an empty one if there is none."""
        value = self.get(key)
        return value if isinstance(value, Map) else Map(self.line_of(key))

    def list(self, key: str) -> Seq:
        """Return the list at `key`; a single value counts as a list."""
        return as_list(self.get(key))


Value = Text | Seq | Map


def as_text(value: object) -> Text:
    """Return `value` if it is a scalar, else an empty one."""
    return value if isinstance(value, Text) else Text("", getattr(value, "line", 0))


def as_list(value: object) -> Seq:
    """Return `value` if it is a list, an empty list for None, else a list that holds only it."""
    if isinstance(value, Seq):
        return value
    found = Seq(getattr(value, "line", 0))
    if value is not None:
        found.append(value)
        found.end = getattr(value, "end", found.line)
    return found


def data(value: object) -> Any:
    """Return `value` as plain lists, mappings and scalars."""
    if isinstance(value, Map):
        return {str(key): data(each) for key, each in value.items()}
    if isinstance(value, Seq):
        return [data(each) for each in value]
    return value.data if isinstance(value, Text) else value


def texts(value: object) -> Iterator[Text]:
    """Yield every scalar in `value` that is not a key."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, (Map, Seq)):
        for each in value.values() if isinstance(value, Map) else value:
            yield from texts(each)


def read_bytes(path: Path, name: str) -> bytes:
    """Return the content of the file at `path`, called `name` in errors; raise `Unreadable` if it is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror}; make it a readable file [unreadable-file]") from None
    if len(content) > MAX_BYTES:
        raise Unreadable(
            f"{name}: larger than {MAX_BYTES >> 10} KiB, not read; GitHub accepts no such file either [unreadable-file]"
        )
    return content


def read(path: Path, name: str) -> Value | None:
    """Return the value of the YAML file at `path`, None for an empty one; raise `Unreadable`, with `name`."""
    return parse(read_bytes(path, name), name)


def parse(content: bytes, name: str) -> Value | None:
    """Return the value of the YAML in `content`, the first of several documents; raise `Unreadable`, with `name`."""
    node = compose(content, name)
    return _Converter(name).convert(node, 0) if node is not None else None


@lru_cache(maxsize=8)  # several readers read the same few files
def compose(content: bytes, name: str) -> Node | None:
    """Return the root node of the YAML in `content`; otherwise as `parse`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"{name}:{line}: not UTF-8; save it as UTF-8 [unreadable-file]") from None
    if text.count("\n") + text.count(",") > MAX_NODES:  # before a node is created for each of them
        raise Unreadable(f"{name}: more than {MAX_NODES} lines or values, not read [unreadable-file]")
    if _is_too_deep(text):
        raise Unreadable(f"{name}: nested deeper than {MAX_DEPTH} levels, not read [unreadable-file]")
    try:
        node: Node | None = next(iter(yaml.compose_all(text, Loader=LOADER)), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise Unreadable(
            f"{name}:{mark.line + 1 if mark else 1}: no valid YAML: {what}; correct it [unreadable-file]"
        ) from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name}: no valid YAML: {error}; correct it [unreadable-file]") from None
    return node


def _is_too_deep(text: str) -> bool:
    """Return whether brackets or a line's indicators are nested too deeply for a recursive parser."""
    depth = 0
    for each in BRACKET.finditer(text):
        depth = max(0, depth + (1 if each[0] in "[{" else -1))
        if depth > MAX_DEPTH:
            return True
    return INDICATORS.search(text) is not None


class _Converter:
    """Converts nodes; an alias is converted each time, so that a YAML bomb exceeds the limit, not the memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def convert(self, node: Node, depth: int) -> Value:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise Unreadable(
                f"{self.name}: more than {MAX_NODES} values or {MAX_DEPTH} levels, not read [unreadable-file]"
            )
        line = node.start_mark.line + 1
        if isinstance(node, ScalarNode):
            return _scalar(node, line)
        if isinstance(node, SequenceNode):
            found = Seq(line)
            for each in node.value:
                value = self.convert(each, depth + 1)
                found.append(value)
                found.end = max(found.end, value.end)
            return found
        return self._mapping(cast("MappingNode", node), line, depth)

    def _mapping(self, node: MappingNode, line: int, depth: int) -> Map:
        found = Map(line)
        for key, child in node.value:
            value = self.convert(child, depth + 1)
            name = _scalar(key, key.start_mark.line + 1) if isinstance(key, ScalarNode) else Text("?", line)
            if name == "<<":
                for merged in value if isinstance(value, Seq) else [value]:
                    for inner, what in merged.items() if isinstance(merged, Map) else ():
                        found.setdefault(inner, what)
                continue
            found.pop(name, None)  # so that the key's line is that of the value
            found[name] = value
            found.end = max(found.end, name.line, value.end if value.line >= line else 0)
        return found


def _scalar(node: ScalarNode, line: int) -> Text:
    end = node.end_mark.line + (1 if node.end_mark.column else 0)
    plain = node.style not in {"'", '"', "|", ">"}
    value = "" if plain and node.value in {"~", "null", "Null", "NULL"} else node.value
    return Text(value, line, end, line + 1 if node.style in {"|", ">"} else line, plain=plain)
