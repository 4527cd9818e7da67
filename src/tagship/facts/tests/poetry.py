"""Poetry's own dependency groups, converted to PEP 508."""

from __future__ import annotations

import re
from typing import Any

from tagship_suite.files import subtable


def groups(pyproject: dict[str, Any]) -> dict[str, list[str]]:
    """Return the requirements of each of Poetry's own groups, by name."""
    poetry = subtable(pyproject, "tool", "poetry")
    found = {name: subtable(table, "dependencies") for name, table in subtable(poetry, "group").items()}
    if old := subtable(poetry, "dev-dependencies"):
        found.setdefault("dev", old)
    return {
        group: [line for name, value in table.items() for line in requirement(name, value)]
        for group, table in found.items()
    }


def requirement(name: str, value: Any) -> list[str]:
    """Convert a Poetry dependency to PEP 508 requirements; `python`, paths and repositories have none.

    Source of the rule: https://python-poetry.org/docs/dependency-specification/
    """
    table = value if isinstance(value, dict) else {"version": value}
    if name == "python" or not isinstance(table.get("version"), str):
        return []
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    marker = f"; {table['markers']}" if table.get("markers") else ""
    return [f"{name}{extras}{_specifier(table['version'])}{marker}"]


def _specifier(text: str) -> str:
    # Alternatives (`^1 || ^2`) have no equivalent in PEP 508: the last one is the newest.
    parts = [part.strip() for part in re.split(r"\|\|?", text)[-1].split(",")]
    return ",".join(_clause(part) for part in parts if part not in {"", "*"})


def _clause(text: str) -> str:
    operator, version = re.fullmatch(r"([\^~<>=!]*)\s*(.*)", text).groups()  # type: ignore[union-attr]
    numbers = [int(number) for number in re.findall(r"\d+", re.match(r"[\d.]*", version)[0])]  # type: ignore[index]
    if operator == "^":
        first = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={version},<{'.'.join(map(str, [*numbers[:first], numbers[first] + 1]))}"
    if operator == "~":
        kept = numbers[:2]
        return f">={version},<{'.'.join(map(str, [*kept[:-1], kept[-1] + 1]))}"
    return text.replace(" ", "") if operator else f"=={version}"
