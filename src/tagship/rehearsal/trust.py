"""Certificates: an authority for the lifetime of the servers, trusted in addition to the system's."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT")
"""The variables with the certificate authorities that requests (twine), uv and pip trust."""


class Authority:
    """A certificate authority; its key is never written to disk."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="tagship rehearsal")

    def context(self, hosts: Iterable[str]) -> ssl.SSLContext:
        """Return the TLS context of a server for the hosts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*sorted(hosts)).configure_cert(context)
        return context

    def write_bundle(self, path: Path, environ: Mapping[str, str] | None) -> None:
        """Write the authorities that clients in `environ` trust and this one, so that tunnelled hosts stay trusted.

        Without `environ`, only this one: the system's take 20 ms to load, for each connection.
        """
        others = system_bundle(environ).read_bytes() + b"\n" if environ is not None else b""
        path.write_bytes(others + self._ca.cert_pem.bytes())


def system_bundle(environ: Mapping[str, str]) -> Path:
    """Return the bundle that clients in an environment trust: the one in its variables, else certifi's."""
    named = (Path(environ[name]) for name in BUNDLE_VARIABLES if environ.get(name))
    return next((path for path in named if path.is_file()), Path(certifi.where()))
