"""What clients read: the simple API (PEP 503, 691, 700, 714), the JSON API, and the files themselves."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from tagship.rehearsal.faults import Fault
from tagship.rehearsal.index import publishers, releases

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tagship.indexes import PackageIndex
    from tagship.rehearsal.faults import Faults
    from tagship.rehearsal.index.releases import Release, StoredFile
    from tagship.rehearsal.index.state import State
    from tagship.rehearsal.web import Form

HTML, HTML_V1 = "text/html", "application/vnd.pypi.simple.v1+html"
JSON_V1 = "application/vnd.pypi.simple.v1+json"
INTEGRITY_V1 = "application/vnd.pypi.integrity.v1+json"
API_VERSION = "1.4"


class Serving:
    """Answers GET requests from a state; every method raises NotFound for what does not exist."""

    def __init__(self, state: State, faults: Faults, clock: Callable[[], float]) -> None:
        self._state = state
        self._faults = faults
        self._clock = clock

    def root(self, index: PackageIndex, request: Form) -> Response:
        """Return the list of projects."""
        with self._state.reading() as db:
            query = "SELECT name FROM project WHERE host_index = ? ORDER BY normalized"
            names = [str(row["name"]) for row in db.execute(query, (index.name,))]
            serial = _serial(db)
        links = [f'<a href="/simple/{canonicalize_name(name)}/">{escape(name)}</a>' for name in names]
        meta = {"api-version": API_VERSION, "_last-serial": serial}
        data = {"meta": meta, "projects": [{"name": name} for name in names]}
        return _negotiated(request, data, _page("Simple index", links))

    def project(self, index: PackageIndex, request: Form, name: str) -> Response:
        """Return a project's files."""
        with self._state.reading() as db:
            files = self._files(db, index, name)
            serial = _serial(db)
        if name != canonicalize_name(name):
            return redirect(f"/simple/{canonicalize_name(name)}/", 301)
        data = {
            "meta": {"api-version": API_VERSION, "_last-serial": serial},
            "name": name,
            "project-status": {"status": "active"},
            "versions": sorted({file.version for file in files}, key=Version),
            "files": [_simple_file(index, file, name) for file in files],
        }
        return _negotiated(request, data, _page(f"Links for {name}", [_link(index, file) for file in files]))

    def json(self, index: PackageIndex, name: str, version: str | None) -> Response:
        """Return a release, or a project's latest one, as the JSON API does."""
        with self._state.reading() as db:
            files = self._files(db, index, name)
            project = publishers.project_id(db, index, name)
            found = releases.releases(db, project) if project else []
            title = db.execute("SELECT name FROM project WHERE id = ?", (project,)).fetchone()
            serial = _serial(db)
        # A release is not listed before its files are.
        listed = [each for each in found if any(file.version == each.version for file in files)]
        chosen = _chosen(listed, version)
        if name != canonicalize_name(name):
            below = f"{version}/json" if version else "json"
            return redirect(f"/pypi/{canonicalize_name(name)}/{below}", 301)
        by_version = {
            each.version: [_json_file(index, file) for file in files if file.version == each.version] for each in listed
        }
        data = {
            "info": _info(index, str(title["name"]), chosen),
            "urls": by_version[chosen.version],
            "vulnerabilities": [],
            "last_serial": serial,
        }
        return _json(data if version else {**data, "releases": by_version}, "application/json")

    def provenance(self, index: PackageIndex, request: Form, name: str, version: str, filename: str) -> Response:
        """Return the provenance of a file: https://docs.pypi.org/api/integrity/."""
        with self._state.reading() as db:
            named = [file for file in self._files(db, index, name) if file.filename == filename]
        found = next(
            (file for file in named if canonicalize_version(file.version) == canonicalize_version(version)), None
        )
        if found is None:
            raise NotFound
        offers = [INTEGRITY_V1, "application/json"]
        chosen = request.accept_mimetypes.best_match(offers) if request.accept_mimetypes else INTEGRITY_V1
        if chosen is None:
            response = _json({"message": "Request not acceptable"}, "application/json", 406)
        elif found.provenance is None:
            response = _json({"message": f"No provenance available for {filename}"}, "application/json", 404)
        else:
            response = Response(found.provenance, content_type=chosen)
        response.vary.add("Accept")
        return response

    def download(self, index: PackageIndex, path: str) -> Response:
        """Return a file, or the metadata of a wheel (PEP 658)."""
        wanted = path.removesuffix(".metadata")
        parts = wanted.split("/")
        if len(parts) != 6:
            raise NotFound
        with self._state.reading() as db:
            file = releases.twin(db, index, parts[5], "")
        if file is None or "".join(parts[2:5]) != file["blake2_256"]:
            raise NotFound
        if wanted == path:
            content = self._state.path(file["blake2_256"])
        elif file["core_metadata"]:
            content = self._state.path(f"{file['blake2_256']}.metadata")
        else:
            raise NotFound
        return Response(content.read_bytes(), content_type="application/octet-stream")

    def _files(self, db: sqlite3.Connection, index: PackageIndex, name: str) -> list[StoredFile]:
        project = publishers.project_id(db, index, name)
        if project is None:
            raise NotFound
        listed_until = self._clock() - self._faults.seconds(Fault.INDEX_LAG)
        return [file for file in releases.files(db, project) if file.uploaded <= listed_until]


