"""The values of the evaluator: plain data, or what is known instead, each with its origins."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: A file and a line in it.
Origin = tuple[str, int]


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be known without running code, and why; `tool` would know, such as `versioneer`.

    `absent` is true if running it would fail, because what it needs does not exist.
    """

    reason: str
    tool: str = ""
    absent: bool = False


@dataclass
class Value:
    """Plain data, `Unknown` or one of the classes below, with the literals and files that it came from.

    The items of containers are values themselves. `how` is the way in which it was read from another file.
    """

    data: Any
    origins: tuple[Origin, ...] = ()
    how: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        return not isinstance(self.data, Unknown)


@dataclass(eq=False)
class Module:
    """A module of the repository, or a known one: its names, and where other names are looked up."""

    name: str
    names: dict[str, Value] = field(default_factory=dict)
    file: str = ""
    stars: list[Module] = field(default_factory=list)
    #: For a known module: returns the value of a name.
    known: Callable[[str], Value | None] | None = None


@dataclass(eq=False)
class Lazy:
    """An imported name, evaluated when it is needed, which is rare."""

    get: Callable[[], Value]


@dataclass(eq=False)
class Function:
    """A function or lambda of the repository's code, with its scopes and the object it is bound to."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: list[Value] = field(default_factory=list)
    keyword_defaults: dict[str, Value] = field(default_factory=dict)
    bound: Value | None = None


@dataclass(eq=False)
class Class:
    """A class of the repository's code: what its body binds."""

    name: str
    names: dict[str, Value]
    bases: list[Value]
    fields: list[str] = field(default_factory=list)

    def get(self, name: str) -> Value | None:
        if name in self.names:
            return self.names[name]
        found = (base.data.get(name) for base in self.bases if isinstance(base.data, Class))
        return next((value for value in found if value), None)


@dataclass(eq=False)
class Instance:
    """An object of a class of the repository's code."""

    cls: Class
    names: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Builtin:
    """A function that the evaluator implements: it takes values and returns one."""

    name: str
    call: Callable[..., Value]


@dataclass(eq=False)
class Stream:
    """An open file: its text, and how much of it was read."""

    text: str
    file: str
    at: int = 0
    binary: bool = False


@dataclass(eq=False)
class Scope:
    """Names, and the scopes around them; `file` is where the code is."""

    names: dict[str, Value]
    file: str
    outer: Scope | None = None
    module: Module | None = None
    shared: set[str] = field(default_factory=set)  # those that `global` or `nonlocal` names
    returned: list[Value] = field(default_factory=list)  # if it is not known whether it has returned
    yielded: list[Value] | None = None

    @property
    def top(self) -> Scope:
        return self.outer.top if self.outer else self


def duplicate(value: Value, memo: dict[int, Value]) -> Value:
    """Return a copy of `value` that does not change with it, or `value` itself if it is immutable."""
    data = value.data
    if not isinstance(data, list | dict | set | Instance | Stream):
        return value
    if id(value) not in memo:
        memo[id(value)] = made = Value(None, value.origins, value.how)
        made.data = _duplicated(data, memo)
    return memo[id(value)]


def _duplicated(data: Any, memo: dict[int, Value]) -> Any:
    if isinstance(data, list):
        return [duplicate(each, memo) for each in data]
    if isinstance(data, dict):
        return {key: duplicate(each, memo) for key, each in data.items()}
    if isinstance(data, Instance):
        return Instance(data.cls, {key: duplicate(each, memo) for key, each in data.names.items()})
    return set(data) if isinstance(data, set) else replace(data)


def origins(values: Iterable[Value]) -> tuple[tuple[Origin, ...], frozenset[str]]:
    """Return the combined origins, and the `how`, of all `values`."""
    found, how = dict[Origin, None](), set[str]()
    for value in values:
        found.update(dict.fromkeys(value.origins))
        how |= value.how
        if isinstance(value.data, list | tuple) and len(value.data) < 100:
            inner, means = origins(value.data)
            found.update(dict.fromkeys(inner))
            how |= means
    return tuple(found)[:20], frozenset(how)


def wrap(data: Any, *sources: Value, how: str = "") -> Value:
    """Return plain `data`, computed from `sources`, as a value whose items are values."""
    found, means = origins(sources)
    return _wrap(data, found, means | {how} if how else means)


def _wrap(data: Any, found: tuple[Origin, ...], how: frozenset[str]) -> Value:
    if isinstance(data, Value):
        return data
    if isinstance(data, list | tuple):
        items = [_wrap(item, found, how) for item in data]
        return Value(tuple(items) if isinstance(data, tuple) else items, found, how)
    if isinstance(data, dict):
        return Value({key: _wrap(item, found, how) for key, item in data.items()}, found, how)
    return Value(data, found, how)


class NotPlain(Exception):
    """A value contains something that is not plain data; holds the unknown part."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def plain(value: Value) -> Any:
    """Return the plain data of `value`; raise `NotPlain` if something in it is not."""
    data = value.data
    if isinstance(data, Unknown):
        raise NotPlain(data)
    if isinstance(data, list | tuple | set):
        return type(data)([plain(item) if isinstance(item, Value) else item for item in data])
    if isinstance(data, dict):
        return {key: plain(item) for key, item in data.items()}
    if isinstance(data, Module | Function | Class | Instance | Builtin | Lazy | Stream):
        raise NotPlain(Unknown(f"a {type(data).__name__.lower()} is used as data"))
    return data
