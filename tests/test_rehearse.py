"""`tagship rehearse`: the whole release, with the real sessions and unmodified twine."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import commit, git, run, try_run

pytestmark = pytest.mark.slow

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAGSHIP = (sys.executable, "-m", "tagship")


@pytest.fixture
def repository(project: Path) -> Path:
    """A generated project, for this Python alone, committed and pushed to GitHub by name."""
    pyproject = project / "pyproject.toml"
    others = rf'\n  "Programming Language :: Python :: (?!{re.escape(HERE)}")[\d.]+",'
    pyproject.write_text(re.sub(others, "", pyproject.read_text()))
    commit(project)
    git(project, "remote", "add", "origin", "git@github.com:Octo/my-package.git")
    return project


def rehearse(repository: Path, *arguments: str, **env: str) -> tuple[int, dict[str, Any]]:
    done = try_run(*TAGSHIP, "rehearse", "--format", "json", *arguments, cwd=repository, **env)
    assert done.stdout.startswith("{"), done.stdout
    return done.returncode, json.loads(done.stdout)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in report["steps"]}


SESSIONS = ["nox -s build", f"nox -s test -P {HERE}", "nox -s verify-version", "nox -s publish-test", "nox -s publish"]
INSTALL = "pip install, from the index"


def test_the_default_project_rehearses_green_and_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    temporary, home = tmp_path / "temporary", tmp_path / "home"
    temporary.mkdir()
    home.mkdir()
    (home / ".pypirc").write_text("[pypi]\nusername = __token__\npassword = pypi-never-used\n")
    before = git(repository, "status", "--porcelain"), git(repository, "tag"), sorted(repository.iterdir())
    status, report = rehearse(repository, TMPDIR=str(temporary), TWINE_PASSWORD="pypi-never-used")
    assert status == 0, report
    assert outcomes(report) == dict.fromkeys([*SESSIONS, INSTALL], "passed")
    assert report["tag"] == "v0.1.0"
    assert report["commit"] == git(repository, "rev-parse", "HEAD")
    assert [file["name"] for file in report["files"]] == [
        "my_package-0.1.0-py3-none-any.whl",
        "my_package-0.1.0.tar.gz",
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in report["files"])
    for publisher, environment in zip(report["publishers"], ("pypi", "testpypi"), strict=True):
        assert publisher["values"] == {
            "project_name": "my-package",
            "owner": "Octo",
            "repository": "my-package",
            "workflow_filename": "release.yml",
            "environment": environment,
        }
        assert publisher["link"].endswith("/manage/account/publishing/")
        assert publisher["seen"]["repository"] == "Octo/my-package"
        assert publisher["seen"]["ref"] == "refs/tags/v0.1.0"
    assert "pypi-never-used" not in json.dumps(report)
    assert before == (git(repository, "status", "--porcelain"), git(repository, "tag"), sorted(repository.iterdir()))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("invalid-publisher", "invalid-publisher"),
        ("wrong-environment", "invalid-publisher"),
        ("wrong-workflow-file", "invalid-publisher"),
        ("expired-token", "403"),
        ("upload-503", "503"),
        ("too-many-requests", "429"),
        ("upload-reset", "onnection"),
        ("partial", "503"),
        ("clock-skew", "invalid-token"),
    ],
)
def test_a_failure_stops_it_where_pypi_would_and_is_reported(repository: Path, failure: str, words: str) -> None:
    status, report = rehearse(repository, "--fail", failure)
    assert status == 1
    assert outcomes(report) == {
        **dict.fromkeys(SESSIONS[:3], "passed"),
        "nox -s publish-test": "failed",
        "nox -s publish": "not run",
        "install back": "not run",
    }
    (failed,) = [step for step in report["steps"] if step["outcome"] == "failed"]
    assert any(words in line for line in failed["said"])
    assert not any("Traceback" in line for line in failed["said"])
    assert len(failed["said"]) <= 5
    differences = report["publishers"][1]["differences"]
    wrong = {
        "invalid-publisher": "Nothing is registered",
        "wrong-environment": "environment",
        "wrong-workflow-file": "workflow file",
    }
    assert bool(differences) == (failure in wrong)
    assert not differences or wrong[failure] in differences[0]
    values = "owner 'Octo', repository 'my-package', workflow_filename 'release.yml', environment 'testpypi'"
    assert any(values in line for line in failed["said"]) == (failure in wrong)


@pytest.mark.parametrize("failure", ["slow", "index-lag"])
def test_what_only_takes_time_passes(repository: Path, failure: str) -> None:
    status, report = rehearse(repository, "--fail", failure)
    assert (status, outcomes(report)[INSTALL]) == (0, "passed"), report


def test_what_the_project_depends_on_comes_from_the_real_index(repository: Path) -> None:
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("dependencies = []", 'dependencies = ["idna"]'))
    (repository / "src/my_package/__init__.py").write_text("import idna as idna\n")
    commit(repository)
    status, report = rehearse(repository)
    assert (status, outcomes(report)[INSTALL]) == (0, "passed"), report


def test_a_wrong_tag_and_a_failing_test_stop_it_before_any_index(repository: Path) -> None:
    status, report = rehearse(repository, "--tag", "v9.9.9")
    assert status == 1
    assert outcomes(report)["nox -s verify-version"] == "failed"
    assert any(
        "tag 'v9.9.9': found version '9.9.9', expected version '0.1.0'" in line for line in report["steps"][2]["said"]
    )
    assert report["files"] == []
    (repository / "tests/test_red.py").write_text("def test_red() -> None:\n    raise AssertionError\n")
    commit(repository)
    status, report = rehearse(repository)
    assert (status, outcomes(report)[SESSIONS[1]]) == (1, "failed")
    assert outcomes(report)["nox -s verify-version"] == "not run"


def test_what_was_kept_goes_on_and_can_be_looked_at(repository: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    for _ in range(2):
        status, report = rehearse(repository, "--keep", str(keep))
        assert status == 0, report
    assert "skipped, the index has it with the same SHA-256" in (keep / "logs/publish.log").read_text()
    assert list((keep / "state").glob("*.sqlite*"))
    (repository / "src/my_package/__init__.py").write_text('"""Other bytes."""\n')
    commit(repository)
    status, report = rehearse(repository, "--keep", str(keep))
    assert status == 1
    assert any("a file name can be used once" in line for step in report["steps"] for line in step["said"])


def test_the_text_names_the_steps_the_files_and_what_to_register(repository: Path) -> None:
    said = run(sys.executable, "-m", "invoke", "rehearse", cwd=repository).stdout
    for words in [
        *SESSIONS,
        INSTALL,
        "SHA-256",
        "to register at testpypi",
        "Environment name  testpypi",
        "would publish it",
    ]:
        assert words in said


def test_without_anything_to_rehearse_it_says_what_is_missing(project: Path, tmp_path: Path) -> None:
    for cwd, words in [(project, "no commit"), (tmp_path / "empty", "no name")]:
        cwd.mkdir(exist_ok=True)
        done = try_run(*TAGSHIP, "rehearse", cwd=cwd)
        assert (done.returncode, "Traceback" in done.stdout) == (2, False)
        assert words in done.stdout
    (project / "noxfile.py").unlink()
    commit(project)
    assert "no noxfile.py, expected the suite" in try_run(*TAGSHIP, "rehearse", cwd=project).stdout
    assert (
        "--fail takes one of: invalid-publisher" in try_run(*TAGSHIP, "rehearse", "--fail", "help", cwd=project).stdout
    )


def marked(marker: str) -> list[str]:
    """Return the commands of the processes whose environment holds `marker`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", range(6))
