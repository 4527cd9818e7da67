"""`twine upload`, in this process: the same arguments and variables, but errors that can be told apart."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from requests import HTTPError, PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from twine import cli
from twine.auth import TrustedPublishingAuthenticator
from twine.commands.upload import upload as twine_upload
from twine.exceptions import TrustedPublishingFailure, TwineException
from twine.settings import Settings

from .. import redact
from ..errors import ReleaseError
from .attest import SUFFIX
from .explain import explained
from .retry import TransientError, failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twine.repository import Repository

#: Seconds to connect, and to wait for an answer: twine itself would wait for ever.
TIMEOUT = (15, 120)
#: Transient errors of Trusted Publishing: an outage of GitHub, or of the index.
OUTAGE = re.compile(r"timed out|code=5\d\d|invalid JSON")


class IdentityError(ReleaseError):
    """The index issued no token for this job's OIDC token; its argument is twine's message."""


class ExpiredError(ReleaseError):
    """The index's token expired before the last upload."""


class _Adapter(HTTPAdapter):
    """Adds a timeout, and leaves retries to the caller."""

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        redact.register(request.headers.get("Authorization", ""))
        response = super().send(request, *arguments, **{**options, "timeout": options.get("timeout") or TIMEOUT})
        if request.method == "POST" and response.status_code >= 500:
            response.raise_for_status()  # twine would retry five times, without a delay
        return response


class _Settings(Settings):
    """twine's settings, for a connection with a timeout and a token that is renewed before it expires."""

    def create_repository(self) -> Repository:
        repository = super().create_repository()
        for scheme in ("https://", "http://"):
            repository.session.mount(scheme, _Adapter())
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
        message = f"twine: no {error} in .pypirc" if isinstance(error, KeyError) else f"twine: {error}"
        raise ReleaseError(explained(message)) from error


def upload(paths: list[Path], settings: Settings, site: str = "") -> None:
    """Upload the files at `paths`, with the attestations next to them where the settings ask for them.

    Raises `TransientError`, `IdentityError`, `ExpiredError` or another `ReleaseError`, with the message of the index
    where it refuses, else of twine. `site` is the index's own, for links to its help.
    """
    cli.configure_output()
    files = [str(path) for path in paths]
    files += [f"{file}{SUFFIX}" for file in files] if settings.attestations else []
    try:
        twine_upload(settings, files)
    except (KeyError, TypeError) as error:  # of twine, for a malformed response
        raise TransientError(explained("twine: The token-minting request returned invalid JSON", site)) from error
    except (TwineException, RequestException, OSError, ValueError) as error:
        raise _failure(error, settings, site) from error


def _failure(error: Exception, settings: Settings, site: str) -> ReleaseError:
    response = error.response if isinstance(error, HTTPError) else None
    if isinstance(error, TrustedPublishingFailure):
        text = f"twine: {error}"
        return TransientError(explained(text, site)) if OUTAGE.search(text) else IdentityError(text)
    if response is None:
        return failure(error, f"twine: {error}", site)
    text = f"the index answered {error}"
    if response.status_code == 403 and "/_/oidc/" not in response.url:
        return _forbidden(text, settings, site)
    return failure(error, text, site, response)


def _forbidden(text: str, settings: Settings, site: str) -> ReleaseError:
    if isinstance(settings.auth.authenticator, TrustedPublishingAuthenticator):
        return (ExpiredError if "token is expired" in text else ReleaseError)(explained(text, site))
    if not site or "Invalid" not in text:
        return ReleaseError(explained(text, site))
    configured = settings.config_file if settings.repository_config.get("password") else "the keyring"
    source = "TWINE_PASSWORD" if os.environ.get("TWINE_PASSWORD") else configured
    advice = f"do: remove the password in {source}, to use Trusted Publishing; or replace it by a valid API token"
    return ReleaseError(explained(text, site, advice, f"see: {site}help/#invalid-auth"))
