"""The data of an adoption: what was found and decided, and what changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tagship import project
from tagship_suite.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.facts.model import Repository
    from tagship_suite.repo.packages import Package


@dataclass(frozen=True)
class Decision:
    """Something that was found or decided, and the file with the reason."""

    what: str
    value: str
    why: str


@dataclass
class Adoption:
    """What an adoption of the repository at `folder` changes, why, and what is left to do by hand."""

    folder: Path
    facts: Repository
    keep_old: bool = False
    names: list[str] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)  # as a release will read them
    tests: dict[str, dict[str, object]] = field(default_factory=dict)  # the settings of each distribution, by its path
    changes: dict[Path, bytes | None] = field(default_factory=dict)
    compiled: bool = False  # whether the changes make cibuildwheel build the wheels
    decisions: list[Decision] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    present: frozenset[Path] = frozenset()  # those of the files to change that already exist

    @cached_property
    def on_gitlab(self) -> bool:
        """Whether the repository is on GitLab, by its remote, or by its files if it has none."""
        return project.host(self.folder, self.folder) != "github.com"

    def text(self, path: Path) -> str:
        """Return the planned text of a file, "" if there is none; raise `ReleaseError` if it cannot be read."""
        if content := self.changes.get(path):
            return content.decode()
        return read_text(self.folder / path) if (self.folder / path).is_file() else ""
