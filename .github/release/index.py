"""Asking a package index what it serves."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException, InvalidURL
from pathlib import Path
from socket import EAI_AGAIN, gaierror
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import certifi
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from .errors import ReleaseError
from .explain import explained
from .patience import PassingError, asked_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twine.settings import Settings

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
TIMEOUT = 30  # seconds, for one request


class Remote(NamedTuple):
    """A file that an index serves: its address, its hashes in hexadecimal by algorithm, and when it came (PEP 700)."""

    url: str
    hashes: dict[str, str]
    uploaded: str = ""


@dataclass(frozen=True)
class Index:
    """An index: where it takes uploads, and where it says what it has (the simple API, PEP 503 and 691)."""

    upload_url: str
    simple_urls: tuple[str, ...]
    site: str = ""  # PyPI's or TestPyPI's own, "" for another index
    auth: tuple[str, str] = field(default=("", ""), repr=False)
    ca_file: str | None = None

    def page(self, name: str, version: str) -> str:
        """Return the address of a release's page, or of the project's list of files where there is no page."""
        return f"{self.site}project/{name}/{version}/" if self.site else f"{self.simple_urls[0]}{name}/"

    def files(self, name: str) -> dict[str, Remote]:
        """Return the files that the index serves for the project `name`; raise `ReleaseError` where it fails."""
        found: dict[str, Remote] = {}
        for url in self.simple_urls:
            answer = self._get(f"{url}{name}/", self.auth, guess=url != self.simple_urls[0])
            if answer is not None:
                found.update(_parsed(*answer))
        return found

    def sha256(self, remote: Remote) -> str:
        """Return the SHA-256 of a file as the index gives it, or of the file itself where it gives another hash."""
        if listed := remote.hashes.get("sha256"):
            return listed
        mine = urlsplit(remote.url).netloc == urlsplit(self.upload_url).netloc
        answer = self._get(remote.url, self.auth if mine else ("", ""), elsewhere=True)
        if answer is None:
            raise PassingError(f"{remote.url}: the index lists this file, and does not serve it")
        return hashlib.sha256(answer[2]).hexdigest()

    def _get(
        self, url: str, auth: tuple[str, str], *, guess: bool = False, elsewhere: bool = False
    ) -> tuple[str, str, bytes] | None:
        """Return the final address, the content type and the body; None where there is nothing.

        Where the address is a `guess`, no refusal (4xx) is one; a file may lie `elsewhere`, a listing may not.
        """
        request = urllib.request.Request(url, headers={"Accept": ACCEPT, "Cache-Control": "no-cache"})
        if auth[1]:
            request.add_unredirected_header(
                "Authorization", "Basic " + base64.b64encode(":".join(auth).encode()).decode()
            )
        try:
            context = _context(self.ca_file) if url.startswith("https") else None
            redirects = urllib.request.HTTPRedirectHandler if elsewhere else _SameHost
            opener = urllib.request.build_opener(redirects, urllib.request.HTTPSHandler(context=context))
            with opener.open(request, timeout=TIMEOUT) as answer:
                return answer.url, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            if error.code in {404, 410, *range(300, 400)} or (guess and error.code < 500):
                return None
            raise _refusal(url, error, self.site) from None
        except (OSError, ValueError, HTTPException) as error:
            raise _silence(url, error, self.site) from None


class _SameHost(urllib.request.HTTPRedirectHandler):
    """An index that sends us on to another one (pypiserver does, to PyPI) does not have the file itself."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        here, there = urlsplit(req.full_url), urlsplit(rest[-1])
        return super().redirect_request(req, *rest) if here.netloc == there.netloc else None


def resolve(settings: Settings, environ: Mapping[str, str]) -> Index:
    """Return the index that twine's `settings` would upload to; `environ` has the credentials of one of your own."""
    url = settings.repository_config["repository"] or ""
    # The authorities that twine's own requests trust, in their order.
    ca_file = settings.cacert or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or certifi.where()
    if f"{url.rstrip('/')}/" in {DEFAULT_REPOSITORY, TEST_REPOSITORY}:
        site = f"https://{urlsplit(url).netloc.removeprefix('upload.')}/"
        return Index(url, (f"{site}simple/",), site, ca_file=ca_file)
    base = url.rstrip("/").removesuffix("/legacy").removesuffix("/upload")
    given = urlsplit(url)
    config = settings.repository_config
    username = environ.get("TWINE_USERNAME") or config.get("username") or given.username or ""
    auth = (username, environ.get("TWINE_PASSWORD") or config.get("password") or given.password or "")
    base = base.replace(f"{given.netloc.rpartition('@')[0]}@", "", 1) if given.username else base
    # The second one is devpi's.
    return Index(url, (f"{base}/simple/", f"{base}/+simple/"), auth=auth, ca_file=ca_file)


def _context(authorities: str | None) -> ssl.SSLContext:
    if authorities and Path(authorities).is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=authorities)


def _refusal(url: str, error: urllib.error.HTTPError, site: str) -> ReleaseError:
    text = f"{url}: the index answered {error.code} {error.reason}, expected 200 or 404"
    if error.code in {401, 403}:
        return ReleaseError(f"{text}; set TWINE_USERNAME and TWINE_PASSWORD to a user who may read it")
    return PassingError(explained(text, site), pause=asked_for(error.headers.get("Retry-After")))


def _silence(url: str, error: Exception, site: str) -> ReleaseError:
    reason = getattr(error, "reason", error)
    text = explained(f"{url}: no answer ({reason or type(error).__name__})", site)
    refused = isinstance(reason, ConnectionRefusedError)
    broken = isinstance(reason, (TimeoutError, ConnectionError, HTTPException)) and not refused
    broken = broken and not isinstance(reason, InvalidURL)
    again = isinstance(reason, gaierror) and reason.errno == EAI_AGAIN
    return PassingError(text) if broken or again else ReleaseError(text)


def _parsed(url: str, content_type: str, body: bytes) -> dict[str, Remote]:
    try:
        return _parse(url, content_type, body)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PassingError(f"{url}: found an answer that is no list of files, expected PEP 503 or PEP 691") from None


def _parse(url: str, content_type: str, body: bytes) -> dict[str, Remote]:
    text = body.decode("utf-8", "replace")
    if "json" in content_type:
        return {file["filename"]: _listed(url, file) for file in json.loads(text)["files"]}
    page = _Links()
    page.feed(text)
    return dict(_remote(urljoin(url, link)) for link in page.links)


def _listed(url: str, file: dict[str, Any]) -> Remote:
    hashes = {algorithm: digest.lower() for algorithm, digest in (file.get("hashes") or {}).items()}
    return Remote(urljoin(url, file["url"]), hashes, file.get("upload-time") or "")


def _remote(link: str) -> tuple[str, Remote]:
    address, fragment = urldefrag(link)
    algorithm, _, digest = fragment.partition("=")
    name = unquote(urlsplit(address).path.rpartition("/")[2])
    digest = digest.partition("&")[0].lower()
    return name, Remote(address, {algorithm: digest} if digest else {})


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (link := dict(attrs).get("href")):
            self.links.append(link)
