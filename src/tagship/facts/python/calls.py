"""Evaluates calls, of the code's own functions and classes and of Python's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .machine import DEPTH, Ended, Exhausted, Machine, Raised, unknown
from .values import Builtin, Class, Function, Instance, Lazy, NotPlain, Scope, Stream, Unknown, Value, origins

if TYPE_CHECKING:
    from collections.abc import Sequence


#: The function in the module that versioneer writes into a package; its fallback is no version.
VERSIONEER = "get_versions"


def builtin(name: str) -> Value | None:
    """Return the built-in `name`."""
    from .builtins import BUILTINS

    found = BUILTINS.get(name)
    return Value(Builtin(name, found)) if found else None


def call(
    machine: Machine,
    called: Value,
    arguments: list[Value],
    keywords: dict[str, Value],
    scope: Scope,
    node: ast.Call,
) -> Value:
    """Return the result of a call; the result of an unknown function is unknown, with the origins of its arguments."""
    data = called.data
    if isinstance(data, Builtin):
        return _built_in(machine, data, arguments, keywords, scope)
    if isinstance(data, Function):
        return call_function(machine, data, arguments, keywords)
    if isinstance(data, Class):
        return _instantiated(machine, data, arguments, keywords)
    where = f"{scope.file}:{node.lineno}"
    if keywords and ast.unparse(node.func).rpartition(".")[2] == "setup":
        machine.calls.append(keywords)  # from a module that wraps setuptools' one
    reason = f"{where} calls {ast.unparse(node.func)[:60]}"
    result = unknown(reason, called, *arguments, *keywords.values())
    if not called.known:
        return Value(called.data, result.origins, result.how)
    return result


def _built_in(
    machine: Machine, called: Builtin, arguments: list[Value], keywords: dict[str, Value], scope: Scope
) -> Value:
    try:
        return called.call(machine, scope, *arguments, **keywords)
    except NotPlain as error:
        return Value(error.unknown, *origins([*arguments, *keywords.values()]))
    except (Raised, Exhausted, Ended):
        raise
    except TypeError:  # arguments that the function is not known to take
        return unknown(f"a call of {called.name} that is not understood", *arguments, *keywords.values())
    except RecursionError:
        raise
    except Exception as error:
        raise Raised(type(error).__name__, str(error)) from error


def call_function(
    machine: Machine, function: Function, arguments: Sequence[Value], keywords: dict[str, Value]
) -> Value:
    """Return what a function of the code returns; for a generator, a list of what it yields."""
    from .expressions import evaluate
    from .statements import Returned, execute

    if machine.depth >= DEPTH:
        return unknown("calls are nested too deeply")
    generated = function.scope.file.rpartition("/")[2] in {"_version.py", "versioneer.py"}
    if generated and getattr(function.node, "name", "") == VERSIONEER:
        derived = unknown("versioneer derives it from git's tags", tool="versioneer")
        return Value(dict.fromkeys(("version", "full-revisionid", "dirty", "error", "date"), derived))
    machine.depth += 1
    try:
        inner = Scope(_parameters(function, arguments, keywords), function.scope.file, function.scope)
        if isinstance(function.node, ast.Lambda):
            return evaluate(machine, function.node.body, inner)
        inner.yielded = [] if _yields(machine, function.node) else None
        result = Value(None)
        try:
            execute(machine, function.node.body, inner)
        except Returned as returned:
            result = returned.value
        result = Value(inner.yielded) if inner.yielded is not None else result
        return _one_of(inner.returned, result)
    finally:
        machine.depth -= 1


def _yields(machine: Machine, node: ast.AST) -> bool:
    if node not in machine.generators:
        found = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own_nodes(node))
        machine.generators[node] = found
    return machine.generators[node]


def _own_nodes(node: ast.AST) -> list[ast.AST]:
    found, todo = list[ast.AST](), list(ast.iter_child_nodes(node))
    while todo:
        each = todo.pop()
        found.append(each)
        if not isinstance(each, ast.FunctionDef | ast.Lambda | ast.ClassDef | ast.AsyncFunctionDef):
            todo += ast.iter_child_nodes(each)
    return found


def _one_of(earlier: list[Value], result: Value) -> Value:
    from .expressions import merged

    for each in earlier:
        result = merged(result, each, unknown("which return statement a function reaches", result, each))
    return result


def _parameters(function: Function, arguments: Sequence[Value], keywords: dict[str, Value]) -> dict[str, Value]:
    """Return the names that a call binds; missing arguments are unknown."""
    spec = function.node.args
    given = [*([function.bound] if function.bound else []), *arguments]
    names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
    found = dict(zip(names[len(names) - len(function.defaults) :], function.defaults, strict=True))
    found |= function.keyword_defaults
    found |= dict(zip(names, given, strict=False))
    everything = {*names, *(each.arg for each in spec.kwonlyargs)}
    found |= {name: value for name, value in keywords.items() if name in everything}
    if spec.vararg:
        found[spec.vararg.arg] = Value(tuple(given[len(names) :]))
    if spec.kwarg:
        found[spec.kwarg.arg] = Value({name: value for name, value in keywords.items() if name not in everything})
    return {name: unknown(f"the argument {name}") for name in everything} | found


def _instantiated(machine: Machine, cls: Class, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    instance = Value(Instance(cls))
    # In named tuples and data classes, the annotations are the parameters.
    instance.data.names.update(zip(cls.fields, arguments, strict=False))
    instance.data.names.update({name: value for name, value in keywords.items() if name in cls.fields})
    init = cls.get("__init__")
    if init and isinstance(init.data, Function):
        call_function(machine, _bound(init.data, instance), arguments, keywords)
    return instance


def _bound(function: Function, value: Value) -> Function:
    decorators = [] if isinstance(function.node, ast.Lambda) else [ast.unparse(d) for d in function.node.decorator_list]
    if "staticmethod" in decorators:
        return function
    return Function(function.node, function.scope, function.defaults, function.keyword_defaults, value)


def member(machine: Machine, value: Value, name: str) -> Value | None:
    """Return the attribute `name` of an object or class of the code."""
    data = value.data
    if isinstance(data, Instance) and name in data.names:
        return data.names[name]
    cls = data.cls if isinstance(data, Instance) else data
    if not isinstance(cls, Class):
        return None
    found = cls.get(name)
    if found is None or not isinstance(found.data, Function):
        return found
    node = found.data.node
    decorators = [] if isinstance(node, ast.Lambda) else [ast.unparse(each) for each in node.decorator_list]
    if "property" in decorators and isinstance(data, Instance):
        return call_function(machine, _bound(found.data, value), [], {})
    if isinstance(data, Instance) or "classmethod" in decorators:
        return Value(_bound(found.data, value))
    return found


def items(machine: Machine, value: Value) -> list[Value] | None:
    """Return the items of a loop over `value`, None if they are not known."""
    data = value.data
    if isinstance(data, Lazy | Unknown):
        return None
    if isinstance(data, list | tuple):
        return [_from(value, each) for each in data]
    if isinstance(data, dict):
        return [Value(key, value.origins, value.how) for key in data]
    if isinstance(data, Stream):
        text, data.at = data.text[data.at :], len(data.text)
        first = data.text.count("\n", 0, len(data.text) - len(text)) + 1
        how = value.how | {"lines"}
        lines: list[Any] = text.splitlines(keepends=True)
        lines = [line.encode() for line in lines] if data.binary else lines
        return [Value(line, ((data.file, number),), how) for number, line in enumerate(lines, first)]
    if isinstance(data, str | bytes | set | frozenset | range):
        machine.step(len(data) // 10)
        return [Value(each, value.origins, value.how) for each in data]
    return None


def _from(container: Value, item: Value) -> Value:
    """Return an item with its container's `how`; a mutable one stays the same object."""
    if item.how >= container.how or isinstance(item.data, list | dict | set | Instance | Stream):
        return item
    return Value(item.data, item.origins, item.how | container.how)


