"""A named list of commands in a file: a script, a Makefile target, a tox environment, a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship.facts.model import Evidence

if TYPE_CHECKING:
    from .shell import Command


@dataclass(frozen=True)
class Block:
    """Commands under one name; `line` and `text` are the line with the name, `env` the variables that they get."""

    file: str
    name: str
    line: int
    text: str
    commands: tuple[Command, ...]
    env: tuple[tuple[str, str], ...] = ()

    @property
    def evidence(self) -> Evidence:
        """The line that names the block."""
        return Evidence(self.file, self.line, self.text.strip())
