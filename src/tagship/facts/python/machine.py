"""One evaluation: its files, its budget, the modules that it read, and what was passed to `setup()`."""

from __future__ import annotations

import ast
import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagship_suite.errors import ReleaseError

from .values import Module, Scope, Unknown, Value

if TYPE_CHECKING:
    from tagship.facts.files import Files

STEPS = 200_000
DEPTH = 40  # of calls and imports


class Raised(Exception):
    """The code that is evaluated raises an exception of this name."""

    def __init__(self, name: str, said: str = "") -> None:
        super().__init__(f"{name}: {said}" if said else name)
        self.name = name


class Ended(Exception):
    """A statement ends what is around it."""


class Exhausted(Exception):
    """The code is too long to be followed."""


@dataclass
class Machine:
    """What an evaluation of the code in `folder` (absolute) shares between modules."""

    files: Files
    folder: str
    steps: int = STEPS
    depth: int = 0
    modules: dict[str, Module] = field(default_factory=dict)
    path: Value = field(default_factory=lambda: Value([]))  # sys.path, as far as the code adds to it
    calls: list[dict[str, Value]] = field(default_factory=list)
    generators: dict[ast.AST, bool] = field(default_factory=dict)

    def step(self, number: int = 1) -> None:
        """Count a step; raise `Exhausted` if there were too many."""
        self.steps -= number
        if self.steps < 0:
            raise Exhausted

    def absolute(self, path: str) -> str:
        """Return the absolute path of what the code, run in `folder`, means by `path`."""
        return os.path.normpath(os.path.join(self.folder, path))

    def parse(self, path: str) -> ast.Module:
        """Return the syntax tree of the file at `path`; raise `Raised` if it has none."""
        try:
            text = self.files.code(path)
        except ReleaseError as error:
            raise Raised("ImportError", str(error)) from error
        if text is None:
            raise Raised("ImportError", self.files.name(path))
        return tree(text)

    def find(self, dotted: str) -> str | None:
        """Return the file of the module of this name: below the folder, or below a path that the code added."""
        parts = dotted.split(".")
        added = [each.data for each in self.path.data if isinstance(each.data, str)]
        for base in [*map(self.absolute, added), self.folder]:
            place = os.path.join(base, *parts)
            for file in (os.path.join(place, "__init__.py"), f"{place}.py", place):
                if self.files.is_file(file) if file != place else self.files.is_dir(file):
                    return file
        return None


def tree(text: str) -> ast.Module:
    """Return the syntax tree of `text`; raise `Raised` if it is not Python code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes, which are the repository's own
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Raised("SyntaxError", str(error)) from error


def unknown(reason: str, *sources: Value, tool: str = "") -> Value:
    """Return an unknown value for this reason, or for the reason of the first unknown one of `sources`."""
    from .values import origins

    found, how = origins(sources)
    first = next((value.data for value in sources if isinstance(value.data, Unknown)), None)
    return Value(first or Unknown(reason, tool), found, how)


def module_scope(module: Module) -> Scope:
    """Return the scope in which the code of `module` is evaluated."""
    return Scope(module.names, module.file, module=module)
