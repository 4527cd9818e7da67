"""Compiled projects: wheels of several platforms, made on several machines."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest
from packaging.tags import platform_tags

from tagship import suite as managed
from tagship_suite.build import prepare
from tagship_suite.dists.reading import read_dists
from tagship_suite.errors import ReleaseError
from tagship_suite.gate import handover
from tagship_suite.testing.plan import pick
from tests.archives import write_sdist, write_wheel
from tests.conftest import commit, copy_suite, git, nox, release, try_nox, try_release

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
CP = f"cp{HERE.replace('.', '')}"
#: The platforms of published wheels that run on this machine, the best one first.
PLATFORMS = [tag for tag in platform_tags() if not tag.startswith("linux_")]
TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}


def write_all(folder: Path, *tags: str, sdist: bool = True) -> Path:
    for tag in tags:
        write_wheel(folder, tag=tag)
    if sdist:
        write_sdist(folder)
    return folder


@pytest.mark.parametrize(
    ("python", "tags", "picked"),
    [
        ("3.12", ["cp311-cp311-HERE", "cp312-cp312-HERE", "cp313-cp313-HERE"], "cp312-cp312-HERE"),
        ("3.12.4", ["cp312-cp312-HERE", "cp312-cp312t-HERE"], "cp312-cp312-HERE"),
        ("python3.12", ["cp312-cp312-OLD", "cp312-cp312-HERE"], "cp312-cp312-HERE"),
        ("3.14t", ["cp314-cp314-HERE", "cp314-cp314t-HERE"], "cp314-cp314t-HERE"),
        ("3.12", ["cp310-abi3-HERE", "py3-none-any"], "cp310-abi3-HERE"),
        ("3.9", ["cp310-abi3-HERE", "py3-none-any"], "py3-none-any"),
        ("pypy3.11", ["cp311-cp311-HERE", "py3-none-any"], "py3-none-any"),
        ("3.12", ["cp312-cp312-win_amd64", "cp312-cp312-macosx_10_13_x86_64"], ""),
        ("pypy3.11", ["cp311-cp311-HERE"], ""),
    ],
)
def test_the_wheel_that_fits_is_tested_or_else_the_sdist(
    tmp_path: Path, python: str, tags: list[str], picked: str
) -> None:
    def named(tag: str) -> str:
        return tag.replace("HERE", PLATFORMS[0]).replace("OLD", PLATFORMS[-1])

    write_all(tmp_path, *map(named, tags))
    expected = f"ship-1.0-{named(picked)}.whl" if picked else "ship-1.0.tar.gz"
    assert pick(read_dists(tmp_path), python).path.name == expected


def test_no_fitting_dist_is_reported(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "dist", "cp312-cp312-win_amd64", sdist=False)
    with pytest.raises(ReleaseError, match=r"found only other wheels, expected one for Python 3\.12 on this machine"):
        pick(read_dists(folder), "3.12")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """The dists of three machines, as the job that collects them gets them; each has built the sdist too."""
    write_all(tmp_path / "dist/dist-1", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-musllinux_1_2_x86_64")
    write_all(tmp_path / "dist/dist-1-1", "cp312-cp312-macosx_11_0_arm64")
    write_all(tmp_path / "dist/dist-1-2", "cp312-cp312-win_amd64")
    return tmp_path / "dist"


def handed(dist: Path, *names: str) -> dict[str, str]:
    """Return what the workflow hands to the gate beside the dists in these folders."""
    digests = [handover.digest(dist / name) for name in names]
    return {"DIST_DIGEST": " ".join([*digests, *[""] * (8 - len(digests))]), "MACHINES": f"{len(names)}"}


FILES = [
    "ship-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    "ship-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "ship-1.0-cp312-cp312-musllinux_1_2_x86_64.whl",
    "ship-1.0-cp312-cp312-win_amd64.whl",
    "ship-1.0.tar.gz",
]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


MACHINES = ("dist-1", "dist-1-1", "dist-1-2")


def test_the_bundle_holds_the_sdist_and_the_wheels_of_all_machines(suite: Path, dist: Path) -> None:
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("*/*")}
    environ = handed(dist, *MACHINES)
    dist.rename(suite / "dist")
    assert "5 dists that may be published" in release(suite, "verify", **TAG, **environ).stdout
    assert names(suite / "bundle/dist") == FILES
    listed = (suite / "bundle/SHA256SUMS").read_text().splitlines()
    assert {f"{digest}  dist/{name}" for name, digest in sums.items()} <= set(listed)
    assert "5 dists" in release(suite, "verify", **TAG).stdout, "a second time, and by hand"


def test_of_several_attempts_those_dists_are_taken_whose_digests_were_handed_on(dist: Path) -> None:
    # The second machine failed at first, and the whole run was repeated once before.
    write_all(dist / "dist-2-1", "cp312-cp312-macosx_12_0_arm64")
    environ = handed(dist, "dist-1", "dist-2-1", "dist-1-2")
    handover.gather(dist, environ)
    assert names(dist) == [name.replace("11_0", "12_0") for name in FILES]


def test_the_dists_of_one_machine_are_compared_too(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "dist", "py3-none-any")
    environ = handed(tmp_path, "dist")
    handover.gather(folder, environ)
    handover.check(folder, environ)
    handover.check(folder, {})
    assert names(folder) == ["ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"]
    (folder / "sitecustomize.py").write_text("")
    for step in (handover.gather, handover.check):
        with pytest.raises(ReleaseError, match=r"dist: found other files, expected those of digest \w{64}; "):
            step(folder, environ)


@pytest.mark.parametrize("lost", ["dist-1", "dist-1-2"])
def test_a_machine_whose_dists_are_missing_or_others_stops_the_release(suite: Path, dist: Path, lost: str) -> None:
    environ = handed(dist, *MACHINES)
    write_wheel(dist / lost, tag="py3-none-any")
    dist.rename(suite / "dist")
    done = try_release(suite, "verify", **TAG, **environ)
    assert done.returncode == 1
    assert "dist: found other files, expected those of digest" in done.stdout
    assert not (suite / "bundle").exists()
    assert names(suite / "dist") == list(MACHINES)


@pytest.mark.parametrize(("count", "machines"), [(0, 1), (2, 3), (8, 9)])
def test_a_digest_that_is_missing_is_refused_with_the_reason(dist: Path, count: int, machines: int) -> None:
    environ = {"DIST_DIGEST": " ".join(["0" * 64] * count), "MACHINES": f"{machines}"}
    with pytest.raises(ReleaseError) as refused:
        handover.gather(dist, environ)
    (line,) = refused.value.args
    assert line.startswith(
        f"DIST_DIGEST: found {count} digests, expected {machines}, one for each machine; GitHub drops"
    )
    assert "eight machines" in line


def test_two_machines_that_build_different_bytes_for_one_name_are_refused_and_equal_ones_are_one_file(
    dist: Path,
) -> None:
    shutil.copy(dist / "dist-1" / FILES[1], dist / "dist-1-1")
    write_wheel(dist / "dist-1-2", tag="cp312-cp312-macosx_11_0_arm64", files={"ship/__init__.py": "other = 1\n"})
    with pytest.raises(ReleaseError) as refused:
        handover.gather(dist, handed(dist, *MACHINES))
    (line,) = refused.value.args
    assert f"{FILES[0]}: found other bytes, expected those of {dist / 'dist-1-1' / FILES[0]}; let one machine" in line
    assert names(dist) == list(MACHINES)
    (dist / "dist-1-2" / FILES[0]).unlink()
    handover.gather(dist, handed(dist, *MACHINES))
    assert names(dist) == FILES


def test_the_first_machines_sdist_ships(dist: Path) -> None:
    write_sdist(dist / "dist-1-2", files={"windows.txt": "other line ends"})
    expected = (dist / "dist-1/ship-1.0.tar.gz").read_bytes()
    assert (dist / "dist-1-2/ship-1.0.tar.gz").read_bytes() != expected
    handover.gather(dist, handed(dist, *MACHINES))
    assert (dist / "ship-1.0.tar.gz").read_bytes() == expected


PYPROJECT = '[dependency-groups]\ntest = ["pytest"]\n'
SETUP = """
from setuptools import Extension, setup
setup(name="ship", version="1.0", packages=["ship"], ext_modules=[Extension("ship._one", ["one.c"])])
"""
SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_one"};
PyMODINIT_FUNC PyInit__one(void) {
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, "ONE", 1);
    return made;
}
"""
TESTS = "from ship._one import ONE\n\n\ndef test_one() -> None:\n    assert ONE == 1\n"
IGNORED = "/.nox/\n/build/\n/bundle/\n/dist/\n*.egg-info/\n__pycache__/\n"


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A project with an extension in C."""
    folder = copy_suite(tmp_path / "compiled")
    files = {
        "pyproject.toml": PYPROJECT,
        "setup.py": SETUP,
        "one.c": SOURCE,
        "tests/test_one.py": TESTS,
        "ship/__init__.py": "",
        ".gitignore": IGNORED,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    commit(folder)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("cc"), reason="needs Linux and a compiler")
def test_a_wheel_for_this_linux_alone_stops_the_build_which_says_what_to_add(compiled: Path) -> None:
    done = try_nox(compiled, "-s", "build")
    assert done.returncode == 1
    (wheel,) = (compiled / "dist").glob("*.whl")
    platform = wheel.stem.rpartition("-")[2]
    assert platform.startswith("linux_")
    assert (
        f"error: {wheel.relative_to(compiled)}: found platform {platform!r}, which PyPI refuses, "
        "expected manylinux or musllinux; add [tool.cibuildwheel] to pyproject.toml"
    ) in done.stdout
    # What was built is there to be tested all the same.
    assert "1 passed" in nox(compiled, "-s", "test", "--", "--installpkg", "dist").stdout


@pytest.fixture
def planned(compiled: Path) -> Path:
    """The same, to be built by cibuildwheel."""
    (compiled / "pyproject.toml").write_text(
        f'{PYPROJECT}[tool.cibuildwheel]\nbuild = "cp312-*"\nskip = "*musllinux*"\n'
    )
    (compiled / "MANIFEST.in").write_text("include one.c\n")
    managed.write(compiled, managed.files(compiled=True))
    commit(compiled, "build wheels")
    return compiled


@pytest.fixture
def containers(tmp_path: Path) -> str:
    """Return a PATH with a Docker that answers, and makes no containers: there may be none here."""
    return engine(tmp_path / "answers/docker")


def engine(program: Path) -> str:
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = info ]\n')
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs no container elsewhere")
def test_cibuildwheel_uses_podman_if_only_that_answers(planned: Path, tmp_path: Path) -> None:
    path = engine(tmp_path / "answers/podman")
    (tmp_path / "answers/docker").symlink_to("/bin/false")
    done = try_nox(planned, "-s", "build", PATH=path, CIBW_CACHE_PATH=str(tmp_path / "cache"), CIBW_ARCHS="x86_64")
    assert "podman not found" in done.stdout, "it looked for podman, which is none"


def test_a_project_that_becomes_compiled_is_told_to_run_sync_for_the_locked_tools(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(f"{PYPROJECT}[tool.cibuildwheel]\n")
    with pytest.raises(
        ReleaseError, match=r"pyproject.toml: found \[tool.cibuildwheel\], .* run: tagship sync \[managed-files\]$"
    ):
        prepare(suite, {})
    managed.write(suite, managed.files(compiled=True))
    assert len(prepare(suite, {})[1]) == 1


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs no container elsewhere")
def test_the_locked_cibuildwheel_plans_what_the_sdist_says(planned: Path, tmp_path: Path, containers: str) -> None:
    done = try_nox(
        planned, "-s", "build", PATH=containers, CIBW_CACHE_PATH=str(tmp_path / "cache"), CIBW_ARCHS="x86_64"
    )
    assert done.returncode == 1
    assert "cp312-manylinux_x86_64" in done.stdout
    assert "musllinux_x86_64" not in done.stdout.partition("selected:")[2].partition("Here we go")[0]
    assert not (planned / "dist").exists(), "a part of the dists is no release"
    assert "cibuildwheel needs Docker or Podman here: start one of them, or let CI build the wheels" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("cc"), reason="needs Linux and a compiler")
@pytest.mark.parametrize("private", [False, True])
def test_without_containers_a_wheel_for_tests_alone_is_built(planned: Path, tmp_path: Path, private: bool) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to("/bin/false")  # installed, and nothing listens
    (tmp_path / "bin/podman").write_text(f"#!/bin/sh\n{'exec sleep 1000' if private else 'exit 1'}\n")  # or it hangs
    (tmp_path / "bin/podman").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if private:
        setup = planned / "setup.py"
        setup.write_text(setup.read_text().replace("packages=", 'classifiers=["Private :: Do Not Upload"], packages='))
        commit(planned, "private")
    done = try_nox(planned, "-s", "build", PATH=path)
    assert done.returncode == 1
    assert "cibuildwheel needs Docker or Podman here: start one of them, or let CI build the wheels" in done.stdout
    assert (planned / "dist").exists() is not private, "a part of the dists is no release"
    if not private:
        remedy = "start Docker or Podman, which cibuildwheel needs, or let CI build the wheels"
        assert f"if it is there, {remedy} [platform-tag]" in done.stdout
        assert "1 passed" in nox(planned, "-s", "test", "--", "--installpkg", "dist", PATH=path).stdout


STAND_IN = """
import hashlib, os, pathlib, shutil, sys

