"""`twine upload`, in this process: the same arguments and variables, but distinct errors."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import requests
from requests import HTTPError, PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from twine import cli
from twine.auth import TrustedPublishingAuthenticator
from twine.commands.upload import upload as twine_upload
from twine.exceptions import TrustedPublishingFailure, TwineException
from twine.repository import Repository
from twine.settings import Settings

from .. import redact
from ..errors import ReleaseError
from .attest import SUFFIX
from .explain import explained
from .retry import TransientError, failure

#: Seconds to connect, and to wait for a response: twine itself has no timeout.
TIMEOUT = (15, 120)
#: Seconds for which an index's token is valid.
LIFETIME = 900
#: Transient errors of Trusted Publishing: an outage of GitHub, or of the index.
OUTAGE = re.compile(r"timed out|code=5\d\d|invalid JSON")


class IdentityError(ReleaseError):
    """The index issued no API token for this job's OIDC token; the argument is twine's message."""


class ExpiredError(ReleaseError):
    """The index's token expired before the last upload."""


class _Adapter(HTTPAdapter):
    """Adds a timeout, leaves retries to the caller, and records what was sent and accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.accepted = set[str](), 0

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        redact.register(authorization := request.headers.get("Authorization", ""))
        self.sent.add(authorization)
        response = super().send(request, *arguments, **{**options, "timeout": options.get("timeout") or TIMEOUT})
        if request.method == "POST" and response.status_code >= 500:
            response.raise_for_status()  # before twine retries it five times without a delay
        self.accepted += request.method == "POST" and response.status_code < 300
        return response


class TwineSettings(Settings):
    """twine's settings, for a connection with a timeout and a token that is renewed before it expires."""

    @cached_property
    def adapter(self) -> _Adapter:
        return _Adapter()

    def create_repository(self) -> Repository:
        repository = super().create_repository()
        for scheme in ("https://", "http://"):
            repository.session.mount(scheme, self.adapter)
        if self.password:
            repository.session.auth = self.auth.authenticator
        return repository

    @cached_property
    def stored(self) -> tuple[str, str]:
        """The password with which twine would replace Trusted Publishing, "" if there is none, and its place."""
        if given := os.environ.get("TWINE_PASSWORD"):
            return given, "TWINE_PASSWORD"
        if configured := self.repository_config.get("password"):
            return configured, self.config_file
        with suppress(TwineException):  # no user name
            return self.auth.get_password_from_keyring() or "", "the keyring"
        return "", ""

    @property
    def is_trusted(self) -> bool:
        """Whether the tokens are those of Trusted Publishing."""
        return isinstance(self.auth.authenticator, TrustedPublishingAuthenticator)

    def renew(self) -> None:
        """Discard the index's token: the next upload gets a new one."""
        self.auth = type(self.auth)(self.auth.config, self.auth.input)


def settings(
    repository: str, environ: Mapping[str, str], *, signed: bool = False, verbose: bool = False
) -> TwineSettings:
    """Return twine's settings for `repository` (`pypi`, `testpypi`), or for the index that its variables name."""
    arguments = ["--disable-progress-bar"]
    if not (environ.get("TWINE_REPOSITORY_URL") or environ.get("TWINE_REPOSITORY")):
        arguments += ["--repository", repository]
    if environ.get("CI") or not sys.stdin or not sys.stdin.isatty():
        arguments.append("--non-interactive")
    arguments += ["--attestations"] * signed + ["--verbose"] * verbose
    logging.getLogger("twine.auth").addFilter(_brief)
    parser = argparse.ArgumentParser(prog="twine upload")
    Settings.register_argparse_arguments(parser)
    try:
        return cast("TwineSettings", TwineSettings.from_argparse(parser.parse_args(arguments)))
    except (TwineException, KeyError, ValueError) as error:
        message = f"twine: no {error} in .pypirc" if isinstance(error, KeyError) else f"twine: {error}"
        raise ReleaseError(explained(message)) from error


def _brief(record: logging.LogRecord) -> bool:
    """Show the message of an exception that twine logs, such as that of a locked keyring, without its traceback."""
    if record.exc_info:
        record.msg, record.exc_info = f"{record.msg}: {record.exc_info[1]}", None
    return True


def upload(paths: list[Path], settings: TwineSettings, site: str = "") -> None:
    """Upload the files at `paths`, wheels first, with the attestations next to them if the settings ask for them.

    Raises `TransientError`, `IdentityError`, `ExpiredError` or another `ReleaseError`, with the index's or twine's
    message. `site` is the index's website, for links to its help.
    """
    settings.adapter.accepted = 0
    cli.configure_output()
    files = [str(path) for path in paths]
    files += [f"{file}{SUFFIX}" for file in files] if settings.attestations else []
    try:
        twine_upload(settings, files)
    except (KeyError, TypeError) as error:  # raised by twine for a malformed response
        raise TransientError(explained("twine: The token-minting request returned invalid JSON", site)) from error
    except (TwineException, RequestException, OSError, ValueError) as error:
        raise _failure(error, settings, site) from error


def burn(settings: TwineSettings) -> None:
    """Revoke the tokens that the index minted for these uploads; if that fails, they expire anyway."""
    url = urljoin(settings.repository_config["repository"] or "", "/_/oidc/burn-token")
    for sent in settings.adapter.sent:
        with suppress(RequestException, TwineException):  # like twine's request for a token, without TWINE_CERT
            if settings.is_trusted:
                requests.post(url, json={"token": redact.password(sent.partition(" ")[2])}, timeout=TIMEOUT[0])


def _failure(error: Exception, settings: TwineSettings, site: str) -> ReleaseError:
    if isinstance(error, TrustedPublishingFailure):
        text = f"twine: {error}"
        return TransientError(explained(text, site)) if OUTAGE.search(text) else IdentityError(text)
    if not isinstance(error, HTTPError) or error.response is None:
        return failure(error, f"twine: {error}", site)
    text = f"the index answered {error}"
    if error.response.status_code == 403 and "/_/oidc/" not in error.response.url:
        return _forbidden(text, settings, site)
    return failure(error, text, site, error.response)


def _forbidden(text: str, settings: TwineSettings, site: str) -> ReleaseError:
    if settings.is_trusted and "token is expired" in text:
        return ExpiredError(explained(text, site))
    if settings.is_trusted or not site or "Invalid" not in text:
        return ReleaseError(explained(text, site))
    where = settings.stored[1]
    advice = f"do: remove the password in {where}, to use Trusted Publishing; or replace it with a valid API token"
    return ReleaseError(explained(text, site, advice, f"see: {site}help/#invalid-auth"))
