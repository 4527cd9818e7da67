"""What git tracks compared with what the dists hold: clear mistakes are refused, the rest leads to notes."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship_suite.dists.reading import read_dists
from tagship_suite.dists.tracked import checkout, compare
from tests.archives import write_sdist, write_wheel
from tests.conftest import commit, git, nox, try_nox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PACKAGE = {"pyproject.toml": HATCH, "ship/__init__.py": "x = 1\n"}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123456\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def judged(
    root: Path,
    sdist: Iterable[str] = (),
    wheel: Iterable[str] = ("ship/__init__.py",),
    *,
    folder: str = "",
    extra: tuple[str, ...] = (),
) -> list[str]:
    """Return what is said of an sdist and a wheel with these files, made after git was asked, without codes."""
    before = checkout(root)
    assert before
    name = (root / "name").read_text() if (root / "name").exists() else "ship"
    dists = root.parent / "dists"
    shutil.rmtree(dists, ignore_errors=True)
    write_sdist(dists, name, files=dict.fromkeys(sdist, ""))
    write_wheel(dists, name, files=dict.fromkeys(wheel, ""), extra=extra)
    found = map(str, compare(before, root / folder, read_dists(dists)))
    return [re.sub(r" \[[a-z-]+\]$", "", line.replace(f"{dists}/", "dist/")) for line in found]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A committed project of one package."""
    write(tmp_path / "ship", PACKAGE)
    commit(tmp_path / "ship")
    return tmp_path / "ship"


def test_what_is_committed_is_fine(root: Path) -> None:
    assert judged(root, PACKAGE) == []


@pytest.mark.parametrize(
    ("files", "ignored"),
    [
        ({".env": "TOKEN=x"}, ""),
        ({"ship/scratch.py": ""}, ""),
        ({".env": "TOKEN=x"}, ".env\n"),
        ({"ship/data/.gitignore": "*.key\n", "ship/data/a.key": "x"}, ""),
        ({"ship/naïve file.txt": "x"}, ""),
    ],
    ids=["untracked", "a module", "ignored", "ignored in a folder", "an odd name"],
)
def test_an_uncommitted_file_is_refused_by_name(root: Path, files: dict[str, str], ignored: str) -> None:
    write(root, {".gitignore": ignored} if ignored else {})
    write(root, {name: text for name, text in files.items() if name.endswith("ignore")})
    commit(root)
    write(root, files)
    name = [*files][-1]
    assert judged(root, [*PACKAGE, name]) == [
        (
            f"dist/ship-1.0.tar.gz: {name}: found a file that git does not track, expected committed files; "
            "remove it, add it to exclude in [tool.hatch.build], or commit it"
        )
    ]
    git(root, "add", "-f", name)
    (line,) = judged(root, [*PACKAGE, name], ["ship/__init__.py", name])
    assert line == f"dist/ship-1.0.tar.gz holds changes that are not committed: {name}"
    commit(root)
    assert judged(root, [*PACKAGE, name], ["ship/__init__.py", name]) == []


def test_changes_that_are_not_committed_are_a_note(root: Path) -> None:
    write(root, {"ship/__init__.py": "x = 2\n", "pyproject.toml": f"{HATCH}\n"})
    assert judged(root, ["ship/__init__.py"]) == [
        "dist/ship-1.0.tar.gz holds changes that are not committed: pyproject.toml, ship/__init__.py"
    ]


def test_more_than_five_are_counted(root: Path) -> None:
    names = [f"{number}.txt" for number in range(8)]
    write(root, dict.fromkeys(names, ""))
    lines = judged(root, names)
    assert len(lines) == 6
    assert lines[-1].startswith("dist/ship-1.0.tar.gz: found 3 more of them")


def test_a_file_of_another_repository_in_this_one_is_refused(root: Path) -> None:
    write(root / "other", {"a.py": ""})
    commit(root / "other")
    (line,) = judged(root, ["other/a.py"])
    assert line.startswith("dist/ship-1.0.tar.gz: other/a.py: found a file that git does not track")


