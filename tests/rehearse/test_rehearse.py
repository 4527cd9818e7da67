"""`tagship rehearse`: the whole release, with the real sessions and unmodified twine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import commit, git, parts, run, try_run
from tests.rehearse.command import HERE, INSTALL, SESSIONS, TAGSHIP, outcomes, rehearse

pytestmark = pytest.mark.slow


def test_a_submodule_is_rehearsed_as_it_is_checked_out_and_the_variable_for_it_is_named(repository: Path) -> None:
    inner, outer = repository.parent / "inner", repository.parent / "outer"
    for folder, submodule in ((inner, None), (outer, inner), (repository, outer)):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch() if folder != repository else None
        path = "src/my_package/vendored" if folder == repository else "inner"
        commit(folder)
        if submodule:
            git(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(submodule), path)
            commit(folder)
    git(repository, "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive")
    status, report = rehearse(repository)
    assert status == 0, report
    vendored = "src/my_package/vendored"
    assert (
        f"{vendored}, {vendored}/inner: checked out here as in your repository; "
        "on GitHub, that requires the repository variable SUBMODULES=recursive"
    ) in report["notes"]


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
    assert [file["name"] for file in report["files"] if file["index"] == "pypi"] == [
        "my_package-0.1.0-py3-none-any.whl",
        "my_package-0.1.0.tar.gz",
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in report["files"])
    assert {(file["index"], file["publisher"]) for file in report["files"]} == {
        (index, f"GitHub Octo/my-package release.yml {index}") for index in ("pypi", "testpypi")
    }
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


def test_the_suite_can_be_an_installed_package_instead_of_the_folder(repository: Path) -> None:
    shutil.rmtree(repository / ".github/release/tagship_suite")
    noxfile = repository / "noxfile.py"
    lines = noxfile.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("import sys", "sys.path"))]
    assert len(lines) == len(kept) + 2
    noxfile.write_text("".join(kept))
    commit(repository)
    status, report = rehearse(repository)
    assert status == 0, report
    assert outcomes(report) == dict.fromkeys([*SESSIONS, INSTALL], "passed")


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
def test_a_failure_stops_it_where_pypi_would_and_is_reported(built: Path, failure: str, words: str) -> None:
    status, report = rehearse(built, "--quick", "--fail", failure)
    assert status == 1
    assert outcomes(report) == {
        "nox -s verify-version": "passed",
        "nox -s publish-test": "failed",
        "nox -s publish": "not run",
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


def test_a_release_that_breaks_off_names_the_files_that_are_up(built: Path) -> None:
    status, report = rehearse(built, "--quick", "--fail", "partial")
    assert (status, [(file["name"], file["index"]) for file in report["files"]]) == (
        1,
        [("my_package-0.1.0-py3-none-any.whl", "testpypi")],
    )
    status, report = rehearse(built, "--quick", "--fail", "upload-503")
    assert (status, report["files"]) == (1, [])


def test_what_to_register_is_printed_if_that_would_help(built: Path) -> None:
    said = try_run(*TAGSHIP, "rehearse", "--quick", "--tag", "v9.9.9", cwd=built).stdout
    assert "to register at" not in said
    said = try_run(*TAGSHIP, "rehearse", "--quick", "--fail", "wrong-environment", cwd=built).stdout
    assert said.count("to register at testpypi") == 1
    assert "  differs: " in said


def test_every_test_that_failed_is_named_and_where_the_whole_output_is(repository: Path, tmp_path: Path) -> None:
    red = "".join(f"def test_number_{number}() -> None:\n    raise AssertionError\n\n\n" for number in range(30))
    (repository / "tests/test_red.py").write_text(red)
    commit(repository)
    status, report = rehearse(repository, "--keep", str(tmp_path / "kept"))
    assert status == 1
    (failed,) = [step for step in report["steps"] if step["outcome"] == "failed"]
    named = {line.split(" ")[1] for line in failed["said"] if line.startswith("FAILED ")}
    assert named == {f"tests/test_red.py::test_number_{number}" for number in range(30)}
    log = tmp_path / "kept/logs/test.log"
    assert f"for the whole output of {failed['name']}: {log}" in report["notes"]
    assert log.read_text().count("AssertionError")


def test_a_private_project_on_gitlab_is_rehearsed_as_far_as_there_is_a_stand_in(repository: Path) -> None:
    pyproject = repository / "pyproject.toml"
    private = 'classifiers = [\n  "Private :: Do Not Upload",'
    pyproject.write_text(pyproject.read_text().replace("classifiers = [", private).replace("https://github.com", "x:"))
    (repository / ".github/workflows/publish.yml").write_text(OLD)
    (repository / "Makefile").write_text("# twine upload\nrelease:\n\ttwine upload dist/*\n")
    commit(repository)
    git(repository, "remote", "set-url", "origin", "git@gitlab.com:octo/my-package.git")
    status, report = rehearse(repository)
    assert status == 0, report
    assert [step["outcome"] for step in report["steps"][-3:]] == ["left out", "left out", "passed"]
    assert report["publishers"] == report["files"] == []
    notes = "\n".join(report["notes"])
    assert "origin is on gitlab.com, where release.yml does not run" in notes
    assert ".github/workflows/publish.yml: the job 'pypi' also publishes with PYPI_TOKEN; if a tag starts" in notes
    assert "Makefile:3: 'twine upload dist/*' publishes without any of these checks" in notes
    assert notes.count("Makefile") == 1
    said = run(*TAGSHIP, "rehearse", cwd=repository).stdout
    assert said.splitlines()[-1].endswith("accepts it; the upload to your registry is not rehearsed")


#: A workflow that published before.
OLD = """\
on:
  push:
    tags: ["v*"]