def bind(machine: Machine, target: ast.expr, value: Value, scope: Scope) -> None:
    """Bind the names in `target` to `value`, as an assignment, a loop or a `with` does."""
    from .expressions import evaluate

    if isinstance(target, ast.Name):
        _home(target.id, scope)[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(machine, target.elts, value, scope)
    elif isinstance(target, ast.Starred):
        bind(machine, target.value, value, scope)
    elif isinstance(target, ast.Attribute):
        owner = evaluate(machine, target.value, scope)
        if isinstance(owner.data, Instance | Class):
            owner.data.names[target.attr] = value
    elif isinstance(target, ast.Subscript):
        owner, index = evaluate(machine, target.value, scope), target.slice
        if isinstance(owner.data, dict | list) and not isinstance(index, ast.Slice):
            _set_item(owner, evaluate(machine, index, scope), value)


def _home(name: str, scope: Scope) -> dict[str, Value]:
    if name not in scope.shared:
        return scope.names
    outer = scope.outer
    while outer and name not in outer.names and outer.outer:
        outer = outer.outer
    return (outer or scope).names


def _set_item(owner: Value, index: Value, value: Value) -> None:
    try:
        owner.data[index.data] = value
    except (TypeError, LookupError) as error:
        if isinstance(owner.data, list) or not isinstance(index.data, Unknown):
            raise Raised(type(error).__name__) from error


def _unpack(machine: Machine, targets: list[ast.expr], value: Value, scope: Scope) -> None:
    found = items(machine, value)
    star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if found is not None and star is not None:
        after = len(targets) - star - 1
        found = [*found[:star], Value(found[star : len(found) - after]), *found[len(found) - after :]]
    if found is not None and len(found) != len(targets):
        raise Raised("ValueError", "wrong number of values to unpack")
    parts: list[Any] = found or [Value(value.data, *origins([value])) for _ in targets]
    for target, part in zip(targets, parts, strict=True):
        bind(machine, target, part, scope)
