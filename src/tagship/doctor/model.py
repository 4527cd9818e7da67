"""The result of a check of the settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

#: `advice` could be safer, but some projects have a reason for it; `unknown` is not visible.
State = Literal["right", "wrong", "advice", "unknown"]


@dataclass(frozen=True)
class Change:
    """A request that corrects a setting: what it does, for a person to confirm, and what is sent."""

    does: str
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """The current value of a setting, the expected one, and where to change it; `changes` do so."""

    check: str
    state: State
    saw: str
    expected: str = ""
    link: str = ""
    changes: tuple[Change, ...] = ()

    def lines(self) -> list[str]:
        """Return the lines to print."""
        expected = f"; expected {self.expected}" if self.expected and self.state != "right" else ""
        return [f"{self.state:8}{self.check}: {self.saw}{expected}", *([f"        {self.link}"] if self.link else [])]

    def data(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        found = asdict(self)
        return {**found, "changes": [change.does for change in self.changes]}
