"""The published releases and their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_version
from packaging.version import Version

if TYPE_CHECKING:
    import sqlite3

    from tagship.indexes import PackageIndex


@dataclass(frozen=True)
class StoredFile:
    """A file of a release; `uploaded` is in seconds since the epoch, digests are hexadecimal."""

    version: str
    filename: str
    packagetype: str
    python: str
    size: int
    md5: str
    sha256: str
    blake2_256: str
    core_metadata: str | None
    """The SHA-256 of the metadata that is served for a wheel (PEP 658)."""
    uploaded: float
    provenance: str | None
    """JSON as the integrity API serves it (PEP 740), if attestations came with the file."""
    requires_python: str | None = None

    @property
    def path(self) -> str:
        """The path of the file at the index's host for files."""
        digest = self.blake2_256
        return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"


@dataclass(frozen=True)
class Release:
    """A release: its row number, its metadata as in the JSON API; `created` in seconds."""

    id: int
    version: str
    created: float
    metadata: dict[str, Any]


_FIELDS = (
    "filename",
    "packagetype",
    "python",
    "size",
    "md5",
    "sha256",
    "blake2_256",
    "core_metadata",
    "uploaded",
    "provenance",
)


def release(db: sqlite3.Connection, project: int, version: Version | str) -> Release | None:
    """Return the release with an equal version (1.0 is 1.0.0), or None."""
    query = "SELECT * FROM release WHERE project = ? AND canonical = ?"
    row = db.execute(query, (project, canonicalize_version(str(version)))).fetchone()
    return None if row is None else _release(row)


def releases(db: sqlite3.Connection, project: int) -> list[Release]:
    """Return every release, oldest version first."""
    rows = db.execute("SELECT * FROM release WHERE project = ?", (project,))
    return sorted(map(_release, rows), key=lambda each: Version(each.version))


def add_release(
    db: sqlite3.Connection, project: int, version: str, created: float, metadata: dict[str, Any]
) -> Release:
    """Add a release."""
    values = (project, version, canonicalize_version(version), created, json.dumps(metadata))
    columns = "project, version, canonical, created, metadata"
    added = db.execute(f"INSERT INTO release ({columns}) VALUES (?, ?, ?, ?, ?)", values)
    return Release(int(added.lastrowid or 0), version, created, metadata)


def add_file(db: sqlite3.Connection, index: PackageIndex, release: Release, file: StoredFile) -> None:
    """Add a file to a release."""
    values = (release.id, index.name, *(getattr(file, field) for field in _FIELDS))
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO file (release, host_index, {', '.join(_FIELDS)}) VALUES ({marks})", values)


def files(db: sqlite3.Connection, project: int) -> list[StoredFile]:
    """Return every file of a project, by version and name."""
    query = (
        "SELECT file.*, release.version, release.metadata FROM file"
        " JOIN release ON release.id = file.release WHERE project = ?"
    )
    found = [_file(row) for row in db.execute(query, (project,))]
    return sorted(found, key=lambda file: (Version(file.version), file.filename))


def twin(db: sqlite3.Connection, index: PackageIndex, filename: str, blake2_256: str) -> sqlite3.Row | None:
    """Return the row of an existing file with this name or these bytes."""
    query = "SELECT * FROM file WHERE host_index = ? AND (filename = ? OR blake2_256 = ?)"
    row: sqlite3.Row | None = db.execute(query, (index.name, filename, blake2_256)).fetchone()
    return row


def has_sdist(db: sqlite3.Connection, release: Release) -> bool:
    """Return whether a release has an sdist."""
    query = "SELECT 1 FROM file WHERE release = ? AND packagetype = 'sdist'"
    return db.execute(query, (release.id,)).fetchone() is not None


def has_files(db: sqlite3.Connection, release: Release) -> bool:
    """Return whether a release has any file."""
    return db.execute("SELECT 1 FROM file WHERE release = ?", (release.id,)).fetchone() is not None


def _release(row: sqlite3.Row) -> Release:
    return Release(row["id"], row["version"], row["created"], json.loads(row["metadata"]))


def _file(row: sqlite3.Row) -> StoredFile:
    requires_python = json.loads(row["metadata"]).get("requires_python")
    values = {field: row[field] for field in _FIELDS}
    return StoredFile(version=row["version"], requires_python=requires_python, **values)
