"""Excludes the managed files from pre-commit hooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, ScalarNode

from tagship.facts import marked
from tagship.facts.marked import Map, Unreadable
from tagship_suite.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".pre-commit-config.yaml"
PATTERN = r"^\.github/(?:release/|workflows/release\.yml$)"
BY_HAND = f"exclude the managed files from pre-commit: add {PATTERN} to `exclude` in {NAME}"
#: Python accepts flags at the start of an expression only.
FLAGS = re.compile(r"(?:\(\?[aiLmsux]+\))?")
BEFORE = re.compile(r"(?:(?:#.*|---[ \t]*)?\r?\n)*")


def hooks(root: Path) -> tuple[dict[Path, bytes], str]:
    """Return pre-commit's configuration with the managed files excluded, or what to do by hand."""
    path = root / NAME
    if not path.is_file():
        return {}, ""
    text = read_text(path)
    try:
        node, known = marked.compose(text.encode(), NAME), _exclude(text)
        if known and re.search(r"\.github\b", known):
            return {}, ""
        after = _added(text, node)
        if _exclude(after) != _expected(known):
            return {}, BY_HAND
    except Unreadable:
        return {}, BY_HAND
    return {path.relative_to(root): after.encode()}, ""


def _exclude(text: str) -> str | None:
    """Return the top-level `exclude`, None if there is none; raise `Unreadable`."""
    read = marked.parse(text.encode(), NAME)
    if not isinstance(read, Map) or "repos" not in read:
        raise Unreadable(f"{NAME}: not a pre-commit configuration [unreadable-file]")
    return str(read.text("exclude")) if "exclude" in read else None


def _expected(known: str | None) -> str:
    if known is None:
        return PATTERN
    flags = FLAGS.match(known)
    at = flags.end() if flags else 0
    return f"{known[:at]}{PATTERN}|{known[at:]}"


def _added(text: str, node: Node | None) -> str:
    """Return `text` with the pattern before the existing expression, or in a new line if there is none."""
    entries = node.value if isinstance(node, MappingNode) else []
    there = [value for key, value in entries if key.value == "exclude" and isinstance(value, ScalarNode)]
    if not there:
        start = match.end() if (match := BEFORE.match(text)) else 0
        end = "\r\n" if "\r\n" in text else "\n"
        gap = end * bool(re.search(r"(?m)^#.*\r?\n\Z", text[:start]))  # from a comment about something else
        return f"{text[:start]}{gap}# The managed files of tagship{end}exclude: '{PATTERN}'{end}{text[start:]}"
    rows = text.split("\n")
    line, column = _start(there[0], rows)
    row = rows[line]
    flags = FLAGS.match(row, column)
    column = flags.end() if flags else column
    pattern = PATTERN.replace("\\", "\\\\") if there[0].style == '"' else PATTERN
    rows[line] = f"{row[:column]}{pattern}|{row[column:]}"
    return "\n".join(rows)


def _start(value: ScalarNode, rows: list[str]) -> tuple[int, int]:
    """Return the line and column, counted from 0, of a scalar's first character."""
    line, column = value.start_mark.line, value.start_mark.column
    if value.style not in {"|", ">"}:
        return line, column + (value.style in {"'", '"'})
    first = next((at for at, row in enumerate(rows[line + 1 :], line + 1) if row.strip()), line)
    return first, len(rows[first]) - len(rows[first].lstrip(" "))
