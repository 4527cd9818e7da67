"""hatchling: its version sources and what its wheels hold."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from tagship.facts.packages import tops
from tagship.facts.project import Modules, Project, Version
from tagship_suite.files import subtable

from . import texts

#: hatchling/version/source/plugin: the default pattern.
PATTERN = r"(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *(['\"])v?(?P<version>.+?)\2"


def _hatch(project: Project) -> dict[str, Any]:
    """Return `[tool.hatch]`; hatch.toml overrides it."""
    return {**project.table("tool", "hatch"), **project.files.toml(project.at("hatch.toml"))}


def version(project: Project) -> Version:
    """Return the version: static, or from the source that `[tool.hatch.version]` names."""
    if isinstance(static := project.table("project").get("version"), str):
        return Version(static, "pyproject:static", "pyproject.toml")
    table = subtable(_hatch(project), "version")
    source, path = table.get("source", "regex"), table.get("path")
    if source == "regex" and isinstance(path, str):
        pattern = table.get("pattern")
        return texts.by_pattern(project, "hatch:regex", path, _expression(pattern))
    if source == "code" and isinstance(path, str):
        return _by_code(project, path, table)
    if source == "env":
        variable = table.get("variable")
        return Version(None, "hatch:env", "pyproject.toml", f"it is the environment variable {variable}")
    if source == "incremental":
        return texts.incremental(project)
    if source == "nodejs":
        return _by_package_json(project, table)
    if isinstance(source, str) and source != "regex":
        derived = {"vcs", "uv-dynamic-versioning", "versioningit", "pdm-scm"}
        reason = "" if source in derived else f"it comes from the version source {source}, which tagship does not know"
        return Version(None, f"hatch:{source}", "pyproject.toml", reason)
    return Version(unknown="[tool.hatch.version] names no path")


def _expression(pattern: object) -> str:
    if not isinstance(pattern, str):
        return PATTERN
    return pattern


def _by_code(project: Project, path: str, table: dict[str, Any]) -> Version:
    from tagship.facts.python import code

    expression = table.get("expression", "__version__")
    if not str(expression).isidentifier():
        called = re.fullmatch(r"(\w+)\(\)", str(expression))
        if not called:
            return Version(None, "hatch:code", path, f"it is computed as {expression}")
        return texts.from_value(
            project, "hatch:code", path, code.called(project.files, project.folder, path, called[1])
        )
    return texts.from_value(
        project, "hatch:code", path, code.of_file(project.files, project.folder, path, str(expression))
    )


def _by_package_json(project: Project, table: dict[str, Any]) -> Version:
    file = str(table.get("path", "package.json"))
    try:
        found = json.loads(project.files.text(project.at(file)) or "{}").get("version")
    except (ValueError, AttributeError, RecursionError):
        found = None
    if isinstance(found, str):
        return Version(found, "hatch:nodejs", file)
    return Version(None, "hatch:nodejs", file, f"{file} has no version", absent=True)


def modules(project: Project) -> Modules:
    """Return what hatchling puts into a wheel: what is configured, else what has the project's name."""
    build = subtable(_hatch(project), "build")
    wheel = subtable(build, "targets", "wheel")
    for table in (wheel, build):
        if packages := _texts(table.get("packages")):
            return _paths(project, packages, flat=True)
        only = _texts(table.get("only-include"))
        if only or _texts(table.get("include")):
            return _paths(project, only or _texts(table.get("include")), _sources(table) or _sources(build))
    found = _by_name(project)
    if found is None and subtable(wheel, "force-include"):
        targets = [str(value) for value in subtable(wheel, "force-include").values()]
        return _named([target.strip("/") for target in targets], "")
    return found or Modules(unknown="hatchling finds no package with the project's name")


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _sources(table: dict[str, Any]) -> list[str]:
    found = table.get("sources")
    return list(found) if isinstance(found, dict) else _texts(found)


def _paths(project: Project, paths: list[str], sources: list[str] | None = None, *, flat: bool = False) -> Modules:
    """Return the modules at these paths; with `flat`, only the last part of each is installed."""
    names, folder = list[str](), ""
    for path in paths:
        clean = path.strip("/").removesuffix("/**").removesuffix("/*").removesuffix("/**/*.py").removesuffix("/*.py")
        source = next(
            (
                each.strip("/")
                for each in sources or []
                if clean == each.strip("/") or clean.startswith(f"{each.strip('/')}/")
            ),
            "",
        )
        if flat:
            source = os.path.dirname(clean)
        inner = clean.removeprefix(source).strip("/")
        folder = source or folder
        place = project.at(clean)
        if not inner and project.files.is_dir(place):
            names += [
                each
                for entries in project.files.entries(place)
                for each in entries
                if _is_module(project, os.path.join(place, each))
            ]
        elif project.files.is_dir(place) or clean.endswith(".py"):
            names.append(inner.partition("/")[0])
    return _named(names, folder)


def _is_module(project: Project, place: str) -> bool:
    return place.endswith(".py") or project.files.is_file(os.path.join(place, "__init__.py"))


def _named(names: list[str], folder: str) -> Modules:
    packages = [name for name in names if not name.endswith(".py")]
    return Modules(tops(packages), tuple(sorted(name[:-3] for name in names if name.endswith(".py"))), folder)


def _by_name(project: Project) -> Modules | None:
    raw = str(project.table("project").get("name", ""))
    for name in dict.fromkeys((re.sub(r"[^\w.]+", "_", raw), re.sub(r"[-_.]+", "_", raw).lower())):
        for folder in ("", "src"):
            if project.files.is_file(project.at(folder, name, "__init__.py")):
                return Modules((name,), (), folder)
        if project.files.is_file(project.at(f"{name}.py")):
            return Modules((), (name,))
        inner = [
            each
            for each in project.files.entries(project.folder)[0]
            if project.files.is_file(project.at(each, name, "__init__.py"))
        ]
        if len(inner) == 1:
            return Modules((inner[0],))
    return None
