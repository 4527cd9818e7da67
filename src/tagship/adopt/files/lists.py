"""Adds values to a list in TOML, in the form that formatters leave as it is."""

from __future__ import annotations

import re
from typing import Any

import tomlkit

from tagship_suite.files import subtable, tomllib

from . import style


def listed(text: str, keys: list[str], values: list[str], first: re.Pattern[str] | None = None) -> str:
    """Return TOML with `values` added to the list at `keys`; unchanged if its tables have another form.

    A new list in its own table comes after the keys that `first` matches, else at the end.
    """
    known = subtable(tomllib.loads(text), *keys[:-1]).get(keys[-1])
    missing = [value for value in values if value not in (known or [])]
    plain = text.replace("\r\n", "\n")
    after = _extended(plain, keys, missing) if known is not None else _with_list(plain, keys, missing, first)
    if "\r\n" in text:
        after = after.replace("\n", "\r\n")
    return after if _is_as_planned(text, after, keys, missing) else text


def _extended(text: str, keys: list[str], values: list[str]) -> str:
    document = tomlkit.parse(text)
    table: Any = document
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]].extend(values)
    return tomlkit.dumps(document)


def _with_list(text: str, keys: list[str], values: list[str], first: re.Pattern[str] | None) -> str:
    """Return TOML with a new list: in its own table, else in the tool's if that has dotted keys, else in a new table.

    A new table comes after the tool's others, else before those of other tools, where formatters put build backends.
    """
    dotted, value = ".".join(keys[2:]), style.value(text, ".".join(keys[2:]), values).as_string()
    if own := _table(text, ".".join(keys[:-1])):
        at = own.start("body") + _end(own["body"], first)
        return f"{text[:at].rstrip()}\n{keys[-1]} = {value}\n{text[at:].removeprefix(chr(10))}"
    of_tool = _table(text, ".".join(keys[:2]))
    if of_tool and re.search(r"(?m)^[\w-]+\.[\w-]+.*=", of_tool["body"]):
        at = of_tool.start("body") + _place(of_tool["body"], dotted)
        return f"{text[:at]}{dotted} = {value}\n{text[at:]}"
    last = [*re.finditer(rf"(?m)^\[+{re.escape('.'.join(keys[:2]))}\b.*\n(?:(?!\[).*\n?)*", text)][-1:]
    others = re.search(r"(?m)^\[+tool\.", text)
    at = last[0].end() if last else others.start() if others else len(text)
    table = f"[{'.'.join(keys[:-1])}]\n{keys[-1]} = {value}\n"
    if others and not last:
        table = f"[{'.'.join(keys[:2])}]\n{dotted} = {value}\n"
    return "\n\n".join(filter(None, (text[:at].rstrip("\n"), table.rstrip("\n"), text[at:]))).rstrip("\n") + "\n"


def _end(body: str, first: re.Pattern[str] | None) -> int:
    """Return where the last key ends, or the last of those that `first` matches, without the comments of the next."""
    if first is None:
        return len(body.rstrip("\n") or body)
    rows = [*re.finditer(r"(?m)^([\w.-]+)[ \t]*=", body)]
    ends = [*(row.start() for row in rows[1:]), len(body)]
    end = max((end for row, end in zip(rows, ends, strict=True) if first.fullmatch(row[1])), default=0)
    return len(re.sub(r"\n(?:[ \t]*(?:#.*)?\n)*\Z", "", body[:end]))


def _place(body: str, key: str) -> int:
    """Return where a dotted key goes: after the last one with the same beginning, else in alphabetical order."""
    rows = [*re.finditer(r"(?m)^([\w.-]+)[ \t]*=", body)]
    same = [at for at, row in enumerate(rows) if row[1].partition(".")[0] == key.partition(".")[0]]
    ends = [*(row.start() for row in rows), len(body.rstrip("\n")) + 1]
    return ends[same[-1] + 1] if same else next((row.start() for row in rows if row[1] > key), ends[-1])


def _table(text: str, name: str) -> re.Match[str] | None:
    """Return a match of a table in TOML, its header and its `body`."""
    return re.search(rf"(?m)^\[{re.escape(name)}\][ \t]*(?:#.*)?\n(?P<body>(?:(?!\[).*\n?)*)", text)


def _is_as_planned(before: str, after: str, keys: list[str], added: list[str]) -> bool:
    """Return whether nothing but the list has changed: tomlkit can misplace tables that a file splits."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    values = subtable(new, *keys[:-1]).get(keys[-1], [])
    known = subtable(old, *keys[:-1]).get(keys[-1])
    if values != [*(known or []), *added]:
        return False
    table: Any = old
    for key in keys[:-1]:
        table = table.setdefault(key, {})
    table[keys[-1]] = values
    return old == new
