"""What an adoption says: what it decided and why, the files, and what is left to do by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagship import suite

if TYPE_CHECKING:
    from pathlib import Path

    from .plan import Adoption


def lines(found: Adoption, *, dry_run: bool) -> list[str]:
    """Return the lines for a person."""
    title = f"{', '.join(found.names)} at {found.folder}"
    if not found.changes:
        return [f"{title}: nothing to do, it has the suite of tagship {suite.release()}"]
    width = max(len(decision.what) for decision in found.decisions)
    decided = [
        f"  {each.what.ljust(width)}  {each.value}" + (f"  ({each.why})" if each.why else "")
        for each in found.decisions
    ]
    files = [f"  {_action(found, path)}  {path.as_posix()}" for path in _shown(found.changes, every=dry_run)]
    managed = sum(path.is_relative_to(suite.RELEASE) for path in found.changes)
    files += [] if dry_run or not managed else [f"  {managed} files in {suite.RELEASE.as_posix()}/"]
    todo = [f"  {number}. {step}" for number, step in enumerate(found.todo, 1)]
    did = "would be written (this was a dry run)" if dry_run else "written"
    return [title, *decided, f"{did}:", *files, "left to do by hand:", *todo]


def _shown(changes: dict[Path, bytes | None], *, every: bool) -> list[Path]:
    return [path for path in sorted(changes) if every or not path.is_relative_to(suite.RELEASE)]


def _action(found: Adoption, path: Path) -> str:
    if found.changes[path] is None:
        return "removed"
    return "changed" if path in found.present else "new    "


def data(found: Adoption, *, dry_run: bool) -> dict[str, Any]:
    """Return the same for JSON."""
    by_action: dict[str, list[str]] = {"new": [], "changed": [], "removed": []}
    for path in sorted(found.changes):
        by_action[_action(found, path).strip()].append(path.as_posix())
    return {
        "path": str(found.folder),
        "status": ("planned" if dry_run else "adopted") if found.changes else "unchanged",
        "names": found.names,
        "decisions": [vars(decision) for decision in found.decisions],
        "written": by_action["new"],
        "changed": by_action["changed"],
        "deleted": by_action["removed"],
        "todo": found.todo if found.changes else [],
    }
