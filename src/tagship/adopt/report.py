"""The report of an adoption: the decisions and their reasons, the files, and what is left to do by hand."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from tagship import suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .model import Adoption

#: The step that is done when the text of a pull request is read.
COMMIT = "review the changes, commit them and push a branch: git add -A && git commit"


def lines(found: Adoption, *, dry_run: bool) -> list[str]:
    """Return the report as lines; with `dry_run`, of what would be done."""
    title = f"{', '.join(found.names)} at {found.folder}"
    if not found.changes:
        return [f"{title}: nothing to do, it has the suite of tagship {suite.release()}"]
    width = max(len(decision.what) for decision in found.decisions)
    decided = [
        f"  {each.what.ljust(width)}  {each.value}" + (f"  ({each.why})" if each.why else "")
        for each in found.decisions
    ]
    files = [f"  {action(found, path)}  {path.as_posix()}" for path in _shown(found.changes)]
    managed = sum(path.is_relative_to(suite.RELEASE) for path in found.changes)
    files += [f"  {managed} files in {suite.RELEASE.as_posix()}/"] if managed else []
    did = "to be written" if dry_run else "written"
    return [title, *decided, f"{did}:", *files]


def todo(found: Adoption) -> list[str]:
    """Return what is left to do by hand, in order."""
    steps = [f"  {number}. {step}" for number, step in enumerate(found.todo, 1)]
    return ["left to do by hand:", *steps] if found.changes else []


def diff(found: Adoption) -> Iterator[str]:
    """Yield the changes to the project's own files as a unified diff; managed files are only listed."""
    for path in _shown(found.changes):
        place, after = found.folder / path, found.changes[path]
        before = place.read_bytes() if place.is_file() else None
        if path in {suite.WORKFLOW, suite.PIPELINE} and before is None:
            continue
        texts = [(content or b"").decode("utf-8", "replace").splitlines() for content in (before, after)]
        names = [f"{side}/{path}" if text is not None else "/dev/null" for side, text in (("a", before), ("b", after))]
        yield from difflib.unified_diff(texts[0], texts[1], names[0], names[1], lineterm="")


def _shown(changes: dict[Path, bytes | None]) -> list[Path]:
    return [path for path in sorted(changes) if not path.is_relative_to(suite.RELEASE)]


def action(found: Adoption, path: Path) -> str:
    if found.changes[path] is None:
        return "removed"
    return "changed" if path in found.present else "new    "


def data(found: Adoption, *, dry_run: bool) -> dict[str, Any]:
    """Return the report as an object for JSON."""
    by_action: dict[str, list[str]] = {"new": [], "changed": [], "removed": []}
    for path in sorted(found.changes):
        by_action[action(found, path).strip()].append(path.as_posix())
    facts = found.facts.data()
    return {
        "path": str(found.folder),
        "status": ("planned" if dry_run else "adopted") if found.changes else "unchanged",
        "reason": "",
        **{key: facts[key] for key in ("distributions", "tests", "tag_style", "default_branch", "publishing")},
        "names": found.names,
        "settings": found.tests,
        "decisions": [vars(decision) for decision in found.decisions],
        "written": by_action["new"],
        "changed": by_action["changed"],
        "deleted": by_action["removed"],
        "todo": found.todo if found.changes else [],
    }


def refusal(folder: Path, reasons: tuple[object, ...]) -> dict[str, Any]:
    """Return the object for JSON of a repository that is refused."""
    lists = ("distributions", "publishing", "names", "decisions", "written", "changed", "deleted", "todo")
    empty: dict[str, Any] = {key: [] for key in lists}
    known = {"tests": {}, "settings": {}, "tag_style": "", "default_branch": ""}
    return {"path": str(folder), "status": "refused", "reason": "\n".join(map(str, reasons)), **empty, **known}
