"""Who may publish what: registered and pending publishers, their projects, used-up token ids."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from stdlib_list import short_versions, stdlib_list

from tagship.errors import TagshipError
from tagship.publisher import Registration
from tagship.rehearsal.index.refusal import MintRefusal, Refusal
from tagship_suite.errors import Problem

if TYPE_CHECKING:
    from tagship.indexes import PackageIndex

PENDING_LIMIT = 3
"""The number of pending publishers that an account may have."""
PENDING_SECONDS = 30 * 24 * 3600
"""The seconds after which a pending publisher expires."""
PROJECT_NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])", re.IGNORECASE | re.ASCII)
_LOOK_ALIKE = str.maketrans({"l": "1", "i": "1", "o": "0", "-": "", "_": "", ".": ""})


@dataclass(frozen=True)
class Publisher:
    """A registered publisher: its row number and its registration."""

    id: int
    registration: Registration


def create_project(db: sqlite3.Connection, index: PackageIndex, name: str) -> int:
    """Return the number of a new project; raises Refusal for a name that PyPI does not allow."""
    if not PROJECT_NAME.fullmatch(name):
        raise Refusal(f"The name {name!r} is invalid.")
    if reason := _unavailable(db, index, name):
        page = f"https://{index.site}/help/#project-name"
        raise Refusal(f"The name {name!r} {reason}. See {page} for more information.")
    return add_project(db, index, name)


def _unavailable(db: sqlite3.Connection, index: PackageIndex, name: str) -> str:
    if canonicalize_name(name) in _standard_modules():
        return "isn't allowed (conflict with Python Standard Library module name)"
    if project_id(db, index, name) is not None:
        return "conflicts with an existing project"
    values = (index.name, canonicalize_name(name))
    if db.execute("SELECT 1 FROM prohibited WHERE host_index = ? AND normalized = ?", values).fetchone():
        return "isn't allowed"
    rows = db.execute("SELECT name FROM project WHERE host_index = ?", (index.name,))
    return "is too similar to an existing project" if any(_alike(row["name"], name) for row in rows) else ""


@cache
def _standard_modules() -> frozenset[str]:
    """Return the modules of every Python's standard library, and the packages that hold them, normalised."""
    modules = {module for version in short_versions for module in stdlib_list(version)}
    parts = [module.split(".") for module in modules]
    names = {".".join(each[: depth + 1]) for each in parts for depth in range(len(each))}
    return frozenset(canonicalize_name(name.strip("-_.")) for name in names)


def _alike(left: str, right: str) -> bool:
    """Return whether two names look the same to PyPI: o is 0, l and i are 1, and separators are ignored."""
    return left.lower().translate(_LOOK_ALIKE) == right.lower().translate(_LOOK_ALIKE)


def prohibit(db: sqlite3.Connection, index: PackageIndex, name: str) -> None:
    """Prohibit a name for new projects, as PyPI's administrators can."""
    db.execute("INSERT OR IGNORE INTO prohibited VALUES (?, ?)", (index.name, canonicalize_name(name)))


def add_project(db: sqlite3.Connection, index: PackageIndex, name: str) -> int:
    """Return the number of a project that has existed for long, with any name."""
    known = project_id(db, index, name)
    if known is not None:
        return known
    values = (index.name, name, canonicalize_name(name))
    return _rowid(db.execute("INSERT INTO project (host_index, name, normalized) VALUES (?, ?, ?)", values))


def project_id(db: sqlite3.Connection, index: PackageIndex, name: str) -> int | None:
    """Return the number of the project that has this name when normalised (PEP 503), or None."""
    values = (index.name, canonicalize_name(name))
    row = db.execute("SELECT id FROM project WHERE host_index = ? AND normalized = ?", values).fetchone()
    return None if row is None else int(row["id"])


def register(db: sqlite3.Connection, index: PackageIndex, registration: Registration) -> Publisher:
    """Register a publisher for a project, which is created if it does not exist."""
    project = add_project(db, index, registration.project)
    return _attach(db, index, registration, project)


