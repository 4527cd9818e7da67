"""The settings that a release needs to find the version of a project, if the defaults do not suffice."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship.facts import distributions
from tagship.facts.backends import setuptools
from tagship.facts.files import Files
from tagship.facts.project import Project
from tagship_suite.config import Config
from tagship_suite.errors import ReleaseError
from tagship_suite.files import read_text
from tagship_suite.repo.literals import find
from tagship_suite.repo.version_source import locate
from tagship_suite.repo.versions import parsed, same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.facts.model import Distribution
    from tagship_suite.repo.literals import Written

#: The version in the call of `project()` in meson.build.
MESON = r"^project\([^)]*\bversion\s*:\s*'([^']+)'"


@dataclass(frozen=True)
class Source:
    """The version and how it was found; `file` and `pattern` are settings, "" if they are not needed."""

    version: str = ""
    why: str = ""
    file: str = ""
    pattern: str = ""


def guess(folder: Path, top: Path | None = None) -> Source:
    """Return where the version of the project in `folder` is written, as far as its files show.

    `top` is the root of the repository. Raises `ReleaseError` if a file cannot be read.
    """
    facts = distributions.of(folder, top or folder)
    kind, file = facts.version_source.kind, facts.version_source.file
    version = _untagged(folder, top or folder) or facts.version
    if version is None:
        return Source(why=_reason(facts))
    elsewhere = kind.startswith("setup.py:") and file != "setup.py"  # so a release would have to guess
    if not elsewhere and (written := _by_itself(folder)) and same(written.text, version):
        return Source(version, _shown(written, folder))
    for written, pattern in _written(folder / file, version):
        why = f"{_shown(written, folder)}, which setup.py reads" if elsewhere else _shown(written, folder)
        return Source(version, why, file, pattern)
    return Source(version, f"{file or 'code'}, which computes it")


def _untagged(folder: Path, top: Path) -> str:
    """Return the version without what setuptools appends to it, which an adoption removes; "" if that is nothing."""
    project = Project(Files(top), os.path.realpath(folder))
    is_tagged = project.backend.startswith("setuptools") and setuptools.appended(project)
    found = parsed(setuptools.bare_version(project).text or "") if is_tagged else None
    return str(found) if found else ""


def _reason(facts: Distribution) -> str:
    reasons = [line for line in facts.unknown if "name" not in line and "package" not in line]
    return next(iter(reasons), "git's tags" if facts.version_source.kind else "no file shows where it is written")


def _by_itself(folder: Path) -> Written | None:
    """Return what the suite finds without settings."""
    try:
        return locate(folder, Config())
    except ReleaseError:
        return None


def _shown(written: Written, folder: Path) -> str:
    line = read_text(written.path).count("\n", 0, written.start) + 1
    return f"{written.path.relative_to(folder).as_posix()}:{line}"


def _written(path: Path, version: str) -> Iterator[tuple[Written, str]]:
    """Yield each place of this version in a file, with the pattern that finds it, "" if the default does."""
    if not path.is_file():
        return
    names = () if path.name == "meson.build" else _names(path)
    for pattern in ("", *(f'^{re.escape(name)} = "(.*)"$' for name in names), MESON):
        try:
            written = find(path, pattern)
        except ReleaseError:
            continue
        if same(written.text, version):
            yield written, pattern


def _names(path: Path) -> list[str]:
    """Return the names that a module assigns strings to."""
    try:
        tree = ast.parse(read_text(path).removeprefix("\ufeff"))
    except (ReleaseError, SyntaxError, ValueError, RecursionError):
        return []
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    targets = [target for node in nodes if isinstance(node.value, ast.Constant) for target in node.targets]
    return list(dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name)))
