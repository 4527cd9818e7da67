"""The workflow runs with act for each event that GitHub would send: which jobs run, and with which result."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship import suite
from tagship.rehearsal.faults import Fault
from tests.act import events
from tests.act.conftest import register, supports, tag
from tests.act.pythons import HERE, installed
from tests.act.runner import WORKFLOW
from tests.conftest import commit, git

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagship.rehearsal.servers import Servers
    from tests.act.conftest import Gate
    from tests.act.events import Event
    from tests.act.runner import Runner

pytestmark = pytest.mark.slow

EVERYWHERE = pytest.mark.parametrize("repository", ["nox", "gh-action-pypi-publish", "legacy"], indirect=True)
INDEXES = {"publish-test": "testpypi", "publish": "pypi"}
FILES = ["my_package-0.1.0-py3-none-any.whl", "my_package-0.1.0.tar.gz"]


def results(success: str = "", failure: str = "") -> dict[str, str]:
    """Return what is expected of each job: those not named do not start."""
    jobs = dict.fromkeys(["build", "test", "verify-version", "publish-test", "publish", "github-release"], "skipped")
    return {**jobs, **dict.fromkeys(success.split(), "success"), **dict.fromkeys(failure.split(), "failure")}


CHECKED = results("build test verify-version")
PUBLISHED = results("build test verify-version publish-test publish")
RELEASED = {**PUBLISHED, "github-release": "success"}


def served(servers: Servers, index: str) -> dict[str, str]:
    """Return the SHA-256 of each file of the project at an index."""
    return {file.filename: file.sha256 for file in servers.index.files("my-package", index)}


def uploaded(servers: Servers, index: str) -> list[tuple[str, int]]:
    """Return each upload that an index was sent, with the status of its answer."""
    return [(upload.filename, upload.status) for upload in servers.index.uploads(index)]


def runs_nox(repository: Path) -> bool:
    """Return whether the publish jobs are nox sessions; the action prints less."""
    return "run: nox -s publish\n" in (repository / WORKFLOW).read_text()


def asked(servers: Servers) -> list[str]:
    """Return the indexes that were asked for a token."""
    return [index for index in INDEXES.values() if servers.index.mints(index)]


@EVERYWHERE
def test_a_tag_is_published_and_re_running_all_jobs_changes_nothing(
    repository: Path, runner: Runner, servers: Servers, tmp_path: Path
) -> None:
    register(servers, "pypi", "testpypi")
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("github-release = false\n", ""))
    commit(repository)
    event = events.push(repository, tag(repository))
    run = runner.run(repository, event)
    assert run.jobs == RELEASED, run.printed
    dist = run.artifact("dist-1", tmp_path / "dist")
    built = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.iterdir()}
    assert sorted(built) == FILES
    for job, index in INDEXES.items():
        assert served(servers, index) == built
        (mint,) = servers.index.mints(index)
        assert (mint.code, mint.claims["environment"], mint.claims["ref"]) == ("", index, "refs/tags/v0.1.0")
        assert mint.claims["job_workflow_ref"] == "Octo/my-package/.github/workflows/release.yml@refs/tags/v0.1.0"
        assert all(name in run.printed[job] for name in FILES)
    (made,) = servers.github.releases.values()
    assert (made["tag_name"], made["draft"]) == ("v0.1.0", False)
    assert servers.github.names(made) == ["SHA256SUMS", *FILES]
    servers.github.log.clear()
    again = runner.run(repository, event, attempt="2")
    assert again.jobs == RELEASED, again.printed
    assert servers.github.log == []
    assert served(servers, "pypi") == served(servers, "testpypi") == built
    if runs_nox(repository):
        assert uploaded(servers, "pypi") == [(name, 200) for name in FILES]
        assert all(f"{name}: skipped, the index has it" in again.printed["publish"] for name in FILES)


def test_re_running_failed_jobs_takes_what_the_first_attempt_built(
    repository: Path, runner: Runner, servers: Servers, tmp_path: Path
) -> None:
    register(servers, "pypi", "testpypi")
    flaky = "from pathlib import Path\n\n\ndef test_flaky() -> None:\n    assert Path({!r}).exists()\n"
    (repository / "tests/test_flaky.py").write_text(flaky.format(str(tmp_path / "calm")))
    commit(repository)
    event = events.push(repository, tag(repository))
    run = runner.run(repository, event)
    assert run.jobs == results("build", "test"), run.printed
    assert "1 failed" in run.printed["test"]
    (tmp_path / "calm").touch()
    again = runner.run(repository, event, attempt="2", after=run)
    assert again.jobs == PUBLISHED, again.printed
    assert sorted(artifact.name for artifact in again.artifacts.all()) == ["bundle-2", "dist-1"]
    dist = again.artifact("dist-1", tmp_path / "dist")
    built = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.iterdir()}
    assert served(servers, "pypi") == built


def test_a_tag_of_another_version_stops_at_the_gate(repository: Path, runner: Runner, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    run = runner.run(repository, events.push(repository, tag(repository, "v9.9.9")))
    assert run.jobs == results("build test", "verify-version")
    assert "tag 'v9.9.9': found version '9.9.9', expected version '0.1.0'" in run.printed["verify-version"]
    assert [artifact.name for artifact in run.artifacts.all()] == ["dist-1"]
    assert asked(servers) == []


def test_a_tag_that_holds_no_version_starts_nothing_and_stops_at_the_gate_when_dispatched(
    repository: Path, runner: Runner, servers: Servers
) -> None:
    register(servers, "pypi", "testpypi")
    assert runner.run(repository, events.push(repository, tag(repository, "nightly"))).jobs == {}
    run = runner.run(repository, events.dispatch(repository, "refs/tags/nightly"))
    assert run.jobs == results("build test", "verify-version")
    assert "tag 'nightly': found no version" in run.printed["verify-version"]
    assert asked(servers) == []


def a_pull_request_from_a_fork(repository: Path) -> Event:
    return events.pull_request(repository, fork=True)


def a_push_to_main(repository: Path) -> Event:
    return events.push(repository, "refs/heads/main")


def a_dispatch_on_a_branch(repository: Path) -> Event:
    return events.dispatch(repository, "refs/heads/main")


def a_tag_in_a_fork(repository: Path) -> Event:
    return events.push(repository, "refs/tags/v0.1.0", fork=True)


@pytest.mark.parametrize("event", [a_push_to_main, a_pull_request_from_a_fork])
def test_what_is_no_tag_is_built_tested_and_verified(
    event: Callable[[Path], Event], repository: Path, runner: Runner
) -> None:
    run = runner.run(repository, event(repository))
    assert run.jobs == CHECKED, run.printed


def test_what_is_no_tag_of_ours_is_not_published(gate: Gate, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    for event in (
        a_push_to_main,
        events.pull_request,
        a_pull_request_from_a_fork,
        a_dispatch_on_a_branch,
        a_tag_in_a_fork,
    ):
        assert gate.rerun(event(gate.repository)).jobs == CHECKED, event
    assert asked(servers) == []


def test_a_push_to_another_branch_starts_nothing(repository: Path, runner: Runner) -> None:
    git(repository, "branch", "topic")
    assert runner.run(repository, events.push(repository, "refs/heads/topic")).jobs == {}


def test_a_dispatch_on_a_tag_publishes_it(gate: Gate, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    run = gate.rerun(events.dispatch(gate.repository, "refs/tags/v0.1.0"))
    assert run.jobs == PUBLISHED, run.printed
    assert sorted(served(servers, "pypi")) == sorted(served(servers, "testpypi")) == FILES


def test_without_testpypi_a_release_that_broke_off_in_the_middle_is_completed(gate: Gate, servers: Servers) -> None:
    register(servers, "pypi")
    servers.faults.tell(Fault.PARTIAL)
    run = gate.rerun(PUBLISH_TEST="false")
    assert run.jobs == results("build test verify-version", "publish")
    assert list(served(servers, "pypi")) == FILES[:1]
    assert "503" in run.printed["publish"]
    servers.faults.clear()
    outputs = {job: {**given, "github_release": "on"} for job, given in gate.run.outputs.items()}
    gate = replace(gate, run=replace(gate.run, outputs=outputs))
    again = gate.rerun(attempt="3", PUBLISH_TEST="false")
    assert again.jobs == results("build test verify-version publish github-release"), again.printed
    assert sorted(served(servers, "pypi")) == FILES
    assert asked(servers) == ["pypi"]


def test_if_testpypi_refuses_pypi_gets_no_request(gate: Gate, servers: Servers) -> None:
    register(servers, "pypi")
    run = gate.rerun()
    assert run.jobs == results("build test verify-version", "publish-test")
    assert "invalid-publisher" in run.printed["publish-test"]
    assert (asked(servers), served(servers, "pypi")) == (["testpypi"], {})


def test_a_red_test_lets_nothing_follow(repository: Path, runner: Runner, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    (repository / "tests/test_red.py").write_text("def test_red() -> None:\n    raise AssertionError\n")
    commit(repository)
    run = runner.run(repository, events.push(repository, tag(repository)))
    assert run.jobs == results("build", "test")
    assert "1 failed" in run.printed["test"]
    assert asked(servers) == []


def test_if_pypi_knows_no_publisher_it_says_so(gate: Gate, servers: Servers) -> None:
    register(servers, "testpypi")
    run = gate.rerun()
    assert run.jobs == results("build test verify-version publish-test", "publish")
    printed = run.printed["publish"]
    assert "invalid-publisher" in printed
    if runs_nox(gate.repository):
        values = "owner 'Octo', repository 'my-package', workflow_filename 'release.yml', environment 'pypi'"
        assert f"register exactly this, upper and lower case included: project_name 'my-package', {values}" in printed
    assert (sorted(served(servers, "testpypi")), served(servers, "pypi")) == (FILES, {})


def other() -> str:
    """Return another Python of this machine, if there is one."""
    return next(
        (f"3.{minor}" for minor in (12, 13, 11, 10, 14) if f"3.{minor}" != HERE and installed(f"3.{minor}")), ""
    )


@pytest.mark.parametrize("pythons", [[other()], [HERE, other()]], ids=["one", "two"])
@pytest.mark.skipif(not other(), reason="this machine has one Python")
def test_the_pythons_come_from_the_project(pythons: list[str], repository: Path, runner: Runner) -> None:
    supports(repository, *pythons)
    commit(repository)
    run = runner.run(repository, events.push(repository, "refs/heads/main"))
    assert run.jobs == CHECKED
    assert sorted(run.matrix["test"], key=str) == sorted(({"python": python} for python in pythons), key=str)


def test_a_dev_build_goes_to_testpypi_and_no_further(repository: Path, runner: Runner, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'dev-builds = "main"\n')
    (repository / WORKFLOW).write_bytes(suite.workflow(dev=True))
    commit(repository)
    run = runner.run(repository, events.push(repository, "refs/heads/main"))
    assert run.jobs == results("build test verify-version publish-test"), run.printed["publish-test"]
    names = [re.sub(r"dev\d+", "devN", name) for name in served(servers, "testpypi")]
    assert names == [name.replace("0.1.0", "0.1.1.devN") for name in FILES]
    assert asked(servers) == ["testpypi"]