def _chosen(listed: list[Release], version: str | None) -> Release:
    if version is not None:
        try:
            wanted = Version(version)
        except ValueError:
            raise NotFound from None
        listed = [each for each in listed if Version(each.version) == wanted]
    if not listed:
        raise NotFound
    final = [each for each in listed if not Version(each.version).is_prerelease]
    return (final or listed)[-1]


def _serial(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(id), 0) FROM file").fetchone()[0])


def _negotiated(request: Form, data: dict[str, Any], page: str) -> Response:
    """Answer in the form that the Accept header prefers, HTML by default (PEP 691)."""
    offers = [HTML, HTML_V1, JSON_V1]
    chosen = request.accept_mimetypes.best_match(offers, HTML) if request.accept_mimetypes else HTML
    response = _json(data, JSON_V1) if chosen == JSON_V1 else Response(page, content_type=f"{chosen}; charset=UTF-8")
    response.vary.add("Accept")
    response.headers["X-PyPI-Last-Serial"] = str(data["meta"]["_last-serial"])
    return response


def _json(data: dict[str, Any], content_type: str, status: int = 200) -> Response:
    return Response(json.dumps(data) + "\n", status, content_type=content_type)


def _page(title: str, lines: list[str]) -> str:
    body = "<br />\n".join(lines)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n'
        f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"<title>{escape(title)}</title>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _link(index: PackageIndex, file: StoredFile) -> str:
    attributes = ""
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.core_metadata:
        digest = f"sha256={file.core_metadata}"
        attributes += f' data-dist-info-metadata="{digest}" data-core-metadata="{digest}"'
    return f'<a href="{_url(index, file)}#sha256={file.sha256}"{attributes}>{escape(file.filename)}</a>'


def _url(index: PackageIndex, file: StoredFile) -> str:
    return f"https://{index.files}{file.path}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _simple_file(index: PackageIndex, file: StoredFile, name: str) -> dict[str, Any]:
    address = f"https://{index.site}/integrity/{name}/{file.version}/{file.filename}/provenance"
    core = {"sha256": file.core_metadata} if file.core_metadata else False
    return {
        "filename": file.filename,
        "url": _url(index, file),
        "hashes": {"sha256": file.sha256},
        "requires-python": file.requires_python,
        "size": file.size,
        "upload-time": _time(file.uploaded),
        "yanked": False,
        "data-dist-info-metadata": core,
        "core-metadata": core,
        "provenance": address if file.provenance else None,
    }


def _json_file(index: PackageIndex, file: StoredFile) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "packagetype": file.packagetype,
        "python_version": file.python,
        "has_sig": False,
        "comment_text": "",
        "md5_digest": file.md5,
        "digests": {"md5": file.md5, "sha256": file.sha256, "blake2b_256": file.blake2_256},
        "core-metadata": {"sha256": file.core_metadata} if file.core_metadata else False,
        "size": file.size,
        "downloads": -1,
        "upload_time": _time(file.uploaded)[:19],
        "upload_time_iso_8601": _time(file.uploaded),
        "url": _url(index, file),
        "requires_python": file.requires_python,
        "yanked": False,
        "yanked_reason": None,
    }


def _info(index: PackageIndex, name: str, release: Release) -> dict[str, Any]:
    page = f"https://{index.site}/project/{name}/"
    return {
        **release.metadata,
        "name": name,
        "version": release.version,
        "package_url": page,
        "project_url": page,
        "release_url": f"{page}{release.version}/",
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "bugtrack_url": None,
        "docs_url": None,
        "yanked": False,
        "yanked_reason": None,
    }
