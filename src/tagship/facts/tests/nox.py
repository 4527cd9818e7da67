"""What a project's own nox sessions install and run, read from the noxfile's syntax tree."""

from __future__ import annotations

import ast
import posixpath
import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tagship import noxfile
from tagship.facts.files import Files
from tagship.facts.python.code import FAILURES
from tagship.facts.python.expressions import evaluate
from tagship.facts.python.machine import Machine, Raised, module_scope
from tagship.facts.python.values import Lazy, Module, NotPlain, Value, plain
from tagship_suite.errors import ReleaseError
from tagship_suite.files import read_text

from .model import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .declared import Project

Constants: TypeAlias = "dict[str, ast.expr]"
NOWHERE = Path("/nowhere")  # what a session reads when it runs is not followed
RUNS = {"run", "run_always", "run_install"}


def sessions(project: Project) -> dict[str, list[Command]]:
    """Return the commands of each session in noxfile.py; `session.install` is a `pip install`."""
    path = project.root / "noxfile.py"
    try:
        tree = ast.parse(read_text(path).removeprefix("\ufeff")) if path.is_file() else ast.Module([], [])
    except (SyntaxError, ValueError, ReleaseError):
        return {}
    known = dict(_constants(tree))
    helpers = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {
        name: [*_commands(node, {**known, **_arguments(node), **dict(_constants(node))}, helpers)]
        for node in helpers.values()
        for name in noxfile.names(node, "session")
    }


def _commands(
    node: ast.FunctionDef, known: Constants, helpers: dict[str, ast.FunctionDef], depth: int = 0
) -> Iterator[Command]:
    reached = (n for n in _reached(node, known) if isinstance(n, ast.Call))
    calls = sorted(reached, key=lambda n: (n.lineno, n.col_offset))
    folder = ""
    for call in calls:
        where = f"noxfile.py:{call.lineno}"
        function = ast.unparse(call.func).rpartition(".")[2]
        words = [word for argument in call.args for word in _words(argument, known)]
        if function == "install":
            yield Command(("pip", "install", *words, *_declared(call, known)), where)
        elif function in RUNS and words:
            yield Command(tuple(words), where, tuple(_env(call, known)), folder)
        elif function in {"chdir", "cd"}:
            folder = words[0] if words else ""
        elif function in helpers and depth < 3 and isinstance(call.func, ast.Name):
            helper = helpers[function]
            inner = {**known, **dict(_constants(helper)), **_arguments(helper, call)}
            yield from _commands(helper, inner, helpers, depth + 1)


def _reached(node: ast.AST, known: Constants) -> Iterator[ast.AST]:
    """Yield a node and those in it that run: a branch for one value is skipped if it is not known to be that value."""
    yield node
    inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If):
        held = _value(node.test, known)
        special = held is None and isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.Eq | ast.In)
        both = [*node.body, *node.orelse]
        inner = both if held is None and not special else node.body if held else node.orelse
    elif isinstance(node, ast.Match):
        subject = _value(node.subject, known)
        inner = next((case.body for case in node.cases if _matches(case.pattern, subject)), [])
    for child in inner:
        yield from _reached(child, known)


def _matches(pattern: ast.pattern, subject: object) -> bool:
    alternatives = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    values = [_value(each.value, {}) for each in alternatives if isinstance(each, ast.MatchValue)]
    return subject is not None and subject in values if values else isinstance(pattern, ast.MatchAs)


def _arguments(node: ast.FunctionDef, call: ast.Call | None = None) -> Constants:
    """Return the values of a function's arguments: those that a `call` passes, and the defaults of the others."""
    names = [each.arg for each in [*node.args.posonlyargs, *node.args.args]]
    defaults = zip(reversed(names), reversed(node.args.defaults), strict=False)
    only = zip((each.arg for each in node.args.kwonlyargs), node.args.kw_defaults, strict=True)
    found = {**dict(defaults), **{name: value for name, value in only if value}}
    if call:
        found |= zip(names, call.args, strict=False)
        found |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    return found


