"""`tagship adopt`: what it writes, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tagship import suite
from tagship.adopt import plan
from tagship.errors import TagshipError
from tagship.facts import read
from tagship_suite.files import tomllib
from tagship_suite.repo.packages import every
from tests.adopt.repositories import FLIT, KINDS, NOXFILE, OWN_FILES, POETRY, SETUP_CFG, SETUP_PY, TASKS, make
from tests.conftest import commit, drift, git, nox, run, try_nox, try_run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

TAGSHIP = (sys.executable, "-m", "tagship")
ACTION = """\
on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      # - uses: pypa/gh-action-pypi-publish@v0
      - uses: pypa/gh-action-pypi-publish@release/v1
"""


def adopt(folder: Path, *options: str) -> str:
    """Adopt the repository in `folder`, which must succeed; return the output."""
    return run(*TAGSHIP, "adopt", *options, folder, cwd=folder).stdout


def refused(folder: Path, *options: str, status: int = 1) -> list[str]:
    """Return why the repository in `folder` is not adopted, without the codes; nothing may be written then."""
    before = snapshot(folder)
    done: subprocess.CompletedProcess[str] = try_run(*TAGSHIP, "adopt", *options, folder, cwd=folder.parent)
    assert done.returncode == status, done.stdout
    assert snapshot(folder) == before
    lines = [line for line in done.stdout.splitlines() if not line.startswith("see: https://")]
    assert all(line.startswith("error: ") for line in lines), done.stdout
    return [re.sub(r" \[[a-z-]+\]$", "", line.removeprefix("error: ")) for line in lines]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts
    }


def settings(folder: Path) -> dict[str, Any]:
    found = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"].get("tagship", {})
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_adopted_repository_builds_and_only_the_right_tag_passes(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", KINDS[kind])
    adopt(folder)
    commit(folder, "adopt")
    git(folder, "tag", "v1.2.0")
    nox(folder, "-s", "build", "verify-version")
    assert git(folder, "status", "--porcelain") == ""
    git(folder, "tag", "--delete", "v1.2.0")
    git(folder, "tag", "v1.3.0")
    done = try_nox(folder, "-s", "verify-version")
    assert done.returncode != 0
    assert "error: tag 'v1.3.0': found version '1.3.0', expected version '1.2.0'" in done.stdout


@pytest.mark.parametrize("folders", [["python"], ["bindings/one", "bindings/two"]])
def test_distributions_that_are_only_in_folders_are_named_at_the_top(folders: list[str], tmp_path: Path) -> None:
    built = (
        '[project]\nname = "{}"\nversion = "1.2.0"\n[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n'
    )
    files = {f"{each}/pyproject.toml": built.format(each.replace("/", "-")) for each in folders}
    folder = make(tmp_path / "thing", {**files, "main.cpp": "int main() {}\n"})
    adopt(folder)
    assert settings(folder)["packages"] == folders
    commit(folder)
    adopt(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_distributions_with_one_version_and_tags_without_a_name_are_in_lockstep(tmp_path: Path) -> None:
    built = '[project]\nname = "{}"\nversion = "{}"\n[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n'
    versions = {"ship": "3.3.4", "ship-c": "3.3.4", "ship-pool": "3.2.1"}
    files = {f"{name}/pyproject.toml": built.format(name, version) for name, version in versions.items()}
    folder = make(tmp_path / "ship", {**files, "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'})
    git(folder, "tag", "3.3.4")
    git(folder, "remote", "add", "origin", "git@github.com:Octo/ship.git")
    said = adopt(folder, "--pull-request", str(tmp_path / "body.md"))
    assert "X.Y.Z releases ship and ship-c, ship-pool/vX.Y.Z releases ship-pool" in said
    assert settings(folder) == {"packages": ["ship", "ship-c", "ship-pool"], "lockstep": True}
    assert [(each.lockstep, each.suffix) for each in every(folder)] == [(True, ""), (True, ""), (False, "-ship-pool")]
    for name, environment in (("ship-c", "pypi"), ("ship-pool", "pypi-ship-pool")):
        assert f"| {name} | Octo | ship | release.yml | {environment} |" in (tmp_path / "body.md").read_text()
    commit(folder)
    adopt(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_the_members_of_a_workspace_with_one_version_are_in_lockstep(tmp_path: Path) -> None:
    member = '[project]\nname = "{}"\nversion = "6.0.4"\n[build-system]\nrequires = []\nbuild-backend = "uv_build"\n'
    files = {f"{name}/pyproject.toml": member.format(name) for name in ("kusto-data", "kusto-ingest")}
    files["pyproject.toml"] = (
        '[project]\nname = "kusto-python"\nversion = "6.0.4"\n[tool.uv.workspace]\nmembers = ["kusto-*", "start"]\n'
    )
    files["start/pyproject.toml"] = '[project]\nname = "start"\nversion = "6.0.4"\n'
    folder = make(tmp_path / "kusto", files)
    git(folder, "tag", "v6.0.4")
    assert "vX.Y.Z releases kusto-data and kusto-ingest" in adopt(folder)
    assert settings(folder) == {"lockstep": True}
    assert [(each.name, each.lockstep) for each in every(folder)] == [("kusto-data", True), ("kusto-ingest", True)]


@pytest.mark.parametrize(("tag", "version"), [("ship-c/v3.3.4", "3.3.4"), ("v3.3.4", "3.3.3")])
def test_other_tags_or_versions_are_no_lockstep(tag: str, version: str, tmp_path: Path) -> None:
    built = '[project]\nname = "{}"\nversion = "{}"\n[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n'
    files = {
        "ship/pyproject.toml": built.format("ship", "3.3.4"),
        "ship-c/pyproject.toml": built.format("ship-c", version),
    }
    folder = make(tmp_path / "ship", files)
    git(folder, "tag", tag)
    adopt(folder)
    assert "lockstep" not in settings(folder)


def test_a_second_distribution_that_is_published_with_the_root_s_is_named(tmp_path: Path) -> None:
    job = "on: {push: {tags: ['*']}}\njobs:\n  out:\n    steps:\n      - run: python -m build && python -m build core\n"
    files = {".github/workflows/out.yml": f"{job}      - uses: pypa/gh-action-pypi-publish@release/v1\n", **FLIT}
    core = {
        "core/pyproject.toml": FLIT["pyproject.toml"].replace('"thing"', '"core"'),
        "core/core.py": FLIT["thing.py"],
    }
    folder = make(tmp_path / "thing", {**files, **core})
    said = adopt(folder)
    assert "tags name what they release: vX.Y.Z releases thing, core/vX.Y.Z releases core" in said
    assert settings(folder)["packages"] == ["core"]
    assert [each.path for each in every(folder)] == [".", "./core"]
    commit(folder)
    adopt(folder)
    assert git(folder, "status", "--porcelain") == ""


WORKSPACE = FLIT["pyproject.toml"] + "[tool.uv.workspace]\nmembers = ['core', 'other']\n"


@pytest.mark.parametrize(
    ("build", "named"),
    [
        ("uv build --package thing && uv build --package core", ["core"]),
        ("uv build --all-packages", ["core", "other"]),
        ("uv build", None),
    ],
)
def test_members_of_a_workspace_that_are_published_with_the_root_are_named(
    build: str, named: list[str] | None, tmp_path: Path
) -> None:
    job = f"on: {{push: {{tags: ['*']}}}}\njobs:\n  out:\n    steps:\n      - run: {build}\n"
    files = {".github/workflows/out.yml": f"{job}      - uses: pypa/gh-action-pypi-publish@release/v1\n", **FLIT}
    for name in ("core", "other"):
        files[f"{name}/pyproject.toml"] = FLIT["pyproject.toml"].replace('"thing"', f'"{name}"')
        files[f"{name}/{name}.py"] = FLIT["thing.py"]
    folder = make(tmp_path / "thing", {**files, "pyproject.toml": WORKSPACE})
    git(folder, "tag", "v1.2.0")
    said = adopt(folder)
    assert settings(folder).get("packages") == named
    assert settings(folder).get("lockstep") == (True if named else None)
    assert ("that are released too, of core, other: list their folders in `packages`" in said) == (named is None)
    commit(folder)
    adopt(folder)
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["setup.py", "poetry"])
def test_the_tests_of_an_adopted_repository_run_against_its_wheel(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", KINDS[kind])
    adopt(folder)
    commit(folder, "adopt")
    nox(folder, "-s", "build")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert "1 passed" in nox(folder, "-s", "test", "-P", version, "--", "--installpkg", "dist").stdout


@pytest.mark.slow
def test_a_repository_s_own_sessions_and_tasks_go_on_working(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", OWN_FILES)
    adopt(folder)
    assert "nothing to lint" in nox(folder, "-s", "lint").stdout
    tasks = run("inv", "--list", cwd=folder).stdout
    assert "docs" in tasks
    assert "release" in tasks


OWN_SESSIONS = """\
import nox


