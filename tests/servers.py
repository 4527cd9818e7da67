"""Real package indexes on loopback, on ports that the system chooses, always stopped."""

from __future__ import annotations

import base64
import json
import re
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


class _Server:
    """A package index of its own process; user `maintainer`, password `secret`."""

    url: str
    _process: subprocess.Popen[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def twine(self) -> dict[str, str]:
        """The variables that point twine at this index."""
        return {"TWINE_REPOSITORY_URL": self.url, "TWINE_USERNAME": "maintainer", "TWINE_PASSWORD": "secret"}


class Pypiserver(_Server):
    """pypiserver; `options` are those of its `app`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
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
        self.port = int(port)
        self.url = f"http://127.0.0.1:{port}/"
        self._wait()
        return self

    @property
    def simple(self) -> str:
        """The address that installers use, with the password in it."""
        return f"{self.url.replace('://', '://maintainer:secret@')}simple/"

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


class Devpi(_Server):
    """devpi-server with the index `maintainer/dev`."""

    def __enter__(self) -> Devpi:
        program = self._program()
        options = ["--serverdir", str(self.folder)]
        init = [str(program.with_name("devpi-init")), *options, "--no-root-pypi", "--root-passwd", "root"]
        subprocess.run(init, check=True, capture_output=True)
        with self.log.open("w") as log:
            command = [str(program), *options, "--host", "127.0.0.1", "--port", "0"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        try:
            self._root = self._wait()
            self._make_index()
        except BaseException:
            self._process.terminate()
            raise
        self.url = f"{self._root}/maintainer/dev/"
        return self

    @property
    def simple(self) -> str:
        """The address that installers use."""
        return f"{self.url}+simple/"

    @staticmethod
    def _program() -> Path:
        """Return devpi-server in an environment of its own, as its dependencies are many and strict."""
        code = "import pathlib, sys; print(pathlib.Path(sys.executable).with_name('devpi-server'))"
        command = ["uv", "tool", "run", "--quiet", "--from", "devpi-server", "python", "-c", code]
        return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())

    def _wait(self) -> str:
        for _ in range(600):
            if match := re.search(r"Serving on (http://\S+)", self.log.read_text()):
                return match[1]
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def _make_index(self) -> None:
        self._request("PUT", "/maintainer", {"password": "secret"})
        login = self._request("POST", "/+login", {"user": "maintainer", "password": "secret"})
        self._request("PUT", "/maintainer/dev", {"bases": [], "volatile": False}, login["result"]["password"])

    def _request(self, method: str, path: str, data: dict[str, Any], token: str = "") -> dict[str, Any]:
        auth = base64.b64encode(f"maintainer:{token}".encode()).decode()
        headers = {"Content-Type": "application/json", **({"X-Devpi-Auth": auth} if token else {})}
        request = urllib.request.Request(self._root + path, json.dumps(data).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))
