"""`tagship plan`, run as a person does, in repositories with the suite; the index is a table of answers on loopback."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tagship.cli import main
from tagship_suite.repo.bump import cut_release
from tests.conftest import commit, copy_suite, git
from tests.doctor.api import listing, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doctor.api import GitHub

PYPROJECT = """\
[project]
name = "ship"
version = "1.0"
classifiers = ["Programming Language :: Python :: 3.12", "Programming Language :: Python :: 3.13"]

[tool.tagship]
index-url = "{index}"
"""
CHANGELOG = """\
# Changes

## [Unreleased]

## [1.0] - 2026-01-02

### Added

- Everything.

## [0.9] - 2025-01-02

- Less.
"""


@pytest.fixture
def index() -> Iterator[GitHub]:
    with serving() as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path, index: GitHub) -> Path:
    folder = copy_suite(tmp_path / "ship")
    (folder / "pyproject.toml").write_text(PYPROJECT.format(index=f"{index.address}/simple/"))
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    commit(folder)
    git(folder, "remote", "add", "origin", "git@github.com:octo/ship.git")
    index.answers["/simple/ship/"] = listing("ship-0.9.tar.gz", "ship-0.8-py3-none-any.whl", "ship-2.0.egg")
    return folder


def plan(repository: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["plan", str(repository), *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def read(repository: Path, *options: str) -> dict[str, Any]:
    (found,) = json.loads(plan(repository, "--format=json", *options)[1])
    return dict(found)


def test_a_release_is_shown_before_it_is_made(repository: Path) -> None:
    found = read(repository)
    assert plan(repository)[0] == 0
    assert found["problems"] == found["notes"] == []
    assert (found["version"], found["version_source"], found["tag"]) == ("1.0", "pyproject.toml:3", "v1.0")
    assert found["dists"] == ["ship-1.0.tar.gz", "ship-1.0-py3-none-any.whl"]
    assert found["pythons"] == ["3.12", "3.13"]
    assert found["changes"] == "### Added\n\n- Everything."
    assert found["publisher"] == "octo/ship, release.yml, environment 'pypi'"
    (held,) = found["indexes"]
    assert (held["newest"], held["has_version"]) == ("0.9", False)
    jobs = {job["id"]: job for job in found["jobs"]}
    assert list(jobs) == ["build", "test", "verify-version", "publish-test", "publish", "github-release"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["build"]["environment"] == ""
    assert git(repository, "status", "--porcelain") == git(repository, "tag") == ""


def test_a_job_that_is_switched_off_is_not_shown(repository: Path) -> None:
    with (repository / "pyproject.toml").open("a") as file:
        file.write("github-release = false\n")
    assert [job["id"] for job in read(repository, "--offline")["jobs"]][-1] == "publish"


def test_it_is_a_text_for_a_person_and_markdown_for_a_pull_request(repository: Path) -> None:
    text = plan(repository, "--offline")[1]
    assert text.splitlines()[0].startswith("ship 1.0 at ")
    assert "    publish: may request an OIDC token, environment pypi\n" in text
    assert text.endswith("nothing here would stop it\n")
    markdown = plan(repository, "--offline", "--format=markdown")[1]
    assert "| `publish` | request an OIDC token | `pypi` |" in markdown
    assert "- Everything." in markdown


def test_offline_no_index_is_queried(repository: Path, index: GitHub) -> None:
    assert read(repository, "--offline")["indexes"] == []
    assert index.sent == []


@pytest.mark.parametrize(
    ("answer", "saw"),
    [
        ((404, {}, {}), "no file of it yet"),
        ((500, {}, {}), "the index answered 500 Internal Server Error"),
        ((200, {}, b"{"), "found a response that is not a list of files"),
    ],
)
def test_an_index_that_does_not_answer_stops_nothing(repository: Path, index: GitHub, answer: Any, saw: str) -> None:
    index.answers["/simple/ship/"] = answer
    found = read(repository)
    assert saw in found["indexes"][0]["saw"]
    assert found["problems"] == []


def test_a_version_that_the_index_has_would_stop_it(repository: Path, index: GitHub) -> None:
    index.answers["/simple/ship/"] = listing("ship-1.0.0.tar.gz")
    status, text = plan(repository)
    assert status == 1
    assert "found version 1.0, expected none" in text
    assert text.endswith("1 problem would stop it\n")


def test_a_tag_that_names_another_version_would_stop_it(repository: Path) -> None:
    status, text = plan(repository, "--offline", "--tag=v2.0")
    assert status == 1
    assert (
        "tag 'v2.0': found version '2.0', expected '1.0' as in pyproject.toml:3; run: inv release, or tag 'v1.0'"
        in text
    )


@pytest.mark.parametrize(
    ("tasks", "remedy"),
    [
        ("from tagship_suite.tasks import release\n", "run: inv release"),
        ("from invoke import task\n", "run: inv -r .github/release release"),
        (
            "from invoke import task\nfrom tagship_suite.tasks import check\n@task\ndef release(c): ...\n",
            "run: inv -r .github/release release",
        ),
        ("not Python\n", "run: inv -r .github/release release"),
    ],
)
def test_a_tag_that_is_somewhere_else_would_stop_it(repository: Path, tasks: str, remedy: str) -> None:
    git(repository, "tag", "v1.0")
    (repository / "tasks.py").write_text(tasks)
    commit(repository, "one more")
    status, text = plan(repository, "--offline")
    assert status == 1
    assert f"expected HEAD; {remedy} [tag-exists]" in text


@pytest.mark.parametrize(("earlier", "tag"), [("ship-0.9", "ship-1.0"), ("release/v0.9", "release/v1.0")])
def test_the_tag_has_the_form_of_earlier_ones_as_inv_release_would_make_it(
    repository: Path, earlier: str, tag: str
) -> None:
    git(repository, "tag", earlier)
    commit(repository, "one more")
    assert read(repository, "--offline")["tag"] == tag
    assert f"would tag: {tag}" in cut_release(repository, "current", push=False, dry_run=True)


@pytest.mark.parametrize("other", ["latest", "nightly-2026-01-02", "chart-2.0.1"])
def test_a_tag_of_something_else_at_the_commit_is_not_the_releases(repository: Path, other: str) -> None:
    git(repository, "tag", other)
    assert plan(repository, "--offline")[0] == 0
    assert read(repository, "--offline")["tag"] == "v1.0"


def test_of_several_tags_at_the_commit_the_greatest_counts(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(
        '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'
    )
    commit(repository)
    for tag in ("v1.0", "v1.10", "v1.9"):
        git(repository, "tag", tag)
    assert read(repository, "--offline")["tag"] == "v1.10"


def test_a_version_from_tags_is_that_of_the_tag(repository: Path) -> None:
    dynamic = '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
    dynamic += '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'
    (repository / "pyproject.toml").write_text(dynamic)
    commit(repository, "versions from tags")
    status, text = plan(repository, "--offline")
    assert status == 1
    assert "tag: found none that names a version at HEAD, expected one; name it: --tag v1.2.3" in text
    found = read(repository, "--offline", "--tag=v1.0")
    assert (found["version"], found["version_source"], found["problems"]) == ("1.0", "git's tags", [])


SETUP_PY = """\
from setuptools import setup
import ship
setup(name="ship", version=ship.__version__)
"""


@pytest.mark.parametrize(
    ("module", "version", "source"),
    [
        ("info = (1, 0)\n__version__ = '.'.join(map(str, info))\n", "1.0", "ship.py, which computes it"),
        ("__version__ = open('v').read()\n", "1.1", "the tag, as setup.py computes it"),
    ],
)
def test_a_version_that_code_computes_stops_nothing(repository: Path, module: str, version: str, source: str) -> None:
    (repository / "pyproject.toml").unlink()
    (repository / "setup.py").write_text(SETUP_PY)
    (repository / "ship.py").write_text(module)
    commit(repository)
    found = read(repository, "--offline", "--tag", "v1.1")
    assert (found["version"], found["version_source"]) == (version, source)
    assert ("[tag-mismatch]" in str(found["problems"])) == (version == "1.0")
    assert "[no-version]" not in str(found["problems"])


@pytest.mark.parametrize(
    ("table", "module"),
    [
        ('hatch.version]\npath = "ship.py"', ""),
        ('hatch.version]\npath = "other.py"', ""),
        ('hatch.version]\nsource = "code"\npath = "ship.py"', "name = 'ship'\n"),
        ('hatch.version]\nsource = "nodejs"', ""),
        ('setuptools.dynamic]\nversion = { attr = "other.__version__" }', ""),
        ('setuptools.dynamic]\nversion = { attr = "ship.__version__" }', "name = 'ship'\n"),
        ('setuptools.dynamic]\nversion = { file = "VERSION" }', ""),
        ("flit]", '"""Ships."""\n'),
    ],
)
def test_a_version_that_no_code_computes_either_would_stop_it(repository: Path, table: str, module: str) -> None:
    backend = {"h": "hatchling.build", "s": "setuptools.build_meta", "f": "flit_core.buildapi"}[table[0]]
    (repository / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n'
        f'[project]\nname = "ship"\ndynamic = ["version"]\n[tool.{table}\n'
    )
    (repository / "ship.py").write_text(module)
    commit(repository)
    found = read(repository, "--offline", "--tag", "v1.1")
    assert found["version"] is None or not found["version"]
    assert any(code in str(found["problems"]) for code in ("[no-version]", "[unreadable-file]"))


def test_an_edited_managed_file_would_stop_it(repository: Path) -> None:
    (repository / ".github/workflows/release.yml").unlink()
    commit(repository, "no workflow")
    status, text = plan(repository, "--offline")
    assert status == 1
    assert "run: tagship adopt" in text


def test_a_workflow_of_the_same_name_that_is_not_the_suites_would_stop_it(repository: Path) -> None:
    shutil.rmtree(repository / ".github/release")
    commit(repository, "no suite")
    found = read(repository, "--offline")
    assert found["jobs"] == []
    (problem,) = found["problems"]
    assert f"found another workflow, expected the release's workflow; run: tagship adopt {repository} [" in problem


def test_the_wheel_of_a_project_with_an_extension_module_is_not_pure(repository: Path) -> None:
    (repository / "setup.py").write_text(
        "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('a', [])])"
    )
    commit(repository, "an extension")
    assert read(repository, "--offline")["dists"] == ["ship-1.0.tar.gz", "ship-1.0-*.whl"]


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ('release-branches = ["stable"]', "v1.0: found a commit on main, expected one on stable (release-branches)"),
        ("require-signed-tag = true", "tag 'v1.0': found commit, not a signed tag object, expected one at this commit"),
    ],
)
def test_what_the_gate_would_refuse_is_told_before_the_tag_is_pushed(
    repository: Path, setting: str, problem: str
) -> None:
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(f"{pyproject.read_text()}{setting}\n")
    commit(repository, "a setting")
    git(repository, "branch", "-M", "main")
    git(repository, "tag", "--no-sign", "v1.0")
    assert [each.startswith(problem) for each in read(repository, "--offline")["problems"]] == [True]
    git(repository, "tag", "-d", "v1.0")
    assert bool(read(repository, "--offline")["notes"]) == ("signed" in setting)


def test_another_version_in_the_projects_own_module_would_stop_it(repository: Path) -> None:
    (repository / "ship.py").write_text('"""Ships."""\n__version__ = "0.9"\n')
    commit(repository, "a version")
    said = "error: ship.py:2 __version__: found '0.9', expected '1.0'; write the version in one place"
    assert said in plan(repository, "--offline")[1]


def test_another_version_in_the_projects_own_package_would_stop_it(repository: Path) -> None:
    (repository / "ship").mkdir()
    (repository / "ship/__init__.py").write_text('"""Ships."""\nfrom .version import __version__\n')
    (repository / "ship/version.py").write_text('__version__ = "0.9"\n')
    (repository / ".gitignore").write_text("_version.py\n")
    (repository / "ship/_version.py").write_text('__version__ = "0.8"\n')  # of an earlier build
    commit(repository, "a package")
    text = plan(repository, "--offline")[1]
    assert "error: ship/version.py:1 __version__: found '0.9', expected '1.0'; write the version in one place" in text
    assert "0.8" not in text


@pytest.mark.parametrize(
    ("table", "refused"),
    [
        ("poetry-dynamic-versioning]\nenable = true", False),
        ('versioningit.onbuild]\nsource-file = "ship.py"', False),
        ('setuptools_scm]\nversion_file = "other.py"', True),
    ],
)
def test_a_version_that_the_build_replaces_by_the_tags_stops_nothing(
    repository: Path, table: str, refused: bool
) -> None:
    pyproject = repository / "pyproject.toml"
    text = pyproject.read_text().replace('version = "1.0"', 'dynamic = ["version"]')
    pyproject.write_text(f"{text}\n[tool.{table}\n")
    (repository / "ship.py").write_text('__version__ = "0.0.0"\n')
    commit(repository, "versions by tags")
    assert ("found '0.0.0'" in plan(repository, "--offline", "--tag", "v1.0")[1]) is refused


@pytest.mark.parametrize(("backend", "tags"), [("setuptools.build_meta", "py2.py3"), ("hatchling.build", "py3")])
def test_a_wheel_that_is_universal_has_that_in_its_name(repository: Path, backend: str, tags: str) -> None:
    (repository / "setup.cfg").write_text("[bdist_wheel]\nuniversal = 1\n")
    with (repository / "pyproject.toml").open("a") as file:
        file.write(f'\n[build-system]\nrequires = []\nbuild-backend = "{backend}"\n')
    commit(repository, "an option")
    assert read(repository, "--offline")["dists"][1] == f"ship-1.0-{tags}-none-any.whl"


def test_a_local_version_would_stop_it(repository: Path) -> None:
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"1.0"', '"1.0+ours"'))
    commit(repository, "a local version")
    assert "pyproject.toml:3: found '1.0+ours', expected '1.0'; " in plan(repository, "--offline")[1]


def test_what_is_not_committed_is_no_part_of_it(repository: Path) -> None:
    (repository / "pyproject.toml").write_text((repository / "pyproject.toml").read_text() + "\n# one more\n")
    assert read(repository, "--offline")["notes"] == ["uncommitted changes are not part of this release"]


def test_a_job_whose_tag_would_start_no_release_is_named(repository: Path) -> None:
    tagging = "on: workflow_dispatch\njobs:\n  bump:\n    runs-on: x\n    steps:\n      - run: git push origin v1.0\n"
    (repository / ".github/workflows/bump.yml").write_text(tagging)
    commit(repository, "a workflow")
    (note,) = read(repository, "--offline")["notes"]
    assert note.startswith(".github/workflows/bump.yml:6, job bump: a tag that GITHUB_TOKEN creates starts no release")


def test_without_a_commit_there_is_nothing_to_plan(tmp_path: Path) -> None:
    status, text = plan(tmp_path)
    assert status == 2
    assert text.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "CHANGES.rst",
            "Changes\n=======\n\n1.0 (2026-01-02)\n----------------\n\n- Everything.\n\n0.9\n---\n\n- Less.\n",
        ),
        ("NEWS.md", "# ship 1.0 (2026-01-02)\n\n- Everything.\n\n# ship 0.9\n\n- Less.\n"),
        ("docs/changelog.md", "## v1.0\n\n- Everything.\n\n## v0.9\n"),
        ("HISTORY.md", "1.0\n===\n\n- Everything.\n\n0.9\n===\n"),
    ],
)
def test_the_section_of_each_kind_of_changelog_is_found(repository: Path, name: str, text: str) -> None:
    (repository / "CHANGELOG.md").unlink()
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text(text)
    assert read(repository, "--offline")["changes"] == "- Everything."
