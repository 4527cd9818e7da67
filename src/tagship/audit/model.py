"""A finding, and the rule that makes it: its docstring says what is wrong, and why that matters."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, why it matters, and what to do; `source` is who found it."""

    rule: str
    level: Level
    file: str
    line: int
    job: str
    message: str
    why: str
    remedy: str
    source: str = "tagship"
    url: str = ""

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return it for a person."""
        where = f"{self.file}:{self.line}" + (f" (job {self.job})" if self.job else "")
        found = [f"{self.level}: {where}: {self.message} [{self.rule}]"]
        found += [f"  why: {self.why}"] if self.why else []
        return found + ([f"  do:  {self.remedy}"] if self.remedy else [])


@dataclass(frozen=True)
class Hit:
    """Where a rule is broken, and what was found there."""

    file: str
    line: int
    job: str
    detail: str = ""


class Rule(ABC):
    """A rule; the first line of a subclass's docstring is the message, the rest why it matters."""

    name: ClassVar[str]
    level: ClassVar[Level] = "warning"
    remedy: ClassVar[str]

    @classmethod
    def message(cls) -> str:
        """Return what is wrong, in a sentence without its stop."""
        return inspect.getdoc(cls).partition("\n")[0].rstrip(".")  # type: ignore[union-attr]

    @classmethod
    def why(cls) -> str:
        """Return why it matters, on one line."""
        return " ".join(inspect.getdoc(cls).partition("\n")[2].split())  # type: ignore[union-attr]

    @abstractmethod
    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each place of the repository where the rule is broken."""

    def findings(self, context: Context) -> Iterator[Finding]:
        """Yield the findings in the repository, each place once."""
        for hit in dict.fromkeys(self.check(context)):
            message = f"{self.message()}: {hit.detail}" if hit.detail else self.message()
            yield Finding(self.name, self.level, hit.file, hit.line, hit.job, message, self.why(), self.remedy)
