"""The servers start together, stay on this machine, and leave nothing behind."""

from __future__ import annotations

import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from tagship.errors import TagshipError
from tagship.rehearsal.loopback import LoopbackServer
from tagship.rehearsal.proxy import Connection
from tagship.rehearsal.servers import Servers, running
from tests.rehearsal.client import Client
from tests.rehearsal.conftest import REGISTERED
from tests.rehearsal.dists import Dist

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files in which nothing else happens."""
    path = tmp_path / "scratch"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def ports(servers: Servers) -> list[int]:
    return [each.server.port for each in (servers.index, servers.issuer, servers.proxy)]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_nothing_is_left_when_the_block_ends(scratch: Path) -> None:
    before = set(threading.enumerate())
    with running() as servers:
        servers.index.register(REGISTERED)
        Client(servers).mint()
        used = ports(servers)
        assert all(map(is_open, used))
        assert list(scratch.iterdir())
    assert not any(map(is_open, used))
    assert set(threading.enumerate()) <= before
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_nothing_is_left_when_the_block_fails(scratch: Path, error: type[BaseException]) -> None:
    before, used = set(threading.enumerate()), []
    with pytest.raises(error), running() as servers:  # noqa: PT012 - what matters is how it ends
        used = ports(servers)
        raise error
    assert used
    assert not any(map(is_open, used))
    assert set(threading.enumerate()) <= before
    assert list(scratch.iterdir()) == []


def test_a_socket_that_is_added_as_the_server_stops_is_shut_down_too() -> None:
    server = LoopbackServer(socketserver.BaseRequestHandler)
    server.stop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server.hold(ours)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""


def test_clients_that_hang_do_not_hold_the_end_up(scratch: Path) -> None:
    with running() as servers:
        idle = [socket.create_connection(("127.0.0.1", port)) for port in ports(servers)]
        tunnel = socket.create_connection(("127.0.0.1", servers.proxy.server.port))
        tunnel.sendall(b"CONNECT pypi.org:443 HTTP/1.1\r\n\r\n")
        assert b"200" in tunnel.recv(100)
        before = time.monotonic()
    assert time.monotonic() - before < 3
    for each in [*idle, tunnel]:
        each.close()
    assert list(scratch.iterdir()) == []


INTERRUPTED = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from tagship.rehearsal.servers import running
print("ready", flush=True)
try:
    while True:
        with running() as servers:
            time.sleep(0.001)
except KeyboardInterrupt:
    import threading
    print(threading.active_count())
"""


@pytest.mark.slow
def test_an_interrupt_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    """The servers start and stop without a break, so that the interrupt falls anywhere."""
    for milliseconds in range(0, 60, 5):
        folder = tmp_path / str(milliseconds)
        folder.mkdir()
        process = subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.15 + milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert output == "1\n", f"threads left after {milliseconds} ms"
        assert list(folder.iterdir()) == []


def test_the_servers_listen_on_this_machine_only(servers: Servers) -> None:
    for each in (servers.index, servers.issuer, servers.proxy):
        assert each.server.server_address[0] == "127.0.0.1"


def test_a_rehearsal_is_continued_from_its_directory(tmp_path: Path, folder: Path) -> None:
    with running(tmp_path / "kept") as servers:
        servers.index.register(REGISTERED)
        client = Client(servers)
        token, used = client.mint(), client.id_token()
        client.exchange(used)
        assert client.upload(Dist().write_wheel(folder), token, Dist().metadata).status_code == 200
        stored = servers.index.files("tiny")
    with running(tmp_path / "kept") as servers:
        client = Client(servers)
        assert servers.index.files("tiny") == stored
        assert client.get("/pypi/tiny/json").json()["info"]["version"] == "1.0"
        assert client.exchange(used).json()["errors"][0]["code"] == "invalid-reuse-token"
        assert client.upload(Dist().write_sdist(folder), token, Dist().metadata).status_code == 200
        assert len(servers.index.mints()) == 3
        assert servers.index.registrations() == [REGISTERED]


def test_a_token_expires_after_900_seconds(tmp_path: Path, folder: Path) -> None:
    now = [time.time()]
    with running(tmp_path / "state", clock=lambda: now[0]) as servers:
        servers.index.register(REGISTERED)
        client = Client(servers)
        token = client.mint()
        now[0] += 899
        assert client.upload(Dist().write_wheel(folder), token, Dist().metadata).status_code == 200
        now[0] += 2
        answer = client.upload(Dist().write_sdist(folder), token, Dist().metadata)
        assert (answer.status_code, answer.reason) == (403, "Invalid API Token: token is expired")


