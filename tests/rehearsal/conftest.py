"""Servers for every test, twine and uv as a release runs them, and uploads without either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tagship.publisher import Registration
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.servers import Servers, running
from tests.conftest import try_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PUSH = TagPush(owner="Octo", repository="tiny", tag="v1.0", sha="a" * 40, owner_id="77")
REGISTERED = Registration(
    project="tiny", owner="Octo", repository="tiny", workflow="release.yml", environment="pypi", owner_id="77"
)

Run = subprocess.CompletedProcess[str]
_PLAIN = {"COLUMNS": "1000", "NO_COLOR": "1"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers whose bundle holds no other authority: loading the system's takes most of a request's time."""
    none = tmp_path / "none.pem"
    none.write_text("# none\n")
    with running(tmp_path / "state", environ={"REQUESTS_CA_BUNDLE": str(none)}) as servers:
        yield servers
        assert servers.errors == []


@pytest.fixture
def registered(servers: Servers) -> Servers:
    servers.index.register(REGISTERED)
    return servers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "dist"
    path.mkdir()
    return path


@pytest.fixture
def twine() -> Callable[..., Run]:
    def run(environment: dict[str, str], *files: Path, options: tuple[str, ...] = ()) -> Run:
        command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
        environment = {**environment, **_PLAIN}
        return try_in(environment, *command, "--verbose", *options, *files, cwd=Path.cwd())

    return run


@pytest.fixture
def uv() -> Callable[..., Run]:
    def run(environment: dict[str, str], *arguments: str) -> Run:
        return _run([str(Path(sys.executable).with_name("uv")), *arguments], environment)

    return run


@pytest.fixture
def run() -> Callable[..., Run]:
    return _run


def _run(command: list[str], environment: dict[str, str], **options: Any) -> Run:
    return subprocess.run(
        command,
        env={**environment, **_PLAIN},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
        **options,
    )
