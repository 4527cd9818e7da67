"""Python's built-in functions that only compute."""

from __future__ import annotations

import ast
import configparser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from . import calls, imports, methods
from .machine import Machine, Raised, tree, unknown
from .values import (
    Builtin,
    Class,
    Function,
    Instance,
    Module,
    NotPlain,
    Scope,
    Stream,
    Unknown,
    Value,
    origins,
    plain,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: The call to report if Python itself makes it.
NO_CALL = ast.Call(ast.Name("f"), [], [], lineno=0)
CLASSES = (str, bytes, int, float, bool, list, tuple, dict, set, type(None))


def _open(machine: Machine, scope: Scope, path: Value, mode: Value | None = None, *_: Value, **__: Value) -> Value:
    if mode and any(letter in str(mode.data) for letter in "wax+"):
        return unknown("a file that is written")
    stream = methods.opened(machine, str(plain(path)))
    if isinstance(stream.data, Stream) and mode and "b" in str(mode.data):
        stream.data.binary = True
    return stream


def open_with_codecs(
    machine: Machine, scope: Scope, path: Value, mode: Value | None = None, encoding: Value | None = None, *_: Value
) -> Value:
    """Do what `codecs.open` does, which decodes in any mode."""
    return _open(machine, scope, path, None if encoding else mode)


def _plain(function: Callable[..., Any]) -> Callable[..., Value]:
    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        given = {key: plain(each) for key, each in keywords.items()}
        return wrap(function(*map(plain, arguments), **given), *arguments, *keywords.values())

    return call


def _str(machine: Machine, scope: Scope, value: Value | None = None, *_: Value, **__: Value) -> Value:
    if value is None:
        return Value("")
    data = plain(value)
    return wrap(data.decode() if isinstance(data, bytes) else str(data), value)


def _items(machine: Machine, value: Value) -> list[Value]:
    found = calls.items(machine, value)
    if found is None:
        raise NotPlain(unknown("what an unknown list holds", value).data)
    return found


def _list(machine: Machine, scope: Scope, value: Value | None = None) -> Value:
    return Value(_items(machine, value), *origins([value])) if value else Value([])


def _tuple(machine: Machine, scope: Scope, value: Value | None = None) -> Value:
    return Value(tuple(_items(machine, value)), *origins([value])) if value else Value(())


def _set(machine: Machine, scope: Scope, value: Value | None = None) -> Value:
    return wrap({plain(each) for each in _items(machine, value)}, value) if value else Value(set())


def _dict(machine: Machine, scope: Scope, value: Value | None = None, **keywords: Value) -> Value:
    if value is None:
        return Value(dict(keywords))
    if isinstance(value.data, dict):
        return Value({**value.data, **keywords}, value.origins, value.how)
    pairs = [_items(machine, each) for each in _items(machine, value)]
    return Value({plain(key): each for key, each in pairs} | keywords)


def _len(machine: Machine, scope: Scope, value: Value) -> Value:
    return wrap(len(value.data), value) if hasattr(value.data, "__len__") else unknown("a length", value)


def _sorted(machine: Machine, scope: Scope, value: Value, **keywords: Value) -> Value:
    found = _items(machine, value)
    key = keywords.get("key")
    if key is None:
        return Value(sorted(found, key=plain, reverse=bool(keywords.get("reverse", Value(False)).data)))
    return Value(sorted(found, key=lambda each: plain(_apply(machine, scope, key, each))))


def _apply(machine: Machine, scope: Scope, function: Value, *values: Value) -> Value:
    return calls.call(machine, function, list(values), {}, scope, NO_CALL)


def _map(machine: Machine, scope: Scope, function: Value, *values: Value) -> Value:
    rows = zip(*(_items(machine, each) for each in values), strict=False)
    return Value([_apply(machine, scope, function, *row) for row in rows])


def _filter(machine: Machine, scope: Scope, function: Value, value: Value) -> Value:
    from .expressions import truth

    found = list[Value]()
    for each in _items(machine, value):
        known = truth(each if function.data is None else _apply(machine, scope, function, each))
        if known is None:
            return unknown("a condition", each)
        if known:
            found.append(each)
    return Value(found)


def _zip(machine: Machine, scope: Scope, *values: Value) -> Value:
    return Value([Value(row) for row in zip(*(_items(machine, each) for each in values), strict=False)])


def _enumerate(machine: Machine, scope: Scope, value: Value, start: Value | None = None) -> Value:
    first = plain(start) if start else 0
    return Value([Value((Value(i), each)) for i, each in enumerate(_items(machine, value), first)])


def _range(machine: Machine, scope: Scope, *values: Value) -> Value:
    found = range(*map(plain, values))
    machine.step(len(found))
    return wrap(list(found), *values)


def _next(machine: Machine, scope: Scope, value: Value, *default: Value) -> Value:
    if isinstance(value.data, Stream):
        if value.data.at < len(value.data.text):
            return calls.call(machine, methods.attribute(machine, value, "readline", ""), [], {}, scope, NO_CALL)
    elif not value.known:
        return value
    elif isinstance(value.data, list) and value.data:
        found = value.data.pop(0)
        return found if isinstance(found, Value) else Value(found)
    if default:
        return default[0]
    raise Raised("StopIteration")


def _iter(machine: Machine, scope: Scope, value: Value) -> Value:
    return value if isinstance(value.data, Stream) else _list(machine, scope, value)


def _quantified(stop: bool) -> Callable[..., Value]:  # noqa: FBT001
    def call(machine: Machine, scope: Scope, value: Value) -> Value:
        from .expressions import truth

        known = [truth(each) for each in _items(machine, value)]
        return Value(stop) if stop in known else unknown("a condition", value) if None in known else Value(not stop)

    return call


def _isinstance(machine: Machine, scope: Scope, value: Value, classes: Value) -> Value:
    wanted = [each.data for each in classes.data] if isinstance(classes.data, tuple) else [classes.data]
    names = [each.name if isinstance(each, Builtin) else each for each in wanted]
    if not value.known or any(isinstance(name, Unknown) for name in names):
        return unknown("a type", value)
    real = [_class(name) for name in names]
    mine = [each for each in real if each is not None]
    if isinstance(value.data, Instance | Class | Module | Function):
        return Value(isinstance(value.data, Instance) and value.data.cls in names)
    return Value(isinstance(value.data, tuple(mine)), value.origins, value.how)


def _class(name: Any) -> type | None:
    if isinstance(name, type):
        return name
    return next((each for each in CLASSES if each.__name__ == name), None) or (str if name == "unicode" else None)


def _getattr(machine: Machine, scope: Scope, value: Value, name: Value, *default: Value) -> Value:
    try:
        found = methods.attribute(machine, value, str(plain(name)), scope.file)
    except Raised:
        if default:
            return default[0]
        raise
    return default[0] if default and isinstance(value.data, Module) and not found.known else found


def _hasattr(machine: Machine, scope: Scope, value: Value, name: Value) -> Value:
    try:
        found = methods.attribute(machine, value, str(plain(name)), scope.file)
    except Raised:
        return Value(False)
    return unknown("a condition", value) if not value.known else Value(found.known)


def _names(machine: Machine, scope: Scope) -> Value:
    return Value(scope.names)


def _top_names(machine: Machine, scope: Scope) -> Value:
    return Value(scope.top.names)


def _vars(machine: Machine, scope: Scope, value: Value | None = None) -> Value:
    if value is None:
        return Value(scope.names)
    return Value(value.data.names) if isinstance(value.data, Module | Instance) else unknown("a namespace", value)


def execute_text(machine: Machine, scope: Scope, code: Value, *names: Value, **keywords: Value) -> Value:
    """Do what `exec` does: evaluate code in the given namespace, by default the current one."""
    from .statements import execute_module

    text = plain(code)
    file = code.origins[0][0] if code.origins else scope.file
    given = [each for each in (*names, *keywords.values()) if isinstance(each.data, dict)]
    target = given[-1].data if given else scope.names
    own = dict[str, Value]()
    inner = Scope(own, file, None if given else scope, module=Module(file, own, file))
    execute_module(machine, tree(text.decode() if isinstance(text, bytes) else text).body, inner)
    for name, value in own.items():
        target[name] = Value(value.data, value.origins, value.how | {"exec"})
    return Value(None)


def _eval(machine: Machine, scope: Scope, code: Value, *_: Value) -> Value:
    from .expressions import evaluate

    found = tree(str(plain(code)).strip()).body
    if len(found) != 1 or not isinstance(found[0], ast.Expr):
        raise Raised("SyntaxError", "no expression")
    value = evaluate(machine, found[0].value, scope)
    return Value(value.data, code.origins or value.origins, value.how | code.how | {"eval"})


def _compile(machine: Machine, scope: Scope, code: Value, *_: Value, **__: Value) -> Value:
    return code


def _execfile(machine: Machine, scope: Scope, path: Value, *names: Value) -> Value:
    stream = methods.opened(machine, str(plain(path)))
    return execute_text(machine, scope, Value(stream.data.text, stream.origins, stream.how), *names)


def _import(machine: Machine, scope: Scope, name: Value, *_: Value, **__: Value) -> Value:
    return imports.module(machine, str(plain(name)).partition(".")[0])


def _nothing(machine: Machine, scope: Scope, *_: Value, **__: Value) -> Value:
    return Value(None)


def _type(machine: Machine, scope: Scope, value: Value, *_: Value) -> Value:
    if isinstance(value.data, ast.AST):
        return Value(type(value.data))
    return unknown("a type", value)


def _open_path(machine: Machine, scope: Scope, *parts: Value) -> Value:
    return wrap(PurePosixPath(*map(plain, parts)), *parts)


def _config(machine: Machine, scope: Scope, *_: Value, **__: Value) -> Value:
    return Value(configparser.RawConfigParser())


path, config = _open_path, _config

FUNCTIONS: dict[str, Callable[..., Value]] = {
    "open": _open,
    "str": _str,
    "unicode": _str,
    "list": _list,
    "tuple": _tuple,
    "set": _set,
    "frozenset": _set,
    "dict": _dict,
    "len": _len,
    "sorted": _sorted,
    "map": _map,
    "filter": _filter,
    "zip": _zip,
    "enumerate": _enumerate,
    "range": _range,
    "next": _next,
    "iter": _iter,
    "any": _quantified(True),
    "all": _quantified(False),
    "isinstance": _isinstance,
    "getattr": _getattr,
    "hasattr": _hasattr,
    "locals": _names,
    "globals": _top_names,
    "vars": _vars,
    "exec": execute_text,
    "eval": _eval,
    "compile": _compile,
    "execfile": _execfile,
    "__import__": _import,
    "print": _nothing,
    "type": _type,
    "exit": lambda *_, **__: _exit(),
    "quit": lambda *_, **__: _exit(),
    "reversed": lambda machine, scope, value: Value(_items(machine, value)[::-1]),
}
PLAIN: list[Callable[..., Any]] = [
    *(int, float, bool, bytes, repr, ascii, min, max, sum, abs, round, ord, chr, divmod, format)
]
BUILTINS = FUNCTIONS | {each.__name__: _plain(each) for each in PLAIN}


def _exit() -> Value:
    raise Raised("SystemExit")
