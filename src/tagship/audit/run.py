"""Auditing repositories: our rules and zizmor's, for each of them one answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tagship.errors import TagshipError, one_line

from . import zizmor
from .context import Context
from .model import Finding
from .rules import RULES
from .unread import unread


def audit(path: Path) -> tuple[list[Finding], list[str]]:
    """Return what our rules find in the repository at `path`, and a line for each file that cannot be read."""
    if not path.is_dir():
        raise TagshipError(f"{path}: found no folder, expected a repository; name one")
    context = Context.read(path)
    found = [finding for rule in RULES for finding in rule.findings(context)]
    return sorted(found, key=lambda each: (each.file, each.line, each.rule)), [*unread(context)]


def question(path: Path) -> dict[str, Any]:
    """Return the answer about the repository at `path`, by our rules and by zizmor's where it is installed."""
    return _answer(path, *_with_zizmor(path))


def own(path: Path) -> dict[str, Any]:
    """Return the answer about the repository at `path`, by our rules alone."""
    return _answer(path, *audit(path))


def _with_zizmor(path: Path) -> tuple[list[Finding], list[str]]:
    found, errors = audit(path)
    return [*found, *zizmor.findings(path)], errors


def _answer(path: Path, found: list[Finding], errors: list[str]) -> dict[str, Any]:
    status = "unreadable" if errors else "findings" if found else "clean"
    return {
        "path": str(path),
        "status": status,
        "reason": "; ".join(errors),
        "errors": errors,
        "findings": [each.data() for each in found],
    }


def lines(answer: dict[str, Any]) -> list[str]:
    """Return an answer for a person: the findings, then how many there are."""
    if answer["status"] == "refused":
        return [one_line(f"error: {answer['path']}: {answer['reason'].removeprefix(answer['path'] + ': ')}")]
    found = [Finding(**each) for each in answer["findings"]]
    text = [line for each in found for line in each.lines()]
    text += [f"error: {error}" for error in answer["errors"]]
    counted = f"{len(found)} finding{'' if len(found) == 1 else 's'}" if found else "no findings"
    missing = f", {len(answer['errors'])} not read" if answer["errors"] else ""
    return [one_line(line) for line in (*text, f"{answer['path']}: {counted}{missing}")]
