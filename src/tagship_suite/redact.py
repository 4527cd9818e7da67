"""Redacts credentials in everything that a run prints or writes for GitHub."""

import base64
import binascii
import html
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, unquote

from .errors import refusal

REDACTED = "***"
#: The lengths of what is redacted; up to `WORD`, only as a whole word, as it could be part of another by chance.
SHORTEST, WORD, LONGEST = 4, 5, 16384
NAMED = re.compile(r"(?:PASSWORD|PASSWD|TOKEN|SECRET|(?:API|ACCESS|PRIVATE|SECRET)_?KEY)\Z", re.IGNORECASE)
USERINFO = re.compile(r"(?<=://)[^\s/@]+(?=@)")
#: An index's API token, and a JSON Web Token, wherever they come from.
SHAPED = re.compile(r"pypi-[\w-]{50,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
#: A console may break a line anywhere.
BREAK = r"(?:\s*\n\s*)?"

_known: set[str] = set()


def register(secret: str) -> None:
    """Redact a secret or an Authorization header; raise `ReleaseError` if it is too short or too long for that."""
    length = len(_parts(secret)[-1])
    if length and not SHORTEST <= length <= LONGEST:
        expected = f"{SHORTEST} to {LONGEST}, which can be redacted"
        remedy = "use a longer one" if length < SHORTEST else "check where it comes from"
        raise refusal("secret-length", "the password or token", f"{length} characters", expected, remedy)
    _add(secret)


def register_environ(environ: Mapping[str, str]) -> None:
    """Redact the passwords and tokens in variables, found by the name of a variable or in a URL."""
    values = [value for name, value in environ.items() if NAMED.search(name)]
    values += [found.partition(":")[2] for value in environ.values() for found in USERINFO.findall(value)]
    _add(*(value[:LONGEST] for value in values))


def redacted(text: str) -> str:
    """Return `text` without any secret."""
    packed = "".join(text.split())
    for secret in sorted(_known, key=len, reverse=True):
        if "".join(secret.split()) in packed:
            pattern = BREAK.join(map(re.escape, secret))
            text = re.sub(pattern if len(secret) > WORD else rf"(?<!\w){pattern}(?!\w)", REDACTED, text)
    return SHAPED.sub(REDACTED, USERINFO.sub(REDACTED, text))


@contextmanager
def redacting() -> Iterator[None]:
    """Redact what is printed in the block."""
    out, error = cast("TextIO", _RedactingStream(sys.stdout)), cast("TextIO", _RedactingStream(sys.stderr))
    with redirect_stdout(out), redirect_stderr(error):
        yield


class _RedactingStream:
    """A stream that redacts what it passes on to another one, and escapes what that cannot encode."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(redacted(text).encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _parts(secret: str) -> list[str]:
    """Return `secret`, and if it is an Authorization header also its credentials, the password or token last."""
    scheme, _, sent = secret.partition(" ")
    return [secret, sent, password(sent) or sent] if scheme in {"Basic", "Bearer"} else [secret]


def _add(*secrets: str) -> None:
    parts = [part for secret in secrets for part in _parts(secret) if len(part) >= SHORTEST]
    _known.update(form for part in parts for form in _forms(part) if len(form) >= SHORTEST)


def _forms(secret: str) -> set[str]:
    """Return the forms of `secret`: plain, in a URL, in a literal, in HTML, and inside Base64."""
    plain = {secret, unquote(secret), " ".join(secret.split())}
    written = {repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1], html.escape(secret)}
    sent = secret.encode(errors="surrogateescape")
    address = {quote(sent), quote(sent, safe=""), quote_plus(sent), secret.replace("%", "%25")}
    return plain | written | address | {form for form in _base64(sent) if len(form) > WORD}


def _base64(secret: bytes) -> Iterator[str]:
    """Yield the characters of its Base64 that do not depend on what surrounds it, for each offset."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret).decode()
        same = encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        yield from (same, same.replace("+", "-").replace("/", "_"))


def password(encoded: str) -> str:
    """Return the password in the credentials of an Authorization header for `Basic`, "" if they are malformed."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
