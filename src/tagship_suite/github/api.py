"""GitHub's REST API for releases: https://docs.github.com/rest/releases."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from .. import redact
from ..errors import Problem, ReleaseError, refuse
from ..publish.retry import TransientError, classified
from ..repo import git

API = "https://api.github.com"
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
#: Seconds to connect, and to wait for a response.
TIMEOUT = (15, 120)


class Api:
    """A connection to one repository, by its URL in the API."""

    def __init__(self, url: str, token: str) -> None:
        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        self.url, self._session = url, requests.Session()
        self._session.auth = authorize  # requests would replace a plain header by credentials of a .netrc
        self._session.headers.update(HEADERS)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the response to a request for a path or a full URL; raise `ReleaseError` with GitHub's message."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        try:
            response = self._session.request(method, url, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            text = f"{url}: found no response ({type(error).__name__}), expected GitHub's; check the network [network]"
            raise classified(text, error) from error
        if not response.ok:
            raise _refusal(method, response)
        return response

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the items of a list from all its pages; raises like `send`."""
        following = f"{path}?per_page=100"
        while following:
            response = self.send("GET", following)
            yield from response.json()
            following = response.links.get("next", {}).get("url", "")


def connect(root: Path, environ: Mapping[str, str]) -> Api:
    """Return a connection to the repository of the workflow, or of the remote `origin` of the checkout at `root`.

    The token comes from $GITHUB_TOKEN or $GH_TOKEN, else from `gh auth token`. Raises `ReleaseError` if one is missing.
    """
    origin = git.address(root, "origin")
    repository = environ.get("GITHUB_REPOSITORY") or (origin["path"] if origin else "")
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or _token_of_gh()
    problems = []
    if not repository:
        expected = "the URL of a repository on GitHub"
        problems.append(Problem("no-remote", "remote 'origin'", "none", expected, "run: git remote add origin URL"))
    if not token:
        expected, remedy = "a token that may write the repository's contents", "run: gh auth login, or set GITHUB_TOKEN"
        problems.append(Problem("github-token", "GITHUB_TOKEN", "none", expected, remedy))
    refuse(problems)
    redact.register(token)
    return Api(f"{environ.get('GITHUB_API_URL') or API}/repos/{repository}", token)


def _token_of_gh() -> str:
    with suppress(OSError):
        done = subprocess.run(["gh", "auth", "token"], capture_output=True, text=True, check=False)
        return done.stdout.strip()
    return ""


@contextmanager
def documented() -> Iterator[None]:
    """Raise `TransientError` for a response with other content than documented, such as a proxy's."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"GitHub: found a response with other content than documented ({error!r}) [github-answer]"
        raise TransientError(text) from error


def _refusal(method: str, response: requests.Response) -> ReleaseError:
    status, message = response.status_code, _message(response)
    text = f"GitHub: found {status} {message} for {method} {response.url.partition('?')[0]}, expected success"
    if "already_exists" in message:  # something else has created it meanwhile
        return TransientError(f"{text} [github-answer]")
    if status not in {401, 403, 404}:
        return classified(f"{text} [github-answer]", None, response)
    token = "a token that may write the repository's contents: run gh auth login, or set GITHUB_TOKEN"
    return classified(f"{text}; use {token} [github-token]", None, response)


def _message(response: requests.Response) -> str:
    try:
        content = response.json()
        errors = [error.get("message") or f"{error['field']} {error['code']}" for error in content.get("errors", [])]
        return ": ".join([content["message"], *errors])
    except (ValueError, KeyError, AttributeError, TypeError):
        return response.reason or ""