def test_a_link_to_a_file_that_is_not_committed_is_refused_and_one_that_leads_to_a_committed_file_is_not(
    tmp_path: Path,
) -> None:
    root = tmp_path / "repository"
    write(root, {"LICENSE": "", "shared/a.py": "", "pkg/pyproject.toml": HATCH, "pkg/ship/__init__.py": "x = 1\n"})
    (root / "pkg/LICENSE").symlink_to("../LICENSE")
    (root / "pkg/ship/shared").symlink_to("../../shared")
    (root / "pkg/ship/settings.py").symlink_to("../../.env")
    commit(root)
    write(root, {".env": "TOKEN=x", "shared/b.py": ""})
    assert judged(root, ["LICENSE", "ship/__init__.py", "ship/shared/a.py"], folder="pkg") == []
    lines = judged(root, ["ship/shared/b.py", "ship/settings.py"], folder="pkg")
    assert [line.split(":")[1] for line in lines] == [" ship/settings.py", " ship/shared/b.py"]


VERSIONED = {
    "setuptools-scm": '[tool.setuptools_scm]\nversion_file = "ship/made.py"\n',
    "setuptools-scm, by its older name": '[tool.setuptools_scm]\nwrite_to = "ship/made.py"\n',
    "hatch-vcs": '[tool.hatch.build.hooks.vcs]\nversion-file = "ship/made.py"\n',
    "hatch's artifacts": '[tool.hatch.build]\nartifacts = ["ship/*.py", "*"]\n',
    "hatch's artifacts, by their folder": '[tool.hatch.build.targets.sdist]\nartifacts = ["/ship/"]\n',
    "poetry's include": '[tool.poetry]\ninclude = [{ path = "ship/made.py", format = ["sdist", "wheel"] }]\n',
    "pdm": '[tool.pdm.version]\nsource = "scm"\nwrite_to = "ship/made.py"\n',
    "pdm, below src": '[tool.pdm.version]\nsource = "scm"\nwrite_to = "made.py"\n',
}


@pytest.mark.parametrize("table", VERSIONED.values(), ids=VERSIONED)
def test_a_version_file_of_an_earlier_build_is_the_build_tools(root: Path, table: str) -> None:
    write(root, {"pyproject.toml": HATCH + table})
    commit(root)
    write(root, {"ship/made.py": "version = '0.9'\n", ".env": ""})
    (line,) = judged(root, ["ship/made.py", ".env"])
    assert ": .env: " in line


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("", "ship.egg-info/SOURCES.txt"),
        ("", "src/ship.egg-info/PKG-INFO"),
        ("", "PKG-INFO"),
        ("", "ship/_speedups.cpython-311-x86_64-linux-gnu.so"),
        ("", "tests/__pycache__/test_a.cpython-311.pyc"),
        ("ship/_fast.pyx", "ship/_fast.c"),
        ("ship/_fast.pyx.in", "ship/_fast.pyx"),
        ("ship/_fast.pyx.in", "ship/_fast.c"),
        ("lib/pure.py", "lib/pure.cpp"),
        ("ship/locale/de/a.po", "ship/locale/de/a.mo"),
        ("ship/api.proto", "ship/api_pb2_grpc.py"),
    ],
)
def test_what_build_tools_leave_for_the_next_build_is_theirs(root: Path, source: str, made: str) -> None:
    write(root, {source: ""} if source else {})
    commit(root)
    write(root, {made: ""})
    assert judged(root, [*PACKAGE, made]) == []


def test_an_ignored_file_that_manifest_in_names_may_ship_and_one_that_a_pattern_of_it_matches_may_not(
    root: Path,
) -> None:
    write(
        root, {"MANIFEST.in": "include ship/global.dat .env\nrecursive-include ship *.json\n", ".gitignore": "ship/*"}
    )
    commit(root)
    write(root, {"ship/global.dat": "", "ship/secret.json": "", ".env": ""})
    found = judged(root, ["ship/global.dat", "ship/secret.json", ".env"])
    assert [line.split(": ")[1] for line in found] == [".env", "ship/secret.json"]


