"""The index's persistent state: one SQLite file, and the uploaded files by their digest."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "index-2.sqlite3"
"""The file's name in the state's directory; the number is the schema's version."""

# "index" is a word of SQL; `host_index` is the name of the index: pypi or testpypi.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY,
    host_index TEXT NOT NULL, name TEXT NOT NULL, normalized TEXT NOT NULL,
    UNIQUE (host_index, normalized)
);
CREATE TABLE IF NOT EXISTS prohibited (
    host_index TEXT NOT NULL, normalized TEXT NOT NULL, PRIMARY KEY (host_index, normalized)
);
CREATE TABLE IF NOT EXISTS publisher (
    id INTEGER PRIMARY KEY,
    host_index TEXT NOT NULL, provider TEXT NOT NULL, owner TEXT NOT NULL, repository TEXT NOT NULL,
    owner_id TEXT NOT NULL, workflow TEXT NOT NULL, environment TEXT NOT NULL,
    UNIQUE (host_index, provider, owner, repository, workflow, environment)
);
CREATE TABLE IF NOT EXISTS publisher_project (
    publisher INTEGER NOT NULL REFERENCES publisher, project INTEGER NOT NULL REFERENCES project,
    PRIMARY KEY (publisher, project)
);
CREATE TABLE IF NOT EXISTS pending_publisher (
    id INTEGER PRIMARY KEY,
    host_index TEXT NOT NULL, project TEXT NOT NULL, provider TEXT NOT NULL, owner TEXT NOT NULL,
    repository TEXT NOT NULL, owner_id TEXT NOT NULL, workflow TEXT NOT NULL, environment TEXT NOT NULL,
    created REAL NOT NULL,
    UNIQUE (host_index, provider, owner, repository, workflow, environment)
);
CREATE TABLE IF NOT EXISTS used_jti (
    host_index TEXT NOT NULL, jti TEXT NOT NULL, PRIMARY KEY (host_index, jti)
);
CREATE TABLE IF NOT EXISTS token (
    digest TEXT PRIMARY KEY,
    host_index TEXT NOT NULL, publisher INTEGER NOT NULL REFERENCES publisher,
    projects TEXT NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS release (
    id INTEGER PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES project, version TEXT NOT NULL, canonical TEXT NOT NULL,
    created REAL NOT NULL, metadata TEXT NOT NULL,
    UNIQUE (project, canonical)
);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY,
    release INTEGER NOT NULL REFERENCES release, host_index TEXT NOT NULL, filename TEXT NOT NULL,
    packagetype TEXT NOT NULL, python TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
    sha256 TEXT NOT NULL, blake2_256 TEXT NOT NULL, core_metadata TEXT, uploaded REAL NOT NULL,
    provenance TEXT,
    UNIQUE (host_index, filename), UNIQUE (host_index, blake2_256)
);
CREATE TABLE IF NOT EXISTS mint (
    id INTEGER PRIMARY KEY,
    host_index TEXT NOT NULL, at REAL NOT NULL, claims TEXT NOT NULL,
    code TEXT NOT NULL, description TEXT NOT NULL, projects TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS upload (
    id INTEGER PRIMARY KEY,
    host_index TEXT NOT NULL, at REAL NOT NULL, filename TEXT NOT NULL, project TEXT NOT NULL,
    version TEXT NOT NULL, status INTEGER NOT NULL, message TEXT NOT NULL, warnings TEXT NOT NULL
);
"""


class State:
    """The database and the folder of files in a directory, which is created if missing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files = directory / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._writing = threading.Lock()
        with self._connection() as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {_SCHEMA} COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.directory / DATABASE, timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        # Nothing here must survive a power failure.
        connection.execute("PRAGMA synchronous = OFF")
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection with a consistent snapshot of the database."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in an exclusive write transaction; any error rolls it back."""
        with self._writing, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def path(self, digest: str) -> Path:
        """Return the path of the bytes with this hex digest (BLAKE2 of 256 bits)."""
        return self._files / digest[:2] / digest[2:4] / digest[4:]

    def keep(self, digest: str, content: bytes) -> None:
        """Store bytes at their `path`, all or nothing."""
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(content)
        partial.replace(path)
