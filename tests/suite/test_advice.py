"""What a refusal advises: the remedy fits the cause, ends the trouble, and destroys nothing."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tagship_suite.publish.claims import advice
from tagship_suite.publish.explain import explained
from tests.archives import write_release, write_wheel
from tests.conftest import RELEASE, commit, git, nox, release, try_nox, try_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers import Pypiserver

SCM = """\
[build-system]
requires = ["setuptools", "setuptools-scm"]
build-backend = "setuptools.build_meta"
[project]
name = "ship"
dynamic = ["version"]
[tool.setuptools]
packages = ["ship"]
[tool.setuptools_scm]
"""
WRITTEN = SCM + 'version_file = "ship/_version.py"\n'
IGNORED = "/.nox/\n/dist/\n/bundle/\n__pycache__/\n*.egg-info/\n/build/\n"
DESTRUCTIVE = re.compile("delete|--force|-f |reset|--hard|push :")


def on_tag(tag: str) -> dict[str, str]:
    return {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag}


def errors(text: str) -> list[str]:
    assert "Traceback" not in text, text
    found = [line for line in text.splitlines() if line.startswith("error: ")]
    assert not any(map(DESTRUCTIVE.search, found)), found
    return found


def refused(folder: Path, **env: str) -> list[str]:
    done = try_release(folder, "verify", **env)
    assert done.returncode == 1, done.stdout
    return errors(done.stdout)


@pytest.fixture
def repository(suite: Path) -> Path:
    (suite / ".gitignore").write_text(IGNORED)
    commit(suite)
    return suite


@pytest.mark.parametrize("tag", ["chart-2.0.1", "docs-1.2", "web/v3.0.0", "other@1.0"])
def test_a_tag_of_something_else_is_a_note_here_and_no_release_of_this_project_in_ci(
    repository: Path, tag: str
) -> None:
    write_release(repository / "dist")
    git(repository, "tag", tag)
    said = release(repository, "verify").stdout
    assert f"note: on tag '{tag}', not of ship: the tag is compared when there is one" in said
    (error,) = refused(repository, **on_tag(tag))
    assert "this tag does not belong to ship and releases nothing; to release it, push v1.0" in error


def test_another_tag_at_the_commit_does_not_matter(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "chart-2.0.1")
    git(repository, "tag", "v1.0")
    assert "tag 'v1.0'" in release(repository, "verify").stdout


def test_a_broken_tag_of_the_project_itself_is_no_note(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "v1.0-final")
    (error,) = refused(repository)
    assert "tag 'v1.0-final': found no version" in error


def test_a_tag_of_the_wrong_one_of_two_leads_to_what_to_push_and_to_set(repository: Path) -> None:
    write_release(repository / "dist", body='__version__ = "1.0"\n')
    (error,) = refused(repository, **on_tag("v1.1"))
    assert error.endswith(
        "; push v1.0 if that is right; else set the version, commit, and tag the new commit [tag-mismatch]"
    )


@pytest.mark.parametrize("tag", ["v1", "v1.0"])
def test_a_tag_that_each_release_moves_is_no_mistake(repository: Path, tag: str) -> None:
    write_release(repository / "dist", version="1.0.1", body='__version__ = "1.0.1"\n')
    (error,) = refused(repository, **on_tag(tag))
    assert f"; a tag that each release moves, such as {tag}, releases nothing; to release, push v1.0.1 [" in error


@pytest.mark.parametrize(
    ("before", "others"),
    [("v1.1rc1", "all tags but those such as v1.1"), ("chart-1.1rc1", "the tags of other projects")],
)
def test_another_tag_at_the_commit_is_named_if_the_version_came_from_it(
    repository: Path, before: str, others: str
) -> None:
    (repository / "pyproject.toml").write_text(SCM)
    commit(repository)
    git(repository, "tag", before)
    git(repository, "tag", "v1.1")
    write_release(repository / "dist", version="1.1rc1")
    (error,) = refused(repository, **on_tag("v1.1"))
    assert f"git: found tag '{before}' at this commit too, expected only 'v1.1'; tag a separate commit" in error
    assert f"or make the build ignore {others} [two-tags]" in error


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("setup.cfg", "[egg_info]\ntag_build = dev\ntag_date = 1\n"),
        ("setup.cfg", "[egg_info]\ntag_build = dev\ntag_date = 0\n"),
        ("pyproject.toml", '[tool.distutils.egg_info]\ntag_build = "dev"\n'),
    ],
)
def test_what_setuptools_appends_is_named_if_the_tag_is_right(repository: Path, file: str, text: str) -> None:
    (repository / file).write_text(text)
    commit(repository)
    version = "1.0.dev20260101"
    write_release(repository / "dist", version=version, body='__version__ = "1.0"\n')
    found = refused(repository, **on_tag("v1.0"))
    assert "error: setuptools [egg_info]: found tag_build = dev, expected no tag_build and no tag_date" in found[0]
    assert len(found) == 1 + ("tag_date = 1" in text)


def test_a_setuptools_scm_that_is_not_switched_on_is_the_cause_of_version_zero(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(SCM.replace("[tool.setuptools_scm]\n", ""))
    commit(repository)
    write_release(repository / "dist", version="0.0.0", body="")
    (error,) = refused(repository, **on_tag("v1.0"))
    table = "add an empty table [tool.setuptools_scm] to pyproject.toml: without it, setuptools-scm does nothing"
    assert (
        error
        == f"error: .: found no version, expected one in pyproject.toml, setup.cfg or setup.py; {table} [no-version]"
    )


def test_a_tag_build_that_is_empty_is_not_blamed(repository: Path) -> None:
    (repository / "setup.cfg").write_text("[egg_info]\ntag_build =\ntag_date = 0\n")
    commit(repository)
    write_release(repository / "dist")
    (error,) = refused(repository, **on_tag("v1.1"))
    assert "tag 'v1.1'" in error


def test_a_changed_file_that_holds_another_text_with_the_version_is_to_be_committed(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(WRITTEN + "# CHANGES.md\n")
    (repository / "CHANGES.md").write_text("")
    commit(repository)
    git(repository, "tag", "v1.0")
    (repository / "CHANGES.md").write_text("## 1.0\n")
    write_release(repository / "dist")
    (error,) = refused(repository)
    assert "git: found 1 changed files (CHANGES.md), expected a clean tree; commit or stash them" in error


def test_a_wrong_setting_alone_says_nothing_of_the_dists(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(WRITTEN + "[tool.tagship]\nfile-limit = 1\n")
    commit(repository)
    git(repository, "tag", "v1.0")
    write_release(repository / "dist")
    (error,) = refused(repository)
    assert "[tool.tagship] file-limit: found 1, expected" in error


@pytest.mark.slow
def test_a_committed_version_file_is_to_be_ignored_and_that_ends_it(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(WRITTEN)
    (repository / "ship").mkdir()
    (repository / "ship/__init__.py").write_text("")
    (repository / "ship/_version.py").write_text('__version__ = version = "0.9"\n')
    commit(repository)
    git(repository, "tag", "v1.0.0")
    done = try_nox(repository, "-s", "build", "verify-version")
    assert done.returncode == 1
    (error,) = [line for line in errors(done.stdout) if "git:" in line]
    assert "git: found 1 files that the build writes (ship/_version.py), expected none of them in git" in error
    assert "run: git rm --cached ship/_version.py; add it to .gitignore, commit" in error
    git(repository, "rm", "-q", "--cached", "ship/_version.py")
    (repository / ".gitignore").write_text(f"{IGNORED}_version.py\n")
    commit(repository)
    git(repository, "tag", "v1.0.1")
    nox(repository, "-s", "build", "verify-version")


def test_a_wheel_from_before_a_second_one_is_not_explained_by_the_tag(repository: Path) -> None:
    write_release(repository / "dist")
    write_wheel(repository / "dist", version="1.1")
    assert any("clean dist/ and run: nox -s build" in error for error in refused(repository, **on_tag("v1.0")))


def named(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "pyproject.toml").write_text(text)


#: What can be where a file or a folder is expected.
ODD: dict[str, Callable[[Path], object]] = {
    "deep lists": named(f"x = {'[' * 20_000}"),
    "deep tables": named(f"x = {'{a=' * 5_000}"),
    "a folder for pyproject.toml": lambda folder: (folder / "pyproject.toml").mkdir(),
    "a loop for pyproject.toml": lambda folder: (folder / "pyproject.toml").symlink_to("pyproject.toml"),
    "a folder for setup.cfg": lambda folder: (folder / "setup.cfg").mkdir(),
    "a loop for setup.cfg": lambda folder: (folder / "setup.cfg").symlink_to("setup.cfg"),
    "a folder for setup.py": lambda folder: (folder / "setup.py").mkdir(),
    "a loop for setup.py": lambda folder: (folder / "setup.py").symlink_to("setup.py"),
    "deep operators": lambda folder: (folder / "setup.py").write_text("-" * 100_000 + "1"),
    "deep attributes": lambda folder: (folder / "setup.py").write_text("x" + ".a" * 100_000),
    "a folder for version-file": named('[tool.tagship]\nversion-file = "packages"\n'),
    "a file for bundle": lambda folder: (folder / "bundle").write_text(""),
    "a loop for bundle": lambda folder: (folder / "bundle").symlink_to("bundle"),
    "a folder for a distribution's file": lambda folder: (folder / "packages/a/pyproject.toml").mkdir(parents=True),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_in_the_place_of_a_file_is_one_line_and_no_traceback(suite: Path, what: str) -> None:
    write_release(suite / "dist")
    (suite / "packages").mkdir()
    ODD[what](suite)
    for step in (["verify"], ["prepare"], ["pythons"], ["describe"]):
        done = try_release(suite, *step)
        found = errors(done.stdout)
        assert bool(found) == bool(done.returncode), done.stdout


def test_a_file_that_cannot_be_written_is_named(suite: Path) -> None:
    write_release(suite / "dist", body="x = 1  # comment\n" * 9_999)

    def little_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

    done = subprocess.run(
        [*RELEASE, "verify"], cwd=suite, capture_output=True, text=True, preexec_fn=little_space, check=False
    )
    assert done.returncode == 1
    (error,) = errors(done.stderr)
    assert "found File too large, expected a place that can be read and written" in error


def test_an_interrupt_ends_a_publish_with_130_and_no_traceback(suite: Path) -> None:
    write_release(suite / "dist")
    release(suite, "verify", **on_tag("v1.0"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        twine = {"TWINE_REPOSITORY_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/", "TWINE_USERNAME": "me"}
        env = {**os.environ, **on_tag("v1.0"), **twine, "TWINE_PASSWORD": "a-long-secret"}
        process = subprocess.Popen([*RELEASE, "publish", "pypi"], cwd=suite, env=env, stderr=subprocess.PIPE, text=True)
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 130
    assert "Traceback" not in said


def test_the_end_of_a_line_behind_a_password_or_an_address_is_no_part_of_it(
    suite: Path, pypiserver: Pypiserver
) -> None:
    write_release(suite / "dist")
    release(suite, "verify", **on_tag("v1.0"))
    pasted = {name: f"{value}\r\n" for name, value in pypiserver.twine.items()}
    done = release(suite, "publish", "pypi", **on_tag("v1.0"), **pasted)
    assert done.stdout.count("  uploaded  ") == 2


@pytest.mark.parametrize(
    "failure",
    [
        "the index answered 403 Client Error: The user 'me' isn't allowed to upload to project 'ship'.",
        "the index answered 400 Client Error: The name 'ship' is too similar to an existing project.",
        "twine: `invalid-pending-publisher`: valid token, but project already exists",
    ],
)
def test_a_name_that_is_taken_at_testpypi_alone_does_not_cost_the_name(failure: str) -> None:
    said = explained(failure, "https://test.pypi.org/")
    assert "variable PUBLISH_TEST to false" in said
    assert "another name" not in said
    assert "PUBLISH_TEST" not in explained(failure, "https://pypi.org/")
    assert "choose another name" in explained(failure, "https://pypi.org/")


def test_a_project_at_testpypi_without_this_publisher_may_belong_to_others() -> None:
    claims = {"repository": "octo/ship"}
    assert "PUBLISH_TEST" in "\n".join(advice("https://test.pypi.org/", "ship", claims, exists=True))
    for site, exists in (("https://pypi.org/", True), ("https://test.pypi.org/", False)):
        assert "PUBLISH_TEST" not in "\n".join(advice(site, "ship", claims, exists=exists))


PROJECT = '[project]\nname = "ship"\nversion = "1.0"\n'


def test_a_distribution_in_a_folder_is_named_with_the_line_to_write_which_ends_it(suite: Path) -> None:
    (suite / "python/ship").mkdir(parents=True)
    (suite / "python/pyproject.toml").write_text(PROJECT)
    (error,) = errors(try_release(suite, "prepare").stdout)
    assert 'write those to release, such as packages = ["python"], in [tool.tagship] of ./pyproject.toml' in error
    (suite / "pyproject.toml").write_text('[tool.tagship]\npackages = ["python"]\n')
    assert "'python'" in release(suite, "prepare").stdout


@pytest.mark.parametrize("folder", ["pyhton", "packages/*", "docs"])
def test_packages_without_a_distribution_do_not_lead_to_advice_to_set_them(suite: Path, folder: str) -> None:
    (suite / "python").mkdir()
    (suite / "docs").mkdir()
    (suite / "python/pyproject.toml").write_text(PROJECT)
    (suite / "pyproject.toml").write_text(f'[tool.tagship]\npackages = ["{folder}", "python"]\n')
    (error,) = errors(try_release(suite, "prepare").stdout)
    assert f"[tool.tagship] packages: found '{folder}', expected folders with a pyproject.toml or setup.py" in error


def test_a_project_at_the_top_does_not_ask_about_its_examples(suite: Path) -> None:
    (suite / "examples/one").mkdir(parents=True)
    for path in (suite, suite / "examples/one"):
        (path / "pyproject.toml").write_text(PROJECT)
    release(suite, "prepare")


@pytest.mark.parametrize(("file", "shown"), [("ship/version.py", "ship/version.py"), ("", "FILE")])
def test_a_version_that_is_not_found_is_requested_as_toml(suite: Path, file: str, shown: str) -> None:
    (suite / "pyproject.toml").write_text('[project]\nname = "ship"\ndynamic = ["version"]\n')
    if file:
        (suite / "ship").mkdir()
        (suite / file).write_text('__version__ = "1.0"\n')
    commit(suite)
    (error,) = errors(try_release(suite, "cut", "patch").stdout)
    assert f'write version-file = "{shown}" in [tool.tagship] of pyproject.toml' in error
