"""What setuptools appends to each version, such as `dev`: no tag could match what is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tagship.adopt.model import Decision
from tagship_suite.gate import history
from tagship_suite.repo import git
from tagship_suite.repo.versions import releases

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption
    from tagship_suite.errors import Problem

#: The sections with these settings, and the lines of one of them.
SECTIONS = {"setup.cfg": r"\[egg_info\]", "pyproject.toml": r"\[tool\.distutils\.egg_info\]"}
LINE = re.compile(r"(?m)^tag[-_]\w+[ \t]*[=:].*(?:\r?\n(?:[ \t]*(?:[#;].*)?\r?\n)*[ \t]+[^\s#;].*)*(?:\r?\n|\Z)")


def remove(found: Adoption) -> list[Problem]:
    """Remove the settings from each distribution's files, if earlier releases had to change them for each build.

    Without an earlier release they may be meant: what to do about them is then a step.
    """
    tags = git.lines(found.folder, "tag", "--list")
    for package in found.packages:
        if problems := history.appended(package.folder):
            settings = ", ".join(each.found for each in problems)
            if not any(releases(tags, name) for name in found.names):
                where = problems[0].where
                found.todo.append(f"{where}: remove {settings} before a release: no tag could match the built version")
                continue
            for name, section in SECTIONS.items():
                _remove_from(found, package.folder.relative_to(found.folder) / name, section)
            found.decisions.append(
                Decision("setuptools", f"without {settings}", "no tag could match the built version")
            )
    return []


def _remove_from(found: Adoption, path: Path, section: str) -> None:
    text = found.text(path)
    table = re.search(rf"(?m)^{section}[ \t]*(?:#.*)?\r?\n(?:(?!\[).*(?:\r?\n|\Z))*", text)
    if table:
        head, _, left = LINE.sub("", table[0]).partition("\n")
        kept = f"{head}\n{left}" if left.strip() else ""
        found.changes[path] = (text[: table.start()] + kept + text[table.end() :]).encode()
