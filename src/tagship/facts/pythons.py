"""Which Pythons does a project say it supports?"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import metadata
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tagship.facts.tests import poetry
from tagship_suite.files import subtable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .project import Project

CLASSIFIER = re.compile(r"Programming Language :: Python :: (\d+\.\d+)\s*")


def declared(project: Project) -> list[str]:
    """Return the Pythons of the first source that has any: classifiers, a range, or tox's environments."""
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
    yield allowed(table.get("requires-python"))
    yield allowed(of_poetry(tool))
    yield allowed(flit.get("requires-python"))
    yield allowed(project.cfg.get("options", "python_requires", fallback=""))
    yield allowed(project.passed("python_requires"))


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _classified(classifiers: Iterable[str]) -> list[str]:
    return [match[1] for text in classifiers if (match := CLASSIFIER.fullmatch(text.strip()))]


def allowed(text: Any) -> list[str]:
    """Return the versions of 3.x that a specifier allows, up to the newest that this tagship was tested with."""
    try:
        accepted = SpecifierSet(text) if isinstance(text, str) and text else None
    except InvalidSpecifier:
        return []
    # A lower bound may be a patch release, and an upper bound a minor one.
    forms = ("3.{}", "3.{}.99")
    return [f"3.{n}" for n in range(_newest() + 1) if accepted and any(form.format(n) in accepted for form in forms)]


@cache
def _newest() -> int:
    declared = _classified(metadata("tagship").get_all("Classifier", []))
    return max(int(version.partition(".")[2]) for version in declared)


def of_poetry(tool: dict[str, Any]) -> str:
    """Return the specifier of the `python` in `[tool.poetry.dependencies]`, "" if there is none that can be read."""
    value = subtable(tool, "dependencies").get("python")
    try:
        return "".join(str(Requirement(line).specifier) for line in poetry.requirement("project", value))
    except (InvalidRequirement, AttributeError):
        return ""
