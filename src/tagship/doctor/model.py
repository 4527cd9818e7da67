"""The result of a check of the settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

#: `advice` is a setting that could be safer, but that some projects have a reason for; `unknown` could not be seen.
State = Literal["right", "wrong", "advice", "unknown"]


@dataclass(frozen=True)
class Change:
    """A request that puts a setting right: what it does, for a person to agree to, and what is sent."""

    does: str
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What was seen of a setting, what it should be, and where to change it; `changes` do it."""

    check: str
    state: State
    saw: str
    expected: str = ""
    link: str = ""
    changes: tuple[Change, ...] = ()

    def lines(self) -> list[str]:
        """Return the finding for a person."""
        expected = f"; expected {self.expected}" if self.expected and self.state != "right" else ""
        return [f"{self.state:8}{self.check}: {self.saw}{expected}", *([f"        {self.link}"] if self.link else [])]

    def data(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        found = asdict(self)
        return {**found, "changes": [change.does for change in self.changes]}
