"""The settings that a project needs in `[tool.tagship]`, written into pyproject.toml with their sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from tagship.adopt.files import style
from tagship.facts import distributions, tests
from tagship_suite.errors import refusal
from tagship_suite.files import subtable, tomllib

from . import pythons, version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """A line of `[tool.tagship]`: `value` is a string, a list of strings or a boolean, `why` where it was found."""

    key: str
    value: str | list[str] | bool
    why: str


def decide(folder: Path, top: Path) -> list[Setting]:
    """Return the settings that the project in `folder` of the repository at `top` needs if the defaults do not fit.

    Raises `ReleaseError` if a file cannot be read.
    """
    return [*_of_pythons(folder), *_of_tests(folder, top), *_of_version(folder, top)]


def _of_pythons(folder: Path) -> Iterator[Setting]:
    found, why = pythons.guess(folder)
    if found:
        yield Setting("pythons", found, why)


def _of_tests(folder: Path, top: Path) -> Iterator[Setting]:
    guess = tests.guess(folder, None if folder == top else top)
    for name in ("command", "requires", "groups", "extras"):
        value = getattr(guess, name)
        if value is not None:
            yield Setting(f"test-{name}", list(value), guess.why.get(name, ""))
    modules = distributions.of(folder, top).import_names
    if guess.command != () and modules and all(name.endswith("-stubs") for name in modules):
        yield Setting("test-in-place", value=True, why=f"{modules[0]} has no modules that the tests could import")


def _of_version(folder: Path, top: Path) -> Iterator[Setting]:
    source = version.guess(folder, top)
    if source.file:
        yield Setting("version-file", source.file, source.why)
    if source.pattern:
        yield Setting("version-pattern", source.pattern, source.why)


def missing(text: str, wanted: list[Setting]) -> list[Setting]:
    """Return those of the `wanted` settings that pyproject.toml, with this `text`, lacks.

    If one of the settings for tests is set, for example, the others are left out as well: a person has chosen them.
    """
    table = subtable(tomllib.loads(text), "tool", "tagship")
    known = {key.partition("-")[0] for key in table}
    return [setting for setting in wanted if setting.key.partition("-")[0] not in known]


def added(text: str, new: list[Setting]) -> str:
    """Return the `text` of pyproject.toml with the `new` settings, and otherwise unchanged.

    Raises `ReleaseError` if TOML does not allow it, as in `tool = {}`.
    """
    if not new:
        return text
    before = tomllib.loads(text)
    if isinstance(subtable(before, "tool").get("tagship"), dict):
        document = tomlkit.parse(text)
        _fill(document["tool"]["tagship"], new, text)
        after = tomlkit.dumps(document)
    else:
        table = tomlkit.table()
        _fill(table, new, text)
        after = appended(text, "tagship", table)
    after = _with_line_ends_of(text, after)
    try:
        expected = {setting.key: setting.value for setting in new}
        found = tomllib.loads(after)
        written = subtable(found, "tool", "tagship")
    except tomllib.TOMLDecodeError:
        written = {}
    if any(written.get(key) != value for key, value in expected.items()):
        shown = ", ".join(f"{key} = {style.value(text, key, expected[key]).as_string()}" for key in expected)
        raise refusal("settings", "pyproject.toml", "no place for [tool.tagship]", "a table", f"add to it: {shown}")
    return after


def appended(text: str, name: str, table: Any) -> str:
    """Return the `text` of pyproject.toml with the `table` as `[tool.NAME]` at its end; that may be invalid there."""
    block = tomlkit.dumps({"tool": {name: table}})
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return _with_line_ends_of(text, text + gap + block)


def _with_line_ends_of(text: str, after: str) -> str:
    return re.sub(r"(?<!\r)\n", "\r\n", after) if "\r\n" in text else after


def _fill(table: Any, new: list[Setting], text: str) -> None:
    for setting in new:
        if setting.why:
            # A file name may contain a line end.
            table.add(tomlkit.comment("".join(char if char.isprintable() else "?" for char in setting.why)))
        table.add(setting.key, style.value(text, setting.key, setting.value))
