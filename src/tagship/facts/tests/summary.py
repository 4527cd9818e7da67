"""How a repository runs its tests, with the evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.facts.model import Evidence, Tests
from tagship_suite.errors import ReleaseError

from . import guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

WHERE = re.compile(r"(?P<file>[\w./-]*\w\.(?:toml|ini|cfg|ya?ml|py|txt|json|in))\b(?::(?P<line>\d+))?")


def summary(folder: Path, top: Path) -> Tests:
    """Return how the tests of the distribution in `folder` run; an empty result if its files do not show it."""
    try:
        found = guess(folder, None if folder == top else top)
    except (ReleaseError, OSError, ValueError):
        return Tests()
    command = ("pytest",) if found.command is None else found.command
    return Tests(_runner(command), command, tuple(_evidence(dict.fromkeys(found.why.values()))))


def _runner(command: tuple[str, ...]) -> str:
    words = [word for word in command if word != "env" and "=" not in word]
    if words[:2] == ["python", "-m"] and len(words) > 2:
        return words[2]
    return words[0] if words else ""


def _evidence(reasons: Iterable[str]) -> Iterator[Evidence]:
    for reason in reasons:
        match = WHERE.search(reason)
        yield Evidence(match["file"], int(match["line"] or 0), reason) if match else Evidence("", 0, reason)