jobs:
  pypi:
    runs-on: ubuntu-latest
    steps:
      - run: pipx run twine upload dist/*
        env:
          TWINE_PASSWORD: ${{ secrets.PYPI_TOKEN }}
"""


@pytest.mark.parametrize("failure", ["slow", "index-lag"])
def test_a_failure_that_only_delays_passes(built: Path, failure: str) -> None:
    status, report = rehearse(built, "--quick", "--fail", failure)
    assert (status, outcomes(report)["nox -s publish"]) == (0, "passed"), report


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


def name_pythons(repository: Path, *versions: str) -> None:
    """Have the project be tested on these Pythons, and no other."""
    pyproject = repository / "pyproject.toml"
    text = pyproject.read_text().partition("\n[tool.tagship]\n")[0]
    pyproject.write_text(f"{text}\n[tool.tagship]\npythons = {json.dumps(versions)}\n")
    commit(repository)


#: Nobody has them.
NOWHERE = ("3.97", "3.98", "3.99")


def test_pythons_that_are_not_here_are_named_as_not_tested(repository: Path) -> None:
    name_pythons(repository, HERE, *NOWHERE)
    done = run(*TAGSHIP, "rehearse", cwd=repository)
    first, *_, last = done.stdout.strip().splitlines()
    assert first == f"rehearsing my-package at {git(repository, 'rev-parse', 'HEAD')[:12]}"
    untested = "if its tests pass on what was not tested here: Python 3.97, 3.98 and 3.99"
    assert last.endswith(f"pushing the tag would publish it, {untested}")
    (repository / "tests/test_red.py").write_text("def test_red() -> None:\n    raise AssertionError\n")
    commit(repository)
    status, report = rehearse(repository)
    assert (status, report["untested"]) == (1, list(NOWHERE))
    assert outcomes(report)[SESSIONS[1]] == "failed"
    assert "none of the project's Pythons" not in json.dumps(report)
    name_pythons(repository, *NOWHERE)
    status, report = rehearse(repository)
    assert (status, report["untested"]) == (1, list(NOWHERE))
    assert "none of the project's Pythons on this machine, expected one of: 3.97, 3.98, 3.99" in json.dumps(report)


def test_a_kept_rehearsal_can_be_continued_and_inspected(repository: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    keep.mkdir()
    for _ in range(2):
        status, report = rehearse(repository, "--keep", str(keep))
        assert (status, report["kept"]) == (0, str(keep)), report
    assert "skipped, the index has it with the same SHA-256" in (keep / "logs/publish.log").read_text()
    assert list((keep / "state").glob("*.sqlite*"))
    (repository / "src/my_package/__init__.py").write_text('"""Other bytes."""\n')
    commit(repository)
    status, report = rehearse(repository, "--keep", str(keep))
    assert status == 1
    assert any("a file name can be used only once" in line for step in report["steps"] for line in step["said"])


def everything(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies in `folder`: the bytes of each file, and the folders."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(repository: Path, keep: str | Path) -> str:
    """Return the error with which `--keep` is refused, without its code, before anything runs or is changed."""
    before = everything(repository.parent)
    done = try_run(*TAGSHIP, "rehearse", "--keep", keep, cwd=repository)
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 2), done.stdout
    assert everything(repository.parent) == before
    return done.stdout.splitlines()[0].removeprefix(f"error: --keep {keep}: ").rpartition(" [")[0]


def test_a_folder_that_is_not_its_own_is_refused_and_left_alone(repository: Path, tmp_path: Path) -> None:
    for name in ("repository", "publish", "publish-test"):
        (repository / "docs" / name).mkdir(parents=True)
        (repository / "docs" / name / "page.md").write_text("What nobody else has.\n")
    expected = "expected a new folder, an empty one, or one that an earlier rehearsal kept; name a new or empty folder"
    assert refused(repository, "docs") == f"found 'publish' and 2 more in it, {expected}"
    assert f" more in it, {expected}" in refused(repository, ".")
    assert refused(repository, "pyproject.toml") == f"found a file, {expected}"
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert refused(repository, tmp_path / "broken") == f"found a file, {expected}"
    missing = tmp_path / "missing"
    assert refused(repository, missing / "kept") == f"found no folder {missing}, expected one; create it first"
    assert "expected one; create it first" in refused(repository, "pyproject.toml/kept")


def test_a_folder_where_nothing_can_be_written_is_refused(repository: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    # No mode restricts the superuser, but nobody can create a folder in /sys.
    parent = Path("/sys") if os.access(locked, os.W_OK) else locked
    for keep in {parent / "kept", locked if parent == locked else parent / "kept"}:
        assert "', expected a folder to write to; name another one" in refused(repository, keep)


def test_a_kept_folder_with_anything_else_in_it_is_refused(repository: Path, tmp_path: Path) -> None:
    keep, other = tmp_path / "kept", tmp_path / "other"
    # It fails at once, and has kept what it made by then.
    git(repository, "rm", "-q", "noxfile.py")
    commit(repository)
    (repository / "noxfile.py").write_text("from tagship_suite.sessions import build\n")  # not committed
    for _ in range(2):
        status, report = rehearse(repository, "--keep", str(keep))
        assert (status, report["kept"]) == (1, str(keep))
    said = try_run(*TAGSHIP, "rehearse", "--keep", keep, cwd=repository).stdout
    assert f"\nkept in {keep}\n" in said
    (keep / "notes.md").write_text("What nobody else has.\n")
    assert refused(repository, keep).startswith("found 'notes.md' in it, ")
    (keep / "notes.md").rename(tmp_path / "notes.md")
    other.mkdir()
    (other / "HEAD").write_text("What nobody else has.\n")
    (keep / "publish").symlink_to(other)
    assert refused(repository, keep).startswith("found 'publish' in it, ")
    (keep / "publish").unlink()
    (keep / ".tagship-rehearsal").write_text("")
    assert refused(repository, keep).startswith("found '.tagship-rehearsal' and ")


def test_the_text_names_the_steps_the_files_and_what_to_register(repository: Path) -> None:
    said = run(sys.executable, "-m", "invoke", "rehearse", cwd=repository).stdout
    assert "kept in" not in said
    assert "not tested" not in said
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
    said = try_run(*TAGSHIP, "rehearse", cwd=project).stdout
    assert "noxfile.py: found no such file, expected one with the release's sessions" in said


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


@pytest.mark.slow
@pytest.mark.parametrize("number", parts(6, pushed=3))
def test_an_interrupt_at_any_moment_leaves_no_process_and_no_folder(
    repository: Path, tmp_path: Path, number: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    marker = f"TAGSHIP_TEST_MARKER={tmp_path}"
    env = {**os.environ, "TMPDIR": str(temporary), "TAGSHIP_TEST_MARKER": str(tmp_path)}
    process = subprocess.Popen([*TAGSHIP, "rehearse"], cwd=repository, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(1 + number * 2 % 7):  # amid each of the steps, which end with a line
        assert process.stdout.readline()
    process.send_signal(signal.SIGTERM if number % 3 == 2 else signal.SIGINT)
    process.communicate(timeout=60)
    assert marked(marker) == []
    assert list(temporary.iterdir()) == []
    assert git(repository, "tag") == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_promptly_with_the_status_that_help_names(
    repository: Path, tmp_path: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {**os.environ, "TMPDIR": str(temporary), "TAGSHIP_TEST_MARKER": str(tmp_path)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = time.monotonic()
    process = subprocess.Popen([*TAGSHIP, "rehearse"], cwd=repository, env=env, **pipes)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first == f"rehearsing my-package at {git(repository, 'rev-parse', 'HEAD')[:12]}\n"
    assert time.monotonic() - started < 2
    process.send_signal(number)
    ended = time.monotonic()
    # A second Ctrl-C must not prevent the cleanup.
    time.sleep(0.2)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + number, "interrupted\n")
    assert time.monotonic() - ended < 5
    assert marked(f"TAGSHIP_TEST_MARKER={tmp_path}") == []
    assert list(temporary.iterdir()) == []
    assert f"{128 + number}: " in run(*TAGSHIP, "rehearse", "--help", cwd=repository).stdout


def test_eight_at_once_do_not_disturb_each_other(built: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: rehearse(built, "--quick"), range(8)))
    assert [status for status, _ in results] == [0] * 8
    assert len({json.dumps(report["files"]) for _, report in results}) == 1


def test_publisher_prints_what_to_register(repository: Path) -> None:
    said = run(*TAGSHIP, "publisher", cwd=repository).stdout
    query = "provider=github&owner=Octo&repository=my-package&workflow_filename=release.yml&environment=pypi"
    assert f"/manage/project/my-package/settings/publishing/?{query}" in said
    data = json.loads(run(*TAGSHIP, "publisher", "--format", "json", cwd=repository).stdout)
    assert [entry["index"] for entry in data] == ["pypi", "testpypi"]
    git(repository, "remote", "set-url", "origin", "https://github.com/other/place.git")
    assert "Owner             other" in run(*TAGSHIP, "publisher", cwd=repository).stdout
