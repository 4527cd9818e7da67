"""The expressions of GitHub's workflows, evaluated as far as the values are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = re.compile(
    r"\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?|0x[0-9a-f]+)|([A-Za-z_][\w-]*)|(==|!=|<=|>=|&&|\|\||[<>!()\[\],.*]))"
)
MAX_DEPTH = 50


class Unknown:
    """A value that is known at run time only."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Expected(Unknown):
    """A value that is assumed to equal what it is compared with."""


EXPECTED = Expected()


@dataclass(frozen=True)
class Prefix:
    """A string of which only the beginning is known."""

    text: str


Value = str | float | bool | None | Unknown | Prefix


class NotUnderstood(ValueError):
    """An expression that is not valid, or uses something that GitHub does not have."""


def evaluate(condition: str, look_up: Callable[[str], Value]) -> bool | None:
    """Return whether the condition of a job or a step is true; None if that is known at run time only.

    `look_up` is given a context's path, such as `github.event_name`, and returns its value or `UNKNOWN`.
    """
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1:
        text = text[3:-2]
    elif "${{" in text:
        return None
    if not text.strip():
        return True
    try:
        return truth(_Parser(text, look_up).whole())
    except (NotUnderstood, RecursionError):
        return None


def truth(value: Value) -> bool | None:
    """Return whether `value` counts as true; None if that is not known."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Prefix):
        return True if value.text else None
    return bool(value) and value != 0


class _Parser:
    """Evaluates while it parses: expressions are small and have no side effects."""

    def __init__(self, text: str, look_up: Callable[[str], Value]) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.look_up = look_up
        self.depth = 0

    def whole(self) -> Value:
        value = self._or()
        if self.at < len(self.tokens):
            raise NotUnderstood(self.tokens[self.at])
        return value

    def _next(self, *expected: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in expected:
            self.at += 1
            return True
        return False

    def _need(self, token: str) -> None:
        if not self._next(token):
            raise NotUnderstood(token)

    def _or(self) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood("nesting")
        value = self._and()
        while self._next("||"):
            value = _either(value, self._and())
        self.depth -= 1
        return value

    def _and(self) -> Value:
        value = self._comparison()
        while self._next("&&"):
            value = _both(value, self._comparison())
        return value

    def _comparison(self) -> Value:
        value = self._unary()
        while self.at < len(self.tokens) and self.tokens[self.at] in {"==", "!=", "<", ">", "<=", ">="}:
            operator = self.tokens[self.at]
            self.at += 1
            other = self._unary()
            same = equal(value, other) if operator in {"==", "!="} else None
            value = UNKNOWN if same is None else same is (operator == "==")
        return value

    def _unary(self) -> Value:
        if self._next("!"):
            held = truth(self._unary())
            return UNKNOWN if held is None else not held
        if self._next("("):
            value = self._or()
            self._need(")")
            return value
        if self.at >= len(self.tokens):
            raise NotUnderstood("the end")
        token = self.tokens[self.at]
        self.at += 1
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if re.match(r"-?\d", token):
            return float(int(token, 16) if token.startswith("0x") else float(token))
        return self._name(token)

    def _name(self, token: str) -> Value:
        if not re.match(r"[A-Za-z_]", token):
            raise NotUnderstood(token)
        if token.lower() in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[token.lower()]
        if self._next("("):
            return _call(token.lower(), self._arguments())
        path = [token]
        while True:
            if self._next("."):
                path.append(self.tokens[self.at] if self.at < len(self.tokens) else "")
                self.at += 1
            elif self._next("["):
                key = self._or()
                self._need("]")
                path.append(key if isinstance(key, str) else "*")
            else:
                return self.look_up(".".join(path))

    def _arguments(self) -> list[Value]:
        found: list[Value] = []
        if self._next(")"):
            return found
        found.append(self._or())
        while self._next(","):
            found.append(self._or())
        self._need(")")
        return found


@lru_cache(maxsize=256)  # a condition is evaluated for each event
def _tokens(text: str) -> tuple[str, ...]:
    found = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotUnderstood(text[at:])
        found.append(match[0].strip())
        at = match.end()
    return tuple(found)


def _both(left: Value, right: Value) -> Value:
    held = truth(left)
    if held is None:
        return False if truth(right) is False else UNKNOWN
    return right if held else left


def _either(left: Value, right: Value) -> Value:
    held = truth(left)
    if held is None:
        return True if truth(right) else UNKNOWN
    return left if held else right


def equal(left: Value, right: Value) -> bool | None:
    """Return whether two values are equal, as GitHub compares them; None if that is not known."""
    if isinstance(left, Expected) or isinstance(right, Expected):
        return True
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, Prefix) or isinstance(right, Prefix):
        known, other = (left, right) if isinstance(left, Prefix) else (right, left)
        if isinstance(other, str) and isinstance(known, Prefix) and not other.lower().startswith(known.text.lower()):
            return False
        return None
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if type(left) is type(right):
        return left == right
    return _number(left) == _number(right)


def _number(value: str | float | None) -> float:
    if isinstance(value, str):
        try:
            return float(value) if value else 0.0
        except ValueError:
            return float("nan")
    return float(value or 0)


def _call(name: str, values: list[Value]) -> Value:
    if name == "always":
        return True
    if name in {"startswith", "endswith", "contains"} and len(values) == 2:
        return _search(name, values[0], values[1])
    if name == "format" and values and isinstance(values[0], str) and len(values) == 1:
        return values[0]
    # The status of other jobs, files, JSON: known at run time only.
    return UNKNOWN


def _search(name: str, where: Value, what: Value) -> Value:
    if isinstance(where, Prefix) and isinstance(what, str):
        return _search_prefix(name, where.text.lower(), what.lower())
    if isinstance(where, (Unknown, Prefix)) or isinstance(what, (Unknown, Prefix)):
        return UNKNOWN
    text, part = str(where or "").lower(), str(what or "").lower()
    return {"startswith": text.startswith, "endswith": text.endswith, "contains": text.__contains__}[name](part)


def _search_prefix(name: str, known: str, part: str) -> Value:
    if name == "startswith":
        return True if known.startswith(part) else UNKNOWN if part.startswith(known) else False
    if name == "contains" and part.startswith("refs/") and known.startswith("refs/"):
        return _search_prefix("startswith", known, part)  # no branch has such a name
    return True if name == "contains" and part in known else UNKNOWN