def test_an_interrupt_at_any_moment_leaves_no_process_and_no_folder(
    repository: Path, tmp_path: Path, number: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    marker = f"TAGSHIP_TEST_MARKER={tmp_path}"
    env = {**os.environ, "TMPDIR": str(temporary), "TAGSHIP_TEST_MARKER": str(tmp_path)}
    process = subprocess.Popen([*TAGSHIP, "rehearse"], cwd=repository, env=env, stdout=subprocess.PIPE, text=True)
    time.sleep(random.Random(number).uniform(0.3, 12))
    process.send_signal(signal.SIGTERM if number % 3 == 2 else signal.SIGINT)
    process.communicate(timeout=60)
    assert marked(marker) == []
    assert list(temporary.iterdir()) == []
    assert git(repository, "tag") == ""


def test_twenty_at_once_do_not_disturb_each_other(repository: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda _: rehearse(repository), range(20)))
    assert [status for status, _ in results] == [0] * 20
    assert len({json.dumps(report["files"]) for _, report in results}) == 1


def test_publisher_prints_what_to_register(repository: Path) -> None:
    said = run(*TAGSHIP, "publisher", cwd=repository).stdout
    query = "provider=github&owner=Octo&repository=my-package&workflow_filename=release.yml&environment=pypi"
    assert f"/manage/project/my-package/settings/publishing/?{query}" in said
    data = json.loads(run(*TAGSHIP, "publisher", "--format", "json", cwd=repository).stdout)
    assert [entry["index"] for entry in data] == ["pypi", "testpypi"]
    git(repository, "remote", "set-url", "origin", "https://github.com/other/place.git")
    assert "Owner             other" in run(*TAGSHIP, "publisher", cwd=repository).stdout
