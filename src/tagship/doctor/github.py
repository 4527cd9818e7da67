"""GitHub's REST API, as far as the settings of a repository need it: https://docs.github.com/rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import requests

from tagship.errors import TagshipError
from tagship_suite.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "https://api.github.com"
VERSION = "2022-11-28"
#: Seconds to connect, and to wait for a response.
TIMEOUT = (10, 20)
PAGES = 10


class Unseen(Exception):
    """The host does not show this resource to the token; the argument says why, `status` is that of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Api:
    """A connection to the API at `base`; `moved` is whether it was redirected, as after a rename."""

    site, variable, login = "GitHub", "GITHUB_TOKEN", "gh auth login"
    headers: Mapping[str, str] = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
    limit = "x-ratelimit"

    def __init__(self, base: str, token: str) -> None:
        self.base, self.token, self.moved = base.rstrip("/"), token, False
        self.session = requests.Session()
        self.session.trust_env = True  # for proxies and certificates
        self.session.headers.update(self.headers)
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, key: str = "") -> Any:
        """Return the response to a GET; with `key`, the list of that name (`.`: the response itself) from all pages.

        Raises `Unseen` if this resource is not shown, `TagshipError` if the API is not usable at all.
        """
        if not key:
            return _json(self._send("GET", f"{self.base}{path}"))
        answer = self._send("GET", f"{self.base}{path}{'&' if '?' in path else '?'}per_page=100")
        found, pages = _items(_json(answer), key), 1
        while (following := answer.links.get("next", {}).get("url")) and pages < PAGES:
            answer, pages = self._send("GET", following), pages + 1
            found += _items(_json(answer), key)
        return found

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a change; return the response, or None if it has no content. Raises as `get`."""
        answer = self._send(method, f"{self.base}{path}", body)
        return _json(answer) if answer.content else None

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        try:
            answer = self.session.request(method, url, json=body, timeout=TIMEOUT)
        except requests.RequestException as error:
            reason = type(error).__name__
            expected = f"{self.site}'s"
            raise TagshipError(
                Problem("network", self.base, f"no response ({reason})", expected, "check the network")
            ) from None
        self.moved = self.moved or bool(answer.history)
        self._refuse(answer)
        return answer

    def _refuse(self, answer: requests.Response) -> None:
        if answer.status_code == 401:
            remedy = f"run: {self.login}, or unset {self.variable}"
            found = f"one that {self.site} refuses (401)"
            raise TagshipError(Problem("host-token", "token", found, "a valid one", remedy))
        if answer.status_code in {403, 429} and (
            answer.headers.get(f"{self.limit}-remaining") == "0" or "retry-after" in answer.headers
        ):
            remedy = f"try again in {_wait(answer, self.limit)} s{self._hint()}"
            raise TagshipError(Problem("rate-limit", self.base, "the rate limit reached", "an answer", remedy))
        if answer.status_code >= 500:
            found = f"a server error of {self.site} ({answer.status_code})"
            raise TagshipError(Problem("host-answer", self.base, found, "an answer", "try again later"))
        if answer.status_code >= 400:
            who = "this token" if self.token else "anybody without a token"
            raise Unseen(answer.status_code, f"{self.site} does not show it to {who} ({answer.status_code})")

    def _hint(self) -> str:
        return "" if self.token else f", or set {self.variable}, which has a higher one"


def connect(environ: Mapping[str, str]) -> Api:
    """Return a connection with the token from $GH_TOKEN, $GITHUB_TOKEN or `gh auth token`, or without one."""
    token = environ.get("GH_TOKEN") or environ.get("GITHUB_TOKEN") or _token_of_gh()
    return Api(environ.get("GITHUB_API_URL") or API, token.strip())


def _token_of_gh() -> str:
    program = shutil.which("gh")
    if program is None:
        return ""
    done = subprocess.run([program, "auth", "token"], capture_output=True, text=True, check=False, env=os.environ)
    return done.stdout if done.returncode == 0 else ""


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        found = "a response that is not JSON or is incomplete"
        raise TagshipError(Problem("host-answer", answer.url, found, "JSON", "try again")) from None


def _items(content: Any, key: str) -> list[Any]:
    items = content if key == "." else content.get(key) if isinstance(content, dict) else None
    return list(items) if isinstance(items, list) else []


def _wait(answer: requests.Response, limit: str) -> int:
    given = answer.headers.get("retry-after", "")
    if given.isdigit():
        return int(given)
    reset = answer.headers.get(f"{limit}-reset", "")
    return max(int(reset) - int(time.time()), 1) if reset.isdigit() else 60
