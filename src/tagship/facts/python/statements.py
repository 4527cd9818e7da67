"""Evaluates statements."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from . import calls, imports
from .expressions import combined, evaluate, function, merged, truth
from .machine import Ended, Machine, Raised, unknown
from .values import Class, Scope, Value, duplicate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LOOPS = 10_000


class Returned(Ended):
    """A function returns."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Broken(Ended):
    """A loop ends."""


class Continued(Ended):
    """A loop continues with its next item."""


def execute(machine: Machine, body: Sequence[ast.stmt], scope: Scope) -> None:
    """Execute `body` in `scope`; raises `Raised`, `Returned`, `Broken` and `Continued` as the code would."""
    for statement in body:
        machine.step()
        if handler := HANDLERS.get(type(statement)):
            handler(machine, statement, scope)


def execute_module(machine: Machine, body: Sequence[ast.stmt], scope: Scope) -> None:
    """Execute a module; if a statement seems to raise, what it binds is unknown, and the module goes on."""
    for statement in body:
        try:
            execute(machine, [statement], scope)
        except Raised as error:
            reason = f"{scope.file}:{statement.lineno} raises {error}"[:200]
            for name in bound([statement]):
                scope.names[name] = unknown(reason)
        except (Returned, Broken, Continued):
            continue


