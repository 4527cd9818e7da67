"""A CONNECT proxy: the indexes' hosts go to the local index, everything else is tunnelled."""

from __future__ import annotations

import base64
import selectors
import socket
import threading
from dataclasses import dataclass
from socketserver import StreamRequestHandler
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import unquote, urlsplit

from tagship.errors import TagshipError
from tagship.indexes import index_of
from tagship.rehearsal.loopback import IDLE_TIMEOUT, LoopbackServer, reset
from tagship_suite.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT = 10.0
"""Seconds for a host to accept a connection."""
_BLOCK = 64 * 1024
_HEADER_LINES = 100


@dataclass(frozen=True)
class Connection:
    """A CONNECT request: to which host, and how it was routed."""

    host: str
    port: int
    way: Literal["index", "tunnel", "refused"]


@dataclass(frozen=True)
class Upstream:
    """The proxy in the user's environment."""

    host: str
    port: int
    authorization: str
    no_proxy: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Upstream | None:
        """Read HTTPS_PROXY and NO_PROXY (either case); raises TagshipError for another scheme than http."""
        address = _either(environ, "HTTPS_PROXY") or _either(environ, "ALL_PROXY")
        if not address:
            return None
        url = urlsplit(address if "//" in address else f"http://{address}")
        if url.scheme != "http" or not url.hostname:
            expected = "http://, the only one that a rehearsal tunnels through"
            raise TagshipError(Problem("proxy", "HTTPS_PROXY", f"{url.scheme}://…", expected, "use such a proxy"))
        login = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
        authorization = "" if login == ":" else base64.b64encode(login.encode()).decode()
        return cls(url.hostname, url.port or 80, authorization, _either(environ, "NO_PROXY"))

    def bypassed(self, host: str) -> bool:
        """Return whether NO_PROXY excludes a host."""
        names = [name.strip().lstrip(".").lower() for name in self.no_proxy.split(",")]
        return any(name in {"*", host.lower()} or host.lower().endswith(f".{name}") for name in names if name)

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a socket that the upstream proxy has connected to a host; raises OSError if it refuses."""
        connection = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT)
        login = f"Proxy-Authorization: Basic {self.authorization}\r\n" if self.authorization else ""
        connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n".encode())
        if _status(connection) != b"200":
            connection.close()
            raise ConnectionRefusedError(f"The proxy {self.host} does not connect to {host}.")
        return connection


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.lower()) or environ.get(name) or ""


def _status(connection: socket.socket) -> bytes:
    # Byte by byte: everything after the empty line belongs to the tunnel.
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte or len(head) > _BLOCK:
            return b""
        head += byte
    return head.split(b" ", 2)[1] if b" " in head else b""


class Proxy:
    """The proxy for a local index at a port of 127.0.0.1."""

    def __init__(self, index_port: int, upstream: Upstream | None = None) -> None:
        self.server = _ProxyServer(_Connect)
        self.server.proxy = self
        self._index_port = index_port
        self._upstream = upstream
        self._lock = threading.Lock()
        self._seen: list[Connection] = []

    @property
    def address(self) -> str:
        """The value for HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def seen(self) -> list[Connection]:
        """All connections so far, in order."""
        with self._lock:
            return list(self._seen)

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a socket to the destination of a host's traffic; raises OSError if it cannot be reached."""
        local = index_of(host) is not None
        self._note(Connection(host, port, "index" if local else "tunnel"))
        if local:
            return socket.create_connection(("127.0.0.1", self._index_port), CONNECT_TIMEOUT)
        if self._upstream and not self._upstream.bypassed(host):
            return self._upstream.connect(host, port)
        return socket.create_connection((host, port), CONNECT_TIMEOUT)

    def _note(self, connection: Connection) -> None:
        with self._lock:
            self._seen.append(connection)


class _ProxyServer(LoopbackServer):
    proxy: Proxy


class _Connect(StreamRequestHandler):
    rbufsize = 0
    """Unbuffered: everything after the request's head belongs to the tunnel."""

    def handle(self) -> None:
        target = self._target()
        if target is None:
            self.wfile.write(b"HTTP/1.1 405 Only CONNECT is answered\r\nContent-Length: 0\r\n\r\n")
            return
        server = cast("_ProxyServer", self.server)
        try:
            other = server.proxy.connect(*target)
        except OSError:
            self.wfile.write(b"HTTP/1.1 502 The host cannot be reached\r\nContent-Length: 0\r\n\r\n")
            return
        with other:
            server.hold(other)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump(self.connection, other)

    def _target(self) -> tuple[str, int] | None:
        words = self.rfile.readline(_BLOCK).split()
        for _ in range(_HEADER_LINES):
            if self.rfile.readline(_BLOCK).strip() == b"":
                break
        if len(words) != 3 or words[0] != b"CONNECT":
            return None
        host, _, port = words[1].decode("latin-1").rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
            return None
        return host.strip("[]"), int(port)


def _pump(left: socket.socket, right: socket.socket) -> None:
    """Copy bytes in both directions until both sides have ended; a reset of one side resets the other."""
    with selectors.DefaultSelector() as selector:
        selector.register(left, selectors.EVENT_READ, right)
        selector.register(right, selectors.EVENT_READ, left)
        try:
            while selector.get_map() and (ready := selector.select(IDLE_TIMEOUT)):
                for key, _ in ready:
                    _carry(selector, cast("socket.socket", key.fileobj), key.data)
        except (ConnectionResetError, BrokenPipeError):
            reset(left)
            reset(right)


def _carry(selector: selectors.BaseSelector, source: socket.socket, sink: socket.socket) -> None:
    if data := source.recv(_BLOCK):
        sink.sendall(data)
    else:
        selector.unregister(source)
        sink.shutdown(socket.SHUT_WR)
