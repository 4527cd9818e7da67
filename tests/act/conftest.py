"""act, what the jobs need on this machine, and the project whose workflow is run."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship.publisher import Registration
from tagship.rehearsal.servers import Servers, running
from tests.act.pythons import HERE, find
from tests.act.runner import Runner, workflow_of
from tests.conftest import ROOT, commit, git

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    requirements = [ROOT / ".github/release" / name for name in ("nox.txt", "tools.txt")]
    python = find(workflow_of(ROOT)["env"]["PYTHON"])
    text = python.encode() + b"".join(path.read_bytes() for path in requirements)
    assert request.config.cache
    folder = request.config.cache.mkdir("act") / hashlib.sha256(text).hexdigest()[:16]
    if not folder.is_dir():
        _download(folder.with_name(f"{folder.name}-{os.getpid()}"), python, requirements).rename(folder)
    return folder


def _download(folder: Path, python: str, requirements: list[Path]) -> Path:
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", "--python", python, venv], check=True)
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", folder]
    files = [argument for path in requirements for argument in ("-r", path)]
    subprocess.run([venv / "bin/python", "-m", "pip", "download", *options, *files], check=True)
    shutil.rmtree(venv)
    return folder


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """The indexes and the issuer of a rehearsal."""
    none = tmp_path / "none.pem"
    none.write_text("# no other authority: loading the system's takes most of a request's time\n")
    with running(tmp_path / "indexes", environ={"REQUESTS_CA_BUNDLE": str(none)}) as servers:
        yield servers
        assert servers.errors == []


@pytest.fixture
def runner(act: str, tmp_path: Path, servers: Servers, wheels: Path) -> Runner:
    """act, ready to run a repository's workflow."""
    return Runner(act, tmp_path / "runs", servers, wheels)


@pytest.fixture
def repository(project: Path) -> Path:
    """A generated project for this Python alone, with attestations off, committed."""
    return prepared(project)


def prepared(project: Path) -> Path:
    """Make the project ready for a run here: this Python alone, no attestations, committed."""
    pyproject = project / "pyproject.toml"
    others = rf'\n  "Programming Language :: Python :: (?!{re.escape(HERE)}")[\d.]+",'
    text = re.sub(others, "", pyproject.read_text())
    table = "" if "[tool.tagship]" in text else "\n[tool.tagship]\n"
    pyproject.write_text(f'{text}{table}attestations = "off"\n')
    commit(project)
    return project


def register(servers: Servers, *indexes: str, project: str = "my-package") -> None:
    """Register the publisher of Octo/my-package at the indexes, as a person does before the first release."""
    for index in indexes:
        registration = Registration(project, "Octo", "my-package", "release.yml", index, "1001")
        servers.index.register_pending(registration, index)


def tag(repository: Path, name: str = "v0.1.0") -> str:
    """Tag HEAD; return the ref."""
    git(repository, "tag", name)
    return f"refs/tags/{name}"
