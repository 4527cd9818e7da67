"""The local index: routes requests by host and path, and has methods to set up its state."""

from __future__ import annotations

import hashlib
import json
import re
import time
from html import escape
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from tagship.indexes import INDEXES, index_of
from tagship.rehearsal.faults import Fault, Faults
from tagship.rehearsal.index import log, publishers, releases
from tagship.rehearsal.index.minting import Mint
from tagship.rehearsal.index.refusal import MintRefusal, Refusal
from tagship.rehearsal.index.serving import Serving
from tagship.rehearsal.index.state import State
from tagship.rehearsal.index.uploads import Uploads
from tagship.rehearsal.web import WebServer, drop, read_body

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tagship.indexes import PackageIndex
    from tagship.publisher import Registration
    from tagship.rehearsal.web import Form

_TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    410: "Gone",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    410: "This resource is no longer available.  No forwarding address is given.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The server is currently unavailable. Please try again at a later time.",
}
_SUBMIT = "Project pre-registration is no longer required or supported, upload your files instead."
_DOCS = "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/."
_GONE = {"submit": _SUBMIT, "submit_pkg_info": _SUBMIT, "doc_upload": _DOCS}
"""The former actions of the index other than `file_upload`, and its answers to them."""
_JSON_API = re.compile(r"/pypi/[^/]+/?[^/]*/json/?")
_NO_SLASH = "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)"


class LocalIndex:
    """PyPI and TestPyPI in one server, distinguished by the Host header.

    `directory` holds the state, `issuers` maps an `iss` claim to the address of its discovery document,
    `clock` returns seconds since the epoch. Methods take the index's name, "pypi" or "testpypi".
    """

    def __init__(
        self,
        directory: Path,
        issuers: Mapping[str, str],
        *,
        tls: ssl.SSLContext | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._state = State(directory)
        self.mint = Mint(self._state, issuers, self.faults, clock)
        self._uploads = Uploads(self._state, self.faults, clock)
        self._serving = Serving(self._state, self.faults, clock)
        self.server = WebServer(self.answer, tls)

    def register(self, registration: Registration, index: str = "pypi") -> None:
        """Register a publisher for a project, which is created if it does not exist."""
        with self._state.writing() as db:
            publishers.register(db, INDEXES[index], registration)

    def register_pending(self, registration: Registration, index: str = "pypi") -> None:
        """Register a publisher for a project that does not exist; raises TagshipError where PyPI refuses."""
        with self._state.writing() as db:
            publishers.register_pending(db, INDEXES[index], registration, self._clock())

    def prohibit(self, name: str, index: str = "pypi") -> None:
        """Prohibit a name for new projects, as PyPI's administrators can."""
        with self._state.writing() as db:
            publishers.prohibit(db, INDEXES[index], name)

    def grant(self, limit: int) -> None:
        """Set the size limit of the project's files in MiB, as PyPI does on request."""
        self._uploads.file_limit = limit

    def put_release(
        self,
        project: str,
        version: str,
        *,
        files: Mapping[str, bytes] | None = None,
        uploaded: float | None = None,
        index: str = "pypi",
    ) -> None:
        """Add a release without any check, uploaded at a time (in seconds since the epoch; default: now)."""
        at = self._clock() if uploaded is None else uploaded
        with self._state.writing() as db:
            number = publishers.add_project(db, INDEXES[index], project)
            release = releases.release(db, number, version) or releases.add_release(db, number, version, at, {})
            for filename, content in (files or {}).items():
                file = _unchecked(filename, content, version, at)
                releases.add_file(db, INDEXES[index], release, file)
                self._state.keep(file.blake2_256, content)

    def registrations(self, index: str = "pypi") -> list[Registration]:
        """Return every registered publisher, pending ones last."""
        with self._state.reading() as db:
            return publishers.registrations(db, INDEXES[index])

    def files(self, project: str, index: str = "pypi") -> list[releases.StoredFile]:
        """Return a project's files with their digests, including those that are not listed yet."""
        with self._state.reading() as db:
            number = publishers.project_id(db, INDEXES[index], project)
            return [] if number is None else releases.files(db, number)

    def mints(self, index: str = "pypi") -> list[log.MintEntry]:
        """Return every request for an upload token, in order."""
        with self._state.reading() as db:
            return log.mints(db, INDEXES[index])

    def tokens(self, index: str = "pypi") -> int:
        """Return the number of upload tokens that were minted and not burned."""
        with self._state.reading() as db:
            query = "SELECT count(*) FROM token WHERE host_index = ?"
            return int(db.execute(query, (INDEXES[index].name,)).fetchone()[0])

    def uploads(self, index: str = "pypi") -> list[log.UploadEntry]:
        """Return every upload, in order."""
        with self._state.reading() as db:
            return log.uploads(db, INDEXES[index])

    def answer(self, request: Form) -> Response:
        """Answer a request as the index with this host would."""
        index = index_of(request.host)
        if index is None:
            return Response("Unknown host", status=421)
        read_body(request)
        self._reset(request)
        time.sleep(self.faults.seconds(Fault.SLOW))
        try:
            return _unstored(self._route(index, request))
        except NotFound as error:
            return _not_found(error, request)
        except HTTPException as error:
            return Response(error.get_body(), status=f"{error.code} {error.name}", headers=error.get_headers())
        except Refusal as refusal:
            return _refused(refusal, request)

    def _reset(self, request: Form) -> None:
        if request.method == "POST" and request.path == "/legacy/" and self.faults.take(Fault.UPLOAD_RESET):
            drop(request)

    def _route(self, index: PackageIndex, request: Form) -> Response:
        host = request.host.partition(":")[0].lower()
        if host in index.retired:
            return redirect(f"https://{index.site}{request.full_path.rstrip('?')}", 301)
        if host == index.files:
            _only(request, "GET")
            return self._serving.download(index, request.path)
        if request.path.startswith("/_/oidc/"):
            return self._oidc(index, request)
        if host == index.upload_host and request.path in {"/legacy/", "/legacy"}:
            return self._legacy(index, request)
        if host == index.site:
            return self._site(index, request)
        raise NotFound

    def _oidc(self, index: PackageIndex, request: Form) -> Response:
        if request.path == "/_/oidc/audience":
            _only(request, "GET")
            if not self.mint.enabled:
                return _json({"message": "Trusted publishing functionality not enabled"}, 403)
            return _json({"audience": index.name})
        if request.path not in {"/_/oidc/mint-token", "/_/oidc/github/mint-token", "/_/oidc/burn-token"}:
            raise NotFound
        _only(request, "POST")
        try:
            if request.path == "/_/oidc/burn-token":
                self.mint.burn(index, request.get_data())
                return _json({"message": "Accepted"}, 202)
            return _json(self.mint.exchange(index, request.get_data()))
        except MintRefusal as refusal:
            error = {"code": refusal.code, "description": refusal.description}
            return _json({"message": "Token request failed", "errors": [error]}, 422)

    def _legacy(self, index: PackageIndex, request: Form) -> Response:
        if request.path == "/legacy":
            _only(request, "POST")
            return Response("", status=f"308 {_NO_SLASH}", headers={"Location": "/legacy/"})
        action = request.args.get(":action") or request.form.get(":action")
        if action not in {"file_upload", *_GONE}:
            _only(request, "GET")
            return Response("This is where packages are uploaded to.\n")
        _only(request, "POST")
        if action in _GONE:
            raise Refusal(_GONE[action], 410)
        if pause := self.faults.seconds(Fault.TOO_MANY_REQUESTS):
            return Response("Too Many Requests", status=429, headers={"Retry-After": f"{pause:.0f}"})
        self._uploads.receive(index, request)
        return Response("", content_type="text/html; charset=UTF-8")

    def _site(self, index: PackageIndex, request: Form) -> Response:
        _only(request, "GET")
        parts = request.path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) <= 2:
            if not request.path.endswith("/"):
                return redirect(f"{request.path}/", 301)
            return self._simple(index, request, parts[1:])
        if parts[0] == "pypi" and parts[-1] == "json" and len(parts) in {3, 4}:
            return self._serving.json(index, parts[1], parts[2] if len(parts) == 4 else None)
        if parts[0] == "integrity" and parts[-1] == "provenance" and len(parts) == 5:
            return self._serving.provenance(index, request, *parts[1:4])
        raise NotFound

    def _simple(self, index: PackageIndex, request: Form, name: list[str]) -> Response:
        return self._serving.project(index, request, name[0]) if name else self._serving.root(index, request)