@nox.session
def build(session):
    session.log("their build")


@nox.session(name="test")
def run_tests(session):
    session.log("their test")
"""


@pytest.mark.slow
def test_own_sessions_of_the_release_s_names_keep_their_meaning(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT, **{"noxfile.py": OWN_SESSIONS})
    adopt(folder)
    commit(folder, "adopt")
    assert (folder / "noxfile.py").read_text() == OWN_SESSIONS
    assert "their test" in nox(folder, "-s", "test").stdout
    workflow = (folder / suite.WORKFLOW).read_text()
    assert "run: nox -f release_noxfile.py -s build\n" in workflow
    assert "run: nox -s publish\n" in workflow  # in the bundle, which has no other noxfile
    git(folder, "tag", "v1.2.0")
    assert "their build" not in nox(folder, "-f", "release_noxfile.py", "-s", "build", "verify-version").stdout
    run(*TAGSHIP, "sync", "--check", folder, cwd=tmp_path)
    assert "nothing to do" in adopt(folder)


def test_all_managed_files_are_written_and_a_check_finds_them_untouched(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT)
    adopt(folder)
    assert drift(folder, suite.files()) == []
    run(*TAGSHIP, "sync", "--check", folder, cwd=tmp_path)


def test_what_setup_py_says_is_written_down_with_where_it_was_found(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_PY)
    said = adopt(folder)
    assert settings(folder) == {
        "pythons": ["3.10", "3.11"],
        "test-requires": ["-r requirements-dev.txt"],
        "version-file": "thing/__init__.py",
    }
    text = (folder / "pyproject.toml").read_text()
    assert "# thing/__init__.py:1, which setup.py reads\nversion-file = " in text
    assert "[build-system]" not in text
    assert "classifiers in setup.py; those before 3.8 can no longer be installed" in text
    assert "classifiers in setup.py" in said


def test_poetry_s_groups_become_requirements_and_nothing_else_of_the_file_changes(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", POETRY)
    adopt(folder)
    found = settings(folder)
    assert found["pythons"][:2] == ["3.10", "3.11"]
    assert found["test-requires"] == ["pytest>=8.0,<9", "coverage[toml]>=7.4,<7.5"]
    assert (folder / "pyproject.toml").read_text().startswith(POETRY["pyproject.toml"])


def test_linters_of_a_poetry_group_are_not_what_the_tests_need_unless_a_test_names_them(tmp_path: Path) -> None:
    linters = 'ruff = "^0.15"\nmypy = "^1.0"\ntypes-requests = "*"\nblack = "^25.0"\n'
    test = f"import black\n{POETRY['tests/test_thing.py']}"
    folder = make(tmp_path / "thing", {**POETRY, "tests/test_thing.py": test})
    (folder / "pyproject.toml").write_text(POETRY["pyproject.toml"] + linters)
    commit(folder)
    adopt(folder)
    assert settings(folder)["test-requires"] == ["pytest>=8.0,<9", "coverage[toml]>=7.4,<7.5", "black>=25.0,<26"]


def test_what_tox_installs_is_what_the_tests_need(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_CFG)
    adopt(folder)
    assert settings(folder) == {"test-requires": ["pytest", "colorama"]}


def test_pyproject_toml_stays_if_the_defaults_fit(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT)
    adopt(folder)
    assert (folder / "pyproject.toml").read_text() == FLIT["pyproject.toml"]


def test_a_module_keeps_the_encoding_that_it_declares(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nname = "thing"\nversion = "1.1"\n[tool.setuptools]\npackages = ["thing"]\n'}
    folder = make(tmp_path / "repository", files, **{"thing/a.py": ""})
    old = '# -*- coding: latin-1 -*-\n__author__ = "Zoë"\n__version__ = "1.0"\n'.encode("latin-1")
    (folder / "thing/__init__.py").write_bytes(old)
    commit(folder)
    git(folder, "tag", "v1.0")
    adopt(folder)
    assert (folder / "thing/__init__.py").read_bytes() == old.replace(b"1.0", b"1.1")


def test_a_setting_that_is_there_is_kept(tmp_path: Path) -> None:
    more = '\n[tool.tagship]  # by hand\ntest-command = "pytest -q"\n\n[tool.other]\nkey = 1\n'
    folder = make(tmp_path / "thing", POETRY, **{"pyproject.toml": POETRY["pyproject.toml"] + more})
    adopt(folder)
    assert set(settings(folder)) == {"test-command", "pythons"}
    text = (folder / "pyproject.toml").read_text()
    assert '[tool.tagship]  # by hand\ntest-command = "pytest -q"\n' in text
    assert text.endswith("[tool.other]\nkey = 1\n")


def test_adopting_again_changes_nothing_committed_or_not(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_PY)
    adopt(folder)
    after = snapshot(folder)
    assert "nothing to do" in adopt(folder)
    commit(folder, "adopt")
    assert "nothing to do" in adopt(folder)
    assert snapshot(folder) == after


def test_a_generated_project_has_nothing_to_adopt(project: Path) -> None:
    commit(project)
    found = json.loads(run(*TAGSHIP, "adopt", "--format=json", project, cwd=project).stdout)
    assert [*found["written"], *found["changed"]] == []
    assert found["status"] == "unchanged"


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_PY)
    before = snapshot(folder)
    planned = json.loads(adopt(folder, "--dry-run", "--format=json"))
    assert snapshot(folder) == before
    said = json.loads(adopt(folder, "--format=json"))
    assert (planned.pop("status"), said.pop("status")) == ("planned", "adopted")
    assert planned == said
    assert {*said["written"], *said["changed"]} == {
        path for path, content in (snapshot(folder).items()) if content is not None
    } - {*before}


def test_own_files_keep_every_line_and_get_the_import_after_theirs(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", OWN_FILES)
    adopt(folder)
    for name, text in (("noxfile.py", NOXFILE), ("tasks.py", TASKS)):
        after = (folder / name).read_text().splitlines()
        kept = iter(after)
        assert all(line in kept for line in text.splitlines())
        (inserted,) = (number for number, line in enumerate(after) if line.startswith("sys.path.insert(0, "))
        assert inserted < after.index("@nox.session" if name == "noxfile.py" else "@task")


def test_the_tasks_work_in_a_folder_below_the_root(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", OWN_FILES)
    adopt(folder)
    commit(folder)
    (folder / "below").mkdir()
    said = run(sys.executable, "-m", "invoke", "release", "minor", "--dry-run", cwd=folder / "below").stdout
    assert "+__version__ = '1.3.0'" in said


def test_the_tasks_are_those_of_the_repository_that_invoke_was_told(tmp_path: Path) -> None:
    folder, other = make(tmp_path / "thing", OWN_FILES), make(tmp_path / "other", OWN_FILES)
    (folder / "thing.py").write_text((folder / "thing.py").read_text().replace("1.2.0", "7.2.0"))
    commit(folder)
    for each in (folder, other):
        adopt(each)
        commit(each)
    command = ("inv", "--search-root", str(folder), "release", "minor", "--dry-run")
    assert "'7.3.0'" in run(*command, cwd=other).stdout


def test_a_tasks_file_that_is_not_invoke_s_is_left_alone(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT, **{"tasks.py": "from celery import shared_task\n"})
    said = adopt(folder)
    assert re.search(r"left alone; .*inv -r .github/release --list  \(it does not import invoke\)", said)
    assert (folder / "tasks.py").read_text() == "from celery import shared_task\n"


@pytest.mark.parametrize(
    ("module", "why"), [(TASKS, "it is a package"), ("X = 1\n", "it does not import invoke")], ids=["invoke", "other"]
)
def test_a_package_called_tasks_is_not_hidden_by_a_new_module(module: str, why: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT, **{"tasks/__init__.py": module})
    said = adopt(folder)
    apart = "left alone; the release's are in .github/release/tasks.py: inv -r .github/release --list"
    assert re.search(rf"tasks/__init__.py +{apart}  \({why}\)", said)
    assert not (folder / "tasks.py").exists()
    commit(folder)
    inv = (sys.executable, "-m", "invoke", "-r", ".github/release")
    assert "+__version__ = '1.3.0'" in run(*inv, "release", "minor", "--dry-run", cwd=folder).stdout


def test_an_own_task_of_the_same_name_stays(tmp_path: Path) -> None:
    own = TASKS.replace("docs", "release")
    folder = make(tmp_path / "thing", FLIT, **{"tasks.py": own})
    adopt(folder)
    assert "release = of_release.release" not in (folder / "tasks.py").read_text()


def test_a_project_that_publishes_with_the_action_keeps_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT, **{".github/workflows/deploy.yml": ACTION})
    said = adopt(folder)
    assert (folder / suite.WORKFLOW).read_bytes() == suite.files("gh-action-pypi-publish")[suite.WORKFLOW]
    assert "gh-action-pypi-publish  (.github/workflows/deploy.yml:7)" in said
    assert not (folder / ".github/workflows/deploy.yml").exists()


def test_git_ignores_what_the_sessions_create_and_not_the_suite(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT, **{".gitignore": "*.py[co]\n[Rr]elease/\nbuild\n*.txt"})
    adopt(folder)
    lines = (folder / ".gitignore").read_text().splitlines()
    assert lines[:4] == ["*.py[co]", "[Rr]elease/", "build", "*.txt"]
    assert "/build/" not in lines
    assert "/.nox/" in lines
    git(folder, "add", "-A")
    assert {*map(str, suite.files())} <= {*git(folder, "ls-files").splitlines()}


def test_git_ignores_what_the_build_backend_creates_besides(tmp_path: Path) -> None:
    pdm = (
        FLIT["pyproject.toml"].replace("flit_core.buildapi", "pdm.backend").replace("flit_core >=3.2,<5", "pdm-backend")
    )
    for name, files in {"pdm": {**FLIT, "pyproject.toml": pdm}, "flit": FLIT}.items():
        adopt(folder := make(tmp_path / name, files))
        assert ("/.pdm-build/" in (folder / ".gitignore").read_text()) is (name == "pdm")
        assert not {"/build/", "*.egg-info/"} & {*(folder / ".gitignore").read_text().splitlines()}


@pytest.mark.parametrize(
    ("own", "missing"), [("thing.egg-info/\n*.pyc\n", set()), ("/thing/\n", {"*.egg-info/", "__pycache__/"})]
)
def test_git_already_ignores_what_setuptools_creates_by_a_projects_own_lines(
    own: str, missing: set[str], tmp_path: Path
) -> None:
    folder = make(tmp_path / "thing", SETUP_CFG, **{".gitignore": own})
    adopt(folder)
    assert {"*.egg-info/", "__pycache__/"} & {*(folder / ".gitignore").read_text().splitlines()} == missing


@pytest.mark.parametrize(("package", "is_stubs"), [("thing-stubs", True), ("thing", False)])
def test_the_tests_of_stubs_run_in_place_as_there_is_no_module_to_import(
    package: str, is_stubs: bool, tmp_path: Path
) -> None:
    pyproject = f'[project]\nname = "types-thing"\nversion = "1.0"\n[tool.setuptools]\npackages = ["{package}"]\n'
    files = {"pyproject.toml": pyproject, f"{package}/__init__.pyi": "", "tests/test_a.py": "import pytest\n"}
    adopt(folder := make(tmp_path / "thing", files))
    assert ("test-in-place = true" in (folder / "pyproject.toml").read_text()) is is_stubs


def test_all_reasons_to_refuse_are_reported_at_once(tmp_path: Path) -> None:
    files = {"setup.py": "import x\nx.setup()\n", "noxfile.py": "import nox\n", str(suite.WORKFLOW): ACTION}
    folder = make(tmp_path / "thing", files)
    (folder / "untracked").write_text("")
    said = refused(folder, "--keep-old")
    move = f"git mv {suite.WORKFLOW} .github/workflows/old-release.yml"
    assert [line.partition(" [")[0].partition(": found ")[::2] for line in said] == [
        (".", "no name of a distribution, expected one in pyproject.toml, setup.cfg or setup.py; write it there"),
        (
            str(suite.WORKFLOW),
            f"a file of the project's own, expected no file of this name; rename it and commit that: {move}",
        ),
        (str(folder), "uncommitted changes (untracked), expected a clean working tree; commit or stash them first"),
    ]


def test_a_name_that_no_line_of_metadata_can_hold_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", {"pyproject.toml": '[project]\nname = "a\\nb"\nversion = "1"\n', "a.py": ""})
    [said] = refused(folder, status=2)
    assert said == f"{folder}: found the name 'a\\nb', expected a name on one line; correct it"
    (found,) = read.repository(folder).distributions
    assert (found.name, found.unknown[0]) == (None, "'a\\nb' is not a name: it must be on one line")


def test_no_repository_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "thing"
    folder.mkdir()
    [line] = refused(folder)
    assert "found no git repository" in line
    assert "git init" in line


def test_a_folder_of_a_repository_is_refused_with_the_command_for_its_top(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_CFG)
    [line] = refused(folder / "src")
    assert line.endswith(f"run: tagship adopt {folder}")


@pytest.mark.parametrize("name", [".github", ".github/release", "noxfile.py", str(suite.WORKFLOW)])
def test_a_symlink_that_leaves_the_repository_is_refused(name: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT)
    target = tmp_path / "elsewhere"
    target.write_text("") if name.endswith((".py", ".yml")) else target.mkdir()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(target)
    commit(folder)
    assert any(line.startswith(f"{name}: found a symlink to {str(target)!r}") for line in refused(folder))
    assert not target.is_dir() or [*target.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("pyproject.toml", b"[project", "valid TOML"),
        ("pyproject.toml", b"[project]\nname = '\xff'\n", "valid TOML in UTF-8"),
        ("setup.cfg", b"name = thing\n", "valid INI"),
        ("noxfile.py", b"def (:\n", "valid Python"),
        ("noxfile.py", b"\x00", "valid Python"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_with_its_name(
    name: str, content: bytes, found: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "thing", FLIT)
    (folder / name).write_bytes(content)
    commit(folder)
    said = refused(folder, status=2)
    assert any(name in line and found in line for line in said), said


def test_a_failure_in_the_middle_leaves_the_tree_as_it_was(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", OWN_FILES)
    before = snapshot(folder)
    found = plan.plan(folder)
    # The last of the files cannot be written, as its name is too long for every file system.
    found.changes[folder / ("n" * 300)] = b""
    with pytest.raises(TagshipError, match="nothing was changed"):
        plan.carry_out(found)
    assert snapshot(folder) == before


def test_the_mode_of_a_changed_file_stays(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", OWN_FILES)
    (folder / "noxfile.py").chmod(0o755)
    commit(folder)
    adopt(folder)
    assert (folder / "noxfile.py").stat().st_mode & 0o777 == 0o755


def test_nothing_of_the_repository_is_run(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'run')!r}, 'w')\n"
    files = {"setup.py": f"from setuptools import setup\n{trap}setup(name='thing', version=str(1))\n"}
    folder = make(tmp_path / "thing", files, **{"conftest.py": trap, "noxfile.py": f"import nox\n{trap}"})
    adopt(folder)
    assert not (tmp_path / "run").exists()
