"""What does Poetry know of a project: its groups, as PEP 508 has them, and what poetry.lock says."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from .config import subtable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def groups(pyproject: dict[str, Any]) -> dict[str, list[str]]:
    """Return the requirements of each of Poetry's own groups, by their names."""
    poetry = subtable(pyproject, "tool", "poetry")
    found = {name: subtable(table, "dependencies") for name, table in subtable(poetry, "group").items()}
    if old := subtable(poetry, "dev-dependencies"):
        found.setdefault("dev", old)
    return {
        group: [line for name, value in table.items() for line in requirement(name, value)]
        for group, table in found.items()
    }


def locked(root: Path, pyproject: dict[str, Any], top: Path, names: Iterable[str]) -> list[str]:
    """Return the command by which the project's own Poetry (`requires-poetry`) tells what poetry.lock says, or [].

    Of the groups and extras called `names` the first that is there counts. Poetry knows every version of that file, and
    refuses one that is older than pyproject.toml. `root` is below the `top` of the repository.
    """
    poetry = subtable(pyproject, "tool", "poetry")
    if not (root / "poetry.lock").is_file() or not (poetry or "poetry" in str(pyproject.get("build-system", ""))):
        return []
    version = _specifier(poetry.get("requires-poetry", "*"))
    known = {**subtable(pyproject, "dependency-groups"), **groups(pyproject)}
    extras = {**subtable(pyproject, "project", "optional-dependencies"), **subtable(poetry, "extras")}
    name = next((name for name in names if name in known or name in extras), "")
    more = [f"--with={name}"] if name in known else [f"--extras={name}"] if name else []
    uv = ["uv", "tool", "run", "--quiet", "--python", sys.executable]
    tool = [*uv, "--from", f"poetry{version}", "--with", "poetry-plugin-export", "poetry"]
    tool += [] if root == top else [f"--directory={root.relative_to(top)}"]
    return [*tool, "export", "--no-interaction", "--format=requirements.txt", "--with-credentials", *more]


def requirement(name: str, value: Any) -> list[str]:
    """Return a Poetry dependency as PEP 508 requirements, none for `python` and for paths and repositories.

    Source of the rule: https://python-poetry.org/docs/dependency-specification/
    """
    table = value if isinstance(value, dict) else {"version": value}
    if name == "python" or not isinstance(table.get("version"), str):
        return []
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    marker = f"; {table['markers']}" if table.get("markers") else ""
    return [f"{name}{extras}{_specifier(table['version'])}{marker}"]


def _specifier(text: str) -> str:
    # Alternatives (`^1 || ^2`) have no form in PEP 508: the last of them is the newest.
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
