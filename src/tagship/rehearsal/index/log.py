"""The log of the index: every mint and every upload, with its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from tagship.indexes import PackageIndex


@dataclass(frozen=True)
class MintEntry:
    """A request for an upload token; `claims` are empty unless the signature was valid.

    `code` and `description` are "" if a token was minted, `projects` are those that it was valid for;
    `at` is in seconds since the epoch.
    """

    at: float
    claims: dict[str, Any]
    code: str
    description: str
    projects: tuple[str, ...]


@dataclass(frozen=True)
class UploadEntry:
    """An upload; `warnings` are what PyPI sends by mail. `at` is in seconds since the epoch."""

    at: float
    filename: str
    project: str
    version: str
    status: int
    message: str
    warnings: tuple[str, ...]


def add_mint(
    db: sqlite3.Connection,
    index: PackageIndex,
    at: float,
    claims: Mapping[str, Any],
    code: str,
    description: str,
    projects: Iterable[str] = (),
) -> None:
    """Log a request for an upload token."""
    values = (index.name, at, json.dumps(claims), code, description, json.dumps(list(projects)))
    columns = "host_index, at, claims, code, description, projects"
    db.execute(f"INSERT INTO mint ({columns}) VALUES (?, ?, ?, ?, ?, ?)", values)


def mints(db: sqlite3.Connection, index: PackageIndex) -> list[MintEntry]:
    """Return every request for an upload token, in order."""
    rows = db.execute("SELECT * FROM mint WHERE host_index = ? ORDER BY id", (index.name,))
    return [
        MintEntry(
            at=row["at"],
            claims=json.loads(row["claims"]),
            code=row["code"],
            description=row["description"],
            projects=tuple(json.loads(row["projects"])),
        )
        for row in rows
    ]


def add_upload(db: sqlite3.Connection, index: PackageIndex, entry: UploadEntry) -> None:
    """Log an upload."""
    warnings = json.dumps(entry.warnings)
    named = (entry.filename, entry.project, entry.version)
    columns = "host_index, at, filename, project, version, status, message, warnings"
    db.execute(
        f"INSERT INTO upload ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (index.name, entry.at, *named, entry.status, entry.message, warnings),
    )


def uploads(db: sqlite3.Connection, index: PackageIndex) -> list[UploadEntry]:
    """Return every upload, in order."""
    rows = db.execute("SELECT * FROM upload WHERE host_index = ? ORDER BY id", (index.name,))
    fields = ("at", "filename", "project", "version", "status", "message")
    return [
        UploadEntry(**{field: row[field] for field in fields}, warnings=tuple(json.loads(row["warnings"])))
        for row in rows
    ]
