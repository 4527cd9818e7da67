"""The workflow runs, on a runner that others wrote, for each event that GitHub would send."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagship.rehearsal.servers import Servers
from tests.act.conftest import register, tag
from tests.act.events import push
from tests.act.runner import Runner

pytestmark = pytest.mark.slow


def test_a_tag_is_published(repository: Path, runner: Runner, servers: Servers, tmp_path: Path) -> None:
    register(servers, "pypi", "testpypi")
    run = runner.run(repository, push(repository, tag(repository)))
    assert set(run.jobs.values()) == {"success"}, run.printed
