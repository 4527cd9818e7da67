"""Real package indexes on loopback, on ports that the system chooses, always stopped."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
import urllib.request
import warnings
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Quiet(WSGIRequestHandler):
    """Logs requests in the server's file."""

    def log_message(self, form: str, *arguments: Any) -> None:
        assert isinstance(self.server, _Threads)
        with self.server.log.open("a") as log:
            print(form % arguments, file=log)


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    log: Path


class _Server:
    """A package index; user `maintainer`, password `secret`."""

    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")

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
            "roots": [folder],
            "disable_fallback": True,
            "authenticate": ["update"],
            **options,
        }

    def __enter__(self) -> Pypiserver:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its copy of bottle imports cgi
            import pypiserver

        app = pypiserver.app(**self._options, auther=lambda *given: given == ("maintainer", "secret"))
        self._server = make_server("127.0.0.1", 0, app, _Threads, _Quiet)
        self._server.log = self.log
        self.log.touch()
        Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

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


class Devpi(_Server):
    """devpi-server with the index `maintainer/dev`."""

    _process: subprocess.Popen[str]

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

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

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
