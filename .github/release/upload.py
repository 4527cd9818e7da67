"""`twine upload`, in this process: the same arguments and variables, but failures that can be told apart."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from requests import HTTPError, PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from twine import cli
from twine.commands.upload import upload as twine_upload
from twine.exceptions import TrustedPublishingFailure, TwineException
from twine.repository import Repository
from twine.settings import Settings

from . import secrecy
from .attest import SUFFIX
from .errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds to connect, and to wait for an answer: twine itself would wait for ever.
TIMEOUT = (15, 120)
AGAIN = "mend it and run this again: what the index has is skipped"


class IdentityError(ReleaseError):
    """The index gave no token for this run's identity."""


class _Patient(HTTPAdapter):
    """Gives up on a connection that says nothing."""

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        secrecy.learn(request.headers.get("Authorization", ""))
        return super().send(request, *arguments, **{**options, "timeout": options.get("timeout") or TIMEOUT})


class _Settings(Settings):
    """twine's settings, for a connection with a time limit."""

    def create_repository(self) -> Repository:
        repository = super().create_repository()
        for scheme in ("https://", "http://"):
            repository.session.mount(scheme, _Patient())
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
    except TwineException as error:
        raise ReleaseError(f"twine: {' '.join(str(error).split())}") from error


def upload(paths: list[Path], using: Settings) -> None:
    """Upload the files at `paths`, with the attestations beside them where the settings ask for them.

    Raises `ReleaseError` with the index's own words where it refuses, and twine's where it does not get there.
    """
    cli.configure_output()
    files = [str(path) for path in paths]
    files += [f"{file}{SUFFIX}" for file in files] if using.attestations else []
    try:
        twine_upload(using, files)
    except HTTPError as error:
        raise ReleaseError(f"the index answered {' '.join(str(error).split())}; {AGAIN}") from error
    except TrustedPublishingFailure as error:
        raise IdentityError(f"twine: {' '.join(str(error).split())}") from error
    except (TwineException, RequestException, OSError, ValueError) as error:
        raise ReleaseError(f"twine: {' '.join(str(error).split())}; {AGAIN}") from error
