"""act, the tools that the jobs need, and the project whose workflow is run."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship import suite
from tagship.publisher import Registration
from tagship.rehearsal.servers import Servers, running
from tests.act import events
from tests.act.artifacts import Store
from tests.act.pythons import HERE
from tests.act.runner import Run, Runner, workflow_of
from tests.conftest import ROOT, commit, copy_suite, git
from tests.wheels import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.act.events import Event

SETUP = """\
import re
from setuptools import setup

with open("my_package/__init__.py") as file:
    version = re.search(r'__version__ = "(.*)"', file.read()).group(1)

setup(
    name="My_Package",
    version=version,
    description="Old, and in use.",
    packages=["my_package"],
    classifiers=["Programming Language :: Python :: {python}"],
)
"""
TESTS = """\
import unittest

import my_package


class Test(unittest.TestCase):
    def test_version(self):
        self.assertEqual(my_package.__version__, "0.1.0")
"""
LEGACY = """\
[tool.tagship]
attestations = "off"
test-command = ["python", "-m", "unittest", "discover", "tests"]
"""
#: Before a test takes the surrounding CI's variables away.
IN_CI = bool(os.environ.get("CI"))


@pytest.fixture(scope="session")
def act() -> str:
    """The path of act; without it tests are skipped, but in CI they fail."""
    if found := shutil.which("act"):
        return found
    words = "act is not on the path: go install github.com/nektos/act@v0.2.87"
    if IN_CI and shutil.which("go"):
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


@pytest.fixture(scope="session")
def wheels(act: str, request: pytest.FixtureRequest) -> Path:
    """A folder with the locked release tools, kept until they change."""
    assert act
    return locked(request.config.cache.mkdir("act"), *re.findall(r"3\.\d+", workflow_of(ROOT)["env"]["PYTHON"]))


@contextmanager
def serving(folder: Path) -> Iterator[Servers]:
    """Run the indexes and the issuer of a rehearsal, where nothing is registered."""
    none = folder / "none.pem"
    none.write_text("# no other authority: loading the system's takes most of a request's time\n")
    with running(folder / "indexes", environ={"REQUESTS_CA_BUNDLE": str(none)}) as servers:
        yield servers
        assert servers.errors == []


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """The indexes and the issuer, of this test alone."""
    with serving(tmp_path) as servers:
        yield servers


@pytest.fixture
def runner(act: str, tmp_path: Path, servers: Servers, wheels: Path) -> Runner:
    """act, ready to run a repository's workflow."""
    return Runner(act, tmp_path / "runs", servers, wheels)


@pytest.fixture
def repository(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> Path:
    """A committed project for this Python alone, with attestations off, named my-package 0.1.0.

    Its parameter is how it publishes, or `legacy`: a repository with a setup.py, into which the suite was copied, with
    the workflow of compiled projects.
    """
    variant = getattr(request, "param", "nox")
    if variant == "legacy":
        return _legacy(tmp_path / "legacy")
    shutil.copy(ROOT / suite.WORKFLOWS[variant], project / suite.WORKFLOW)
    supports(project, HERE)
    commit(project)
    return project


@dataclass(frozen=True)
class Gate:
    """A run up to the gate, which accepted v0.1.0, and the runner on which it continues."""

    runner: Runner
    repository: Path
    run: Run

    def rerun(self, event: Event | None = None, attempt: str = "2", **variables: str) -> Run:
        """Re-run the jobs that are not done, for the push of the tag unless for another event."""
        event = event or events.push(self.repository, "refs/tags/v0.1.0")
        return self.runner.run(self.repository, event, attempt=attempt, after=self.run, **variables)


@pytest.fixture(scope="session")
def checked(act: str, wheels: Path, _generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Gate]:
    """The first three jobs, which are the same in each variant, run once; publish-test failed without a publisher.

    They run on first use, in the clean environment of a test.
    """

    @cache
    def check() -> Gate:
        folder = tmp_path_factory.mktemp("checked")
        project = Path(shutil.copytree(_generated, folder / _generated.name))
        supports(project, HERE)
        commit(project)
        with serving(folder) as servers:
            runner = Runner(act, folder / "runs", servers, wheels)
            run = runner.run(project, events.push(project, tag(project)))
        assert run.jobs["verify-version"] == "success", run.printed
        return Gate(runner, project, run)

    return check


@pytest.fixture(params=["nox", "gh-action-pypi-publish"])
def gate(request: pytest.FixtureRequest, checked: Callable[[], Gate], runner: Runner, tmp_path: Path) -> Gate:
    """A copy of that run, to continue with each of the variants."""
    earlier = checked()
    repository = Path(shutil.copytree(earlier.repository, tmp_path / "gate"))
    (repository / suite.WORKFLOW).write_bytes(suite.workflow(request.param))
    shutil.copytree(earlier.run.artifacts.folder, runner.folder / "run-1/artifacts")
    return Gate(runner, repository, replace(earlier.run, artifacts=Store(runner.folder / "run-1/artifacts")))


def supports(project: Path, *pythons: str) -> None:
    """Let a generated project support only these Pythons.

    Nothing is signed, as there is no stand-in for Sigstore, and no GitHub Release is made, to save time.
    """
    pyproject = project / "pyproject.toml"
    classifiers = "".join(f'  "Programming Language :: Python :: {python}",\n' for python in pythons)
    text = pyproject.read_text().partition("\n[tool.tagship]")[0]
    text = re.sub(r'(  "Programming Language :: Python :: [\d.]+",\n)+', classifiers, text)
    pyproject.write_text(f'{text}\n[tool.tagship]\nattestations = "off"\ngithub-release = false\n')


def _legacy(folder: Path) -> Path:
    copy_suite(folder)
    (folder / suite.WORKFLOW).write_bytes(suite.workflow(compiled=True))
    (folder / "my_package").mkdir()
    (folder / "my_package/__init__.py").write_text('"""Old, and in use."""\n\n__version__ = "0.1.0"\n')
    (folder / "setup.py").write_text(SETUP.format(python=HERE))
    (folder / "tests").mkdir()
    (folder / "tests/test_version.py").write_text(TESTS)
    (folder / "pyproject.toml").write_text(LEGACY)
    (folder / ".gitignore").write_text("__pycache__/\n*.egg-info/\nbuild/\ndist/\nbundle/\n.nox/\n")
    commit(folder)
    return folder


def register(servers: Servers, *indexes: str, project: str = "my-package") -> None:
    """Register the publisher of Octo/my-package at the indexes, as a person does before the first release."""
    for index in indexes:
        registration = Registration(project, "Octo", "my-package", "release.yml", index, "1001")
        servers.index.register_pending(registration, index)


def tag(repository: Path, name: str = "v0.1.0") -> str:
    """Tag HEAD; return the ref."""
    git(repository, "tag", name)
    return f"refs/tags/{name}"
