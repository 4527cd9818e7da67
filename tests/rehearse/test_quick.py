"""`tagship rehearse --quick`: the dists that are there, verified and published."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import commit, run, try_run
from tests.rehearse.command import QUICK, TAGSHIP, outcomes, rehearse

pytestmark = pytest.mark.slow


def cpu() -> float:
    """Return the seconds of processor time that all commands of this test run have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_it_publishes_the_dists_that_are_there_with_tools_that_it_installs_once(built: Path, tmp_path: Path) -> None:
    dists = {path.name for path in (built / "dist").iterdir()}
    status, report = rehearse(built, "--quick")
    assert (status, report["quick"]) == (0, True), report
    assert outcomes(report) == dict.fromkeys(QUICK, "passed")
    assert {file["name"] for file in report["files"]} == dists
    assert not any("not built from this commit" in note for note in report["notes"])
    before = cpu()
    said = run(*TAGSHIP, "rehearse", "--quick", "--keep", str(tmp_path / "kept"), cwd=built).stdout
    # Three seconds on an idle machine with two cores; on a busy one only the processor time stays about the same.
    assert cpu() - before < 7, "a whole rehearsal takes ten"
    assert "Creating virtual environment" not in (tmp_path / "kept/logs/publish-test.log").read_text()
    assert said.splitlines()[-1] == (
        "my-package v0.1.0: verify-version and both uploads passed; the build and the tests were not rehearsed"
    )


def test_dists_of_another_commit_are_rehearsed_and_named(built: Path) -> None:
    (built / "README.md").write_text("# Changed\n")
    commit(built)
    run("git", "commit", "--amend", "--no-edit", "--date=now", cwd=built, GIT_COMMITTER_DATE="2030-01-01T00:00:00Z")
    (built / "README.md").write_text("# Changed again\n")
    status, report = rehearse(built, "--quick")
    assert status == 0
    assert (
        "dist/my_package-0.1.0.tar.gz was not built from this commit; build it again: nox -s build" in report["notes"]
    )
    assert "1 changed file is not committed; the dists may hold it" in report["notes"]


def test_dists_that_were_built_without_the_tag_that_has_their_version_are_named(built: Path) -> None:
    pyproject = built / "pyproject.toml"
    text = pyproject.read_text().replace('"hatchling"', '"hatchling", "hatch-vcs"', 1)
    text = re.sub('(?m)^version = "0.1.0"$', 'dynamic = ["version"]', text)
    pyproject.write_text(text + '\n[tool.hatch.version]\nsource = "vcs"\n')
    time = run("git", "log", "-1", "--format=%cI", cwd=built).stdout.strip()
    run("git", "commit", "--all", "--message=versions from tags", cwd=built, GIT_COMMITTER_DATE=time)
    note = (
        "dist/my_package-0.1.0.tar.gz was built without the tag v0.2.0, from which its version comes: run this without"
    )
    assert any(each.startswith(note) for each in rehearse(built, "--quick", "--tag=v0.2.0")[1]["notes"])
    assert not any("built without the tag" in each for each in rehearse(built, "--quick", "--tag=v0.1.0")[1]["notes"])


def test_a_tag_that_is_at_another_commit_is_rehearsed_and_named(built: Path) -> None:
    run("git", "tag", "--no-sign", "v0.1.0", cwd=built)
    assert rehearse(built, "--quick")[1]["taken"] is False
    run("git", "commit", "--allow-empty", "--message=more", cwd=built)
    status, report = rehearse(built, "--quick")
    assert (status, report["taken"]) == (0, True)
    assert any(re.match("tag 'v0.1.0' is already at [0-9a-f]{12}: a release of this", note) for note in report["notes"])


def test_without_dists_it_names_the_command_that_makes_them(built: Path) -> None:
    for path in (built / "dist").iterdir():
        path.unlink()
    done = try_run(*TAGSHIP, "rehearse", "--quick", cwd=built)
    dist = os.path.join(built, "dist")  # noqa: PTH118
    expected = f"error: {dist}: found no dists of my-package, expected those to rehearse with; run: nox -s build"
    assert (done.returncode, done.stdout.splitlines()[0]) == (2, f"{expected} [no-dists]")


def test_an_interrupt_leaves_no_tools_that_are_half_installed(built: Path, tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    process = subprocess.Popen([*TAGSHIP, "rehearse", "--quick"], cwd=built, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "verify-version" not in process.stdout.readline():  # then they are installed
        assert process.poll() is None
    cache = tmp_path / "tagship/rehearsal"
    while not any(cache.iterdir()):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert (process.returncode, list(cache.iterdir())) == (130, [])
