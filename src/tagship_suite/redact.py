"""Redaction of credentials in everything that a run prints or writes for GitHub."""

from __future__ import annotations

import base64
import binascii
import re
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

REDACTED = "***"
SHORTEST = 6  # a shorter text is in others by chance
NAMED = re.compile(r"(?:PASSWORD|PASSWD|TOKEN|SECRET|(?:API|ACCESS|PRIVATE|SECRET)_?KEY)\Z", re.IGNORECASE)
USERINFO = re.compile(r"(?<=://)[^\s/@]+(?=@)")
#: An index's API token, and a JSON Web Token, wherever they come from.
SHAPED = re.compile(r"pypi-[\w-]{50,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
#: A console may break a line anywhere.
BREAK = r"(?:\s*\n\s*)?"

_known: set[str] = set()


def register(*secrets: str) -> None:
    """Redact these texts from now on; of an Authorization header for `Basic`, the password too."""
    for secret in secrets:
        scheme, _, sent = secret.partition(" ")
        found = {secret, unquote(secret)} | ({sent, _password(sent)} if scheme in {"Basic", "Bearer"} else set())
        _known.update(text for text in found if len(text) >= SHORTEST)


def register_environ(environ: Mapping[str, str]) -> None:
    """Learn the passwords and tokens that are in variables, by their names or in an address."""
    register(*(value for name, value in environ.items() if NAMED.search(name)))
    for value in environ.values():
        register(*(found.partition(":")[2] for found in USERINFO.findall(value)))


def redacted(text: str) -> str:
    """Return `text` without any secret."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret[0] in text:
            text = re.sub(BREAK.join(map(re.escape, secret)), REDACTED, text)
    return SHAPED.sub(REDACTED, USERINFO.sub(REDACTED, text))


@contextmanager
def redacting() -> Iterator[None]:
    """Redact what is printed in the block."""
    out, error = cast("TextIO", _Veil(sys.stdout)), cast("TextIO", _Veil(sys.stderr))
    with redirect_stdout(out), redirect_stderr(error):
        yield


class _Veil:
    """A stream in front of another one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redacted(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
