"""The Pythons that a project supports, for projects where only a build would show them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from tagship.facts.pythons import allowed, of_poetry
from tagship.facts.tests import ci
from tagship_suite.files import load_toml, parse_cfg, read_text, subtable
from tagship_suite.repo.literals import passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d+)\s*")
OLDEST = 8  # the oldest 3.x that uv and GitHub's runners still install


def guess(folder: Path) -> tuple[list[str], str]:
    """Return the Pythons to test the project in `folder` on, oldest first, and where that was found.

    None if a release reads the same from static classifiers, or if no file shows them. Raises
    `ReleaseError` if a file cannot be read.
    """
    for found, source, static in _sources(folder):
        minors = sorted({minor for minor in found if minor >= OLDEST})
        if minors and static and len(minors) == len({*found}):
            return [], ""
        if minors:
            older = "" if len(minors) == len({*found}) else f"; those before 3.{OLDEST} can no longer be installed"
            return [f"3.{minor}" for minor in minors], f"{source}{older}"
    return [], ""


def _sources(folder: Path) -> Iterator[tuple[list[int], str, bool]]:
    """Yield the Pythons in each file, the most exact source first, and whether a release reads the same."""
    pyproject, cfg = load_toml(folder / "pyproject.toml"), parse_cfg(folder / "setup.cfg")
    project, tool = subtable(pyproject, "project"), subtable(pyproject, "tool", "poetry")
    setup = read_text(folder / "setup.py") if (folder / "setup.py").is_file() else ""
    flit = subtable(pyproject, "tool", "flit", "metadata")
    classifiers = cfg.get("metadata", "classifiers", fallback="").splitlines()
    yield _minors(_list(project.get("classifiers"))), "classifiers in pyproject.toml", True
    yield _minors(classifiers), "classifiers in setup.cfg", True
    yield _minors(_list(tool.get("classifiers"))), "classifiers of [tool.poetry] in pyproject.toml", False
    yield _minors(_list(flit.get("classifiers"))), "classifiers of [tool.flit.metadata] in pyproject.toml", False
    yield _minors(_passed_texts(setup, "classifiers")), "classifiers in setup.py", False
    yield _range(project.get("requires-python")), "requires-python in pyproject.toml", False
    yield _range(of_poetry(tool)), "python of [tool.poetry.dependencies] in pyproject.toml", False
    yield _range(flit.get("requires-python")), "requires-python of [tool.flit.metadata] in pyproject.toml", False
    yield _range(cfg.get("options", "python_requires", fallback="")), "python_requires in setup.cfg", False
    yield _range(passed(setup, "python_requires")), "python_requires in setup.py", False
    tox = folder / "tox.ini"
    yield _of_tox(read_text(tox) if tox.is_file() else ""), "envlist in tox.ini", False
    tested, file = ci.pythons(folder)
    yield [int(python.partition(".")[2]) for python in tested], f"the matrix in {file}", False


def _minors(classifiers: Iterable[str]) -> list[int]:
    return [int(match[1]) for text in classifiers if (match := CLASSIFIER.fullmatch(text.strip()))]


def _list(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _range(text: Any) -> list[int]:
    return [int(version.partition(".")[2]) for version in allowed(text)]


def _of_tox(text: str) -> list[int]:
    names = re.search(r"^env_?list\s*=((?:.*\n?)(?:[ \t]+.*\n?)*)", text, re.MULTILINE)
    grouped = (
        re.sub(r"py\{([^}]*)\}", lambda group: ",".join(f"py{n.strip()}" for n in group[1].split(",")), names[1])
        if names
        else ""
    )
    return [int(minor) for minor in re.findall(r"\bpy3\.?(\d+)\b", grouped)]


def _passed_texts(code: str, name: str) -> list[str]:
    """Return the lines of every string literal that Python code passes to a call as `name`, or assigns to it before."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return []
    assigned = {
        ast.unparse(target): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == name]
    parts = [part for value in values for part in ast.walk(value)]
    parts += [assigned[part.id] for part in parts if isinstance(part, ast.Name) and part.id in assigned]
    nodes = [node for part in dict.fromkeys(parts) for node in ast.walk(part)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [line for text in texts for line in text.splitlines()]
