"""Python source as the commands that it runs: sessions of nox, tasks of invoke, scripts."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING

from .blocks import Block
from .shell import Command, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Calls that print what they are given, or describe an option.
SILENT = frozenset(
    [
        "print",
        "echo",
        "debug",
        "info",
        "warning",
        "error",
        "log",
        "add_argument",
        "help",
        "secho",
        "Exception",
        "ValueError",
        "SystemExit",
    ]
)
MAX_NESTING = 200


def blocks(source: str, file: str) -> dict[str, Block]:
    """Return the functions of a module by name, and what it runs itself under ""; {} where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    lines = source.splitlines()
    functions = {
        node.name: node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    found = {
        name: Block(file, name, node.lineno, lines[node.lineno - 1], _commands(node, functions, lines))
        for name, node in functions.items()
    }
    return {**found, "": Block(file, "", 1, lines[0] if lines else "", _commands(tree, functions, lines))}


def decorated(source: str, names: frozenset[str]) -> dict[str, tuple[str, bool]]:
    """Return the functions that one of `names` decorates: by name, and whether they run by default."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, tuple[str, bool]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if _last(call.func if call else decorator) in names:
                given = {word.arg: word.value for word in call.keywords} if call else {}
                other = given.get("name")
                name = other.value if isinstance(other, ast.Constant) and isinstance(other.value, str) else node.name
                default = given.get("default")
                found[name] = (node.name, not (isinstance(default, ast.Constant) and default.value is False))
    return found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _commands(
    node: ast.AST, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], lines: list[str]
) -> tuple[Command, ...]:
    found: list[Command] = []
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        for call in _calls(waiting.pop()):
            name = _last(call.func)
            if name in functions and name not in seen:
                seen.add(name)
                waiting.append(functions[name])
            if name not in SILENT:
                found += _of(call, lines)
    return tuple(sorted(found, key=lambda each: each.line))


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in `node`, without those of the functions that it only defines."""
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Module) and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls(child)


def _of(call: ast.Call, lines: list[str]) -> list[Command]:
    """Return the commands that a call may run: words one by one, in a list, or as one line for a shell."""
    line = call.lineno
    text = lines[line - 1].strip() if line <= len(lines) else ""
    assigned = tuple(_environment(call))
    if call.args and isinstance(call.args[0], (ast.List, ast.Tuple)):
        return [Command(_words(call.args[0].elts), assigned, line, text)]
    if len(call.args) > 1 and all(_is_word(each) for each in call.args[:2]):
        return [Command(_words(call.args), assigned, line, text)]
    script = _text(call.args[0]) if call.args else None
    if isinstance(call.func, ast.Attribute) and call.func.attr == "split" and not script:
        script = _text(call.func.value)
    if script and " " in script.strip():
        return [Command(each.words, (*assigned, *each.assigned), line, text) for each in commands(script, line)]
    return (
        [Command(_words(call.args), assigned, line, text)] if script and _last(call.func) in {"run", "notify"} else []
    )


def _is_word(node: ast.expr) -> bool:
    value = _text(node)
    return value is not None and " " not in value


def _words(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(_text(each) or "?" for each in nodes)


def _text(node: ast.expr) -> str | None:
    """Return the text that `node` is, with `$NAME` for what is read from the environment, `?` for what is not known."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each) or "?" for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value) or "?"
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        left = _text(node.left)
        return None if left is None else left + (_text(node.right) or "?") if isinstance(node.op, ast.Add) else left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text(node.func.value)
    if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.executable":
        return "python"
    return _variable(node)


def _variable(node: ast.expr) -> str | None:
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        name = node.slice
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "getenv")) and node.args:
        name = node.args[0]
    else:
        return None
    return f"${{{name.value}}}" if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def _environment(call: ast.Call) -> Iterator[tuple[str, str]]:
    for word in call.keywords:
        if word.arg == "env" and isinstance(word.value, ast.Dict):
            for key, value in zip(word.value.keys, word.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, _text(value) or "?"


def split(line: str) -> list[str]:
    """Return the words of a command line, of one with unbalanced quotes those between spaces."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
