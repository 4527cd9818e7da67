"""HTTP over a loopback server: WSGI applications, whole request bodies, dropped connections."""

from __future__ import annotations

import time
import traceback
from ssl import SSLError
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler

from werkzeug.wrappers import Request, Response

from tagship.rehearsal.loopback import LoopbackServer, reset

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

BODY_LIMIT = 2 * 1024**3
"""The size in bytes at which a request is cut off; more than PyPI's limits."""
_BLOCK = 64 * 1024
_DROP = "tagship.drop"
_HEAD_START = 0.1


class Form(Request):
    """A request whose form may be as large as an upload to an index."""

    max_form_memory_size = BODY_LIMIT
    max_form_parts = 100_000

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        # A real file: archives need `seekable`, which SpooledTemporaryFile only has since Python 3.11.
        return cast("IO[bytes]", TemporaryFile())


class WebServer(LoopbackServer):
    """Serves `answer`, a function from a request to a response, with one request per connection."""

    def __init__(self, answer: Callable[[Form], Response], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Handler, tls)
        self.answer = answer
        self.base_environ = {
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.port),
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": "",
            "HTTPS": "on" if tls else "off",
        }

    def get_app(self) -> Callable[[dict[str, Any], Any], Any]:
        """Return the WSGI application for the standard library's handler."""
        return self._run

    def _run(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Form(environ)
        try:
            return self.answer(request)(environ, start_response)
        finally:
            request.close()
            environ["wsgi.input"].close()


class _Handler(WSGIRequestHandler):
    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) <= 65536 and not self.parse_request():
            return
        environ = self.get_environ()
        environ[_DROP] = self._drop
        output = _Output(cast("IO[bytes]", self.rfile), cast("IO[bytes]", self.wfile), self.get_stderr(), environ)
        output.request_handler = self
        output.run(cast("WebServer", self.server).get_app())

    def _drop(self) -> None:
        # Without a byte before it, urllib3 (2.8) treats a reset behind a proxy as the proxy's failure and
        # repeats the request without the part of the body that was read: twine would wait forever.
        self.wfile.write(b"\r\n")
        time.sleep(_HEAD_START)
        reset(self.connection)
        raise ConnectionResetError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: requests are in the index's own log."""


class _Output(ServerHandler):
    request_handler: _Handler

    def log_exception(self, exc_info: Any) -> None:
        if issubclass(exc_info[0], (TimeoutError, ConnectionError, SSLError)):
            return  # The client has disconnected, or sends nothing more.
        cast("LoopbackServer", self.request_handler.server).errors.append(
            "".join(traceback.format_exception(*exc_info))
        )


def drop(request: Request) -> None:
    """Reset the connection instead of an answer; does not return."""
    request.environ[_DROP]()


def read_body(request: Request) -> None:
    """Read the whole body before the answer, as the index's front end does.

    Raises ConnectionResetError if the client disconnects early or sends more than BODY_LIMIT bytes.
    """
    body: IO[bytes] = cast("IO[bytes]", SpooledTemporaryFile(max_size=1024**2))  # noqa: SIM115
    for block in _blocks(request.environ):
        body.write(block)
        if body.tell() > BODY_LIMIT:
            drop(request)
    request.environ["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    request.environ["wsgi.input"] = body
    request.environ["wsgi.input_terminated"] = True


def _blocks(environ: dict[str, Any]) -> Iterator[bytes]:
    source = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        while size := _chunk_size(source.readline(64)):
            yield from _exactly(source, size)
            source.readline(4)
        return
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit():
        yield from _exactly(source, int(length))


def _chunk_size(line: bytes) -> int:
    try:
        return max(int(line.partition(b";")[0], 16), 0)
    except ValueError:
        raise ConnectionResetError from None


def _exactly(source: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        block = source.read(min(size, _BLOCK))
        if not block:
            raise ConnectionResetError
        size -= len(block)
        yield block
