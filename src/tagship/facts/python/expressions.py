"""Evaluates expressions."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

from . import calls, imports, methods
from .machine import Machine, Raised, unknown
from .values import Class, Function, Instance, Lazy, Module, NotPlain, Scope, Unknown, Value, origins, plain, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGE = 100_000  # items of the strings and containers that the code creates
CIRCULAR = Unknown("an import that needs itself")
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: lambda a, b: a is b or (a == b and type(a) is type(b)),
    ast.IsNot: lambda a, b: not (a is b or (a == b and type(a) is type(b))),
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}


def evaluate(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """Return the value of `node` in `scope`; raises `Raised` if the code would raise."""
    machine.step()
    handler = HANDLERS.get(type(node))
    if handler is None:
        return unknown(f"{scope.file}:{node.lineno} has {type(node).__name__.lower()}")
    return handler(machine, node, scope)


def truth(value: Value) -> bool | None:
    """Return the truth value of `value`, None if it is not known."""
    if isinstance(value.data, Unknown):
        return None
    if isinstance(value.data, Module | Function | Class | Instance):
        return True
    try:
        return bool(value.data)
    except Exception:  # of an object of the standard library
        return None


def _constant(_: Machine, node: ast.Constant, scope: Scope) -> Value:
    return Value(node.value, ((scope.file, node.lineno),))


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    reason = f"{scope.file}:{node.lineno} uses {node.id}, which is not defined"
    return lookup(machine, node.id, scope) or unknown(reason)


def lookup(machine: Machine, name: str, scope: Scope) -> Value | None:
    """Return the value of `name` in `scope`, in those around it, or among the built-ins."""
    inner: Scope | None = scope
    while inner:
        if name in inner.names:
            return forced(machine, inner.names[name], inner.names, name)
        inner = inner.outer
    if scope.top.module and (found := imports.from_stars(machine, scope.top.module, name)):
        return found
    return calls.builtin(name)


def forced(machine: Machine, value: Value, names: dict[str, Value], name: str) -> Value:
    """Return `value`; one that an import left for later is evaluated now."""
    if isinstance(value.data, Lazy):
        names[name] = Value(CIRCULAR)
        names[name] = value = value.data.get()
    return value


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    return methods.attribute(machine, value, node.attr, f"{scope.file}:{node.lineno}")


def _joined(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = [evaluate(machine, part, scope) for part in node.values]
    return _computed(lambda: "".join(map(str, map(plain, parts))), *parts)


def _formatted(machine: Machine, node: ast.FormattedValue, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    spec = evaluate(machine, node.format_spec, scope) if node.format_spec else Value("")
    conversions: dict[int, Callable[[Any], Any]] = {-1: lambda x: x, 115: str, 114: repr, 97: ascii}
    convert = conversions[node.conversion]
    if isinstance(spec.data, str) and any(char.isdigit() for char in spec.data) and len(spec.data) > 6:
        return unknown("a format that is too wide")
    return _computed(lambda: format(convert(plain(value)), plain(spec)), value, spec)


def _computed(compute: Callable[[], Any], *sources: Value) -> Value:
    """Return the result of `compute` on plain data; an exception counts as one of the code."""
    try:
        data = compute()
    except NotPlain as error:
        found, how = origins(sources)
        return Value(error.unknown, found, how)
    except Exception as error:
        raise Raised(type(error).__name__, str(error)) from error
    return wrap(data, *sources)


def _binary(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    left, right = evaluate(machine, node.left, scope), evaluate(machine, node.right, scope)
    return combined(machine, left, node.op, right)


def combined(machine: Machine, left: Value, op: ast.operator, right: Value) -> Value:
    """Return the result of a binary operator."""
    if type(op) not in BINARY:
        return unknown(f"the operator {type(op).__name__}", left, right)
    both = (left.data, right.data)
    if isinstance(op, ast.Add) and sum(len(data) for data in both if hasattr(data, "__len__")) > 10 * LARGE:
        return unknown("a sum that is too large", left, right)
    if isinstance(op, ast.Add) and type(left.data) is type(right.data) and isinstance(left.data, list | tuple):
        # One unknown item does not make the others unknown.
        machine.step(len(left.data) + len(right.data))
        return Value(type(left.data)([each for data in both for each in data]), *origins([left, right]))
    if isinstance(op, ast.Mult) and not _is_small(left.data, right.data):
        return unknown("a product that is too large", left, right)
    if isinstance(op, ast.Mod) and isinstance(left.data, str) and not methods.is_narrow(left.data):
        return unknown("a format that is too wide", left, right)
    if isinstance(op, ast.Div) and hasattr(left.data, "joinpath") and isinstance(right.data, str):
        return wrap(left.data / right.data, left, right)
    return _computed(lambda: BINARY[type(op)](plain(left), plain(right)), left, right)


def _is_small(left: Any, right: Any) -> bool:
    sizes = [len(x) if hasattr(x, "__len__") else abs(x) if isinstance(x, int | float) else 0 for x in (left, right)]
    return sizes[0] * sizes[1] < LARGE


def _unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    value = evaluate(machine, node.operand, scope)
    if isinstance(node.op, ast.Not):
        known = truth(value)
        return unknown("a condition", value) if known is None else Value(not known, value.origins, value.how)
    return _computed(lambda: UNARY[type(node.op)](plain(value)), value)


def _bool(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    stop = isinstance(node.op, ast.Or)
    doubt: Value | None = None
    for part in node.values:
        value = evaluate(machine, part, scope)
        known = truth(value)
        if known is stop:
            return doubt or value
        if known is None:
            doubt = doubt or value
    return doubt or value


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    values = [evaluate(machine, part, scope) for part in (node.left, *node.comparators)]
    for left, op, right in zip(values, node.ops, values[1:], strict=False):
        result = _compared(left, op, right)
        if truth(result) is not True:
            return result
    return result


def _compared(left: Value, op: ast.cmpop, right: Value) -> Value:
    if isinstance(op, ast.In | ast.NotIn) and isinstance(right.data, dict) and left.known:
        return _computed(lambda: COMPARE[type(op)](plain(left), right.data), left)
    odd = (Module, Function, Class, Instance, Lazy)
    if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and (
        isinstance(left.data, odd) or isinstance(right.data, odd)
    ):
        same = left.data is right.data
        return Value(same if isinstance(op, ast.Is | ast.Eq) else not same)
    return _computed(lambda: COMPARE[type(op)](plain(left), plain(right)), left, right)


def _if(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    test = evaluate(machine, node.test, scope)
    known = truth(test)
    if known is not None:
        return evaluate(machine, node.body if known else node.orelse, scope)
    both = [evaluate(machine, part, scope) for part in (node.body, node.orelse)]
    return merged(both[0], both[1], test)


def merged(left: Value, right: Value, test: Value) -> Value:
    """Return what two possible values have in common, if the `test` between them is not known."""
    if isinstance(left.data, dict) and isinstance(right.data, dict):
        # A key that only one of them has: code that uses it took that branch.
        both = {**left.data, **right.data}
        shared = left.data.keys() & right.data.keys()
        both |= {key: merged(left.data[key], right.data[key], test) for key in shared}
        return Value(both, *origins([left, right]))
    try:
        same = plain(left) == plain(right)
    except NotPlain:
        same = left.data is right.data
    return left if same else Value(unknown("a condition", test).data, *origins([left, right, test]))


def _tuple(machine: Machine, node: ast.Tuple, scope: Scope) -> Value:
    return Value(tuple(_items(machine, node.elts, scope)))


def _list(machine: Machine, node: ast.List, scope: Scope) -> Value:
    return Value(_items(machine, node.elts, scope))


def _set(machine: Machine, node: ast.Set, scope: Scope) -> Value:
    items = _items(machine, node.elts, scope)
    return _computed(lambda: set(map(plain, items)), *items)


def _items(machine: Machine, nodes: list[ast.expr], scope: Scope) -> list[Value]:
    found = list[Value]()
    for node in nodes:
        if isinstance(node, ast.Starred):
            value = evaluate(machine, node.value, scope)
            items = calls.items(machine, value)
            found += [unknown("what an unknown list holds", value)] if items is None else items
        else:
            found.append(evaluate(machine, node, scope))
    return found


def _dict(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    found: dict[Any, Value] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        value = _argument(machine, item, scope, lenient=True)
        if key is None:
            found |= value.data if isinstance(value.data, dict) else {}
            continue
        name = evaluate(machine, key, scope)
        if name.known and not isinstance(name.data, list | dict | set):
            found[_key(name)] = value
    return Value(found)


def _key(name: Value) -> Any:
    try:
        return plain(name)
    except NotPlain:
        return name.data


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            part and evaluate(machine, part, scope) for part in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        sources = [bound for bound in bounds if bound]
        if isinstance(value.data, list | tuple):
            index = _computed(lambda: slice(*(bound and plain(bound) for bound in bounds)), *sources)
            if isinstance(index.data, slice):
                return Value(value.data[index.data], value.origins, value.how)
        return _computed(lambda: plain(value)[slice(*(bound and plain(bound) for bound in bounds))], value, *sources)
    return item(value, evaluate(machine, node.slice, scope))


def item(value: Value, index: Value) -> Value:
    """Return the item of a container or text at `index`."""
    data = value.data
    if isinstance(data, dict | list | tuple) and index.known:
        try:
            found = data[plain(index)]
        except NotPlain as error:
            return Value(error.unknown)
        except (LookupError, TypeError) as error:
            raise Raised(type(error).__name__, str(error)) from error
        return Value(found.data, found.origins or value.origins, found.how | value.how)
    if isinstance(data, Module) and index.known:  # os.environ
        return (data.known and data.known(str(index.data))) or unknown("an item")
    return _computed(lambda: plain(value)[plain(index)], value)


def _named(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    scope.names[node.target.id] = value
    return value


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    return function(machine, node, scope)


def function(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Value:
    """Return the function that `node` defines in `scope`."""
    defaults = [evaluate(machine, each, scope) for each in node.args.defaults]
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    keyword = {argument.arg: evaluate(machine, each, scope) for argument, each in pairs if each}
    return Value(Function(node, scope, defaults, keyword))


def _comprehension(machine: Machine, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> Value:
    inner = Scope({}, scope.file, scope)
    try:
        found = [evaluate(machine, node.elt, each) for each in _loops(machine, node.generators, inner)]
    except NotPlain as error:
        return Value(error.unknown)
    return Value(found)


def _dict_comprehension(machine: Machine, node: ast.DictComp, scope: Scope) -> Value:
    inner = Scope({}, scope.file, scope)
    try:
        pairs = [
            (plain(evaluate(machine, node.key, each)), evaluate(machine, node.value, each))
            for each in _loops(machine, node.generators, inner)
        ]
        return Value(dict(pairs))
    except (NotPlain, TypeError) as error:
        return Value(getattr(error, "unknown", None) or Unknown("keys of a dict"))


def _loops(machine: Machine, generators: list[ast.comprehension], scope: Scope) -> Iterator[Scope]:
    if not generators:
        yield scope
        return
    first, *others = generators
    value = evaluate(machine, first.iter, scope)
    items = calls.items(machine, value)
    if items is None:
        raise NotPlain(unknown("what an unknown list holds", value).data)
    for each in items:
        machine.step()
        calls.bind(machine, first.target, each, scope)
        tests = [evaluate(machine, test, scope) for test in first.ifs]
        known = [truth(test) for test in tests]
        if None in known:
            raise NotPlain(unknown("a condition", *tests).data)
        if all(known):
            yield from _loops(machine, others, scope)


def _call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    called = evaluate(machine, node.func, scope)
    arguments = _items(machine, node.args, scope)
    keywords, is_table = dict[str, Value](), ast.unparse(node.func).rpartition(".")[2] in {"setup", "dict"}
    for keyword in node.keywords:
        value = _argument(machine, keyword.value, scope, lenient=is_table)
        if keyword.arg:
            keywords[keyword.arg] = value
        elif isinstance(value.data, dict):
            keywords |= {str(key): each for key, each in value.data.items()}
        else:
            keywords["**"] = value
    return calls.call(machine, called, arguments, keywords, scope, node)


def _argument(machine: Machine, node: ast.expr, scope: Scope, *, lenient: bool) -> Value:
    """Return an argument; with `lenient`, one that seems to raise is unknown instead."""
    try:
        return evaluate(machine, node, scope)
    except Raised as error:
        if not lenient:
            raise
        return unknown(f"{scope.file}:{node.lineno} raises {error}"[:200])


def _star(machine: Machine, node: ast.Starred, scope: Scope) -> Value:
    return evaluate(machine, node.value, scope)


HANDLERS: dict[type[ast.expr], Callable[[Machine, Any, Scope], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.IfExp: _if,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.NamedExpr: _named,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.Call: _call,
    ast.Starred: _star,
}
