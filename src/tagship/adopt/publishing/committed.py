"""Commits the version that only CI wrote so far: that of the newest tag, in each file that CI wrote it to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.adopt.model import Decision
from tagship_suite.errors import ReleaseError
from tagship_suite.files import read_text
from tagship_suite.repo import elsewhere, git, version_source
from tagship_suite.repo.versions import parsed, releases

from . import made_in_ci
from .retire import MOVED

if TYPE_CHECKING:
    from packaging.version import Version

    from tagship.adopt.model import Adoption
    from tagship.adopt.settings.version import Source
    from tagship_suite.repo.literals import Written

#: Commands that write the version wherever the project has it.
BY_TOOL = re.compile(r"\b(?:poetry|hatch|pdm|uv|rye)\s+version\b")


def commit(found: Adoption, source: Source, written: list[tuple[str, str]]) -> bool:
    """Commit the version of the newest tag, which is greater than the one that CI replaces in the `written` lines.

    Returns whether that could be done: not if CI also writes to other files than those that have the version.
    """
    root, name = found.folder, found.names[0]
    tags, now = releases(git.lines(root, "tag", "--list"), name), parsed(source.version)
    places = _places(found, source) if len(found.packages) == 1 else []
    known = {place.path.resolve() for place in places}
    if (
        not known
        or not tags
        or not now
        or tags[0].version <= now
        or not all(_covers(line, root, known) for _, line in written)
    ):
        return False
    if not _write(found, places, now, tags[0].version):
        return False
    where = written[0][0]
    found.decisions.append(Decision("committed version", f"{tags[0].version}, as the newest tag", f"{where} wrote it"))
    found.todo += [
        f"{at}: remove the command that writes the version" for at, line in written if _stays(found, at, line)
    ]
    found.todo.append("from now on, release with `inv release`, which commits the version before it creates the tag")
    return True


def _places(found: Adoption, source: Source) -> list[Written]:
    """Return every place of the version in the project; none if they differ."""
    settings = found.packages[0].settings
    if source.file:
        settings = replace(settings, version_file=source.file, version_pattern=source.pattern)
    try:
        return version_source.places(found.packages[0].folder, settings)
    except ReleaseError:
        return []


def _covers(line: str, root: Path, known: set[Path]) -> bool:
    """Return whether all files that a command writes the version to are `known` as its places."""
    words = re.findall(r"[\w./-]+", made_in_ci.plain(line))
    named = {(root / word).resolve() for word in words if (root / word).is_file()}
    return named <= known if named else bool(BY_TOOL.search(line))


def _write(found: Adoption, places: list[Written], now: Version, newest: Version) -> bool:
    """Change the version in all files; return whether none of them has other changes than additions at its end."""
    more = elsewhere.certain(found.folder, found.packages[0].folder, found.names[0], now)
    changes = dict[Path, bytes]()
    for path, text in elsewhere.rewritten([*places, *more], newest, str(newest)).items():
        before, relative = read_text(path), path.relative_to(found.folder.resolve())
        planned = found.text(relative)
        if not planned.startswith(before):
            return False
        changes[relative] = (text + planned.removeprefix(before)).encode()
    found.changes |= changes
    return True


def _stays(found: Adoption, at: str, line: str) -> bool:
    """Return whether a command is still there when the publish jobs are gone."""
    path = Path(at.rpartition(":")[0])
    moved = path == suite.WORKFLOW and MOVED in found.changes
    content = found.changes.get(MOVED if moved else path, (found.folder / path).read_bytes())
    return content is not None and line.strip().encode() in content