def _only(request: Form, method: str) -> None:
    if request.method != method and not (method == "GET" and request.method == "HEAD"):
        raise MethodNotAllowed([method])


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _not_found(error: NotFound, request: Form) -> Response:
    """Answer 404: in the form of the simple and the JSON API to their clients, with a page to others."""
    if request.path.startswith("/simple/"):
        return Response("404 Not Found", status=404, content_type="text/plain; charset=UTF-8")
    if _JSON_API.fullmatch(request.path):
        return _json({"message": "Not Found"}, 404)
    return Response(error.get_body(), status=404, headers=error.get_headers())


def _unstored(response: Response) -> Response:
    # PyPI lets clients cache these for minutes; a rehearsal must leave nothing in their caches.
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(refusal: Refusal, request: Form) -> Response:
    """Refuse as PyPI does: the message is the reason in the status line, which is what twine prints."""
    title, explanation = _TITLES[refusal.status], _EXPLANATIONS[refusal.status]
    printable = "".join(char if char.isprintable() else " " for char in refusal.message)
    reason = f"{refusal.status} {printable}".encode("iso-8859-1", "replace").decode("iso-8859-1")
    kind = request.accept_mimetypes.best_match(["text/html", "text/plain", "application/json"], "text/html")
    if kind == "application/json":
        body = json.dumps({"message": explanation, "code": reason, "title": title})
    elif kind == "text/plain":
        body = f"{reason}\n\n{explanation}\n\n{refusal.message}\n"
    else:
        heading = escape(reason)
        body = (
            f"<html>\n <head>\n  <title>{heading}</title>\n </head>\n <body>\n  <h1>{heading}</h1>\n"
            f"  {explanation}<br/><br/>\n{escape(refusal.message)}\n\n\n </body>\n</html>"
        )
    return Response(body, status=reason, content_type=f"{kind}; charset=UTF-8")


def _unchecked(filename: str, content: bytes, version: str, at: float) -> releases.StoredFile:
    is_wheel = filename.endswith(".whl")
    return releases.StoredFile(
        version=version,
        filename=filename,
        packagetype="bdist_wheel" if is_wheel else "sdist",
        python="py3" if is_wheel else "source",
        size=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        blake2_256=hashlib.blake2b(content, digest_size=32).hexdigest(),
        core_metadata=None,
        uploaded=at,
        provenance=None,
    )
