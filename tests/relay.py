"""A relay to a server on loopback that cuts connections where a test wants it."""

from __future__ import annotations

import socket
import struct
import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


def _nothing() -> None:
    """Only cut."""


class Relay:
    """Passes bytes to and from `port`; cuts one connection, with a reset, after so many bytes of both ways."""

    def __init__(self, port: int) -> None:
        self.passed = 0
        self._target = port
        self._left: int | None = None
        self._and_then: Callable[[], object] = _nothing
        self._lock = threading.Lock()

    def cut_after(self, count: int, and_then: Callable[[], object] = _nothing) -> None:
        """Cut the connection on which the byte after the next `count` would pass, and do something; once."""
        with self._lock:
            self._left, self._and_then = count, and_then

    def __enter__(self) -> Relay:
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                relay._connect(self.request)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _connect(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                allowed = self._allowed(len(data))
                target.sendall(data[:allowed])
                if allowed < len(data):
                    _reset(source)
                    _reset(target)
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _allowed(self, count: int) -> int:
        """Return how many of `count` bytes may pass."""
        with self._lock:
            if self._left is None or self._left >= count:
                self._left = None if self._left is None else self._left - count
                self.passed += count
                return count
            allowed, self._left = self._left, None
            self._and_then()
            return allowed


def _reset(connection: socket.socket) -> None:
    """Close with a reset, so that the other side sees a break and not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()
