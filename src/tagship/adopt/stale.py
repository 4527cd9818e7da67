"""A `__version__` that was left at an earlier release: the gate would refuse it."""

from __future__ import annotations

import tokenize
from contextlib import suppress
from typing import TYPE_CHECKING

from tagship_suite.repo import git
from tagship_suite.repo.files import read_text
from tagship_suite.repo.literals import strings
from tagship_suite.repo.versions import parsed, releases

from . import version
from .model import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship_suite.errors import Problem

    from .model import Adoption


def versions(found: Adoption) -> list[Problem]:
    """Correct each literal `__version__` that an earlier tag has; add a step for one with another number."""
    now = parsed(version.guess(found.folder).version) if found.names and not found.packages[1:] else None
    if not now:
        return []
    earlier = {tag.version for tag in releases(git.lines(found.folder, "tag", "--list"), found.names[0])}
    for path in _modules(found):
        (text, encoding), relative = _read(path), path.relative_to(found.folder)
        for written in strings(text, "__version__"):
            where, own = f"{relative.as_posix()}:{text.count(chr(10), 0, written.start) + 1}", parsed(written.text)
            if own in earlier and own and own < now and relative not in found.changes:
                found.changes[relative] = f"{text[: written.start]}{now}{text[written.end :]}".encode(encoding)
                found.decisions.append(Decision("__version__", f"{now}, was {own}", where))
            elif own != now and relative not in found.changes:
                found.todo.append(
                    f"{where}: __version__ is {written.text}, but the version is {now}, and verify-version compares "
                    "them: write the version there, or compute the other one"
                )
    return []


def _read(path: Path) -> tuple[str, str]:
    """Return the text of a module and the encoding that its first lines declare, else UTF-8."""
    with suppress(OSError, SyntaxError, UnicodeDecodeError), path.open("rb") as file:
        encoding = tokenize.detect_encoding(file.readline)[0]
        if not encoding.startswith("utf-8"):
            return path.read_bytes().decode(encoding), encoding
    return read_text(path), "utf-8"


def _modules(found: Adoption) -> Iterator[Path]:
    """Yield the files of the top packages and modules."""
    for name in found.facts.distributions[0].import_names:
        for base in ("", "src", "lib"):
            place = found.folder / base / name
            yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())
