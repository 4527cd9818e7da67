"""Which Pythons does a project say it supports?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tagship.adopt.tests import poetry
from tagship_suite.repo.files import subtable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .project import Project

CLASSIFIER = re.compile(r"Programming Language :: Python :: (\d+\.\d+)\s*")
NEWEST = 14  # of 3.x, for a range without an end


def declared(project: Project) -> list[str]:
    """Return the Pythons that the first source names that names any: classifiers, a range, or tox's environments."""
    found = next(filter(None, _sources(project)), [])
    return sorted(dict.fromkeys(found), key=lambda text: tuple(map(int, text.split("."))))


def _sources(project: Project) -> Iterator[list[str]]:
    table, tool = project.table("project"), project.table("tool", "poetry")
    flit = project.table("tool", "flit", "metadata")
    yield _classified(_texts(table.get("classifiers")))
    yield _classified(project.lines("metadata", "classifiers") or project.lines("metadata", "classifier"))
    yield _classified(_texts(tool.get("classifiers")))
    yield _classified(_texts(flit.get("classifiers")))
    yield _classified(project.passed_texts("classifiers"))
    yield _range(table.get("requires-python"))
    yield _range(_of_poetry(tool))
    yield _range(flit.get("requires-python"))
    yield _range(project.cfg.get("options", "python_requires", fallback=""))
    yield _range(project.passed("python_requires"))


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _classified(classifiers: Iterable[str]) -> list[str]:
    return [match[1] for text in classifiers if (match := CLASSIFIER.fullmatch(text.strip()))]


def _range(text: Any) -> list[str]:
    """Return the versions that a specifier allows, of 3.x."""
    try:
        allowed = SpecifierSet(text) if isinstance(text, str) and text else None
    except InvalidSpecifier:
        return []
    # A lower bound may name a patch release, and an upper bound a minor one.
    forms = ("3.{}", "3.{}.99")
    return [f"3.{n}" for n in range(NEWEST + 1) if allowed and any(form.format(n) in allowed for form in forms)]


def _of_poetry(tool: dict[str, Any]) -> str:
    value = subtable(tool, "dependencies").get("python")
    try:
        return "".join(str(Requirement(line).specifier) for line in poetry.requirement("project", value))
    except (InvalidRequirement, AttributeError):
        return ""