def test_a_folder_or_a_pattern_of_poetry_names_no_file_that_may_ship_without_git(root: Path) -> None:
    include = 'include = [{ path = "ship", format = "sdist" }, { path = "ship/*.json", format = "sdist" }]\n'
    write(root, {"pyproject.toml": f"{HATCH}[tool.poetry]\n{include}"})
    commit(root)
    write(root, {"ship/secret.json": ""})
    (line,) = judged(root, ["ship/secret.json"])
    assert ": ship/secret.json: found a file that git does not track" in line


def test_what_the_build_writes_is_its_own_even_if_there_was_one_before(root: Path) -> None:
    write(root, {"ship/before.py": "old", "ship/kept.py": "old"})
    os.utime(root / "ship/before.py", (1, 1))
    os.utime(root / "ship/kept.py", (1, 1))
    before = checkout(root)
    assert before
    write(root, {"ship/before.py": "new", "ship/new.py": "new"})
    write_sdist(root.parent / "dists", files=dict.fromkeys(["ship/before.py", "ship/kept.py", "ship/new.py"], ""))
    (problem,) = compare(before, root, read_dists(root.parent / "dists"))
    assert ": ship/kept.py: found" in str(problem)


def test_a_folder_that_git_does_not_know_is_not_compared(tmp_path: Path) -> None:
    assert checkout(tmp_path) is None
    write(tmp_path / "ship", PACKAGE)
    git(tmp_path / "ship", "init", "-q")
    assert judged(tmp_path / "ship", [*PACKAGE, "a.txt"], ()) == []
    write(tmp_path / "outer", {"a": ""})
    commit(tmp_path / "outer")
    write(tmp_path / "outer/ship", PACKAGE)
    assert judged(tmp_path / "outer", PACKAGE, (), folder="ship") == []


def test_a_pointer_of_git_lfs_is_refused_and_the_file_itself_or_a_text_about_pointers_is_not(root: Path) -> None:
    write(root, {".gitattributes": "*.npz filter=lfs\n", "ship/a.npz": POINTER, "ship/b.npz": "x", "c.txt": POINTER})
    commit(root)
    shipped = ["ship/__init__.py", "ship/a.npz", "ship/b.npz"]
    (line,) = judged(root, [*PACKAGE, *shipped, "c.txt"], shipped)
    assert line == (
        "dist/ship-1.0.tar.gz: ship/a.npz: found a pointer of Git LFS, expected the file that it stands for; run: git "
        "lfs pull; on GitHub, set the repository variable LFS to true; or add it to exclude in [tool.hatch.build]"
    )
    write(root, {"ship/a.npz": "x"})
    commit(root)
    assert judged(root, shipped, shipped) == []


@pytest.fixture
def vendored(root: Path) -> Path:
    """The repository with a submodule in its package, and another beside it."""
    write(root.parent / "vendored", {"__init__.py": ""})
    commit(root.parent / "vendored")
    for path in ("ship/vendored", "docs/theme"):
        git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(root.parent / "vendored"), path)
    commit(root)
    return root


def test_a_submodule_that_is_not_checked_out_is_refused_in_a_package_and_a_note_elsewhere(vendored: Path) -> None:
    root = vendored.parent / "clone"
    git(vendored.parent, "clone", "-q", str(vendored), str(root))
    note, line = sorted(judged(root, PACKAGE))
    assert line == (
        "ship/vendored: found a submodule without content, expected its files, which are part of a package; "
        "run: git submodule update --init; on GitHub, set the repository variable SUBMODULES to true"
    )
    assert note == "docs/theme: the dists lack this submodule, which is not checked out"


