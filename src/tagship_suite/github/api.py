"""GitHub's REST API for releases: https://docs.github.com/rest/releases."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import requests

from .. import redact
from ..errors import ReleaseError, refusal
from ..publish.retry import TransientError
from ..repo import git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSION = "2022-11-28"
#: Seconds to connect, and to wait for an answer.
TIMEOUT = (15, 120)


class Refused(ReleaseError):
    """GitHub refuses a request, with this status."""

    def __init__(self, problem: str, status: int) -> None:
        super().__init__(problem)
        self.status = status


class Api:
    """A connection to one repository, by its address in the API."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self._token = url, token
        self._session = requests.Session()
        self._session.auth = self._authorize  # else a .netrc would replace the header
        self._session.headers.update({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION})

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the response to a request; `path` may be a whole address.

        Raises `Refused` with GitHub's message, or `TransientError` where another attempt may help.
        """
        url = path if path.startswith("http") else f"{self.url}{path}"
        try:
            response = self._session.request(method, url, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            found = f"found no answer ({type(error).__name__})"
            raise TransientError(f"{url}: {found}, expected GitHub's; check the network [network]") from error
        if not response.ok:
            raise _refusal(method, response)
        return response

    def get(self, path: str) -> Any:
        """Return what is at `path`; raises as `send`."""
        return _json(self.send("GET", path))

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the items of a list from all its pages; raises as `send`."""
        following = f"{path}?per_page=100"
        while following:
            response = self.send("GET", following)
            yield from _json(response)
            following = response.links.get("next", {}).get("url", "")

    def change(self, method: str, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Send `content` as JSON; return the answer. Raises as `send`."""
        return dict(_json(self.send(method, path, json=content)))


def connect(root: Path, environ: Mapping[str, str]) -> Api:
    """Return a connection to the repository of the workflow, or of the remote `origin` of the checkout at `root`.

    The token is that of $GITHUB_TOKEN or $GH_TOKEN, else of `gh auth token`. Raises `ReleaseError` if one is missing.
    """
    found = git.ADDRESS.fullmatch(git.query(root, "ls-remote", "--get-url", "origin") or "")
    host = found["host"] if found else "github.com"
    repository = environ.get("GITHUB_REPOSITORY") or (found["path"] if found else "")
    if not repository:
        expected = "the address of a repository on GitHub"
        raise refusal("no-remote", "remote 'origin'", "none", expected, "run: git remote add origin ADDRESS")
    base = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or _token_of_gh(host)
    if not token:
        expected = "a token that may write the repository's contents"
        raise refusal("github-token", "GITHUB_TOKEN", "none", expected, "run: gh auth login, or set GITHUB_TOKEN")
    redact.register(token)
    return Api(f"{environ.get('GITHUB_API_URL') or base}/repos/{repository}", token)


def _token_of_gh(host: str) -> str:
    program = shutil.which("gh")
    if program is None:
        return ""
    done = subprocess.run([program, "auth", "token", "--hostname", host], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise TransientError(
            f"{response.url}: found an answer that is no JSON, or was cut off [github-answer]"
        ) from error


def _refusal(method: str, response: requests.Response) -> ReleaseError:
    """Return the error for an answer that is none of success, with GitHub's message; transient for rate limits."""
    status, headers, message = response.status_code, response.headers, _message(response)
    text = f"GitHub: found {status} {message} for {method} {response.url.partition('?')[0]}, expected success"
    if status in {403, 429} and ("Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"):
        return TransientError(f"{text}; the rate limit is reached [rate-limit]", delay=_seconds(headers))
    code = "github-answer"
    if status in {401, 403, 404}:
        code = "github-token"
        text += "; use a token that may write the repository's contents: run gh auth login, or set GITHUB_TOKEN"
    transient = status >= 500 or "already_exists" in message  # made meanwhile, by something else
    text = f"{text} [{code}]"
    return TransientError(text) if transient else Refused(text, status)


def _message(response: requests.Response) -> str:
    try:
        content = response.json()
        return ": ".join([content["message"], *(str(each) for each in content.get("errors", []))])
    except (ValueError, KeyError, AttributeError, TypeError):
        return response.reason or ""


def _seconds(headers: Mapping[str, str]) -> float:
    """Return how many seconds to wait before another attempt: https://docs.github.com/rest/rate-limit."""
    after, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    if after.isdecimal():
        return float(after)
    return max(float(reset) - time.time(), 1.0) if reset.isdecimal() else 60.0