def _declared(call: ast.Call, known: Constants) -> Iterator[str]:
    """Yield the groups and extras that a session reads from pyproject.toml, as arguments of pip.

    It may use `*nox.project.dependency_groups(PYPROJECT, "test")`, `*PYPROJECT["dependency-groups"]["test"]`, or a
    variable that holds one of these.
    """
    values = [known.get(ast.unparse(arg.value), arg.value) for arg in call.args if isinstance(arg, ast.Starred)]
    for node in (inner for value in values for inner in ast.walk(value)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("dependency_groups"):
            yield from (word for arg in node.args[1:] for name in _words(arg, known) for word in ("--group", name))
        match _keys(node, known):
            case ["dependency-groups", name]:
                yield from ("--group", name)
            case ["project", "optional-dependencies", name]:
                yield f".[{name}]"


def _keys(node: ast.AST, known: Constants) -> list[str]:
    """Return the keys of nested subscripts, outermost table first."""
    keys = list[str]()
    while isinstance(node, ast.Subscript):
        keys, node = [*_words(node.slice, known), *keys], node.value
    return keys


def _words(node: ast.expr, known: Constants) -> list[str]:
    """Return the literal words of an argument, with "$" for those that are known at run time only."""
    inner = node.value if isinstance(node, ast.Starred) else node
    if isinstance(inner, ast.BoolOp):  # *(session.posargs or ["tests"])
        inner = inner.values[-1]
    if isinstance(inner, ast.IfExp):
        inner = inner.body if _is_true(inner.test, known) and "posargs" not in ast.unparse(inner.body) else inner.orelse
    value = _value(known.get(ast.unparse(inner), inner), known)
    if value is None and not isinstance(inner, ast.Constant):
        value = () if isinstance(node, ast.Starred) else _path(inner, known) or "$"
    if isinstance(value, list | tuple | set):
        return [str(word) for word in value]
    return [] if value is None else [str(value)]


def _value(node: ast.expr, known: Constants) -> Any:
    """Return the value of an expression such as `[f".[{name}]" for name in EXTRAS]`, None if it is not known."""
    with suppress(ValueError, TypeError):
        return ast.literal_eval(node)
    machine = Machine(Files(NOWHERE), NOWHERE.name)
    module = Module("noxfile", {}, "noxfile.py")
    scope = module_scope(module)
    module.names |= {name: Value(Lazy(partial(evaluate, machine, value, scope))) for name, value in known.items()}
    try:
        return plain(evaluate(machine, node, scope))
    except (NotPlain, Raised, *FAILURES):
        return None


def _is_true(node: ast.expr, known: Constants) -> bool:
    """Return whether a condition holds, as far as it can be known; one of which nothing is known does."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _is_true(node.operand, known)
    try:
        return bool(ast.literal_eval(known.get(ast.unparse(node), node)))
    except (ValueError, TypeError):
        return True


def _path(node: ast.expr, known: Constants, depth: int = 0) -> str:
    """Return the path of an expression such as `ROOT / "tests"`, relative to the noxfile; "" if it is not one."""
    node = known.get(ast.unparse(node), node)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and len(node.args) == 1:
        node = known.get(ast.unparse(node.args[0]), node.args[0])
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Constant)
        and depth < 5
    ):
        above = _path(node.left, known, depth + 1)
        return above and posixpath.normpath(posixpath.join(above, str(node.right.value)))
    return (
        "."
        if re.fullmatch(r"(\w+\.)?Path\(__file__\)(\.resolve\(\)|\.absolute\(\))?\.parent", ast.unparse(node))
        else ""
    )


def _env(call: ast.Call, known: Constants) -> Iterator[str]:
    given = [known.get(ast.unparse(keyword.value), keyword.value) for keyword in call.keywords if keyword.arg == "env"]
    for node in (inner for value in given for inner in ast.walk(value)):
        if isinstance(node, ast.Dict):
            pairs = [(k.value, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "dict":
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg]
        else:
            continue
        for name, value in pairs:
            yield f"{name!s}={' '.join(_words(value, known))}"


def _constants(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            yield ast.unparse(node.targets[0]), node.value
