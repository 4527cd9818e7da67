"""What the tests share: a clean environment, generated projects, and a real index."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from cookiecutter.main import cookiecutter

from tagship import suite as managed
from tests import forks
from tests.browser import browser
from tests.servers import Pypiserver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

__all__ = ["browser"]

# Shells start background jobs with SIGINT ignored, and what these start would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Hooks and `git submodule` are shell scripts, which find the system's tools even if the user's PATH does not.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), os.defpath])

ROOT = Path(__file__).parents[1]
#: Variables of the surrounding CI run or of a person's twine, which no test may see; and the one that containers set,
#: with which each process compiles all that it imports.
FOREIGN = (
    *("GITHUB_", "ACTIONS_", "TWINE_", "TAGSHIP_", "CI", "NOX", "GIT_"),
    *("SOURCE_DATE_EPOCH", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE"),
)
#: The last two are for speed.
GIT_CONFIG = """\
[user]
name = A Maintainer
email = maintainer@example.com
[init]
defaultBranch = main
[core]
looseCompression = 0
[maintenance]
auto = false
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Remove what the machine and its user would add to a run."""
    for name in [name for name in os.environ if name.startswith(FOREIGN) and not name.startswith("GIT_SSL")]:
        monkeypatch.delenv(name)
    config = tmp_path_factory.getbasetemp() / "gitconfig"
    config.write_text(GIT_CONFIG)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(autouse=True)
def _allow_forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs of fast tests run in forks of one process; what is slow anyway starts real ones."""
    monkeypatch.setattr(forks, "allowed", request.node.get_closest_marker("slow") is None)


def try_run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in `cwd` with `env` added, whether it succeeds or not."""
    return try_in({**os.environ, **env}, *command, cwd=cwd)


def try_in(environ: dict[str, str], *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `command` in `cwd` with `environ` and no other variable, whether it succeeds or not."""
    words = list(map(str, command))
    if forks.can_run(words) and (process := forks.start()).is_like(environ):
        return process.run(words, cwd, environ)
    return subprocess.run(
        words,
        cwd=cwd,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in `cwd` with `env` added; if it fails, fail with its output."""
    done = try_run(*command, cwd=cwd, **env)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))} exited {done.returncode}:\n{done.stdout}")
    return done


NOX = (sys.executable, "-m", "nox")
RELEASE = (sys.executable, ROOT / "tests/step.py")
#: The noxfile and the tasks of a project that has none of its own.
NOXFILE = """\
import sys

sys.path.insert(0, ".github/release")
from tagship_suite.sessions import build, github_release, publish, publish_test, test, verify_version
"""
TASKS = NOXFILE.replace(
    "sessions import build, github_release, publish, publish_test, test, verify_version", "tasks import *"
)


def nox(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the real nox in `cwd`, which must pass."""
    return run(*NOX, *arguments, cwd=cwd, **env)


def try_nox(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the real nox in `cwd`, whether it succeeds or not."""
    return try_run(*NOX, *arguments, cwd=cwd, **env)


def release(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the suite in `cwd`; it must pass."""
    return run(*RELEASE, *arguments, cwd=cwd, **env)


def try_release(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the suite in `cwd`, whether it succeeds or not."""
    return try_run(*RELEASE, *arguments, cwd=cwd, **env)


def git(cwd: Path, *arguments: str) -> str:
    """Run git in `cwd`; return what it prints."""
    return run("git", *arguments, cwd=cwd).stdout.strip()


def commit(cwd: Path, message: str = "a change") -> None:
    """Commit everything in `cwd`, and create the repository if there is none."""
    if not (cwd / ".git").exists():
        git(cwd, "init", "-q")
    git(cwd, "add", "-A")
    git(cwd, "commit", "-q", "--allow-empty", "-m", message)


def check_schema(*arguments: str | Path) -> None:
    """Run check-jsonschema, which must pass, in this process: it takes two seconds to start."""
    from check_jsonschema import main  # type: ignore[import-untyped]

    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="session")
def _generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(cookiecutter(str(ROOT), no_input=True, output_dir=str(tmp_path_factory.mktemp("generated"))))


@pytest.fixture
def project(_generated: Path, tmp_path: Path) -> Path:
    """A freshly generated project, not yet a git repository."""
    return Path(shutil.copytree(_generated, tmp_path / _generated.name))


def drift(folder: Path, found: dict[Path, bytes]) -> list[Path]:
    """Return the managed files of `found` that are missing or different in `folder`, and those that are extra there."""
    differ = [path for path in found if not (folder / path).is_file() or (folder / path).read_bytes() != found[path]]
    return differ + [path for path in managed.present(folder) if path not in found]


def parts(count: int, *, pushed: int) -> list[ParameterSet]:
    """Return the numbers of a test's parts as parameters: those after the first `pushed` run at night only."""
    return [nightly(part, when=part >= pushed) for part in range(count)]


def nightly(*values: object, when: bool = True) -> ParameterSet:
    """Return a parameter that is run at night only, if `when`."""
    return pytest.param(*values, marks=[pytest.mark.nightly] * when)


_managed = cache(managed.files)


def copy_suite(folder: Path) -> Path:
    """Write the suite to `folder`, with a noxfile and tasks."""
    managed.write(folder, _managed())
    (folder / "noxfile.py").write_text(NOXFILE)
    (folder / "tasks.py").write_text(TASKS)
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder that holds nothing but the suite."""
    return copy_suite(tmp_path / "ship")


@pytest.fixture
def pypiserver(tmp_path: Path) -> Iterator[Pypiserver]:
    """A real pypiserver on loopback, empty, that requires a password."""
    with Pypiserver(tmp_path / "index") as server:
        yield server
