"""A finding, and the rule that reports it: the rule's docstring says what is wrong, and why it matters."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tagship.lines import Lines

    from .context import Context

Level = Literal["error", "warning", "note"]
Fixable = Literal["", "safe", "unsafe"]
HOW = {"safe": "--fix", "unsafe": "--fix --unsafe-fixes"}


@dataclass(frozen=True)
class Fix:
    """Changes to lines of the file of a finding; unsafe if they may change what a good release does."""

    lines: Lines
    safe: bool = True


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, why it matters, and what to do; `source` is the tool that found it.

    `fixable` is `safe`, `unsafe` or "", and `fix` is the change if it is one of lines.
    """

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
    fixable: Fixable = ""
    fix: Fix | None = field(default=None, repr=False, compare=False)

    def data(self) -> dict[str, Any]:
        """Return the object for JSON."""
        return {key: value for key, value in vars(self).items() if key != "fix"}

    def place(self) -> str:
        """Return the file, the line and the job."""
        return f"{self.file}:{self.line}" + (f" (job {self.job})" if self.job else "")

    def lines(self, others: Sequence[Finding] = ()) -> list[str]:
        """Return the lines to print; `others` are findings that say the same of other places."""
        found = [f"{self.level}: {self.place()}: {self.message} [{self.rule}]"]
        found += [f"  also: {', '.join(each.place() for each in others)}"] if others else []
        found += [f"  why: {self.why}"] if self.why else []
        found += [f"  do:  {self.remedy}"] if self.remedy else []
        return found + ([f"  fix: {HOW[self.fixable]}"] if self.fixable else [])


@dataclass(frozen=True)
class Hit:
    """A place where a rule is violated, and what was found there."""

    file: str
    line: int
    job: str
    detail: str = ""
    fix: Fix | None = field(default=None, repr=False, compare=False)
    fixable: Fixable = ""


class Rule(ABC):
    """A rule; the first line of a subclass's docstring is the message, the rest why it matters."""

    name: ClassVar[str]
    #: What `--fix` does, a sentence for the documentation; "" if only a person can fix it.
    fixes: ClassVar[str] = ""
    level: ClassVar[Level] = "warning"
    remedy: ClassVar[str]

    @classmethod
    def message(cls) -> str:
        """Return what is wrong, in a sentence without a full stop."""
        return inspect.getdoc(cls).partition("\n")[0].rstrip(".")  # type: ignore[union-attr]

    @classmethod
    def why(cls) -> str:
        """Return why it matters, on one line."""
        return " ".join(inspect.getdoc(cls).partition("\n")[2].split())  # type: ignore[union-attr]

    @abstractmethod
    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each place of the repository where the rule is violated."""

    def findings(self, context: Context) -> Iterator[Finding]:
        """Yield the findings in the repository, one per place."""
        for hit in dict.fromkeys(self.check(context)):
            message = f"{self.message()}: {hit.detail}" if hit.detail else self.message()
            fixable: Fixable = hit.fixable if hit.fix is None else "safe" if hit.fix.safe else "unsafe"
            where = (hit.file, hit.line, hit.job)
            yield Finding(self.name, self.level, *where, message, self.why(), self.remedy, fixable=fixable, fix=hit.fix)
