"""The sessions of a release, which a project's noxfile imports; each is the job of the same name in the workflow."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path

import nox
from packaging.version import Version

from .errors import Problem, refuse
from .repo.packages import is_compiled
from .report import run
from .testing.pythons import declared

OLDEST_NOX = "2025.10.14"  # the first with download_python for a session
if Version(version("nox")) < Version(OLDEST_NOX):
    remedy = "run: python -m pip install --upgrade nox [missing-tool]"
    sys.exit(f"nox: found {version('nox')}, expected {OLDEST_NOX} or newer; {remedy}")

ROOT = Path()  # nox runs in the folder of the noxfile
REQUIREMENTS = ".github/release/requirements"
LOCK = f"{REQUIREMENTS}/sbom.txt"
BACKEND = "uv|virtualenv"
#: The folder that contains this package, so that another interpreter finds it.
HOME = Path(__file__).resolve().parents[1]
#: A build could have written to the cache of pip or uv, which do not check hashes again.
NO_CACHE = {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}

# nox skips, with a message, a Python that this machine lacks; one that is named must exist.
NAMED = re.compile(r"-[a-z]*[pP]|--(force-|extra-)?pythons?\b|test-")
OPTIONS = takewhile(lambda argument: argument != "--", sys.argv[1:])
if "NOXPYTHON" in os.environ or any(map(NAMED.match, OPTIONS)):
    nox.options.error_on_missing_interpreters = True

os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # uv trusts what pip trusts
# A build sees the same environment on every machine.
ENVIRONMENT = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


@nox.session(reuse_venv=True, venv_backend=BACKEND, download_python="never")
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheels from that sdist: the same bytes for the same commit."""
    from .build import clean, compare, describe, prepare

    with _all_or_nothing(clean):
        install_tools(session)
        os.umask(0o022)
        seconds, packages, before = run(session, prepare, ROOT, os.environ)
        env = {**ENVIRONMENT, "SOURCE_DATE_EPOCH": str(seconds), "UV": nox.virtualenv.UV}
        if any(is_compiled(package.folder) for package in packages):
            install_tools(session, "wheels")
        _in_tools(session, HOME, "build", str(seconds), *(package.path for package in packages), **env)
        run(session, compare, ROOT, packages, before)
    # Dists that this refuses can still be tested: verify-version refuses them by the same rules.
    run(session, describe, ROOT, os.environ)


@nox.session(python=declared(ROOT) or None, venv_backend=BACKEND, download_python="never")
def test(session: nox.Session) -> None:
    """Run the project's own tests; `-- --installpkg dist` tests the wheel that will ship."""
    from .gate import handover
    from .testing.run import run_tests

    run(session, handover.check, ROOT / "dist", os.environ)
    run_tests(session, ROOT)


# Creating an environment takes a second, and only the SBOM needs one.
@nox.session(name="verify-version", venv_backend=BACKEND if Path(LOCK).is_file() else "none", download_python="never")
def verify_version(session: nox.Session) -> None:
    """Refuse dists, modules or a tag that name different versions; write the bundle that may be published."""
    from .gate import bundle
    from .gate.verify import verify

    with _all_or_nothing(bundle.clear):
        if run(session, verify, ROOT, os.environ):
            install_tools(session, "sbom")
            _in_tools(session, HOME, "sbom")


@nox.session(name="publish-test", reuse_venv=False, venv_backend=BACKEND, download_python="never", default=False)
def publish_test(session: nox.Session) -> None:
    """Publish the bundle to TestPyPI: check, sign, `twine upload`, wait until the index serves it."""
    _from_bundle(session, "publish", "testpypi")


@nox.session(reuse_venv=False, venv_backend=BACKEND, download_python="never", default=False)
def publish(session: nox.Session) -> None:
    """Publish the bundle to PyPI: check, sign, `twine upload`, wait until the index serves it."""
    _from_bundle(session, "publish", "pypi")


@nox.session(name="github-release", reuse_venv=False, venv_backend=BACKEND, download_python="never", default=False)
def github_release(session: nox.Session) -> None:
    """Create the tag's GitHub Release from the bundle: a draft with notes and files, then published."""
    _from_bundle(session, "github-release")


def _from_bundle(session: nox.Session, *command: str) -> None:
    """Run a command of the suite with only the contents of the bundle: its tools, its suite, its dists."""
    from .gate import bundle

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else only nox ends, and the upload continues
    folder = run(session, bundle.locate, ROOT.resolve())
    run(session, bundle.check, folder)
    with session.chdir(folder):
        install_tools(session, **NO_CACHE)
    _in_tools(session, folder / bundle.RELEASE, *command, *session.posargs)


def _in_tools(session: nox.Session, home: Path, *arguments: str, **env: str) -> None:
    """Run a command of the suite in the folder `home` with the session's Python, which has the release tools."""
    command = ("python", "-m", "tagship_suite", f"--root={ROOT.resolve()}")
    with session.chdir(home):
        session.run(*command, *arguments, env={**env, "PYTHONSAFEPATH": ""})  # -m looks in the folder


def install_tools(session: nox.Session, name: str = "tools", **env: str) -> None:
    """Install release tools, as locked."""
    if not Path(lock := f"{REQUIREMENTS}/{name}.txt").is_file():
        missing = Problem("managed-files", lock, "no such file", "the locked release tools", "run: tagship sync")
        run(session, refuse, [missing])
    # --no-deps: a lock is complete, and reading the metadata of each package takes as long as installing it.
    options = ("--no-deps", "--require-hashes", "--only-binary=:all:", f"--requirement={lock}")
    session.install(*options, env={"UV_NO_CONFIG": "1", **env})  # without the project's configuration of uv


@contextmanager
def _all_or_nothing(clear: Callable[[Path], object]) -> Iterator[None]:
    """Call `clear` if the session fails, so that no later one takes incomplete dists for a release."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # the first error is the reason
            clear(ROOT)
        raise
