"""Versions in files that a backend reads with a regular expression, as a whole, or as a module."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tagship.facts.project import Project, Version
from tagship.facts.python.machine import Raised, tree
from tagship_suite.errors import ReleaseError

if TYPE_CHECKING:
    from tagship.facts.python.values import Value


#: Tools that derive the version from git's tags.
DERIVED = {"versioneer", "setuptools_scm", "versioningit"}


def by_pattern(project: Project, kind: str, file: str, pattern: str, result: str = "") -> Version:
    """Return the version in `file` that the group `version` of `pattern`, or its first or only one, matches.

    `result` is a format string that combines the groups.
    """
    try:
        text = project.files.text(project.at(file))
        found = re.search(pattern, text or "", re.MULTILINE)
    except (ReleaseError, re.error, RecursionError) as error:
        return Version(None, kind, file, str(error))
    if text is None:
        return Version(None, kind, file, f"there is no {file}", absent=True)
    if found is None:
        return Version(None, kind, file, f"{file} has nothing that matches {pattern}", absent=True)
    if result:
        parts = {name: value or "" for name, value in found.groupdict().items()}
        return Version(re.sub(r"\{(\w+)\}", lambda name: parts.get(name[1], ""), result), kind, file)
    group = "version" if "version" in found.re.groupindex else 1 if found.re.groups else 0
    return Version(found[group], kind, file)


def whole(project: Project, kind: str, file: str) -> Version:
    """Return the version in `file`, which holds nothing else."""
    text = project.files.text(project.at(file))
    if text is None:
        return Version(None, kind, file, f"there is no {file}", absent=True)
    return Version(text.strip(), kind, file)


def from_value(project: Project, kind: str, file: str, value: Value) -> Version:
    """Return the version that is the value of code; a tuple or list is joined with dots."""
    from tagship.facts.python.values import NotPlain, plain

    try:
        found = plain(value)
    except NotPlain as error:
        if error.unknown.tool in DERIVED:
            return Version(None, error.unknown.tool, file)
        return Version(None, kind, file, error.unknown.reason, absent=error.unknown.absent)
    if isinstance(found, list | tuple):
        found = ".".join(map(str, found))
    origins = [name for name, _ in value.origins if name.endswith((".py", ".txt"))]
    file = project.shown(project.files.root + "/" + place(project, origins, str(found))) if origins else file
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        return Version(None, kind, file, f"{file} has no string as the version", absent=True)
    return Version(str(found), kind, file)


def place(project: Project, files: list[str], version: str) -> str:
    """Return the one of `files` that `version` is written in: as it is, else as numbers in a row, else the first."""
    numbers = r"\W+".join(re.findall(r"\d+", version)[:3])
    for pattern in (re.escape(version), rf"\b{numbers}\b"):
        for name in files:
            if re.search(pattern, _code(project, name)):
                return name
    return files[0]


def _code(project: Project, name: str) -> str:
    try:
        return project.files.code(name) or ""
    except ReleaseError:
        return ""


def incremental(project: Project) -> Version:
    """Return the version that Incremental keeps in `_version.py` of the package."""
    from tagship.facts.python import code

    name = project.table("tool", "incremental").get("name") or project.table("project").get("name")
    name = str(name or project.passed("name") or project.cfg.get("metadata", "name", fallback="")).replace("-", "_")
    path = project.table("tool", "incremental").get("path")
    places = [str(path)] if path else [f"src/{name}", name, f"src/{name.lower()}", name.lower()]
    for place in places:
        file = f"{place}/_version.py"
        if project.files.is_file(project.at(file)):
            value = code.of_file(project.files, project.folder, file, "__version__")
            return from_value(project, "incremental", file, value)
    return Version(None, "incremental", "", "no package has the _version.py of Incremental", absent=True)


def assigned(text: str, name: str) -> str | None:
    """Return the first string literal that is assigned to `name` at the top level; None if there is none."""
    line = re.search(rf"(?m)^{re.escape(name)}\b[^\n]*=[^\n]*", text)
    # Most are near the top: if the code up to there can be parsed, the rest need not be.
    body = (_body(text[: line.end()]) if line else None) or _body(text) or []
    for node in body:
        targets = _targets(node)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _body(text: str) -> list[ast.stmt] | None:
    try:
        return tree(text).body
    except Raised:
        return None


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []
