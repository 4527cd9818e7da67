"""What a package index serves, from its simple API (PEP 503, 691 and 700)."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit

import requests
from requests.utils import get_auth_from_url
from twine.settings import Settings
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY
from urllib3.exceptions import HTTPError

from ..errors import ReleaseError, refusal
from .retry import TransientError, failure

T = TypeVar("T")
HEADERS = {
    "Accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.integrity.v1+json"
    ", application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1",
    "Accept-Encoding": "identity",  # an index may declare a .tar.gz as a compressed response
    "Cache-Control": "no-cache",
}
TIMEOUT = 30  # seconds, to connect and for each part of a response
MAX_LISTING = 100 * 2**20  # bytes
MAX_REDIRECTS = 5
ABSENT = {404, 410, *range(300, 400)}  # the responses of an index without the project or file


class Remote(NamedTuple):
    """A file at an index: its URL, and, "" if not known, its SHA-256, upload time, and provenance's URL (PEP 740)."""

    url: str
    sha256: str = ""
    uploaded: str = ""
    provenance: str = ""


@dataclass(frozen=True)
class Index:
    """An index: the URL for uploads, and those of its simple API."""

    upload_url: str
    simple_urls: tuple[str, ...]
    site: str = ""  # the website of PyPI or TestPyPI, "" for another index
    auth: tuple[str, str] = field(default=("", ""), repr=False)
    ca_file: str | None = None  # in place of those that requests uses
    timeout: float = TIMEOUT

    def page(self, name: str, version: str) -> str:
        """Return the URL of a release's page, or of the project's list of files if the index has no such page."""
        return f"{self.site}project/{name}/{version}/" if self.site else f"{self.simple_urls[0]}{name}/"

    def files(self, name: str) -> dict[str, Remote]:
        """Return the files that the index serves for the project `name`; raise `ReleaseError` if it fails."""
        found: dict[str, Remote] = {}
        for url in self.simple_urls:
            found.update(self._get(f"{url}{name}/", _listing, guess=url != self.simple_urls[0]) or {})
        return found

    def sha256(self, remote: Remote) -> str:
        """Return the SHA-256 of a file as the index lists it, or of the file itself if the index has another hash."""
        self._check_scheme(remote.url)  # an installer would follow any other scheme too
        return remote.sha256 or self.downloaded(remote)

    def downloaded(self, remote: Remote) -> str:
        """Return the SHA-256 of a file as the index delivers it."""
        if not (digest := self._get(remote.url, _sha256, elsewhere=True)):
            raise TransientError(f"{remote.url}: the index lists this file, but does not serve it [not-served]")
        return digest

    def provenance(self, remote: Remote) -> Any:
        """Return the provenance of a file (JSON, https://docs.pypi.org/api/integrity/), None if there is none."""
        return self._get(remote.provenance, _json, elsewhere=True) if remote.provenance else None

    def _get(
        self, url: str, read: Callable[[requests.Response], T], *, guess: bool = False, elsewhere: bool = False
    ) -> T | None:
        """Return what `read` makes of the response; None if there is nothing at `url`.

        If the URL is a `guess`, any 4xx means that. A file may be `elsewhere`, on another host; a listing there, after
        a redirect (as from pypiserver to PyPI), belongs to another index.
        """
        host = urlsplit(url).netloc
        for _ in range(MAX_REDIRECTS):
            try:
                with self._response(url) as response:
                    if response.ok and not response.is_redirect:
                        return read(response)
            except (OSError, ValueError, HTTPError) as error:
                reason = getattr(next(iter(error.args), None), "reason", error)  # requests wraps the error of urllib3
                raise failure(error, f"{url}: no response ({reason or type(error).__name__})", self.site) from None
            if not response.is_redirect:
                if response.status_code in ABSENT or (guess and response.status_code < 500):
                    return None
                raise self._refusal(url, response)
            url = urljoin(url, response.headers["Location"])
            if not elsewhere and urlsplit(url).netloc != host:
                break
        return None

    def _response(self, url: str) -> requests.Response:
        """Return the response to a request, without its body; credentials are sent only to the index's own hosts."""
        self._check_scheme(url)
        own = {urlsplit(each)[:2] for each in (self.upload_url, *self.simple_urls)}
        auth = self.auth if self.auth[1] and urlsplit(url)[:2] in own else get_auth_from_url(url)
        options: Any = {"timeout": self.timeout, "allow_redirects": False, "stream": True}
        return self._session.get(url, auth=auth if any(auth) else None, verify=self.ca_file, **options)

    @cached_property
    def _session(self) -> requests.Session:
        """The connections, which later requests use again."""
        session = requests.Session()
        session.headers.update(HEADERS)
        session.auth = lambda request: request  # else requests takes credentials from a .netrc
        return session

    def _check_scheme(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            expected = "one with http or https"
            raise refusal("index-answer", self.upload_url, f"a link to {url!r}", expected, "ask who runs the index")

    def _refusal(self, url: str, response: requests.Response) -> ReleaseError:
        text = f"{url}: the index answered {response.status_code} {response.reason}, expected 200 or 404"
        if response.status_code in {401, 403}:
            remedy = "set TWINE_USERNAME and TWINE_PASSWORD to a user who may read it"
            return ReleaseError(f"{text}; {remedy} [credentials]")
        return failure(requests.HTTPError(), text, self.site, response)


def resolve(settings: Settings, environ: Mapping[str, str], index_url: str = "") -> Index:
    """Return the index that twine's `settings` upload to, whose simple API is at `index_url` if that is set."""
    config = settings.repository_config
    url = config["repository"] or ""
    if f"{url.rstrip('/')}/" in {DEFAULT_REPOSITORY, TEST_REPOSITORY}:
        site = f"https://{urlsplit(url).netloc.removeprefix('upload.')}/"
        return Index(url, (f"{site}simple/",), site, ca_file=settings.cacert)
    base = url.rstrip("/").removesuffix("/legacy").removesuffix("/upload")
    given = urlsplit(url)
    username = environ.get("TWINE_USERNAME") or config.get("username") or given.username or ""
    auth = (username, environ.get("TWINE_PASSWORD") or config.get("password") or given.password or "")
    base = base.replace(f"{given.netloc.rpartition('@')[0]}@", "", 1) if given.username else base
    guesses = (f"{base}/simple/", f"{base}/+simple/")  # the second one is that of devpi
    return Index(url, (f"{index_url.rstrip('/')}/",) if index_url else guesses, auth=auth, ca_file=settings.cacert)


def _sha256(response: requests.Response) -> str:
    digest = hashlib.sha256()
    for chunk in response.raw.stream(1 << 20, decode_content=False):
        digest.update(chunk)
    return digest.hexdigest()


def _body(response: requests.Response) -> bytes:
    body: bytes = response.raw.read(MAX_LISTING + 1, decode_content=True)
    if len(body) > MAX_LISTING:
        found = f"found a response larger than {MAX_LISTING} bytes"
        raise ReleaseError(f"{response.url}: {found}, expected a shorter one [index-answer]")
    return body


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(_body(response))
    except ValueError:
        found = "found a response that is not JSON"
        raise TransientError(f"{response.url}: {found}, expected a provenance [index-answer]") from None


def _listing(response: requests.Response) -> dict[str, Remote]:
    return _parsed(response.url, response.headers.get("Content-Type", ""), _body(response))


def _parsed(url: str, content_type: str, body: bytes) -> dict[str, Remote]:
    text = body.decode("utf-8", "replace")
    try:
        if "json" in content_type:
            return {str(file["filename"]): _listed(url, file) for file in json.loads(text)["files"]}
        page = _Links()
        page.feed(text)
        return dict(_remote(urljoin(url, link)) for link in page.links)
    except (ValueError, KeyError, TypeError, AttributeError):
        found = "found a response that is not a list of files"
        raise TransientError(f"{url}: {found}, expected PEP 503 or PEP 691 [index-answer]") from None


def _listed(url: str, file: dict[str, Any]) -> Remote:
    sha256 = (file.get("hashes") or {}).get("sha256", "").lower()
    uploaded, provenance = (str(file.get(key) or "") for key in ("upload-time", "provenance"))
    return Remote(urljoin(url, file["url"]), sha256, uploaded, provenance)


def _remote(link: str) -> tuple[str, Remote]:
    address, fragment = urldefrag(link)
    name = unquote(urlsplit(address).path.rpartition("/")[2])
    return name, Remote(address, parse_qs(fragment).get("sha256", [""])[0].lower())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (link := dict(attrs).get("href")):
            self.links.append(link)
