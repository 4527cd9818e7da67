"""The data of a plan: what a release would do, and what would stop it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """A job of the workflow: its permissions, and the environment that it deploys to, "" for none."""

    id: str
    permissions: dict[str, str]
    environment: str = ""


@dataclass(frozen=True)
class Held:
    """The state of the project at an index: its newest version, "" for none; if not known, `saw` says why."""

    index: str
    newest: str = ""
    has_version: bool | None = None
    saw: str = ""


@dataclass
class Plan:
    """The release of one distribution; `problems` would stop it, `notes` are information."""

    name: str
    commit: str
    version: str = ""
    version_source: str = ""
    tag: str = ""
    dists: list[str] = field(default_factory=list)
    pythons: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    indexes: list[Held] = field(default_factory=list)
    publisher: str = ""
    changes: str = ""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        return asdict(self)