def register_pending(db: sqlite3.Connection, index: PackageIndex, registration: Registration, now: float) -> None:
    """Register a publisher for a project that its first token will create.

    Raises TagshipError for what the index's form refuses: the project exists, three are pending, or the
    same owner, repository, workflow and environment is pending.
    """
    if project_id(db, index, registration.project) is not None:
        where, remedy = f"{registration.project} at {index.name}", "register an ordinary publisher"
        raise TagshipError(Problem("pending-publisher", where, "a project of this name", "none", remedy))
    forget_old(db, now)
    pending = "SELECT count(*) FROM pending_publisher WHERE host_index = ?"
    if db.execute(pending, (index.name,)).fetchone()[0] >= PENDING_LIMIT:
        count, expected = f"{PENDING_LIMIT} pending publishers", "fewer"
        raise TagshipError(Problem("pending-publisher", index.name, count, expected, "use or remove one"))
    insert = (
        "INSERT INTO pending_publisher"
        " (project, created, host_index, provider, owner, repository, owner_id, workflow, environment)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    try:
        db.execute(insert, (registration.project, now, *_values(index, registration)))
    except sqlite3.IntegrityError:
        problem = Problem("pending-publisher", index.name, f"{registration}", "a new publisher", "use that one")
        raise TagshipError(problem) from None


def find(db: sqlite3.Connection, index: PackageIndex, wanted: Registration, *, pending: bool) -> Publisher | None:
    """Return the publisher for a token: owner, repository, owner ID and file are equal, on GitHub in the same case.

    Of several, one with the token's environment is preferred to one that accepts any.
    """
    table = "pending_publisher" if pending else "publisher"
    *values, environment = _values(index, wanted)
    case = " COLLATE NOCASE" if wanted.provider == "gitlab" else ""
    rows = db.execute(
        f"SELECT * FROM {table} WHERE host_index = ? AND provider = ? AND owner = ?{case} AND repository = ?{case}"
        " AND owner_id = ? AND workflow = ?",
        values,
    ).fetchall()
    by_environment = {row["environment"]: row for row in rows}
    row = by_environment.get(environment) or by_environment.get("")
    return row and Publisher(int(row["id"]), _registration(row, row["project"] if pending else ""))


def reify(db: sqlite3.Connection, index: PackageIndex, pending: Publisher) -> None:
    """Create the project of a pending publisher and make it an ordinary one.

    Raises MintRefusal if the project exists by now (the pending publisher is then removed), or if its
    name is refused (it is then kept).
    """
    name = pending.registration.project
    exists = project_id(db, index, name) is not None
    try:
        project = 0 if exists else create_project(db, index, name)
    except Refusal as refusal:
        raise MintRefusal("invalid-payload", refusal.message) from None
    db.execute("DELETE FROM pending_publisher WHERE id = ?", (pending.id,))
    if exists:
        raise MintRefusal("invalid-pending-publisher", "valid token, but project already exists")
    _attach(db, index, pending.registration, project)


def registrations(db: sqlite3.Connection, index: PackageIndex) -> list[Registration]:
    """Return everything that is registered at an index, pending ones last."""
    ordinary = db.execute(
        "SELECT publisher.*, project.name AS project FROM publisher"
        " JOIN publisher_project ON publisher_project.publisher = publisher.id"
        " JOIN project ON project.id = publisher_project.project WHERE publisher.host_index = ?"
        " ORDER BY publisher.id",
        (index.name,),
    )
    pending = db.execute("SELECT * FROM pending_publisher WHERE host_index = ? ORDER BY id", (index.name,))
    return [_registration(row, row["project"]) for row in [*ordinary, *pending]]


def registered(db: sqlite3.Connection, publisher: int) -> Registration:
    """Return a publisher by its row number, without a project."""
    return _registration(db.execute("SELECT * FROM publisher WHERE id = ?", (publisher,)).fetchone(), "")


def projects_of(db: sqlite3.Connection, publisher: int) -> dict[int, str]:
    """Return the projects of a publisher, number to name."""
    query = (
        "SELECT project.id, project.name FROM project"
        " JOIN publisher_project ON publisher_project.project = project.id WHERE publisher = ?"
    )
    return {int(row["id"]): str(row["name"]) for row in db.execute(query, (publisher,))}


def use_up(db: sqlite3.Connection, index: PackageIndex, jti: str) -> bool:
    """Record that a token's id has been used; return False if it had been used before."""
    values = (index.name, jti)
    return db.execute("INSERT OR IGNORE INTO used_jti VALUES (?, ?)", values).rowcount == 1


def used(db: sqlite3.Connection, index: PackageIndex, jti: str) -> bool:
    """Return whether a token's id has been used."""
    query = "SELECT 1 FROM used_jti WHERE host_index = ? AND jti = ?"
    return db.execute(query, (index.name, jti)).fetchone() is not None


def _attach(db: sqlite3.Connection, index: PackageIndex, registration: Registration, project: int) -> Publisher:
    values = _values(index, registration)
    db.execute(
        "INSERT OR IGNORE INTO publisher (host_index, provider, owner, repository, owner_id, workflow, environment)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    row = db.execute(
        "SELECT id FROM publisher"
        " WHERE host_index = ? AND provider = ? AND owner = ? AND repository = ? AND workflow = ? AND environment = ?",
        (*values[:4], *values[5:]),
    ).fetchone()
    db.execute("INSERT OR IGNORE INTO publisher_project VALUES (?, ?)", (row["id"], project))
    return Publisher(int(row["id"]), registration)


def _values(index: PackageIndex, registration: Registration) -> tuple[str, ...]:
    named = (registration.owner, registration.repository, registration.owner_id, registration.workflow)
    # The names of GitLab's environments are case-sensitive.
    on_gitlab, environment = registration.provider == "gitlab", registration.environment
    return (index.name, registration.provider, *named, environment if on_gitlab else environment.lower())


def _registration(row: sqlite3.Row, project: str) -> Registration:
    fields = ("owner", "repository", "workflow", "environment", "owner_id", "provider")
    return Registration(project, **{field: str(row[field]) for field in fields})


def forget_old(db: sqlite3.Connection, now: float) -> None:
    """Remove pending publishers after 30 days."""
    db.execute("DELETE FROM pending_publisher WHERE created < ?", (now - PENDING_SECONDS,))


def _rowid(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:  # pragma: no cover - only after a statement that is no INSERT
        raise AssertionError
    return cursor.lastrowid