def test_pending_publishers_are_forgotten_after_30_days(tmp_path: Path) -> None:
    now = [time.time()]
    with running(tmp_path / "state", clock=lambda: now[0]) as servers:
        servers.index.register_pending(REGISTERED)
        now[0] += 31 * 24 * 3600
        assert Client(servers).refusal()[0] == "invalid-publisher"


def rehearse(number: int, folder: Path) -> list[str]:
    dist = Dist(module=f"answer = {number}\n")
    (folder / str(number)).mkdir()
    path = dist.write_wheel(folder / str(number))
    with running(folder / str(number) / "state") as servers:
        servers.index.register(REGISTERED)
        client = Client(servers)
        assert client.upload(path, client.mint(), dist.metadata).status_code == 200
        content = client.get("/simple/tiny/").text
        assert servers.errors == []
    return [content, path.name]


@pytest.mark.slow
def test_twenty_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda number: rehearse(number, tmp_path), range(20)))
    assert len({content for content, _ in done}) == 20, "each has its own bytes and so its own hash"


@pytest.fixture
def echo() -> Iterator[int]:
    """A host that is none of the indexes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"echo " + connection.recv(100))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]


def connect(proxy_port: int, target: str, message: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", proxy_port), 10) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return head
            head += byte
        if b"200" not in head:
            return head
        connection.sendall(message)
        return connection.recv(100)


def test_other_hosts_are_tunnelled(servers: Servers, echo: int) -> None:
    assert connect(servers.proxy.server.port, f"localhost:{echo}", b"hello") == b"echo hello"
    assert servers.proxy.seen == [Connection("localhost", echo, "tunnel")]


def test_other_hosts_are_tunnelled_through_the_proxy_of_the_surroundings(
    servers: Servers, tmp_path: Path, echo: int
) -> None:
    with running(tmp_path / "inner", environ={"HTTPS_PROXY": servers.proxy.address}) as inner:
        assert connect(inner.proxy.server.port, f"localhost:{echo}", b"hello") == b"echo hello"
        assert servers.proxy.seen == [Connection("localhost", echo, "tunnel")]


def test_no_proxy_of_the_surroundings_is_kept(servers: Servers, tmp_path: Path, echo: int) -> None:
    around = {"https_proxy": servers.proxy.address, "NO_PROXY": "example.org, localhost"}
    with running(tmp_path / "inner", environ=around) as inner:
        assert connect(inner.proxy.server.port, f"localhost:{echo}", b"hello") == b"echo hello"
        assert servers.proxy.seen == []


def test_a_proxy_that_cannot_be_tunnelled_through_is_an_error() -> None:
    with (
        pytest.raises(TagshipError, match="expected http://, the only one"),
        running(environ={"HTTPS_PROXY": "socks5://x:1"}),
    ):
        pass


@pytest.mark.parametrize("target", ["nobody.invalid:443", "127.0.0.1:1"])
def test_a_host_that_cannot_be_reached_is_a_502(servers: Servers, target: str) -> None:
    assert connect(servers.proxy.server.port, target, b"").startswith(b"HTTP/1.1 502 ")


def test_the_bundle_holds_the_authorities_of_the_surroundings_and_ours(tmp_path: Path) -> None:
    surroundings = tmp_path / "own.pem"
    surroundings.write_text("# own authorities\n")
    with running(environ={"SSL_CERT_FILE": str(surroundings)}) as servers:
        bundle = servers.bundle.read_text()
    assert bundle.startswith("# own authorities\n")
    assert bundle.count("BEGIN CERTIFICATE") == 1
    with running(environ={}) as servers:
        assert servers.bundle.read_text().startswith(Path(certifi.where()).read_text())


def test_every_client_gets_the_certificate_bundle(servers: Servers) -> None:
    variables = servers.variables()
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT"):
        assert variables[name] == str(servers.bundle)
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == servers.proxy.address
    assert list(Path(servers.environment()["HOME"]).iterdir()) == []


def test_the_keys_of_the_authority_are_on_no_disk(servers: Servers) -> None:
    for path in servers.bundle.parent.rglob("*"):
        assert path.is_dir() or b"PRIVATE KEY" not in path.read_bytes()
