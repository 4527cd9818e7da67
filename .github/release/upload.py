"""`twine upload`, in this process: the same arguments and variables, but failures that can be told apart."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from requests import ConnectionError as RequestsConnectionError
from requests import HTTPError, PreparedRequest, RequestException, Response, Timeout
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, RetryError
from twine import cli
from twine.auth import TrustedPublishingAuthenticator
from twine.commands.upload import upload as twine_upload
from twine.exceptions import TrustedPublishingFailure, TwineException
from twine.repository import Repository
from twine.settings import Settings

from . import secrecy
from .attest import SUFFIX
from .errors import ReleaseError
from .explain import explained
from .patience import PassingError, asked_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds to connect, and to wait for an answer: twine itself would wait for ever.
TIMEOUT = (15, 120)
BUSY = {408, 425, 429}  # the answers besides 5xx that ask for another try
#: What does not pass by itself, though it comes as a failed connection.
LASTING = re.compile(r"(?i)certificate|wrong version number|NewConnectionError|name ?resolution|connection failed: 4")
#: What of Trusted Publishing does: GitHub, or the index, out of order.
PASSING = re.compile(r"timed out|code=5\d\d|invalid JSON")


class IdentityError(ReleaseError):
    """The index gave no token for this run's identity; its argument is twine's text."""


class ExpiredError(ReleaseError):
    """The index's token expired before the upload was through."""


class _Patient(HTTPAdapter):
    """Gives up on a connection that says nothing, and leaves the next try to who called."""

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        secrecy.learn(request.headers.get("Authorization", ""))
        answer = super().send(request, *arguments, **{**options, "timeout": options.get("timeout") or TIMEOUT})
        if request.method == "POST" and answer.status_code >= 500:
            answer.raise_for_status()  # twine would try five times more, without a pause
        return answer


class _Settings(Settings):
    """twine's settings, for a connection with a time limit and a token that is renewed when it grows old."""

    def create_repository(self) -> Repository:
        repository = super().create_repository()
        for scheme in ("https://", "http://"):
            repository.session.mount(scheme, _Patient())
        if self.password:
            repository.session.auth = self.auth.authenticator
        return repository


def settings(repository: str, environ: Mapping[str, str], *, signed: bool = False, verbose: bool = False) -> Settings:
    """Return twine's settings for `repository` (`pypi`, `testpypi`), or for the index that its variables name."""
    arguments = ["--disable-progress-bar"]
    if not (environ.get("TWINE_REPOSITORY_URL") or environ.get("TWINE_REPOSITORY")):
        arguments += ["--repository", repository]
    if environ.get("CI") or not sys.stdin or not sys.stdin.isatty():
        arguments.append("--non-interactive")
    arguments += ["--attestations"] * signed + ["--verbose"] * verbose
    parser = argparse.ArgumentParser(prog="twine upload")
    Settings.register_argparse_arguments(parser)
    try:
        return _Settings.from_argparse(parser.parse_args(arguments))
    except (TwineException, KeyError, ValueError) as error:
        words = f"twine: no {error} in .pypirc" if isinstance(error, KeyError) else f"twine: {error}"
        raise ReleaseError(explained(words)) from error


def upload(paths: list[Path], using: Settings, site: str = "") -> None:
    """Upload the files at `paths`, with the attestations beside them where the settings ask for them.

    Raises `PassingError` for what may pass by itself, and other `ReleaseError`s, with the index's own words where it
    refuses and twine's where it does not get there. `site` is the index's own, for links to its help.
    """
    cli.configure_output()
    files = [str(path) for path in paths]
    files += [f"{file}{SUFFIX}" for file in files] if using.attestations else []
    try:
        twine_upload(using, files)
    except (KeyError, TypeError) as error:  # of twine, for an answer that is not as it should be
        raise PassingError(explained("twine: The token-minting request returned invalid JSON", site)) from error
    except (TwineException, RequestException, OSError, ValueError) as error:
        raise _failure(error, using, site) from error


def _failure(error: Exception, using: Settings, site: str) -> ReleaseError:
    answer = error.response if isinstance(error, HTTPError) else None
    if answer is not None and answer.status_code == 403 and "/_/oidc/" not in answer.url:
        return _forbidden(f"the index answered {error}", using, site)
    text = f"twine: {error}" if answer is None else f"the index answered {error}"
    if _may_pass(error, answer):
        pause = 0.0 if answer is None else asked_for(answer.headers.get("Retry-After"))
        return PassingError(explained(text, site), pause=pause)
    return IdentityError(text) if isinstance(error, TrustedPublishingFailure) else ReleaseError(explained(text, site))


def _forbidden(text: str, using: Settings, site: str) -> ReleaseError:
    if isinstance(using.auth.authenticator, TrustedPublishingAuthenticator):
        return (ExpiredError if "token is expired" in text else ReleaseError)(explained(text, site))
    source = "TWINE_PASSWORD" if os.environ.get("TWINE_PASSWORD") else using.config_file
    source = source if os.environ.get("TWINE_PASSWORD") or using.repository_config.get("password") else "the keyring"
    if not site or "Invalid" not in text:
        return ReleaseError(explained(text, site))
    advice = f"do: remove the password in {source}, for Trusted Publishing; or replace it by an API token that is good"
    return ReleaseError(explained(text, site, advice, f"see: {site}help/#invalid-auth"))


def _may_pass(error: Exception, answer: Response | None) -> bool:
    if answer is not None:
        return answer.status_code >= 500 or answer.status_code in BUSY
    if isinstance(error, TrustedPublishingFailure):
        return bool(PASSING.search(str(error)))
    broken = (RequestsConnectionError, RetryError, Timeout, ChunkedEncodingError, ConnectionError, TimeoutError)
    return isinstance(error, broken) and not LASTING.search(str(error))
