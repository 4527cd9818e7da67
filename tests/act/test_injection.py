"""Names that people choose reach no shell: those of tags, branches, titles, and what a build reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.act import events
from tests.act.conftest import register, tag
from tests.act.pythons import HERE
from tests.act.runner import TOKEN, WORKFLOW
from tests.act.test_isolation import subvert
from tests.act.test_release import CHECKED, asked, results
from tests.conftest import commit, git

if TYPE_CHECKING:
    from tagship.rehearsal.servers import Servers
    from tests.act.runner import Run, Runner

pytestmark = pytest.mark.slow

CARELESS = """\
name: release
on:
  pull_request:
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo {value}
"""
#: Reports anything about the project, last.
LIAR = """\
with output.open("a") as file:
    file.write({lies!r})
"""


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that the first shell creates that executes a value."""
    return tmp_path / "mark"


def command(mark: Path) -> str:
    """Return what a shell would run, unless it is quoted; every character may be in a git ref."""
    return f"$(touch${{IFS}}{mark})`touch${{IFS}}{mark}`;touch${{IFS}}{mark};"


def value(mark: Path) -> str:
    """Return it with a value as GitHub would insert it, and a second line."""
    return f"{command(mark)}${{{{ github.token }}}}\n{command(mark)}\n"


def harmless(run: Run, mark: Path) -> bool:
    """Return whether no value was executed, and the run's token was not printed."""
    return not mark.exists() and TOKEN not in "".join(run.printed.values())


@pytest.mark.parametrize("field", ["title", "body", "head.ref"])
def test_a_careless_workflow_would_be_caught(field: str, repository: Path, runner: Runner, mark: Path) -> None:
    expression = f"${{{{ github.event.pull_request.{field} }}}}"
    (repository / WORKFLOW).write_text(CARELESS.format(value=expression))
    commit(repository)
    assert not harmless(runner.run(repository, evil_request(repository, mark)), mark)


def evil_request(repository: Path, mark: Path) -> events.Event:
    return events.pull_request(repository, fork=True, title=value(mark), branch=command(mark))


def test_the_title_and_the_branch_of_a_pull_request_reach_no_shell(
    repository: Path, runner: Runner, mark: Path
) -> None:
    run = runner.run(repository, evil_request(repository, mark))
    assert run.jobs == CHECKED, run.printed
    assert harmless(run, mark)


def test_the_name_of_a_branch_reaches_no_shell(repository: Path, runner: Runner, mark: Path) -> None:
    git(repository, "branch", command(mark))
    run = runner.run(repository, events.dispatch(repository, f"refs/heads/{command(mark)}"))
    assert run.jobs == CHECKED, run.printed
    assert harmless(run, mark)


def test_the_name_of_a_tag_reaches_no_shell(repository: Path, runner: Runner, servers: Servers, mark: Path) -> None:
    register(servers, "pypi", "testpypi")
    name = f"v0.1.0{command(mark)}"
    run = runner.run(repository, events.push(repository, tag(repository, name)))
    assert run.jobs == results("build test", "verify-version"), run.printed
    assert f"tag '{name}': found no version" in run.printed["verify-version"]
    assert harmless(run, mark)
    assert asked(servers) == []


@pytest.mark.parametrize("repository", ["gh-action-pypi-publish"], indirect=True)
def test_what_a_build_says_of_the_project_reaches_no_shell(repository: Path, runner: Runner, mark: Path) -> None:
    pythons = json.dumps([HERE, command(mark), f"{HERE}\n{command(mark)}"])
    lies = f"name={command(mark)}\nversion={command(mark)}\npythons={pythons}\n"
    subvert(repository, LIAR.format(lies=lies))
    commit(repository)
    run = runner.run(repository, events.push(repository, tag(repository)))
    assert run.jobs == results("build", "test"), run.printed
    assert len(run.matrix["test"]) == 3
    assert harmless(run, mark)


@pytest.mark.parametrize("repository", ["legacy"], indirect=True)
def test_the_name_of_a_project_reaches_no_shell(repository: Path, runner: Runner, mark: Path) -> None:
    setup = repository / "setup.py"
    setup.write_text(setup.read_text().replace('"My_Package"', repr(value(mark))))
    commit(repository)
    run = runner.run(repository, events.push(repository, "refs/heads/main"))
    assert run.jobs == results("", "build"), run.printed
    assert harmless(run, mark)