def test_the_files_of_a_submodule_are_committed_in_it(vendored: Path) -> None:
    names = ["ship/__init__.py", "ship/vendored/__init__.py"]
    assert judged(vendored, names, names) == []
    write(vendored, {"ship/vendored/.env": ""})
    (line,) = judged(vendored, [*names, "ship/vendored/.env"], names)
    assert line.startswith("dist/ship-1.0.tar.gz: ship/vendored/.env: found a file that git does not track")


def test_a_submodule_at_another_commit_than_the_one_recorded_is_a_change(vendored: Path) -> None:
    write(vendored, {"ship/vendored/more.py": ""})
    commit(vendored / "ship/vendored")
    names = ["ship/__init__.py", "ship/vendored/__init__.py", "ship/vendored/more.py"]
    (note,) = judged(vendored, names, names)
    assert note == "dist/ship-1.0.tar.gz holds changes that are not committed: ship/vendored"


@pytest.mark.parametrize("folder", ["", "src/", "lib/python/"])
def test_a_lost_py_typed_is_refused(root: Path, folder: str) -> None:
    git(root, "rm", "-q", "-r", "ship")
    write(root, {f"{folder}ship/{name}": "" for name in ("__init__.py", "py.typed", "tests/py.typed")})
    write(root, {"tests/ship/__init__.py": "", "tests/ship/py.typed": ""})
    commit(root)
    assert judged(root) == [
        (
            f"dist/ship-1.0-py3-none-any.whl: found no ship/py.typed, expected one as in {folder}ship/py.typed: type "
            "checkers ignore the package's types without it; add it to packages or artifacts in "
            "[tool.hatch.build.targets.wheel]"
        )
    ]
    assert judged(root, (), ["ship/__init__.py", "ship/py.typed"]) == []


def test_py_typed_of_a_package_in_a_package_means_nothing_and_in_a_namespace_something(root: Path) -> None:
    write(root, {"ship/_vendor/other/__init__.py": "", "ship/_vendor/other/py.typed": ""})
    commit(root)
    wheel = ["ship/__init__.py", "ship/_vendor/other/__init__.py"]
    assert judged(root, (), wheel) == []
    git(root, "rm", "-q", "ship/__init__.py")
    (line,) = judged(root, (), wheel[1:])
    assert ": found no ship/_vendor/other/py.typed, " in line


def test_what_a_user_of_the_wheel_misses_is_one_note(root: Path) -> None:
    missed = [f"ship/data/{number}.txt" for number in range(6)] + ["ship/sub/__init__.py"]
    others = ["ship/tests/test_a.py", "ship/_fast.pyx", "ship/.gitkeep", "ship/README.md", "docs/a.txt", "tool.py"]
    write(root, dict.fromkeys([*missed, *others], ""))
    commit(root)
    assert judged(root) == [
        (
            f"dist/ship-1.0-py3-none-any.whl lacks {', '.join(missed[:5])} and 2 more; add what "
            "its users need to packages or artifacts in [tool.hatch.build.targets.wheel]"
        )
    ]
    assert judged(root, (), ["ship-1.0.data/purelib/ship/__init__.py", *(f"ship/{name[5:]}" for name in missed)]) == []


@pytest.mark.parametrize(
    ("files", "extra", "said"),
    [
        ({"ship/__init__.py": ""}, (), "ship"),
        ({"src/other/__init__.py": ""}, (), "other"),
        ({"ship.py": ""}, (), "ship"),
        ({"ship/core.py": ""}, (), "ship"),
        ({"ship/__init__.py": ""}, ("Requires-Dist: a",), "ship"),
        ({"tests/__init__.py": "", "setup.py": "", "tool.py": ""}, (), ""),
        ({"parts/a/src/a/__init__.py": "", "services/__init__.py": ""}, ("Requires-Dist: a",), ""),
    ],
)
def test_an_empty_wheel_is_refused_if_there_is_something_to_ship(
    tmp_path: Path, files: dict[str, str], extra: tuple[str, ...], said: str
) -> None:
    root = tmp_path / "ship"
    write(root, {"pyproject.toml": HATCH, **files})
    commit(root)
    expected = (
        f"dist/ship-1.0-py3-none-any.whl: found no module, expected {said}; add it to packages or artifacts in "
        "[tool.hatch.build.targets.wheel]"
    )
    assert judged(root, files, (), extra=extra) == ([expected] if said else [])


