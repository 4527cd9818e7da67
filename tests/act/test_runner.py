"""The runner adds what act lacks: a fresh machine for each job, its identity, the environment in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.act import events
from tests.act.conftest import tag
from tests.act.runner import TOKEN, WORKFLOW
from tests.conftest import ROOT, commit

if TYPE_CHECKING:
    from tests.act.runner import Run, Runner

pytestmark = pytest.mark.slow

TWO_JOBS = """\
name: release
on:
  push:
  pull_request:
permissions: {}
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      suffix: -one
    steps:
      - uses: CHECKOUT
      - run: echo left > left; echo left > "$HOME/left"; env | grep ID_TOKEN || echo nobody
  second:
    needs: first
    runs-on: ubuntu-latest
    environment:
      name: pypi${{ needs.first.outputs.suffix }}
    permissions:
      id-token: write
    steps:
      - uses: CHECKOUT
        with:
          persist-credentials: PERSIST
      - run: |
          find . "$HOME" -name left; git config --local --includes --list | cat
          env | grep -o ID_TOKEN_REQUEST_URL || echo nobody
"""


def write(repository: Path, persist: str = "false") -> None:
    """Let the workflow be the two jobs above."""
    (checkout,) = set(re.findall(r"actions/checkout@\w+", (ROOT / WORKFLOW).read_text()))
    (repository / WORKFLOW).write_text(TWO_JOBS.replace("CHECKOUT", checkout).replace("PERSIST", persist))
    commit(repository)


def run(repository: Path, runner: Runner, environment: str = "pypi-one") -> Run:
    runner.environments = {"second": environment}
    return runner.run(repository, events.push(repository, tag(repository)))


def test_a_job_gets_a_fresh_machine_and_an_identity_only_with_permission(repository: Path, runner: Runner) -> None:
    write(repository)
    done = run(repository, runner)
    assert done.jobs == {"first": "success", "second": "success"}, done.printed
    assert "nobody" in done.printed["first"].splitlines()
    assert "ID_TOKEN_REQUEST_URL" in done.printed["second"].splitlines()
    assert not [line for line in done.printed["second"].splitlines() if line.endswith("/left")]
    assert "extraheader" not in done.printed["second"]


def test_credentials_that_a_checkout_leaves_are_there_to_be_found(repository: Path, runner: Runner) -> None:
    write(repository, persist="true")
    assert "extraheader" in run(repository, runner).printed["second"]


def test_a_pull_request_from_a_fork_gets_no_identity(repository: Path, runner: Runner) -> None:
    write(repository)
    done = runner.run(repository, events.pull_request(repository, fork=True))
    assert done.jobs == {"first": "success", "second": "success"}, done.printed
    assert "nobody" in done.printed["second"].splitlines()


def test_an_identity_for_another_environment_than_the_jobs_is_an_error(repository: Path, runner: Runner) -> None:
    write(repository)
    done = run(repository, runner, environment="pypi-two")
    assert done.jobs == {"first": "success", "second": "failure"}
    assert "the environment of second is 'pypi-one', its identity says 'pypi-two'" in done.printed["second"]
    assert TOKEN not in done.printed["second"]
