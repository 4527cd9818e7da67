"""The state of one evaluation: its files, its budget, the modules it has read, the arguments of `setup()`."""

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
    """The evaluated code raises an exception of this name."""

    def __init__(self, name: str, said: str = "") -> None:
        super().__init__(f"{name}: {said}" if said else name)
        self.name = name


class Ended(Exception):
    """A statement ends the function or loop around it."""


class Exhausted(Exception):
    """The code is too long to be evaluated."""


@dataclass
class Machine:
    """The state that modules share while the code in `folder` (absolute) is evaluated."""

    files: Files
    folder: str
    steps: int = STEPS
    depth: int = 0
    modules: dict[str, Module] = field(default_factory=dict)
    path: Value = field(default_factory=lambda: Value([]))  # what the code adds to sys.path
    calls: list[dict[str, Value]] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)  # what the code copies within the repository: to, from
    generators: dict[ast.AST, bool] = field(default_factory=dict)

    def step(self, number: int = 1) -> None:
        """Count a step; raise `Exhausted` if there were too many."""
        self.steps -= number
        if self.steps < 0:
            raise Exhausted

    def absolute(self, path: str) -> str:
        """Return the absolute path of `path` for code that runs in `folder`."""
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
        """Return the file of the module with this name, in the folder or in a path that the code added."""
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
            warnings.simplefilter("ignore")  # about invalid escapes in the repository's code
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Raised("SyntaxError", str(error)) from error


def unknown(reason: str, *sources: Value, tool: str = "", absent: bool = False) -> Value:
    """Return an unknown value with the reason of the first unknown one of `sources`, else with this one."""
    from .values import origins

    found, how = origins(sources)
    first = next((value.data for value in sources if isinstance(value.data, Unknown)), None)
    return Value(first or Unknown(reason, tool, absent), found, how)


def module_scope(module: Module) -> Scope:
    """Return the scope in which the code of `module` is evaluated."""
    return Scope(module.names, module.file, module=module)
