"""A refused step: every problem at once, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Problem:
    """What is wrong: where, the value found, the value expected, and what to do."""

    where: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, expected {self.expected}; {self.remedy}"


class ReleaseError(Exception):
    """The step refuses to go on; holds one line or `Problem` for each reason."""

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__(*(str(problem) for problem in problems))

    def __str__(self) -> str:
        return "\n".join(self.args)


def refuse(problems: Sequence[Problem | str]) -> None:
    """Raise one `ReleaseError` that holds all `problems`; nothing where there are none."""
    if problems:
        raise ReleaseError(*problems)