def main():
    option, sdist = sys.argv[1:]
    for wheel in pathlib.Path(os.environ["PREBUILT"]).iterdir():
        shutil.copy2(wheel, option.removeprefix("--output-dir="))
    print("from", hashlib.sha256(pathlib.Path(sdist).read_bytes()).hexdigest(), os.environ["SOURCE_DATE_EPOCH"])
"""


def stand_in(project: Path, folder: Path) -> None:
    """Lock, in cibuildwheel's place, a program that hands over prebuilt wheels: there may be no containers here."""
    points = "[console_scripts]\ncibuildwheel = cibuildwheel:main\n"
    files = {"cibuildwheel.py": STAND_IN, "cibuildwheel-99.dist-info/entry_points.txt": points}
    wheel = write_wheel(folder, "cibuildwheel", "99", files=files)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    line = f"cibuildwheel @ {wheel.as_uri()} --hash=sha256:{digest}\n"
    (project / ".github/release/requirements/wheels.txt").write_text(line)


@pytest.mark.slow
def test_two_machines_build_one_tests_what_fits_and_all_is_released(
    planned: Path, tmp_path: Path, containers: str
) -> None:
    stand_in(planned, tmp_path / "tools")
    commit(planned, "a stand-in")
    git(planned, "tag", "v1.0")
    wheels = {
        "linux": {f"{CP}-{CP}-{PLATFORMS[0]}": "ONE = 1\n", f"cp39-cp39-{PLATFORMS[0]}": "ONE = 2\n"},
        "mac": {f"{CP}-{CP}-macosx_11_0_arm64": "ONE = 3\n"},
    }
    said = []
    for machine, tags in wheels.items():
        clone = tmp_path / machine
        git(tmp_path, "clone", "-q", str(planned), str(clone))
        for tag, text in tags.items():
            files = {"ship/__init__.py": "", "ship/_one.py": text}
            write_wheel(tmp_path / f"prebuilt-{machine}", tag=tag, files=files)
        no_secret = {"UV_INDEX": "", "PIP_EXTRA_INDEX_URL": ""}
        done = nox(clone, "-s", "build", PATH=containers, PREBUILT=str(tmp_path / f"prebuilt-{machine}"), **no_secret)
        said.append(next(line for line in done.stdout.splitlines() if line.startswith("from ")))
    linux, mac = tmp_path / "linux", tmp_path / "mac"
    sdist = hashlib.sha256((linux / "dist/ship-1.0.tar.gz").read_bytes()).hexdigest()
    epoch = git(planned, "log", "-1", "--format=%ct")
    assert said == [f"from {sdist} {epoch}"] * 2, "both build from the one sdist, as it is published"
    assert "1 passed" in nox(linux, "-s", "test", "--", "--installpkg", "dist").stdout
    gate = tmp_path / "gate"
    git(tmp_path, "clone", "-q", str(planned), str(gate))
    shutil.copytree(linux / "dist", gate / "dist/dist-1")
    shutil.copytree(mac / "dist", gate / "dist/dist-1-1")
    nox(gate, "-s", "verify-version", **handed(gate / "dist", "dist-1", "dist-1-1"))
    built = [f"ship-1.0-{tag}.whl" for tags in wheels.values() for tag in tags]
    assert names(gate / "bundle/dist") == sorted([*built, "ship-1.0.tar.gz"])
