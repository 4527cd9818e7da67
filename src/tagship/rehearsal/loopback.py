"""Servers on 127.0.0.1 that stop without leaving a thread or a socket behind."""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

IDLE_TIMEOUT = 30.0
"""Seconds after which a silent connection is closed."""


class LoopbackServer(socketserver.ThreadingTCPServer):
    """A TCP server on a free port of 127.0.0.1, with a thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[socketserver.BaseRequestHandler], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._tls = tls
        self._connections: dict[threading.Thread, list[socket.socket]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name=f"{type(self).__name__}:{self.port}", daemon=True)
        self.errors: list[str] = []
        """Tracebacks from our own code; the result of a rehearsal with one is not reliable."""

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a separate thread, until `stop`."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait for the threads; may be called again."""
        self._stopping.set()
        if self._acceptor.is_alive():
            # The acceptor waits for a connection; polling would cost time or power.
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            self._acceptor.join()
        self.server_close()
        with self._lock:
            running = {thread: list(sockets) for thread, sockets in self._connections.items()}
        for thread, sockets in running.items():
            # A thread that waits for its client only wakes up if the socket is shut down.
            for each in sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            thread.join(10)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002
        """Accept no connection while stopping, including the one that wakes the acceptor."""
        return not self._stopping.is_set()

    def hold(self, connection: socket.socket) -> None:
        """Add a socket to the calling thread's connection, so that `stop` shuts it down too."""
        with self._lock:
            self._connections.setdefault(threading.current_thread(), []).append(connection)
        if self._stopping.is_set():  # `stop` may have looked at the sockets before this one was added
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection; overridden to record both."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[thread] = [request]
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle the connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake here, not while accepting, so that a client that hangs only blocks itself."""
        request.settimeout(IDLE_TIMEOUT)
        if self._tls is None:
            return super().finish_request(request, client_address)
        with self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
            self.hold(secured)
            secured.do_handshake()
            return super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Ignore clients that have disconnected, and record all other errors."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.errors.append(traceback.format_exc())


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side gets a reset, not an end of stream."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Not `close`, which waits for the files of the socket: an end of stream would be sent before the reset.
        socket.close(connection.detach())
