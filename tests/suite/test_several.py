"""Several distributions in one repository: which exist, which one a tag releases, and that no other is published."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship_suite.errors import ReleaseError
from tagship_suite.repo.packages import chosen, every, of
from tagship_suite.testing.plan import NO_TESTS, plans
from tests.archives import write_release, write_sdist, write_wheel
from tests.conftest import commit, copy_suite, git, nightly, nox, release, run, try_nox, try_release, try_run

if TYPE_CHECKING:
    from tests.servers import Pypiserver

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
IGNORED = ".nox/\n/dist/\n/bundle/\n__pycache__/\n*.egg-info/\nbuild/\n"


def project(name: str, version: str = "1.0", more: str = "") -> str:
    """Return a pyproject.toml for hatchling."""
    system = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    return f'{system}[project]\nname = "{name}"\nversion = "{version}"\n{more}'


A, B = {"packages/a/pyproject.toml": project("Ship.A")}, {"packages/b/pyproject.toml": project("ship_b")}
BOTH = {**A, **B}
ROOT = {"pyproject.toml": project("ship")}
WORKSPACE = '[tool.uv.workspace]\nmembers = ["packages/*", "libs/*"]\nexclude = ["packages/b"]\n'
PACKAGES = '[tool.tagship]\npackages = ["packages/*"]\n'


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def found(root: Path) -> dict[str, str]:
    return {package.folder.relative_to(root).as_posix(): package.name for package in every(root)}


def tag(name: str) -> dict[str, str]:
    """Return the variables of a run on the tag `name`."""
    return {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": name}


BRANCH = {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"}


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        (BOTH, {"packages/a": "ship-a", "packages/b": "ship-b"}),
        (
            {**BOTH, "pyproject.toml": "[tool.ruff]\nline-length = 120\n"},
            {"packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        ({**BOTH, "packages/docs/index.md": ""}, {"packages/a": "ship-a", "packages/b": "ship-b"}),
        (
            {**BOTH, "libs/c/pyproject.toml": project("c"), "pyproject.toml": WORKSPACE},
            {"packages/a": "ship-a", "libs/c": "c"},
        ),
        # What uv never builds is no distribution: a root or a member without a build system, or with package = false.
        (
            {
                **BOTH,
                "libs/c/pyproject.toml": project("c"),
                "libs/d/pyproject.toml": '[project]\nname = "d"\n',
                "libs/e/pyproject.toml": project("e", more="[tool.uv]\npackage = false\n"),
                "pyproject.toml": f'[project]\nname = "workspace"\nversion = "0"\n{WORKSPACE}',
            },
            {"packages/a": "ship-a", "libs/c": "c"},
        ),
        (
            {**BOTH, "pyproject.toml": "[tool.poetry]\npackage-mode = false\n[build-system]\nrequires = []\n"},
            {"packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        (
            {
                "packages/a/setup.py": 'NAME = "Ship.A"\nExtension(name="no")\nsetup(name=NAME)\n',
                "packages/b/setup.cfg": "[metadata]\nname = ship_b\n",
            },
            {"packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        (
            {**BOTH, "pyproject.toml": ROOT["pyproject.toml"] + PACKAGES},
            {".": "ship", "packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        (
            {**BOTH, "pyproject.toml": '[tool.tagship]\npackages = ["packages/b", "packages/a"]\n'},
            {"packages/b": "ship-b", "packages/a": "ship-a"},
        ),
        # A root that is marked as never uploaded is none.
        (
            {
                **BOTH,
                "pyproject.toml": project("ship").replace("name", 'classifiers = ["Private :: Do Not Upload"]\nname'),
            },
            {"packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        # A root with nothing but settings of tools, which names no project, as in psycopg.
        (
            {
                **BOTH,
                "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n[tool.black]\nline-length = 120\n',
            },
            {"packages/a": "ship-a", "packages/b": "ship-b"},
        ),
        # The only one needs no name, wherever it lies.
        (A, {"packages/a": ""}),
        (
            {"python/pyproject.toml": project("ship"), "pyproject.toml": '[tool.tagship]\npackages = ["python"]\n'},
            {"python": ""},
        ),
    ],
)
def test_the_metadata_say_which_distributions_there_are(
    files: dict[str, str], packages: dict[str, str], tmp_path: Path
) -> None:
    assert found(write(tmp_path, files)) == packages


@pytest.mark.parametrize(
    "root",
    [
        ROOT,
        {"pyproject.toml": project("ship", more=WORKSPACE)},
        {"pyproject.toml": '[project]\nname = "ship"\n'},
        {"pyproject.toml": '[tool.poetry]\nname = "ship"\n'},
        {"setup.py": "setup(**options)\n"},
        {"setup.cfg": "[metadata]\nname = ship\n"},
    ],
)
def test_a_root_that_is_a_distribution_is_the_only_one_unless_it_says_otherwise(
    root: dict[str, str], tmp_path: Path
) -> None:
    (only,) = every(write(tmp_path, {**BOTH, **root}))
    assert (only.folder, only.name, only.suffix, only.tag("1.0")) == (tmp_path, "", "", "v1.0")
    assert chosen(tmp_path, tag("anything-at-all")) == [only]
    assert (only.owns("anything"), chosen(tmp_path, {**BRANCH, "TAGSHIP_PACKAGE": "x"})) == (True, [only])


def test_a_root_whose_settings_cannot_be_read_is_the_only_one_and_nothing_of_it_is_released(tmp_path: Path) -> None:
    write(tmp_path, {**BOTH, "pyproject.toml": "broken = \n"})
    assert [each.folder for each in every(tmp_path)] == [tmp_path]
    with pytest.raises(ReleaseError, match="expected valid TOML"):
        chosen(tmp_path, BRANCH)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ship-a/v1.2.0", "ship-a"),
        ("ship_a-v1.2.0", "ship-a"),
        ("Ship.A@1.2.0", "ship-a"),
        ("SHIP-A_1.2", "ship-a"),
        ("ship-b/v0.3.0rc1", "ship-b"),
    ],
)
def test_a_tag_releases_the_one_that_it_names(name: str, label: str, tmp_path: Path) -> None:
    (package,) = chosen(write(tmp_path, BOTH), tag(name))
    assert (package.name, package.label, package.suffix) == (label, label, f"-{label}")


@pytest.mark.parametrize(
    "name", ["v1.2.0", "1.2.0", "release-1.2.0", "ship-c/v1.2.0", "ship/v1.2.0", "a/v1.2.0", "ship-a/vX.0"]
)
def test_a_tag_that_names_none_is_refused_with_the_names_there_are(name: str, tmp_path: Path) -> None:
    expected = rf"^tag '{name}': found no .*, expected 'ship-a/vX.Y.Z' or 'ship-b/vX.Y.Z'; this tag releases nothing"
    with pytest.raises(ReleaseError, match=expected):
        chosen(write(tmp_path, BOTH), tag(name))
    copy_suite(tmp_path)
    done = try_release(tmp_path, "prepare", **tag(name))
    assert (done.returncode, "Traceback" in done.stdout) == (1, False)


def test_the_tags_without_a_name_are_the_roots_own(tmp_path: Path) -> None:
    write(tmp_path, {**BOTH, "pyproject.toml": ROOT["pyproject.toml"] + PACKAGES})
    for name in ("v1.0", "1.0", "release-1.0", "ship/v1.0"):
        (package,) = chosen(tmp_path, tag(name))
        assert (package.name, package.suffix, package.tag("2")) == ("ship", "", "v2")
    (package,) = chosen(tmp_path, tag("ship-a/v1.0"))
    assert (package.name, package.suffix) == ("ship-a", "-ship-a")


def test_without_a_tag_all_are_handled_or_the_named_one(tmp_path: Path) -> None:
    write(tmp_path, BOTH)
    assert [package.name for package in chosen(tmp_path, BRANCH)] == ["ship-a", "ship-b"]
    asked = {**BRANCH, "TAGSHIP_PACKAGE": "Ship_B"}
    assert [package.name for package in chosen(tmp_path, asked)] == ["ship-b"]
    with pytest.raises(ReleaseError, match="TAGSHIP_PACKAGE: found 'c', expected 'ship-a' or 'ship-b'"):
        chosen(tmp_path, {**BRANCH, "TAGSHIP_PACKAGE": "c"})


def test_what_cannot_be_distinguished_is_refused(tmp_path: Path) -> None:
    files = {"packages/b/pyproject.toml": project("ship-a"), "packages/c/setup.py": "setup(**options)\n"}
    with pytest.raises(ReleaseError) as error:
        chosen(write(tmp_path, {**A, **files}), BRANCH)
    assert [line.split(";")[0] for line in error.value.args] == [
        "packages/b: found 'ship-a', expected another name than packages/a has",
        "packages/c: found no name, expected one in pyproject.toml, setup.cfg or setup.py",
    ]


def test_what_one_does_not_set_itself_the_repository_sets(tmp_path: Path) -> None:
    top = '[tool.tagship]\nrelease-branches = ["main"]\nattestations = "off"\nversion-file = "VERSION"\n'
    own = project("ship-b", more='[tool.tagship]\nattestations = "optional"\n')
    write(tmp_path, {**BOTH, "packages/b/pyproject.toml": own, "pyproject.toml": top})
    settings = {package.name: package.settings for package in every(tmp_path)}
    assert (settings["ship-a"].attestations, settings["ship-b"].attestations) == ("off", "optional")
    assert settings["ship-b"].release_branches == ("main",)
    assert settings["ship-b"].version_file == ""
    write(tmp_path, {"packages/b/pyproject.toml": own + "wrong = 1\n"})
    with pytest.raises(ReleaseError, match=r"^packages/b/pyproject.toml \[tool.tagship\]: found 'wrong'"):
        of(tmp_path, "ship-b").settings  # noqa: B018


@pytest.fixture
def repository(suite: Path) -> Path:
    """A repository of two distributions, with their dists in dist/."""
    write(suite, {**BOTH, ".gitignore": IGNORED})
    commit(suite)
    write_release(suite / "dist", "ship_a", "1.2.0")
    write_release(suite / "dist", "ship_b", "0.3.0")
    return suite


def only(repository: Path, name: str) -> None:
    for path in (repository / "dist").iterdir():
        if not path.name.startswith(name):
            path.unlink()


def test_the_gate_lets_all_through_on_a_branch_and_names_no_environment(repository: Path, tmp_path: Path) -> None:
    done = release(repository, "verify", GITHUB_OUTPUT=str(tmp_path / "output"), **BRANCH)
    assert "bundle: 4 dists" in done.stdout
    assert (tmp_path / "output").read_text().splitlines()[-1] == "suffix="


@pytest.mark.parametrize(("name", "version"), [("ship-a", "1.2.0"), ("ship-b", "0.3.0")])
def test_the_gate_names_the_environment_of_the_one_on_the_tag(
    name: str, version: str, repository: Path, tmp_path: Path
) -> None:
    only(repository, name.replace("-", "_"))
    release(repository, "verify", GITHUB_OUTPUT=str(tmp_path / "output"), **tag(f"{name}/v{version}"))
    assert (tmp_path / "output").read_text().splitlines()[-1] == f"suffix=-{name}"
    inside = [path.relative_to(repository / "bundle").as_posix() for path in (repository / "bundle").rglob("*.toml")]
    assert inside == [f"packages/{name[-1]}/pyproject.toml"]


def test_the_gate_refuses_another_version_and_the_dists_of_another_one(repository: Path) -> None:
    wrong = try_release(repository, "verify", **tag("ship-a/v9.9.9"))
    assert "tag 'ship-a/v9.9.9': found version '9.9.9', expected version '1.2.0', as in 'ship-a/v1.2.0'" in wrong.stdout
    assert wrong.stdout.count("found 'ship-b', expected 'ship-a'; release one project at a time") == 2
    only(repository, "ship_b")
    lacking = try_release(repository, "verify", **tag("ship-a/v0.3.0"))
    assert lacking.returncode == 1
    assert "found 'ship-b', expected 'ship-a'" in lacking.stdout
    lacking = try_release(repository, "verify", **BRANCH)
    assert "dist: found no dists of ship-a, expected an sdist and wheels; run: nox -s build" in lacking.stdout
    write_wheel(repository / "dist", "stray", "1.2.0")
    write_release(repository / "dist", "ship_a", "1.2.0")
    stray = try_release(repository, "verify", **BRANCH)
    assert "stray-1.2.0-py3-none-any.whl: found 'stray', expected 'ship-a'" in stray.stdout
    assert not (repository / "bundle").exists()


def test_members_that_no_release_is_about_are_named(repository: Path) -> None:
    root = f"{project('ship-a')}[tool.uv.workspace]\nmembers = ['packages/*']\n"
    write(repository, {"pyproject.toml": root})
    only(repository, "ship_a")
    said = release(repository, "verify", **BRANCH).stdout
    assert "note: packages/a, packages/b: not part of this release; to release them too, name them" in said


def test_the_branches_that_the_repository_names_count_for_each(repository: Path) -> None:
    write(repository, {"pyproject.toml": '[tool.tagship]\nrelease-branches = ["stable"]\n'})
    commit(repository)
    only(repository, "ship_a")
    assert "expected one on stable" in try_release(repository, "verify", **tag("ship-a/v1.2.0")).stdout


def test_two_at_once_and_a_tag_without_a_name_are_not_published(repository: Path, pypiserver: Pypiserver) -> None:
    for name in ("ship-a/v1.2.0", "ship-b/v0.3.0"):
        git(repository, "tag", name)
    release(repository, "verify")
    done = try_release(repository, "publish", "pypi", **pypiserver.twine)
    assert (done.returncode, "release one project at a time" in done.stdout) == (1, True)
    only(repository, "ship_a")
    release(repository, "verify", TAGSHIP_PACKAGE="ship-a")
    done = try_release(repository, "publish", "pypi", **tag("v1.2.0"), **pypiserver.twine)
    assert "a tag such as 'ship-a/v1.2.0': only a tag is published" in done.stdout
    assert pypiserver.files() == []
    release(repository, "publish", "pypi", **pypiserver.twine)
    assert pypiserver.files() == ["ship_a-1.2.0-py3-none-any.whl", "ship_a-1.2.0.tar.gz"]


def test_build_reports_each_and_the_pythons_of_all(repository: Path, tmp_path: Path) -> None:
    shutil.rmtree(repository / "dist")
    for name, version, minors in (("ship_a", "1.2.0", (11, 12)), ("ship_b", "0.3.0", (12, 13))):
        classifiers = tuple(f"Classifier: Programming Language :: Python :: 3.{minor}" for minor in minors)
        write_sdist(repository / "dist", name, version, extra=classifiers)
    release(repository, "describe", GITHUB_OUTPUT=str(tmp_path / "output"), **BRANCH)
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert len(outputs.pop("digest")) == 64
    assert outputs == {"name": "ship-a ship-b", "version": "1.2.0 0.3.0", "pythons": '["3.11", "3.12", "3.13"]'}


def test_the_tests_of_one_use_the_others_from_here_but_on_a_tag(tmp_path: Path) -> None:
    newer = 'classifiers = ["Programming Language :: Python :: 3.12", "Programming Language :: Python :: 3.13"]\n'
    files = {
        "packages/a/pyproject.toml": project("Ship.A", more="[tool.tagship]\ntest-command = []\n"),
        "packages/b/pyproject.toml": project("ship_b", more=newer),
        "pyproject.toml": '[dependency-groups]\ntest = ["ship-a", "pytest"]\n',
    }
    write(tmp_path, files)
    a, b = plans(tmp_path, "", "3.11", BRANCH)
    assert (a.command, a.reason) == ((), NO_TESTS)
    assert (b.command, b.reason) == ((), "ship-b is for Python 3.12, 3.13")
    plan = plans(tmp_path, "", "3.12", BRANCH)[1]
    folder = tmp_path / "packages/b"
    assert (plan.command, plan.folder, plan.source, plan.reason) == (("pytest",), folder, str(folder), "")
    *requires, option, file, source = plan.arguments
    assert (requires, option, source) == (["ship-a", "pytest"], "--constraint", str(folder))
    assert Path(file).read_text() == f"ship-a @ {(tmp_path / 'packages/a').as_uri()}\n"
    (tagged,) = plans(tmp_path, "", "3.12", tag("ship-b/v1.0"))
    assert tagged.arguments == ["ship-a", "pytest", str(folder)]
    sources = "[tool.uv.sources]\nship-a = { workspace = true }\n"
    write(tmp_path, {"packages/b/pyproject.toml": files["packages/b/pyproject.toml"] + sources})
    (tagged,) = plans(tmp_path, "", "3.12", tag("ship-b/v1.0"))
    assert tagged.arguments[2] == "--constraint", "the project says that it is never the index's"


def test_the_dists_of_one_are_tested_with_the_dists_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, {**BOTH, "pyproject.toml": '[tool.tagship]\ntest-command = "pytest"\n'})
    wheel, other = write_wheel(tmp_path / "dist", "ship_b"), write_wheel(tmp_path / "dist", "ship_a")
    write_sdist(tmp_path / "dist", "ship_a")
    _, plan = plans(tmp_path, str(tmp_path / "dist"), HERE, BRANCH)
    _, file, source = plan.arguments
    assert source == str(wheel)
    assert Path(file).read_text() == f"ship-a @ {other.as_uri()}\n"
    wheel.unlink()
    with pytest.raises(ReleaseError, match=r"expected a dist of ship-b; run: nox -s build"):
        plans(tmp_path, str(tmp_path / "dist"), HERE, BRANCH)
    (alone,) = plans(tmp_path, str(tmp_path / "dist"), HERE, tag("ship-a/v1.0"))
    assert alone.source == str(other)


def test_inv_release_takes_the_name_before_the_version_and_changes_nothing_else(repository: Path) -> None:
    log = "# Changes\n\n## Unreleased\n\n- New.\n"
    write(repository, {"packages/a/CHANGELOG.md": log, "packages/b/CHANGELOG.md": log, "CHANGELOG.md": log})
    commit(repository)
    git(repository, "tag", "v7.0")
    done = release(repository, "cut", "Ship.A/minor")
    assert done.stdout.startswith("ship-a/v1.1.0: committed and tagged here")
    changed = git(repository, "show", "--name-only", "--format=%s").splitlines()
    assert changed == ["Release ship-a 1.1.0", "", "packages/a/CHANGELOG.md", "packages/a/pyproject.toml"]
    for wanted in ("patch", "ship-c/patch", "/patch"):
        refused = try_release(repository, "cut", wanted)
        assert refused.returncode == 1
        assert "expected 'ship-a' or 'ship-b'; name one of them" in refused.stdout
    git(repository, "tag", "-d", "ship-a/v1.1.0")
    git(repository, "tag", "ship_a@1.1.0")
    write(repository, {"packages/a/CHANGELOG.md": log})
    commit(repository)
    assert release(repository, "cut", "ship-a/1.4.0").stdout.startswith("ship_a@1.4.0: committed")


def test_publisher_prints_an_environment_of_its_own_for_each(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:Octo/ships.git")
    done = run(sys.executable, "-m", "tagship", "publisher", "--format", "json", cwd=repository)
    values = [(entry["index"], entry["values"]) for entry in json.loads(done.stdout)]
    assert [(index, each["project_name"], each["environment"]) for index, each in values] == [
        ("pypi", "Ship.A", "pypi-ship-a"),
        ("testpypi", "Ship.A", "testpypi-ship-a"),
        ("pypi", "ship_b", "pypi-ship-b"),
        ("testpypi", "ship_b", "testpypi-ship-b"),
    ]
    assert {(each["owner"], each["repository"]) for _, each in values} == {("Octo", "ships")}


TEST = (
    "import {0}\n\n\ndef test_it():\n    assert {0}.__version__ == '{1}'\n    assert 'site-packages' in {0}.__file__\n"
)
SETUP_PY = 'from setuptools import setup\n\nNAME = "ship-b"\nsetup(name=NAME, version="0.3.0", packages=["ship_b"]{})\n'
FLIT = (
    '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
    '[project]\nname = "ship_b"\nrequires-python = ">=3.10"\ndynamic = ["version", "description"]\n'
)
POETRY = (
    '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    '[tool.poetry]\nname = "ship_b"\nversion = "0.3.0"\ndescription = ""\nauthors = []\n'
    '[tool.poetry.dependencies]\npython = ">=3.10"\nship-a = ">=1"\n'
)
PAIRS = {
    "hatchling and setup.py": {"packages/b/setup.py": SETUP_PY.format(', install_requires=["ship-a>=1"]')},
    "hatchling and flit": {"packages/b/pyproject.toml": FLIT},
    "hatchling and poetry": {"packages/b/pyproject.toml": POETRY},
}
CODE = {
    "pyproject.toml": '[dependency-groups]\ntest = ["pytest"]\n',
    "packages/a/pyproject.toml": project("Ship.A", "1.2.0", 'requires-python = ">=3.10"\n'),
    "packages/a/ship_a/__init__.py": '"""Ship a."""\n\n__version__ = "1.2.0"\n',
    "packages/a/tests/test_a.py": TEST.format("ship_a", "1.2.0"),
    "packages/b/ship_b/__init__.py": '"""Ship b."""\n\n__version__ = "0.3.0"\n',
    "packages/b/tests/test_b.py": TEST.format("ship_b", "0.3.0"),
    ".gitignore": IGNORED,
}
FILES = {
    name: [f"ship_{name}-{version}-py3-none-any.whl", f"ship_{name}-{version}.tar.gz"]
    for name, version in (("a", "1.2.0"), ("b", "0.3.0"))
}


@pytest.mark.slow
@pytest.mark.parametrize("pair", [nightly(pair, when=pair != "hatchling and setup.py") for pair in PAIRS])
def test_a_branch_builds_all_and_each_tag_releases_one(pair: str, suite: Path, pypiserver: Pypiserver) -> None:
    write(suite, {**CODE, **PAIRS[pair]})
    commit(suite)
    sessions = ("-s", "build", "test", "verify-version", "-P", HERE, "--", "--installpkg", "dist")
    done = nox(suite, *sessions, **BRANCH)
    assert done.stdout.count("1 passed") == 2
    assert sorted(path.name for path in (suite / "bundle/dist").iterdir()) == [*FILES["a"], *FILES["b"]]
    before = {path.name: path.read_bytes() for path in (suite / "dist").iterdir()}
    there: list[str] = []
    index = {"UV_INDEX": f"{pypiserver.url}simple/", "UV_INSECURE_HOST": "127.0.0.1"}
    for name, version in (("a", "1.2.0"), ("b", "0.3.0")):
        ref = tag(f"ship-{name}/v{version}")
        done = nox(suite, *sessions, **ref, **index)
        assert done.stdout.count("1 passed") == 1
        assert {path.name: path.read_bytes() for path in (suite / "dist").iterdir()} == {
            file: before[file] for file in FILES[name]
        }
        bundle = Path(shutil.move(suite / "bundle", suite.with_name(f"bundle-{name}")))
        nox(bundle, "-s", "publish", **ref, **pypiserver.twine)
        there += FILES[name]
        assert pypiserver.files() == sorted(there)
    assert git(suite, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_wrong_tag_stops_the_first_session(suite: Path) -> None:
    commit(write(suite, {**CODE, **PAIRS["hatchling and flit"]}))
    done = try_nox(suite, "-s", "build", **tag("v1.2.0"))
    assert done.returncode == 1
    assert "error: tag 'v1.2.0': found no name of a distribution here, expected 'ship-a/vX.Y.Z' or" in done.stdout


SCM = r"""root = "../.."
tag_regex = '^ship-{0}/v(?P<version>.+)$'
git_describe_command = ["git", "describe", "--dirty", "--tags", "--long", "--match", "ship-{0}/v*"]
"""
FROM_TAGS = {
    "packages/a/pyproject.toml": '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'
    'build-backend = "hatchling.build"\n[project]\nname = "ship-a"\nrequires-python = ">=3.10"\ndynamic = ["version"]\n'
    '[tool.hatch.version]\nsource = "vcs"\n[tool.hatch.version.raw-options]\n' + SCM.format("a"),
    "packages/b/pyproject.toml": '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n'
    'build-backend = "setuptools.build_meta"\n[project]\nname = "ship-b"\ndynamic = ["version"]\n'
    '[tool.setuptools]\npackages = ["ship_b"]\n[tool.setuptools_scm]\n' + SCM.format("b"),
    "packages/a/ship_a/__init__.py": "",
    "packages/b/ship_b/__init__.py": "",
    ".gitignore": IGNORED,
}


@pytest.mark.slow
def test_versions_from_tags_are_each_ones_own(suite: Path) -> None:
    commit(write(suite, FROM_TAGS))
    git(suite, "tag", "ship-a/v1.2.0")
    git(suite, "tag", "ship-b/v0.3.0")
    nox(suite, "-s", "build", "verify-version")
    assert sorted(path.name for path in (suite / "bundle/dist").iterdir()) == [*FILES["a"], *FILES["b"]]
    nox(suite, "-s", "build", "verify-version", **tag("ship-b/v0.3.0"))
    assert sorted(path.name for path in (suite / "bundle/dist").iterdir()) == FILES["b"]
    git(suite, "tag", "-d", "ship-b/v0.3.0")
    done = try_nox(suite, "-s", "verify-version", **tag("ship-b/v0.4.0"))
    assert "error: git: found no tag at this commit, expected one that names the version" in done.stdout


@pytest.mark.slow
def test_a_rehearsal_releases_the_one_on_the_tag_with_its_own_publisher(suite: Path, tmp_path: Path) -> None:
    commit(write(suite, {**CODE, **PAIRS["hatchling and flit"]}))
    git(suite, "remote", "add", "origin", "git@github.com:Octo/ships.git")
    command: list[str | Path] = [sys.executable, "-m", "tagship", "rehearse"]
    command += ["--format", "json", "--keep", tmp_path / "kept"]
    for name, version in (("a", "1.2.0"), ("b", "0.3.0")):
        report = json.loads(run(*command, "--tag", f"ship-{name}/v{version}", cwd=suite).stdout)
        assert report["passed"], report
        assert [file["name"] for file in report["files"] if file["index"] == "pypi"] == FILES[name]
        for publisher in report["publishers"]:
            environment = f"{publisher['index']}-ship-{name}"
            assert publisher["values"]["environment"] == publisher["seen"]["environment"] == environment
    done = try_run(*command[:4], cwd=suite)
    assert done.returncode == 2
    assert "expected the tag of one distribution; name it: --tag ship-a/vX.Y.Z or ship-b/vX.Y.Z" in done.stdout
