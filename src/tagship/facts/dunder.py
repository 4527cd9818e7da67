"""The literal `__version__` in a distribution's own packages and modules, as the gate compares it."""

from __future__ import annotations

import tokenize
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tagship_suite.dists.modules import VERSION_MODULES, is_own
from tagship_suite.files import read_text
from tagship_suite.repo import git
from tagship_suite.repo.literals import strings

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            for path in _modules(folder, place):
                text, encoding = _read(path)
                for each in strings(text, "__version__"):
                    yield Dunder(path, text, encoding, each.text, each.start, each.end)


def _modules(folder: Path, place: Path) -> Iterator[Path]:
    """Yield the modules of the package or module at `place` that could hold its version, without those of a build."""
    init, single = place / "__init__.py", place.with_suffix(".py")
    yield from filter(Path.is_file, (init, single))
    if init.is_file():
        others = [(place / f"{name}.py").relative_to(folder).as_posix() for name in VERSION_MODULES[1:]]
        yield from (folder / name for name in git.lines(folder, "ls-files", "--", *others) if (folder / name).is_file())


def _read(path: Path) -> tuple[str, str]:
    """Return the text of a module and the encoding that its first lines declare, else UTF-8."""
    with suppress(OSError, SyntaxError, UnicodeDecodeError), path.open("rb") as file:
        encoding = tokenize.detect_encoding(file.readline)[0]
        if not encoding.startswith("utf-8"):
            return path.read_bytes().decode(encoding), encoding
    return read_text(path), "utf-8"
