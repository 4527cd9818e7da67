"""What the tests need, by name alone: a group, an extra, a table of a tool or a file with `test` in its name."""

from __future__ import annotations

import re

from tagship_suite.files import read_text

from .declared import LINTERS, PYTEST, Project
from .installs import TOOLS
from .model import Needs

TESTS = ("test", "tests", "testing", "hatch-test")
DEV = ("dev", "develop", "development", "default")


def named(project: Project, names: tuple[str, ...]) -> Needs:
    """Return the first of `names` that exists, else nothing."""
    for name in names:
        if (found := _tables(project, name)) and _has_more_than_tools(project, found):
            return found
    files = [path for pattern in ("*.txt", "*/*.txt") for path in sorted(project.root.glob(pattern))]
    for name in names:
        for path in files:  # dev-requirements.txt, requirements/dev.txt, dev.requirements.txt, requirements_test.txt...
            file = path.relative_to(project.root).as_posix()
            words = (sorted((name, word, "txt")) for word in ("requirements", "require", "deps"))
            found = project.requirements_file(file) if sorted(re.split(r"[-_./]", file)) in words else Needs()
            if found and _has_more_than_tools(project, found):
                return found
    return Needs()


def _has_more_than_tools(project: Project, found: Needs) -> bool:
    """Return whether it holds more than linters and tools for releases."""
    names = [name for name in project.names(found) if name[:1] not in {"", "-", "#"}]
    return not names or not all(LINTERS.fullmatch(name) or TOOLS.fullmatch(name) for name in names)


def _tables(project: Project, name: str) -> Needs:
    if name in project.groups:
        return Needs(groups=(name,), source=f"the dependency group {name} in pyproject.toml")
    if name in project.extras:
        return Needs(extras=(name,), source=f"the extra {name}")
    for tool, tables in project.tools.items():
        if name in tables:
            return Needs(tuple(tables[name]), source=f"[tool.{tool}] in pyproject.toml, its group {name}")
    return project.hatch_needs(name, f"the environment {name} of Hatch") if project.hatch(name) else Needs()


def plain(project: Project) -> Needs:
    """Return requirements.txt if pytest is in it."""
    path = project.root / "requirements.txt"
    there = path.is_file() and PYTEST.search(read_text(path))
    return project.requirements_file(path.name) if there else Needs()
