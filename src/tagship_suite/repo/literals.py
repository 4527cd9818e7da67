"""Literals in code and text: finding a version in a file without running anything, and changing it there."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from ..errors import refusal, within
from ..files import read_text, subtable, tomllib

#: What to do if no file holds the version as text.
BY_HAND = "or, if code computes the version, change that by hand, commit, and tag that commit"
ASSIGNED = r"""^__version__ = "(.*)"$"""
LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER}
PROBE = "0+probe"
SECONDS = 2
WHOLE = r"\A\s*(?:v(?=[0-9]))?(\S+)\s*\Z"


class String(NamedTuple):
    """A literal string in code: its text, and its start and end (in characters)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Written:
    """A version in a file: its text, and its start and end (in characters)."""

    path: Path
    text: str
    start: int
    end: int


def keyed(path: Path, keys: str) -> Written | None:
    """Return where the TOML or JSON file at `path` holds a text at `keys`, such as `tool.poetry.version`."""
    value = _value(path, text := read_text(path), keys)
    for match in re.finditer(rf"(?<=[\"']){re.escape(value)}(?=[\"'])", text) if value else ():
        start, end = match.span()
        if _value(path, text[:start] + PROBE + text[end:], keys) == PROBE:
            return Written(path, value, start, end)
    return None


def _value(path: Path, text: str, keys: str) -> str:
    *above, last = keys.split(".")
    try:
        value = subtable(json.loads(text) if path.suffix == ".json" else tomllib.loads(text), *above).get(last)
    except (ValueError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def find(path: Path, pattern: str = "") -> Written:
    """Return the one version that `pattern` (a regular expression with one group) finds in the file at `path`.

    In a Python file only assignments count, however they are quoted or annotated, and neither comments
    nor docstrings; the default pattern is `__version__`, elsewhere the whole file. Raises `ReleaseError`
    if nothing is found, or different versions, or nothing within `SECONDS`: a pattern can backtrack forever.
    """
    slow, remedy = f"no result of {pattern!r} within {SECONDS} s", "simplify version-pattern: it backtracks"
    with within(SECONDS, refusal("no-version", str(path), slow, "a version", remedy)):
        text = unmarked(read_text(path))
        if path.suffix == ".py":
            found = _in_python(path, text, pattern or ASSIGNED)
        else:
            plain = re.sub(r"^[ \t]*#.*$", lambda match: " " * len(match[0]), text, flags=re.MULTILINE)
            found = matches(path, plain, pattern or WHOLE)
    if len({written.text for written in found}) != 1:
        seen = " and ".join(sorted({repr(written.text) for written in found})) or "no version"
        expected = f"one that matches {pattern!r}" if pattern else "one version"
        remedy = f"correct the file, or set version-file and version-pattern in [tool.tagship]; {BY_HAND}"
        raise refusal("no-version", str(path), seen, expected, remedy)
    return found[0]


def unmarked(text: str) -> str:
    """Return `text` with a newline for a byte order mark, which is not valid Python: all offsets stay as they are."""
    return f"\n{text[1:]}" if text.startswith("\ufeff") else text


def matches(path: Path, text: str, pattern: str) -> list[Written]:
    """Return what `pattern`, a regular expression with a group, finds in the `text` of the file at `path`."""
    found = re.finditer(pattern, text, re.MULTILINE)
    return [Written(path, match[group], *match.span(group)) for match in found for group in [_group(match)]]


def _group(match: re.Match[str]) -> str | int:
    """Return which group holds the version: hatchling and scikit-build-core name it."""
    return next((name for name in ("version", "value") if name in match.re.groupindex), 1)


def _in_python(path: Path, text: str, pattern: str) -> list[Written]:
    every = _assigned(parse_python(text), text)
    found = [Written(path, *string) for name, string in every if _finds(pattern, name, string.text)]
    # A pattern for anything but an assignment, such as `version=` in a call, is tried on the code itself.
    return found or matches(path, _without_comments(text), pattern)


def _finds(pattern: str, name: str, version: str) -> bool:
    """Return whether `pattern` finds `version` in an assignment to `name`, in any of its usual spellings."""
    lines = (f"{name}{equals}{quote}{version}{quote}" for equals in (" = ", "=", ": str = ") for quote in "\"'")
    found = (re.search(pattern, line, re.MULTILINE) for line in lines)
    return any(match and match[_group(match)] == version for match in found)


def parse_python(text: str) -> ast.Module:
    """Return the syntax tree of Python code, an empty one if it does not parse."""
    try:
        return ast.parse(unmarked(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: it is nested too deeply
        return ast.Module([], [])


def strings(text: str, *names: str) -> list[String]:
    """Return the literal strings that Python code assigns to one of `names` at its top level, with their positions."""
    text = unmarked(text)
    return [string for target, string in _assigned(parse_python(text), text) if target in names]


def _assigned(tree: ast.AST, text: str) -> Iterator[tuple[str, String]]:
    """Yield each name that is assigned a literal string at the top level, also inside `if` and `try`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in {getattr(node.test, key, "") for key in ("id", "attr")}:
            node = ast.Module(node.orelse, [])
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if string := _string(node.value, text):
                yield from ((target.id, string) for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.With | ast.Module):
            yield from _assigned(node, text)
        elif isinstance(node, ast.Try):
            # What an `except` assigns replaces something that could not be imported or read.
            yield from _assigned(ast.Module(node.body, []), text)


def _string(node: ast.expr | None, text: str) -> String | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    start, end = _offset(text, node.lineno, node.col_offset), _offset(text, node.end_lineno, node.end_col_offset)
    at = text.find(node.value, start, end)
    return String(node.value, at, at + len(node.value)) if at >= 0 else None


def _offset(text: str, line: int | None, column: int | None) -> int:
    lines = _lines(text)[: line or 0]
    # The columns of a syntax tree count bytes.
    return sum(map(len, lines[:-1])) + len(lines[-1].encode()[: column or 0].decode())


def _lines(text: str) -> list[str]:
    """Return the lines of Python code: `splitlines` splits at form feeds and the like too."""
    return io.StringIO(text, newline="").readlines()


def _without_comments(text: str) -> str:
    """Blank out comments and docstrings, so that all other characters keep their offsets."""
    rows = [0, *accumulate(map(len, _lines(text)))]
    try:
        tokens = list(tokenize.generate_tokens(iter(_lines(text)).__next__))
    except (tokenize.TokenError, SyntaxError):
        return re.sub(r"#.*", lambda match: " " * len(match[0]), text)
    types = [tokenize.NEWLINE, *(token.type for token in tokens)]
    for before, token, after in zip(types, tokens, types[2:], strict=False):
        alone = token.type == tokenize.STRING and {before, after} <= LAYOUT
        if alone or token.type == tokenize.COMMENT:
            start, end = (rows[row - 1] + column for row, column in (token.start, token.end))
            text = text[:start] + re.sub(r"\S", " ", text[start:end]) + text[end:]
    return text


def passed(text: str, name: str) -> str:
    """Return the literal string, or constant, that Python code passes to a call as `name`; "" if there is none."""
    return next((string.text for string in keywords(text, name)), "")


def keywords(text: str, name: str) -> Iterator[String]:
    """Yield what is passed as `name`, to `setup()` first: setup.py also names extensions."""
    tree = parse_python(text := unmarked(text))
    constants = dict(_assigned(tree, text))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: not ast.unparse(call.func).endswith("setup")):
        for keyword in call.keywords:
            if keyword.arg == name:
                constant = keyword.value.id if isinstance(keyword.value, ast.Name) else ""
                if string := _string(keyword.value, text) or constants.get(constant):
                    yield string
