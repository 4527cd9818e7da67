"""The sessions of a release; each is the job of the same name in .github/workflows/release.yml.

Nothing about the project is written here. What needs more thought than an order of commands is in
.github/release/, and what can be configured is `[tool.tagship]` in pyproject.toml.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox

if TYPE_CHECKING:
    from collections.abc import Iterator

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
if "--json" not in sys.argv:  # a listing for machines has all five; `nox` alone publishes nothing
    nox.options.sessions = ["build", "test", "verify-version"]
# `nox` alone leaves out, and says so, a Python that this machine does not have; one asked for must be there.
ASKED = re.compile(r"-[a-z]*[ekpPst]|--(force-)?(sessions?|pythons?|keywords|tags)\b")
OPTIONS = takewhile(lambda argument: argument != "--", sys.argv[1:])
nox.options.error_on_missing_interpreters = "NOXSESSION" in os.environ or any(map(ASKED.match, OPTIONS))

RELEASE = ".github/release"
# By the text: what does not parse is for the sessions to explain.
FILES = ("pyproject.toml", "setup.cfg", "setup.py")
METADATA = [path for path in map(Path, FILES) if path.is_file()]
if not any(re.search(rb"\bname\s*=|\bsetup\(", path.read_bytes()) for path in METADATA):
    METADATA = [path for name in FILES for path in Path().glob(f"*/*/{name}")]  # several distributions
LINES = [
    line for path in METADATA for line in path.read_text("utf-8", "replace").splitlines() if line.strip()[:1] != "#"
]
PYTHONS = list(dict.fromkeys(re.findall(r"Programming Language :: Python :: (3\.\d+)\b", "\n".join(LINES))))
os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # uv trusts what pip trusts
# Whatever the machine, a build sees the same surroundings.
SURROUNDINGS = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


@nox.session(reuse_venv=True)
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheels from that sdist: the same bytes for the same commit."""
    with all_or_nothing():
        tools(session)
        os.umask(0o022)
        epoch, folders = json.loads(release(session, "prepare"))
        env = {**SURROUNDINGS, "SOURCE_DATE_EPOCH": epoch}
        for folder in folders:
            session.run("pyproject-build", "--installer=uv", "--sdist", "--outdir=dist", folder, env=env)
        for sdist, compiled in json.loads(release(session, "normalise", env=env)):
            if compiled:
                tools(session, "wheels")
                session.run("cibuildwheel", "--output-dir=dist", sdist, env=env)
            else:
                session.run("pyproject-build", "--installer=uv", "--wheel", "--outdir=dist", sdist, env=env)
        session.run("twine", "check", *map(str, sorted(Path("dist").iterdir())))
    # What it refuses is there to be tested all the same: verify-version refuses it by the same rules.
    release(session, "describe", silent=False)


@nox.session(python=PYTHONS or None)
def test(session: nox.Session) -> None:
    """Run the project's own tests; `-- --installpkg dist` tests the wheel that will ship."""
    folder, *rest = package(session)
    plans = json.loads(release(session, "tests", folder, str(session.python or "")))
    ready = [plan for plan in plans if plan["command"]]
    if not ready:
        session.skip(" and ".join(dict.fromkeys(plan["reason"] for plan in plans)))
    for plan in ready:
        if plan is not ready[0]:
            session.virtualenv.create()  # with nothing in it that the one before needs
        perform(session, plan, rest)


@nox.session(name="verify-version", venv_backend="none")
def verify_version(session: nox.Session) -> None:
    """Refuse dists, modules or a tag that name different versions; write the bundle that may be published."""
    release(session, "verify", silent=False)


@nox.session(name="publish-test", reuse_venv=True)
def publish_test(session: nox.Session) -> None:
    """Publish the bundle to TestPyPI: check, sign, `twine upload`, wait until the index serves it."""
    tools(session)
    session.run("python", RELEASE, "publish", "testpypi", *session.posargs)


@nox.session(reuse_venv=True)
def publish(session: nox.Session) -> None:
    """Publish the bundle to PyPI: check, sign, `twine upload`, wait until the index serves it."""
    tools(session)
    session.run("python", RELEASE, "publish", "pypi", *session.posargs)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Remove what a build that fails has made: no later session may take a part of the dists for a release."""
    try:
        yield
    except BaseException:
        for folder in ("dist", "bundle"):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def tools(session: nox.Session, name: str = "tools") -> None:
    """Install release tools, as locked."""
    options = ("--require-hashes", "--only-binary=:all:", f"--requirement={RELEASE}/{name}.txt")
    session.install(*options, env={"UV_NO_CONFIG": "1"})  # what the project asks of uv is not for these


def perform(session: nox.Session, plan: dict[str, Any], arguments: list[str]) -> None:
    """Install what the tests of one distribution need, and run them."""
    if plan["locked"]:
        locked(session, plan["locked"])
    extras = f"[{','.join(plan['extras'])}]" if plan["extras"] else ""
    session.install(*plan["requires"], f"{plan['package']}{extras}")
    with session.chdir(plan["folder"]):
        session.run(*plan["command"], *arguments, external=True)


def locked(session: nox.Session, command: list[str]) -> None:
    """Install the locked requirements that `command` writes; the file may hold the credentials of an index."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = f"{folder}/requirements.txt"
        session.run(*command, f"--output={requirements}", external=True)
        session.install("-r", requirements)


def release(session: nox.Session, *verb: str, silent: bool = True, env: dict[str, str] | None = None) -> str:
    """Run `python .github/release VERB` with nox's own Python; return the last line of what it prints."""
    printed = session.run(sys.executable, RELEASE, *verb, silent=silent, env=env, external=True, log=not silent)
    return printed.strip().splitlines()[-1] if isinstance(printed, str) and printed.strip() else ""


def package(session: nox.Session) -> list[str]:
    """Return the folder after --installpkg ("" without it), and the other arguments."""
    arguments = list(session.posargs)
    if "--installpkg" not in arguments:
        return ["", *arguments]
    at = arguments.index("--installpkg")
    if len(arguments) == at + 1:
        session.error("--installpkg takes the folder of the dists: nox -s test -- --installpkg dist")
    return [arguments[at + 1], *arguments[:at], *arguments[at + 2 :]]