def test_what_lands_at_the_top_of_site_packages_is_a_note(root: Path) -> None:
    names = ["ship/__init__.py", "tests/__init__.py", "tests/test_a.py", "benchmarks/run.py", "conftest.py", "_a.py"]
    write(root, dict.fromkeys(names, ""))
    commit(root)
    assert judged(root, (), names) == [
        (
            "dist/ship-1.0-py3-none-any.whl installs benchmarks, conftest.py, tests at the top of site-packages; if "
            "that is not intended, add it to exclude in [tool.hatch.build]"
        )
    ]


def test_a_distribution_may_be_called_tests_or_have_nothing_else_to_ship(root: Path) -> None:
    write(root, {"tests/__init__.py": "", "name": "tests"})
    commit(root)
    assert judged(root, (), ["tests/__init__.py", "ship/__init__.py"]) == []
    write(root, {"name": "ship"})
    (line,) = judged(root, (), ["tests/__init__.py"])
    assert line.startswith("dist/ship-1.0-py3-none-any.whl: found no module but tests, expected ship; add it to ")
    git(root, "rm", "-qr", "--cached", "ship")
    assert judged(root, (), ["tests/__init__.py"]) == []


#: Projects that build with nothing to say, twice, with all that the first build left behind.
SOUND: dict[str, dict[str, str]] = {
    "setuptools-scm": {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\n'
        '[project]\nname = "ship"\ndynamic = ["version"]\n'
        '[tool.setuptools_scm]\nversion_file = "src/ship/_version.py"\n',
        "src/ship/__init__.py": "",
        ".gitignore": "_version.py\n",
    },
    "hatch-vcs": {
        "pyproject.toml": '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'
        '[tool.hatch.build.hooks.vcs]\nversion-file = "src/ship/_version.py"\n',
        "src/ship/__init__.py": "",
        ".gitignore": "_version.py\n",
    },
    "package_dir": {
        "setup.py": 'from setuptools import setup\nsetup(name="ship", version="1.0", packages=["ship", "ship.sub"], '
        'package_dir={"ship": "python"}, package_data={"ship": ["py.typed"]})\n',
        "python/__init__.py": "",
        "python/py.typed": "",
        "python/sub/__init__.py": "",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("files", SOUND.values(), ids=SOUND)
def test_a_sound_project_builds_again_and_again(suite: Path, files: dict[str, str]) -> None:
    write(suite, {**files, ".gitignore": f"/.nox/\n/dist/\n/build/\n*.egg-info/\n{files.get('.gitignore', '')}"})
    commit(suite)
    git(suite, "tag", "v1.0")
    git(suite, "config", "core.autocrlf", "true")
    for _ in range(2):
        assert "\nnote:" not in nox(suite, "-s", "build").stdout
        write(suite, {"build/lib/ship/old.py": ""})


@pytest.mark.slow
def test_a_build_refuses_uncommitted_files_and_leaves_no_dists(suite: Path) -> None:
    write(suite, {**PACKAGE, ".gitignore": "/.nox/\n/dist/\n"})
    write(suite, {"pyproject.toml": f'{HATCH}[project]\nname = "ship"\nversion = "1.0"\n', "ship/data/a": ""})
    commit(suite)
    write(suite, {".env": "TOKEN=x", "ship/data/.gitignore": "*.key\n", "ship/data/a.key": "x"})
    done = try_nox(suite, "-s", "build")
    assert done.returncode == 1
    refused = [line.split(":")[2].strip() for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert refused == [".env", "ship/data/.gitignore", "ship/data/a.key"]
    assert not (suite / "dist").exists()