def bound(body: Iterable[ast.stmt]) -> list[str]:
    """Return the names that statements bind."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    names = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    names += [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return list(dict.fromkeys(names))


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> None:
    if isinstance(node.value, ast.Yield | ast.YieldFrom):
        _yield(machine, node.value, scope)
    else:
        evaluate(machine, node.value, scope)


def _yield(machine: Machine, node: ast.Yield | ast.YieldFrom, scope: Scope) -> None:
    value = evaluate(machine, node.value, scope) if node.value else Value(None)
    found = [value] if isinstance(node, ast.Yield) else calls.items(machine, value)
    inner: Scope | None = scope
    while inner and inner.yielded is None:
        inner = inner.outer
    if inner and inner.yielded is not None:
        inner.yielded += [unknown("what an unknown list holds", value)] if found is None else found


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    value = evaluate(machine, node.value, scope)
    for target in node.targets:
        calls.bind(machine, target, value, scope)


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value:
        calls.bind(machine, node.target, evaluate(machine, node.value, scope), scope)


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> None:
    before = evaluate(machine, _loaded(node.target), scope)
    value = evaluate(machine, node.value, scope)
    if isinstance(before.data, list) and isinstance(node.op, ast.Add):
        items = calls.items(machine, value)
        machine.step(len(items or ()))
        before.data.extend([unknown("what an unknown list holds", value)] if items is None else items)
        return
    calls.bind(machine, node.target, combined(machine, before, node.op, value), scope)


def _loaded(target: ast.expr) -> ast.expr:
    loaded = copy.copy(target)
    loaded.ctx = ast.Load()  # type: ignore[attr-defined]
    return loaded


def _if(machine: Machine, node: ast.If, scope: Scope) -> None:
    test = evaluate(machine, node.test, scope)
    known = truth(test)
    if known is None:
        either(
            machine,
            scope,
            test,
            lambda: execute(machine, node.body, scope),
            lambda: execute(machine, node.orelse, scope),
        )
    else:
        execute(machine, node.body if known else node.orelse, scope)


def either(machine: Machine, scope: Scope, test: Value, one: Callable[[], None], other: Callable[[], None]) -> None:
    """Execute `one` or the `other` if it is not known which; names that end up different are unknown."""
    before = _copied(scope)
    ended, after = _outcome(one, scope), _copied(scope)
    _restore(scope, before)
    ended_other = _outcome(other, scope)
    if isinstance(ended, Raised) and not isinstance(ended_other, Raised):
        return _go_on(ended_other)
    if isinstance(ended_other, Raised | Returned) or ended_other:
        if isinstance(ended_other, Returned):
            _function_scope(scope).returned.append(ended_other.value)
        elif isinstance(ended_other, Raised) and ended:
            raise ended_other
        _restore(scope, after)
        return _go_on(ended)
    if isinstance(ended, Returned):
        _function_scope(scope).returned.append(ended.value)
        return None
    if ended:  # it may break or continue, so that what follows may not run
        return None
    _merge(scope, after, test)
    return None


def _go_on(ended: Exception | None) -> None:
    if ended:
        raise ended


def _outcome(branch: Callable[[], None], scope: Scope) -> Exception | None:
    try:
        branch()
    except (Returned, Broken, Continued, Raised) as ended:
        return ended
    return None


def _function_scope(scope: Scope) -> Scope:
    return scope


def _copied(scope: Scope) -> list[tuple[Scope, dict[str, Value]]]:
    found, inner = list[tuple[Scope, dict[str, Value]]](), scope
    memo: dict[int, Value] = {}
    while True:
        found.append((inner, {name: duplicate(value, memo) for name, value in inner.names.items()}))
        if inner.outer is None:
            return found
        inner = inner.outer


def _restore(scope: Scope, saved: list[tuple[Scope, dict[str, Value]]]) -> None:
    for inner, names in saved:
        inner.names.clear()
        inner.names.update(names)


def _merge(scope: Scope, after: list[tuple[Scope, dict[str, Value]]], test: Value) -> None:
    for inner, names in after:
        for name in {**names, **inner.names}:
            one, other = names.get(name), inner.names.get(name)
            if one is None or other is None:
                # A name that only one branch binds: code that uses it took that branch.
                inner.names[name] = one or other  # type: ignore[assignment]
            else:
                inner.names[name] = merged(one, other, test)


def _for(machine: Machine, node: ast.For, scope: Scope) -> None:
    value = evaluate(machine, node.iter, scope)
    items = calls.items(machine, value)
    if items is None:
        _perhaps(machine, node, scope, value)
        return
    for each in items[:LOOPS]:
        machine.step()
        calls.bind(machine, node.target, each, scope)
        try:
            execute(machine, node.body, scope)
        except Broken:
            return
        except Continued:
            continue
    execute(machine, node.orelse, scope)


def _perhaps(machine: Machine, node: ast.For | ast.While, scope: Scope, doubt: Value) -> None:
    def once() -> None:
        if isinstance(node, ast.For):
            calls.bind(machine, node.target, unknown("an item of an unknown list", doubt), scope)
        try:
            execute(machine, node.body, scope)
        except (Broken, Continued):
            return

    either(machine, scope, doubt, once, lambda: None)


def _while(machine: Machine, node: ast.While, scope: Scope) -> None:
    for _ in range(LOOPS):
        test = evaluate(machine, node.test, scope)
        known = truth(test)
        if known is None:
            return _perhaps(machine, node, scope, test)
        if not known:
            return execute(machine, node.orelse, scope)
        try:
            execute(machine, node.body, scope)
        except Broken:
            return None
        except Continued:
            continue
    return None


def _with(machine: Machine, node: ast.With, scope: Scope) -> None:
    for each in node.items:
        value = evaluate(machine, each.context_expr, scope)
        if each.optional_vars:
            calls.bind(machine, each.optional_vars, value, scope)
    suppressed = any("suppress" in ast.unparse(each.context_expr) for each in node.items)
    try:
        execute(machine, node.body, scope)
    except Raised:
        if not suppressed:
            raise


def _try(machine: Machine, node: Any, scope: Scope) -> None:
    try:
        execute(machine, node.body, scope)
    except Raised as error:
        handler = next((each for each in node.handlers if _catches(each, error)), None)
        if handler is None:
            raise
        if handler.name:
            scope.names[handler.name] = unknown(f"the exception {error}"[:200])
        execute(machine, handler.body, scope)
    else:
        execute(machine, node.orelse, scope)
    finally:
        if node.finalbody:
            execute(machine, node.finalbody, scope)


#: The base classes of exceptions.
KINDS = {
    "FileNotFoundError": {"OSError", "IOError", "EnvironmentError"},
    "ModuleNotFoundError": {"ImportError"},
    "ImportError": {"ModuleNotFoundError"},
    "IndexError": {"LookupError"},
    "KeyError": {"LookupError"},
    "UnicodeDecodeError": {"ValueError", "UnicodeError"},
}


def _catches(handler: ast.ExceptHandler, error: Raised) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(each).rpartition(".")[2] for each in types}
    if error.name == "SystemExit":
        return bool(names & {"SystemExit", "BaseException"})
    return bool(names & {"Exception", "BaseException", error.name, *KINDS.get(error.name, ())})


def _return(machine: Machine, node: ast.Return, scope: Scope) -> None:
    raise Returned(evaluate(machine, node.value, scope) if node.value else Value(None))


def _raise(machine: Machine, node: ast.Raise, scope: Scope) -> None:
    called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    raise Raised(ast.unparse(called).rpartition(".")[2] if called else "Exception")


def _define(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
    scope.names[node.name] = function(machine, node, scope)


def _class(machine: Machine, node: ast.ClassDef, scope: Scope) -> None:
    bases = [evaluate(machine, base, scope) for base in node.bases if not isinstance(base, ast.Starred)]
    inner = Scope({}, scope.file, scope)
    execute(machine, node.body, inner)
    annotated = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    fields = [target.id for target in annotated if isinstance(target, ast.Name)]
    scope.names[node.name] = Value(Class(node.name, inner.names, bases, fields))


def _shared(machine: Machine, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
    scope.shared.update(node.names)


def _delete(machine: Machine, node: ast.Delete, scope: Scope) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.names.pop(target.id, None)


def _assert(machine: Machine, node: ast.Assert, scope: Scope) -> None:
    if truth(evaluate(machine, node.test, scope)) is False:
        raise Raised("AssertionError")


def _break(*_: object) -> None:
    raise Broken


def _continue(*_: object) -> None:
    raise Continued


def _match(machine: Machine, node: ast.Match, scope: Scope) -> None:
    doubt = unknown(f"{scope.file}:{node.lineno} has a match statement")
    for case in node.cases:
        either(machine, scope, doubt, lambda body=case.body: execute(machine, body, scope), lambda: None)  # type: ignore[misc]


HANDLERS: dict[type[ast.stmt], Callable[[Machine, Any, Scope], None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.With: _with,
    ast.Try: _try,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _class,
    ast.Global: _shared,
    ast.Nonlocal: _shared,
    ast.Delete: _delete,
    ast.Assert: _assert,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Match: _match,
    ast.Import: imports.plain_import,
    ast.ImportFrom: imports.from_import,
}
