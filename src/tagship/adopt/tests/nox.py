"""What a project's own nox sessions install and run, read from the noxfile's syntax tree."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tagship import noxfile
from tagship_suite.errors import ReleaseError
from tagship_suite.repo.files import read_text

from .model import Command, Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .declared import Project

RUNS = {"run", "run_always", "run_install"}


def sessions(project: Project) -> dict[str, list[Command]]:
    """Return the commands of each session in noxfile.py; `session.install` is a `pip install`."""
    path = project.root / "noxfile.py"
    try:
        tree = ast.parse(read_text(path)) if path.is_file() else ast.Module([], [])
    except (SyntaxError, ValueError, ReleaseError):
        return {}
    known = dict(_constants(tree))
    helpers = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {
        name: [*_commands(node, known, helpers)] for node in helpers.values() for name in noxfile.names(node, "session")
    }


def of_groups(project: Project, command: Command) -> Needs:
    """Return the dependency groups that a session installs by `nox.project.dependency_groups`."""
    found = Needs()
    for name in command.argv[1:]:
        found += project.group(name, command.where) or Needs()
    return found


def _commands(
    node: ast.FunctionDef, known: dict[str, Any], helpers: dict[str, ast.FunctionDef], depth: int = 0
) -> Iterator[Command]:
    calls = sorted((n for n in ast.walk(node) if isinstance(n, ast.Call)), key=lambda n: (n.lineno, n.col_offset))
    for call in calls:
        where = f"noxfile.py:{call.lineno}"
        function = ast.unparse(call.func).rpartition(".")[2]
        words = [word for argument in call.args for word in _words(argument, known)]
        if function == "install":
            yield Command(("pip", "install", *words), where)
            yield Command(("dependency_groups", *_groups(call)), where)
        elif function in RUNS and words:
            yield Command(tuple(words), where, tuple(_env(call)))
        elif function in helpers and depth < 3 and isinstance(call.func, ast.Name):
            yield from _commands(helpers[function], known, helpers, depth + 1)


def _groups(call: ast.Call) -> list[str]:
    """Return the literal names in `session.install(*nox.project.dependency_groups(pyproject, "test"))`."""
    inner = [node for node in ast.walk(call) if isinstance(node, ast.Call) and node is not call]
    named = [node for node in inner if ast.unparse(node.func).endswith("dependency_groups")]
    return [
        arg.value for node in named for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
    ]


def _words(node: ast.expr, known: dict[str, Any]) -> list[str]:
    """Return the literal words of an argument; "$" stands for one that only a run would tell."""
    inner = node.value if isinstance(node, ast.Starred) else node
    if isinstance(inner, ast.BoolOp):  # *(session.posargs or ["tests"])
        inner = inner.values[-1]
    if isinstance(inner, ast.IfExp):
        inner = inner.orelse if "posargs" in ast.unparse(inner.body) else inner.body
    try:
        value = ast.literal_eval(inner)
    except ValueError:
        value = known.get(ast.unparse(inner), () if isinstance(node, ast.Starred) else "$")
    return [str(word) for word in value] if isinstance(value, list | tuple | set) else [str(value)]


def _env(call: ast.Call) -> Iterator[str]:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "env"]
    for table in (node for node in given if isinstance(node, ast.Dict)):
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                yield f"{key.value!s}={value.value!s}"


def _constants(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            try:
                yield ast.unparse(node.targets[0]), ast.literal_eval(node.value)
            except (ValueError, TypeError):
                continue
