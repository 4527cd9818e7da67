"""The attributes and methods of data: strings, containers, files, paths, matches, syntax trees."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from . import calls, imports
from .machine import Machine, Raised, unknown
from .values import Builtin, Class, Instance, Module, Stream, Unknown, Value, origins, plain, wrap

if TYPE_CHECKING:
    from .values import Scope

#: A width of five digits, or one passed as an argument.
WIDE_BRACES = re.compile(r"\{[^{}]*(?:\d{5}|\{)")
WIDE_PERCENT = re.compile(r"%(?:\(\w*\))?[-#0 +]*(?:\d{5}|\*|\d*\.(?:\d{5}|\*))")
PADDING = {"ljust", "rjust", "center", "zfill", "expandtabs"}


def is_narrow(template: str) -> bool:
    """Return whether the result of a format cannot be much longer than its arguments."""
    return not WIDE_BRACES.search(template) and not WIDE_PERCENT.search(template)


def attribute(machine: Machine, value: Value, name: str, where: str) -> Value:
    """Return the attribute `name` of `value`; raises `Raised` if it has none."""
    data = value.data
    if isinstance(data, Unknown):
        return value
    if isinstance(data, Module):
        found = imports.of_module(machine, data, name) or _of_spec(data, value, name)
        return found or unknown(f"{where} uses {data.name}.{name}")
    if isinstance(data, Instance | Class):
        return calls.member(machine, value, name) or _visitor(machine, value, name) or unknown(f"{where} uses {name}")
    for types, read in READERS:
        if isinstance(data, types):
            found = read(machine, value, name)
            return found if isinstance(found, Value) else unknown(f"{where} uses {name}", value)
    if data is None:
        raise Raised("AttributeError", f"None has no {name}")
    return unknown(f"{where} uses {name}", value)


def method(name: str, value: Value, how: str = "") -> Value:
    """Return the method `name` of plain data, as a function of plain data."""

    def call(machine: Machine, _: Scope, *arguments: Value, **keywords: Value) -> Value:
        given = [plain(each) for each in arguments]
        named = {key: plain(each) for key, each in keywords.items()}
        if name in PADDING and any(isinstance(each, int) and each > 10_000 for each in given):
            return unknown("a text that is too wide")
        if name == "format" and not is_narrow(str(value.data)):
            return unknown("a format that is too wide")
        machine.step(len(value.data) // 1000 if isinstance(value.data, str | bytes) else 0)
        result = getattr(value.data, name)(*given, **named)
        if not isinstance(result, str | bytes | int | float | bool | list | tuple | None | re.Match | dict):
            result = list(result)
        means = "lines" if name in {"splitlines", "split", "partition"} else how
        return wrap(result, value, *arguments, *keywords.values(), how=means)

    return Value(Builtin(name, call))


def _text(_: Machine, value: Value, name: str) -> Value:
    if name.startswith("_") or not hasattr(value.data, name):
        raise Raised("AttributeError", name)
    return method(name, value)


def _match(_: Machine, value: Value, name: str) -> Value:
    found = getattr(value.data, name, None)
    if name.startswith("_") or found is None:
        return unknown(f"the attribute {name} of a match")
    if not callable(found):
        return wrap(found, value) if isinstance(found, str | int | tuple) else unknown("a part of a match")
    return method(name, value, "regex")


def _node(_: Machine, value: Value, name: str) -> Value:
    if name == "__class__":
        return Value(type(value.data))
    if not hasattr(value.data, name) or name.startswith("__"):
        raise Raised("AttributeError", name)
    return wrap(getattr(value.data, name), value, how="ast")


def _list(_: Machine, value: Value, name: str) -> Value:
    data: list[Value] | tuple[Value, ...] = value.data
    if name in {"major", "minor", "micro"} and len(data) == 5:
        return data[("major", "minor", "micro").index(name)]
    if name not in LISTS or (isinstance(data, tuple) and name not in {"index", "count"}):
        raise Raised("AttributeError", name)

    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        if name in {"append", "insert"}:
            getattr(data, name)(*(each.data for each in arguments[:-1]), arguments[-1])
            return Value(None)
        if name == "extend":
            items = calls.items(machine, arguments[0]) or []
            machine.step(len(items))
            data.extend(items)  # type: ignore[union-attr]
            return Value(None)
        if name == "sort":
            data[:] = sorted(data, key=plain)  # type: ignore[index]
            return Value(None)
        if name in {"pop", "reverse", "clear", "copy"}:
            result = getattr(data, name)(*(plain(each) for each in arguments))
            return result if isinstance(result, Value) else Value(result)
        if name == "remove":
            data.remove(next(each for each in data if plain(each) == plain(arguments[0])))  # type: ignore[union-attr]
            return Value(None)
        return wrap(getattr(plain(value), name)(*map(plain, arguments)), value)

    return Value(Builtin(name, call))


LISTS = {"append", "insert", "extend", "sort", "pop", "reverse", "clear", "copy", "remove", "index", "count"}


def _dict(_: Machine, value: Value, name: str) -> Value:
    data: dict[Any, Value] = value.data
    if name not in {"get", "items", "keys", "values", "update", "setdefault", "pop", "copy"}:
        raise Raised("AttributeError", name)

    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        if name in {"get", "setdefault", "pop"}:
            key, default = plain(arguments[0]), arguments[1] if len(arguments) > 1 else Value(None)
            if name == "pop" and len(arguments) == 1 and key not in data:
                raise Raised("KeyError", str(key))
            found = data.pop(key, default) if name == "pop" else data.get(key, default)
            if name == "setdefault":
                data.setdefault(key, default)
            return Value(found.data, found.origins or value.origins, found.how | value.how)
        if name == "update":
            for each in arguments:
                data.update(each.data if isinstance(each.data, dict) else _pairs(machine, each))
            data.update(keywords)
            return Value(None)
        if name == "items":
            return Value([Value((Value(key), each)) for key, each in data.items()])
        if name == "copy":
            return Value(dict(data), value.origins, value.how)
        return Value([Value(key) for key in data] if name == "keys" else list(data.values()))

    return Value(Builtin(name, call))


def _pairs(machine: Machine, value: Value) -> dict[Any, Value]:
    pairs = [calls.items(machine, each) or [] for each in calls.items(machine, value) or []]
    return {plain(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def _set(_: Machine, value: Value, name: str) -> Value:
    def call(machine: Machine, scope: Scope, *arguments: Value) -> Value:
        return wrap(getattr(value.data, name)(*map(plain, arguments)), value, *arguments)

    if name not in {"add", "update", "discard", "union", "difference", "intersection", "remove"}:
        raise Raised("AttributeError", name)
    return Value(Builtin(name, call))


def _stream(_: Machine, value: Value, name: str) -> Value:
    data: Stream = value.data
    if name == "name":
        return Value(data.file)

    def call(machine: Machine, scope: Scope, *arguments: Value) -> Value:
        if name == "readlines":
            return Value(calls.items(machine, value))
        if name == "readline":
            end = data.text.find("\n", data.at) + 1 or len(data.text)
        elif name == "read":
            limit = plain(arguments[0]) if arguments else None
            end = len(data.text) if limit is None or limit < 0 else data.at + int(limit)
        else:
            return Value(None)
        found, data.at = data.text[data.at : end], end
        return Value(
            found.encode() if data.binary else found,
            value.origins,
            value.how | ({"lines"} if name == "readline" else frozenset()),
        )

    return Value(Builtin(name, call))


PATHS = {"name", "stem", "suffix", "parts", "anchor"}
SAME = {"resolve", "absolute", "expanduser", "rglob", "glob"}


def _path(machine: Machine, value: Value, name: str) -> Value:
    data: PurePosixPath = value.data
    if name in PATHS:
        return wrap(getattr(data, name), value)
    if name == "parent":
        return wrap(data.parent, value)
    if name == "parents":
        return Value([wrap(each, value) for each in data.parents])

    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        place = machine.absolute(str(data))
        if name in {"read_text", "read_bytes", "open"}:
            stream = opened(machine, place)
            if name == "open":
                return stream
            text = stream.data.text
            return Value(text.encode() if name == "read_bytes" else text, stream.origins, stream.how)
        if name in {"exists", "is_file", "is_dir"}:
            found = {"is_file": machine.files.is_file(place), "is_dir": machine.files.is_dir(place)}
            return Value(found.get(name, any(found.values())))
        if name in {"resolve", "absolute"}:
            return wrap(PurePosixPath(place), value)
        if name in {"joinpath", "with_name", "with_suffix", "relative_to", "as_posix", "__str__"}:
            return wrap(getattr(data, name)(*map(plain, arguments)), value)
        return unknown(f"the method {name} of a path")

    return Value(Builtin(name, call))


def opened(machine: Machine, path: str) -> Value:
    """Return a file of the repository, open for reading; raises `Raised` if there is none."""
    from tagship_suite.errors import ReleaseError

    place = machine.absolute(path)
    place = machine.copies.get(place, place)
    shown = machine.files.name(place)
    try:
        text = machine.files.code(place) if place.endswith(".py") else machine.files.text(place)
    except ReleaseError as error:
        return unknown(str(error))
    if text is None:
        raise Raised("FileNotFoundError", shown)
    return Value(Stream(text, shown), ((shown, 1),), frozenset({"read"}))


def _config(machine: Machine, value: Value, name: str) -> Value:
    data: configparser.RawConfigParser = value.data

    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        if name == "read":
            names = plain(arguments[0])
            for each in [names] if not isinstance(names, list) else names:
                stream = opened(machine, str(each))
                data.read_string(stream.data.text)
                value.origins, value.how = stream.origins, stream.how
            return Value(None)
        if name in {"read_file", "readfp"}:
            data.read_string(arguments[0].data.text)
            value.origins, value.how = arguments[0].origins, arguments[0].how
            return Value(None)
        if name in {"get", "items", "sections", "has_option", "has_section", "options"}:
            given = {key: plain(each) for key, each in keywords.items()}
            return wrap(getattr(data, name)(*map(plain, arguments), **given), value)
        return unknown(f"the method {name} of a configuration")

    return Value(Builtin(name, call))


def _of_spec(data: Module, value: Value, name: str) -> Value | None:
    """Return what `importlib` has before the module: its spec and its loader, which here are the module itself."""
    if data.known:
        return None
    if name == "loader":
        return value
    if name in {"exec_module", "load_module"}:
        return Value(Builtin(name, lambda *_: value))
    return None


def _visitor(machine: Machine, value: Value, name: str) -> Value | None:
    """Return `visit` and `generic_visit` of a visitor of syntax trees."""
    if name not in {"visit", "generic_visit"}:
        return None

    def call(machine: Machine, scope: Scope, node: Value) -> Value:
        machine.step()
        own = calls.member(machine, value, f"visit_{type(node.data).__name__}") if name == "visit" else None
        if own:
            return calls.call(machine, own, [node], {}, scope, ast.Call(ast.Name("visit"), [], [], lineno=0))
        for child in ast.iter_child_nodes(node.data):
            call_visit(machine, scope, wrap(child, node, how="ast"))
        return Value(None)

    def call_visit(machine: Machine, scope: Scope, node: Value) -> None:
        visit = attribute(machine, value, "visit", "")
        calls.call(machine, visit, [node], {}, scope, ast.Call(ast.Name("visit"), [], [], lineno=0))

    return Value(Builtin(name, call))


READERS: list[tuple[Any, Any]] = [
    (str | bytes | int | float, _text),
    (re.Match | re.Pattern, _match),
    (ast.AST, _node),
    (list | tuple, _list),
    (dict, _dict),
    (set | frozenset, _set),
    (Stream, _stream),
    (PurePosixPath, _path),
    (configparser.RawConfigParser, _config),
]
__all__ = ["attribute", "is_narrow", "method", "opened", "origins"]
