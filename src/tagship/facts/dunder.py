"""The literal `__version__` in a distribution's own packages and modules, as the gate compares it."""

from __future__ import annotations

import tokenize
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tagship_suite.dists.modules import is_own
from tagship_suite.files import read_text
from tagship_suite.repo.literals import strings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .model import Distribution


@dataclass(frozen=True)
class Dunder:
    """A `__version__`: the `text` of the module at `path`, its encoding, and where in it the `version` is."""

    path: Path
    text: str
    encoding: str
    version: str
    start: int
    end: int

    def at(self, root: Path) -> str:
        """Return the file, relative to `root`, and the line."""
        return f"{self.path.relative_to(root).as_posix()}:{self.text.count(chr(10), 0, self.start) + 1}"


def find(folder: Path, facts: Distribution) -> Iterator[Dunder]:
    """Yield each literal `__version__` of the distribution in `folder`."""
    names = facts.import_names
    for name in [each for each in names if is_own(each, canonicalize_name(facts.name or ""))] or names:
        for place in (folder / base / name for base in ("", "src", "lib")):
            for path in (place / "__init__.py", place.with_suffix(".py")):
                if path.is_file():
                    text, encoding = _read(path)
                    for each in strings(text, "__version__"):
                        yield Dunder(path, text, encoding, each.text, each.start, each.end)


def _read(path: Path) -> tuple[str, str]:
    """Return the text of a module and the encoding that its first lines declare, else UTF-8."""
    with suppress(OSError, SyntaxError, UnicodeDecodeError), path.open("rb") as file:
        encoding = tokenize.detect_encoding(file.readline)[0]
        if not encoding.startswith("utf-8"):
            return path.read_bytes().decode(encoding), encoding
    return read_text(path), "utf-8"
