"""How a repository runs its tests, as far as its files show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship_suite.errors import ReleaseError

from .model import Evidence, Tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

WHERE = re.compile(r"(?P<file>[\w./-]*\w\.(?:toml|ini|cfg|ya?ml|py|txt|json|in))\b(?::(?P<line>\d+))?")


def find(folder: Path, top: Path) -> Tests:
    """Return how the tests of the distribution in `folder` run; an empty result if its files do not show it."""
    from tagship.adopt import tests

    try:
        guess = tests.guess(folder, None if folder == top else top)
    except (ReleaseError, OSError, ValueError):
        return Tests()
    command = ("pytest",) if guess.command is None else guess.command
    return Tests(_runner(command), command, tuple(_evidence(dict.fromkeys(guess.why.values()))))


def _runner(command: tuple[str, ...]) -> str:
    words = [word for word in command if word != "env" and "=" not in word]
    if words[:2] == ["python", "-m"] and len(words) > 2:
        return words[2]
    return words[0] if words else ""


def _evidence(reasons: Iterable[str]) -> Iterator[Evidence]:
    for reason in reasons:
        match = WHERE.search(reason)
        yield Evidence(match["file"], int(match["line"] or 0), reason) if match else Evidence("", 0, reason)
