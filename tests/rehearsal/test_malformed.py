"""Whatever is sent, the answer is a 4xx and never a traceback."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagship.rehearsal.servers import Servers, running
from tests.rehearsal.client import Client
from tests.rehearsal.conftest import REGISTERED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUNDARY = "frontier"
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
names = st.sampled_from(
    [
        "name",
        "version",
        "metadata_version",
        "filetype",
        "pyversion",
        "sha256_digest",
        "description",
        "license",
        "requires_dist",
        "project_urls",
        "classifiers",
        "keywords",
        "attestations",
        "content",
        "license_file",
    ]
)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Servers, str]]:
    with running() as servers:
        servers.index.register(REGISTERED)
        yield servers, Client(servers).mint()
        assert servers.errors == []


@cache
def context_of(bundle: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(bundle))
    context.check_hostname = False
    return context


def send(servers: Servers, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """Send to the index itself, whose name the Host header gives."""
    context = context_of(servers.bundle)
    connection = HTTPSConnection("127.0.0.1", servers.index.server.port, context=context, timeout=20)
    connection.request(method, path, body, {"Host": "upload.pypi.org", **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def authorized(token: str) -> dict[str, str]:
    login = base64.b64encode(f"__token__:{token}".encode()).decode()
    return {
        "Authorization": f"Basic {login}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }


def part(name: str, value: bytes, filename: str = "") -> bytes:
    extra = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + value + b"\r\n"


@quick
@given(body=st.binary(max_size=300))
def test_random_bytes_as_an_upload(served: tuple[Servers, str], body: bytes) -> None:
    servers, token = served
    for sent in (body, b"--frontier\r\n" + body + b"\r\n--frontier--\r\n"):
        assert 400 <= send(servers, "POST", "/legacy/", sent, authorized(token)) < 500


@quick
@given(fields=st.lists(st.tuples(names, st.text(max_size=60)), max_size=8), filename=st.text(max_size=20))
def test_random_fields_of_an_upload(served: tuple[Servers, str], fields: list[tuple[str, str]], filename: str) -> None:
    servers, token = served
    sound = {"metadata_version": "2.1", "name": "tiny", "version": "1.0", "filetype": "sdist"}
    sound |= {":action": "file_upload", "md5_digest": "d41d8cd98f00b204e9800998ecf8427e"}
    values = [(name, value.encode()) for name, value in sound.items() if name not in dict(fields)]
    values += [(name, value.encode("utf-8", "replace")) for name, value in fields]
    shown = "".join(char for char in filename if char.isprintable() and char not in '"\\')
    body = b"".join(part(name, value) for name, value in values) + part("content", b"", shown or "x.tar.gz")
    assert 400 <= send(servers, "POST", "/legacy/", body + b"--frontier--\r\n", authorized(token)) < 500


@quick
@given(
    content=st.binary(max_size=200),
    wheel=st.booleans(),
    head=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b"]),
)
def test_random_bytes_as_a_dist(served: tuple[Servers, str], content: bytes, *, wheel: bool, head: bytes) -> None:
    servers, token = served
    content = head + content
    kind = ("bdist_wheel", "py3", "tiny-1.0-py3-none-any.whl") if wheel else ("sdist", "source", "tiny-1.0.tar.gz")
    values = {":action": "file_upload", "metadata_version": "2.1", "name": "tiny", "version": "1.0"}
    values |= {
        "filetype": kind[0],
        "pyversion": kind[1],
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    body = b"".join(part(name, value.encode()) for name, value in values.items())
    body += part("content", content, kind[2]) + b"--frontier--\r\n"
    assert send(servers, "POST", "/legacy/", body, authorized(token)) == 400


@quick
@given(login=st.binary(max_size=60))
def test_random_credentials(served: tuple[Servers, str], login: bytes) -> None:
    servers, token = served
    for header in (b"Basic " + base64.b64encode(login), b"Basic " + login.hex().encode(), b"Bearer x"):
        headers = {**authorized(token), "Authorization": header.decode()}
        body = part(":action", b"file_upload") + b"--frontier--\r\n"
        assert send(servers, "POST", "/legacy/", body, headers) == 403


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@quick
@given(body=st.binary(max_size=100) | st.builds(lambda value: json.dumps({"token": value}).encode(), values))
def test_random_bodies_to_the_mint(served: tuple[Servers, str], body: bytes) -> None:
    assert send(served[0], "POST", "/_/oidc/mint-token", body, {"Content-Type": "application/json"}) == 422


@quick
@given(
    claims=st.dictionaries(
        st.sampled_from(
            [
                "repository",
                "repository_owner",
                "job_workflow_ref",
                "jti",
                "environment",
                "ref",
                "sha",
                "event_name",
                "repository_owner_id",
                "exp",
                "nbf",
                "iat",
                "aud",
                "iss",
            ]
        ),
        values,
        min_size=1,
    )
)
def test_random_claims_that_are_really_signed(served: tuple[Servers, str], claims: dict[str, Any]) -> None:
    client = Client(served[0])
    try:
        token = client.id_token(**claims)
    except (TypeError, ValueError):
        return
    body = json.dumps({"token": token}).encode()
    assert send(served[0], "POST", "/_/oidc/mint-token", body, {}) in {200, 422}


@quick
@given(
    path=st.text(st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), max_size=40),
    host=st.sampled_from(["pypi.org", "upload.pypi.org", "files.pythonhosted.org", "pypi.python.org"]),
    start=st.sampled_from(["/", "/simple/", "/pypi/", "/packages/"]),
)
def test_random_paths(served: tuple[Servers, str], path: str, host: str, start: str) -> None:
    assert send(served[0], "GET", f"{start}{path}", b"", {"Host": host}) < 500


@quick
@given(head=st.binary(max_size=100))
def test_random_bytes_to_the_proxy(served: tuple[Servers, str], head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served[0].proxy.server.port), 10) as connection:
        connection.sendall(head.replace(b"CONNECT", b"") + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 405")


def test_a_chunked_upload_is_understood(served: tuple[Servers, str]) -> None:
    headers = {**authorized(served[1]), "Transfer-Encoding": "chunked"}
    body = part(":action", b"file_upload") + b"--frontier--\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (body[:20], body[20:])) + b"0\r\n\r\n"
    assert send(served[0], "POST", "/legacy/", chunks, headers) == 400


@pytest.mark.parametrize("path", ["/token", "/", "/.well-known/other"])
def test_the_issuer_gives_nothing_away(served: tuple[Servers, str], path: str) -> None:
    connection = HTTPConnection("127.0.0.1", served[0].issuer.server.port, timeout=10)
    for method in ("GET", "POST"):
        connection.request(method, path, headers={"Authorization": "bearer x"})
        assert 400 <= connection.getresponse().status < 500
        connection.close()
