"""Simulates GitHub's REST API for releases and their assets: https://docs.github.com/rest/releases."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from tagship.rehearsal.web import WebServer, read_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.rehearsal.web import Form

REPOSITORY = "/repos/<owner>/<name>"
RELEASES = f"{REPOSITORY}/releases"
ROUTES = Map(
    [
        Rule(f"{REPOSITORY}/commits/tags/<path:tag>", endpoint="commit", methods=["GET"]),
        Rule(RELEASES, endpoint="listing", methods=["GET"]),
        Rule(RELEASES, endpoint="create", methods=["POST"]),
        Rule(f"{RELEASES}/tags/<path:tag>", endpoint="by_tag", methods=["GET"]),
        Rule(f"{RELEASES}/<int:number>", endpoint="update", methods=["PATCH"]),
        Rule(f"{RELEASES}/<int:number>/assets", endpoint="assets", methods=["GET"]),
        Rule(f"/uploads{RELEASES}/<int:number>/assets", endpoint="upload", methods=["POST"]),
        Rule(f"{RELEASES}/assets/<int:number>", endpoint="delete", methods=["DELETE"]),
    ]
)
FIELDS = {"tag_name", "name", "body", "draft", "prerelease", "make_latest", "target_commitish"}


class GitHub:
    """The releases and tags of one repository; `log` has each request that changes something.

    `broken` is how many of the next uploads fail as GitHub's can: 502, and an asset in the state `starter`.
    """

    def __init__(self, slug: str = "") -> None:
        self.slug, self.token = slug, f"ghs_{secrets.token_hex(18)}"
        self.tags: dict[str, str] = {}
        self.releases: dict[int, dict[str, Any]] = {}
        self.files: dict[int, dict[str, Any]] = {}
        self.contents: dict[int, bytes] = {}
        self.log: list[str] = []
        self.immutable, self.broken, self._last = False, 0, 1000
        self.server = WebServer(self.answer)

    @property
    def address(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.server.port}"

    @contextmanager
    def running(self) -> Iterator[GitHub]:
        """Serve until the block ends."""
        self.server.start()
        try:
            yield self
        finally:
            self.server.stop()

    def push(self, slug: str, tag: str, commit: str) -> None:
        """Add the repository `slug`, with this `tag` at `commit`."""
        self.slug = slug
        self.tags[tag] = commit

    def variables(self) -> dict[str, str]:
        """Return the variables with which a job uses it."""
        return {"GITHUB_API_URL": self.address, "GITHUB_REPOSITORY": self.slug, "GITHUB_TOKEN": self.token}

    def answer(self, request: Form) -> Response:
        """Answer a request as documented for the API."""
        read_body(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _json({"message": "Bad credentials", "status": "401"}, 401)
        try:
            name, found = ROUTES.bind_to_environ(request.environ).match()
            values = dict(found)
            if f"{values.pop('owner')}/{values.pop('name')}" != self.slug:
                raise NotFound
            if request.method != "GET":
                self.log.append(f"{request.method} {request.path}")
            response: Response = getattr(self, f"_{name}")(request, **values)
        except (HTTPException, KeyError):
            return _json({"message": "Not Found", "status": "404"}, 404)
        return response

    def add(self, tag: str, **fields: Any) -> dict[str, Any]:
        """Create a release, as a person does on GitHub's page."""
        release = {"id": self._next(), "tag_name": tag, "name": tag, "body": "", "draft": False, "prerelease": False}
        found = {**release, "immutable": False, **fields}
        path = f"/repos/{self.slug}/releases/{found['id']}"
        found |= {"url": f"{self.address}{path}", "assets_url": f"{self.address}{path}/assets"}
        found["upload_url"] = f"{self.address}/uploads{path}/assets{{?name,label}}"
        self.releases[found["id"]] = found
        return self._published(found)

    def attach(self, release: dict[str, Any], name: str, content: bytes, state: str = "uploaded") -> dict[str, Any]:
        """Add an asset to a release; GitHub replaces special characters in names."""
        number = self._next()
        url = f"{self.address}/repos/{self.slug}/releases/assets/{number}"
        asset = {"id": number, "name": re.sub(r"[^\w.+-]", ".", name), "state": state, "size": len(content), "url": url}
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}" if state == "uploaded" else None
        self.files[number] = {**asset, "digest": digest, "release": release["id"]}
        self.contents[number] = content
        return self.files[number]

    def names(self, release: dict[str, Any]) -> list[str]:
        """Return the names of a release's complete assets."""
        return sorted(asset["name"] for asset in self._of(release["id"]) if asset["state"] == "uploaded")

    def _of(self, number: int) -> list[dict[str, Any]]:
        return [asset for asset in self.files.values() if asset["release"] == number]

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _published(self, release: dict[str, Any]) -> dict[str, Any]:
        """Record the effects of publishing a release: its URL, a new tag, immutability."""
        page = f"untagged-{release['id']:x}" if release["draft"] else release["tag_name"]
        release["html_url"] = f"https://github.com/{self.slug}/releases/tag/{page}"
        if not release["draft"]:
            self.tags.setdefault(release["tag_name"], "the head of the default branch")
            release["immutable"] = release["immutable"] or self.immutable
        return release

    def _taken(self, tag: str, number: int = 0) -> bool:
        return any(
            each["tag_name"] == tag and not each["draft"] and each["id"] != number for each in self.releases.values()
        )

    def _commit(self, _: Form, tag: str) -> Response:
        if tag not in self.tags:
            return _json({"message": f"No commit found for SHA: tags/{tag}", "status": "422"}, 422)
        return _json({"sha": self.tags[tag]})

    def _listing(self, request: Form) -> Response:
        return self._page(request, [self.releases[number] for number in sorted(self.releases, reverse=True)])

    def _by_tag(self, _: Form, tag: str) -> Response:
        found = [each for each in self.releases.values() if each["tag_name"] == tag and not each["draft"]]
        return _json(found[0]) if found else _json({"message": "Not Found"}, 404)

    def _create(self, request: Form) -> Response:
        fields = _fields(request)
        if self._taken(fields["tag_name"]):
            return _invalid("Release", "already_exists", "tag_name")
        return _json(self.add(fields.pop("tag_name"), **fields), 201)

    def _update(self, request: Form, number: int) -> Response:
        release, fields = self.releases[number], _fields(request)
        if not fields.get("draft", release["draft"]) and self._taken(
            fields.get("tag_name", release["tag_name"]), number
        ):
            return _invalid("Release", "already_exists", "tag_name")
        release.update(fields)
        return _json(self._published(release))

    def _assets(self, request: Form, number: int) -> Response:
        return self._page(request, self._of(self.releases[number]["id"]))

    def _upload(self, request: Form, number: int) -> Response:
        release, name, content = self.releases[number], request.args["name"], request.get_data()
        if release["immutable"]:
            return _json({"message": "Cannot upload assets to an immutable release."}, 422)
        if any(asset["name"] == re.sub(r"[^\w.+-]", ".", name) for asset in self._of(number)):
            return _invalid("ReleaseAsset", "already_exists", "name")
        if self.broken:
            self.broken -= 1
            self.attach(release, name, content, "starter")
            return _json({"message": "Bad Gateway"}, 502)
        return _json(self.attach(release, name, content), 201)

    def _delete(self, _: Form, number: int) -> Response:
        if self.releases[self.files[number]["release"]]["immutable"]:
            return _json({"message": "Cannot delete asset from an immutable release"}, 422)
        del self.files[number]
        return Response(status=204)

    def _page(self, request: Form, items: list[dict[str, Any]]) -> Response:
        size, page = min(int(request.args.get("per_page", 30)), 100), int(request.args.get("page", 1))
        response = _json(items[(page - 1) * size : page * size])
        if page * size < len(items):
            following = f"{self.address}{request.path}?per_page={size}&page={page + 1}"
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response


def _fields(request: Form) -> dict[str, Any]:
    content = json.loads(request.get_data())
    return {name: value for name, value in content.items() if name in FIELDS}


def _invalid(resource: str, code: str, field: str) -> Response:
    errors = [{"resource": resource, "code": code, "field": field}]
    return _json({"message": "Validation Failed", "errors": errors, "status": "422"}, 422)


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json; charset=utf-8")
