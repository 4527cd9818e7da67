"""Python source as the commands that it runs: sessions of nox, tasks of invoke, scripts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .blocks import Block
from .shell import Command, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Calls that print their arguments, or describe an option.
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
#: Modules whose function `upload` or `publish` is the command of that name.
UPLOADERS = frozenset({"twine", "flit", "poetry", "hatch", "pdm", "uv"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Module:
    """A module's functions, read on demand."""

    def __init__(self, source: str, file: str) -> None:
        """Parse `source`; what is not Python has no functions and runs nothing."""
        self.file = file
        self.lines = source.splitlines()
        try:
            self.tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.tree = ast.Module([], [])
        nodes = ast.walk(self.tree)
        self.functions = {
            node.name: node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }

    def main(self) -> Block:
        """Return what the module runs at import."""
        return self._block("", self.tree, self.lines[0] if self.lines else "")

    def all(self) -> Block:
        """Return everything that any function of the module can run."""
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        run = [each for call in calls if _last(call.func) not in SILENT for each in _of(call, self.lines)]
        return Block(self.file, "", 1, self.lines[0] if self.lines else "", tuple(run))

    def function(self, name: str) -> Block:
        """Return what the function `name` runs, with the functions of the module that it calls."""
        node = self.functions[name]
        return self._block(name, node, self.lines[node.lineno - 1], node.lineno)

    def _block(self, name: str, node: ast.AST, text: str, line: int = 1) -> Block:
        return Block(self.file, name, line, text, self._commands(node))

    def _commands(self, node: ast.AST) -> tuple[Command, ...]:
        found: list[Command] = []
        seen: set[str] = set()
        waiting = [node]
        while waiting:
            for call in _calls(waiting.pop()):
                name = _last(call.func)
                if name in self.functions and name not in seen:
                    seen.add(name)
                    waiting.append(self.functions[name])
                if name not in SILENT:
                    found += _of(call, self.lines)
        return tuple(sorted(found, key=lambda each: each.line))

    def decorated(self, names: frozenset[str]) -> dict[str, tuple[str, bool]]:
        """Return the functions that one of `names` decorates: by name, and whether they run by default."""
        found: dict[str, tuple[str, bool]] = {}
        for node in self.functions.values():
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if _last(call.func if call else decorator) in names:
                    given = {word.arg: word.value for word in call.keywords} if call else {}
                    other, default = given.get("name"), given.get("default")
                    name = (
                        other.value if isinstance(other, ast.Constant) and isinstance(other.value, str) else node.name
                    )
                    found[name] = (node.name, not (isinstance(default, ast.Constant) and default.value is False))
        return found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in `node`, without those in functions and classes that it only defines."""
    waiting = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Module):
        waiting = [each for each in waiting if not isinstance(each, DEFINITIONS)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Call):
            yield each
        waiting.extend(ast.iter_child_nodes(each))


def _of(call: ast.Call, lines: list[str]) -> list[Command]:
    """Return the commands that a call may run: given as separate arguments, as a list, or as one line for a shell."""
    line = call.lineno
    text = lines[line - 1].strip() if line <= len(lines) else ""
    assigned = tuple(_environment(call))
    if (
        isinstance(call.func, ast.Attribute)
        and _last(call.func.value) in UPLOADERS
        and call.func.attr in {"upload", "publish"}
    ):
        return [Command((_last(call.func.value), call.func.attr), assigned, line, text)]
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
    """Return the string that `node` is, with `$NAME` for environment variables and `?` for what is not known."""
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
