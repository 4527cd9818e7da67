"""Real package indexes on loopback, on ports that the system chose, always stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

#: pypiserver binds the port itself, so it is given a socket's number 0 and tells which one it got.
SERVE = """
import json, pathlib, sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from socketserver import ThreadingMixIn
import pypiserver

class Quiet(WSGIRequestHandler):
    def log_message(self, format, *arguments): print(format % arguments, file=sys.stderr, flush=True)

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

options = json.loads(sys.argv[1])
options["roots"] = [pathlib.Path(root) for root in options["roots"]]
app = pypiserver.app(**{**options, "auther": lambda user, password: (user, password) == ("maintainer", "secret")})
server = make_server("127.0.0.1", 0, app, Server, Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Pypiserver:
    """A pypiserver of its own process; user `maintainer`, password `secret`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self._options = {
            "roots": [str(folder)],
            "disable_fallback": True,
            "authenticate": ["update"],
            **options,
        }

    def __enter__(self) -> Pypiserver:
        with self.log.open("w") as log:
            command = [sys.executable, "-c", SERVE, json.dumps(self._options)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout
        port = self._process.stdout.readline().strip()
        assert port, self.log.read_text()
        self.url = f"http://127.0.0.1:{port}/"
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()

    @property
    def twine(self) -> dict[str, str]:
        """The variables that point twine at this index."""
        return {"TWINE_REPOSITORY_URL": self.url, "TWINE_USERNAME": "maintainer", "TWINE_PASSWORD": "secret"}

    def files(self) -> list[str]:
        """Return the names of the files that the index holds."""
        return sorted(path.name for path in self.folder.iterdir())

    def requests(self, method: str) -> int:
        """Return how many requests of this method it was sent."""
        return self.log.read_text().count(f'"{method} ')

    def _wait(self) -> None:
        for _ in range(100):
            try:
                with urllib.request.urlopen(self.url, timeout=5):
                    return
            except urllib.error.URLError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())
