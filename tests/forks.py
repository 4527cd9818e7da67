"""Python programs in processes forked from one that has imported them, as most of a short run is its imports.

Fast tests run them so. Slow tests and benchmarks start each as a user does.

`python -m tests.forks NUMBER` is that process: for each program it is sent a request over the socket NUMBER.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[1]
#: The step of a release that a test runs, as a script.
STEP = str(ROOT / "tests/step.py")
#: The suite as a project has it.
COPY = ROOT / "{{cookiecutter.project_slug}}/.github/release/tagship_suite"
#: The programs that are run as modules.
PROGRAMS = ("invoke", "nox", "tagship", "twine")
#: What Python or the C library read once, as a process starts.
STARTUP = ("PYTHON", "LC_", "LANG", "TZ", "LD_")
REQUEST = 1 << 17

#: Whether the current test may fork.
allowed = False


class Suites(NamedTuple):
    """The modules of the suite, imported from the source and from a project."""

    source: dict[str, ModuleType]
    copy: dict[str, ModuleType]
    files: dict[Path, bytes]

    def put(self, arguments: list[str]) -> None:
        """Let a program import the one that it would: another than these two is still to be imported."""
        own = Path(".github/release", COPY.name).resolve()
        if arguments[:2] == ["-m", "tagship"] or not own.is_dir():
            sys.modules.update(self.source)
        elif _files(own) == self.files:
            sys.modules.update(self.copy)
            self.copy[COPY.name].__path__ = [str(own)]


class Forks:
    """The process that forks, of the environment in which it was started."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
        self._environ = dict(os.environ)
        self._process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        theirs.close()
        atexit.register(self._end)

    def is_like(self, environ: Mapping[str, str]) -> bool:
        """Return whether a process with `environ` starts as this one did."""
        names = {name for name in {*environ, *self._environ} if name.startswith(STARTUP)}
        return all(environ.get(name) == self._environ.get(name) for name in names)

    def run(self, command: list[str], cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run `command` in `cwd`; return its status and all that it printed."""
        output, printed = os.pipe()
        answer, ended = os.pipe()
        request = json.dumps([command[1:], str(cwd), dict(environ)]).encode()
        socket.send_fds(self._socket, [request], [printed, ended])
        for number in (printed, ended):
            os.close(number)
        with open(output, encoding="utf-8") as text, open(answer, encoding="ascii") as status:  # noqa: PTH123
            return subprocess.CompletedProcess(command, stdout=text.read(), returncode=int(status.read()))

    def _end(self) -> None:
        self._socket.close()
        self._process.wait(10)


def can_run(command: Sequence[str]) -> bool:
    """Return whether `command` runs one of the programs, on a system on which processes are easily forked."""
    python, *arguments = command
    known = arguments[:1] == [STEP] or (arguments[:1] == ["-m"] and arguments[1] in PROGRAMS)
    return allowed and sys.platform == "linux" and python == sys.executable and known


@cache
def start() -> Forks:
    """Return the process that forks for this test process, and ends with it."""
    return Forks()


def main(wanted: int) -> None:
    """Fork as often as it is wanted, until nobody can want it any more."""
    suites = _import_all()
    gc.freeze()
    with suppress(KeyboardInterrupt), socket.socket(fileno=wanted) as requests:
        while request := _receive(requests):
            if os.fork() == 0:
                break
            for number in request[-2:]:
                os.close(number)
            while _ended():
                pass
    if request:
        _supervise(suites, *request)


def _import_all() -> Suites:
    for name in PROGRAMS:
        _import(name)
    source = _take_suite()
    sys.path.insert(0, str(COPY.parent))
    sys.pycache_prefix = str(ROOT / ".pytest_cache/bytecode")  # a folder of its own would get into new projects
    _import(COPY.name)
    del sys.path[0]
    sys.pycache_prefix = None
    return Suites(source, _take_suite(), _files(COPY))


def _import(name: str) -> None:
    """Import all of a package but what starts something, or belongs to the noxfile or the tasks.py of a project."""
    package: ModuleType = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not found.name.endswith((".__main__", ".sessions", ".tasks", ".testing.run")):
            importlib.import_module(found.name)


def _take_suite() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] == COPY.name]
    return {name: sys.modules.pop(name) for name in names}


def _files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.py")}


def _receive(requests: socket.socket) -> tuple[list[str], str, dict[str, str], int, int] | None:
    data, numbers, _, _ = socket.recv_fds(requests, REQUEST, 2)
    return (*json.loads(data), *numbers) if data else None


def _ended() -> bool:
    """Forget a process that has ended; return whether there was one."""
    with suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    return False


def _supervise(
    suites: Suites, arguments: list[str], cwd: str, environ: dict[str, str], printed: int, ended: int
) -> None:
    """Run the program in one more process, and tell how it ended."""
    if process := os.fork():
        os.close(printed)
        _, status = os.waitpid(process, 0)
        os.write(ended, str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    for stream in (1, 2):
        os.dup2(printed, stream)
    for number in (printed, ended):
        os.close(number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    suites.put(arguments)
    os._exit(_status(arguments))


def _status(arguments: list[str]) -> int:
    """Run the program and what it leaves to the end; return its status.

    The interpreter itself does not end, which would free each object that the fork shares.
    """
    status: object = None
    try:
        _run(arguments)
    except SystemExit as wanted:
        status = wanted.code
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return int(status or 0)  # type: ignore[call-overload,no-any-return]


def _run(arguments: list[str]) -> None:
    if arguments[0] == "-m":
        sys.path[0], sys.argv = os.getcwd(), arguments[1:]  # noqa: PTH109
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = str(Path(arguments[0]).parent), arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]))
