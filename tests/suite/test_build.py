"""The build session: the same bytes for the same commit, and its output."""

from __future__ import annotations

import ast
import json
import sys
import tarfile
import warnings
from pathlib import Path

import click
import pytest

import tagship_suite.dists.tars as tars
from tagship.cli.group import Group
from tagship_suite.build import clean, describe, prepare
from tagship_suite.dists.reading import read_dists
from tagship_suite.errors import ReleaseError
from tagship_suite.report import reporting
from tagship_suite.testing.pythons import supported
from tests.archives import metadata, write_release, write_sdist
from tests.conftest import commit, git, nox, run, try_nox, try_release
from tests.template.support import generate


def digests(folder: Path) -> dict[str, str]:
    return {dist.path.name: dist.sha256 for dist in read_dists(folder)}


@pytest.mark.slow
def test_build_cleans_checks_and_reports(project: Path, tmp_path: Path) -> None:
    (project / "dist").mkdir()
    (project / "dist/old-0.1.tar.gz").write_bytes(b"old")
    (project / "bundle").mkdir()
    output, summary = tmp_path / "output", tmp_path / "summary"
    done = nox(project, "-s", "build", GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
    found = digests(project / "dist")
    assert sorted(found) == ["my_package-0.1.0-py3-none-any.whl", "my_package-0.1.0.tar.gz"]
    assert not (project / "bundle").exists()
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert outputs["name"] == "my-package"
    assert outputs["version"] == "0.1.0"
    assert json.loads(outputs["pythons"]) == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    text = summary.read_text()
    for name, digest in found.items():
        assert f"| `{name}` | `{(project / 'dist' / name).stat().st_size}` | `{digest}` |" in text
        assert f"<summary>{name}: " in text
        assert digest in done.stdout
    assert "  py.typed" in text
    assert "| `tag` | `v0.1.0` |\n| `tested on` | `Python 3.10, Python 3.11, " in text


@pytest.mark.parametrize(
    ("tags", "version", "tag"),
    [
        ([], "1.1", "v1.1"),
        (["ship-1.0", "chart-7.0"], "1.1", "ship-1.1"),
        (["release/1.0"], "1.1rc1", "release/1.1rc1"),
        (["v2026.01.05"], "2026.2.3", "v2026.02.03"),
        (["v1.0", "ship-0.9"], "1.0.0", "none: v1.0 is on another commit, so a release needs another version"),
    ],
)
def test_the_summary_of_a_build_shows_the_tag_of_a_release_as_inv_release_would_make_it(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tags: list[str], version: str, tag: str
) -> None:
    commit(suite)
    for each in tags:
        git(suite, "tag", each)
    (suite / "new").touch()
    commit(suite, "one more")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    write_release(suite / "dist", version=version)
    describe(suite, {})
    text = (tmp_path / "summary").read_text()
    assert f"| `tag` | `{tag}` |" in text
    assert "| `environments` | `testpypi, pypi` |" in text
    assert "<summary>Notes of the release</summary>\n\n- one more (" in text


def test_the_summary_of_a_build_whose_version_is_that_of_a_tag_names_none(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools-scm"]\n[project]\nname = "ship"\ndynamic = ["version"]\n'
        "[tool.setuptools_scm]\n"
    )
    commit(suite)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    write_release(suite / "dist", version="1.1.dev1")
    describe(suite, {})
    assert "| `tag` | `none here: a release has the version of its tag` |" in (tmp_path / "summary").read_text()
    git(suite, "tag", "v1.1.dev1")
    describe(suite, {})
    assert "| `tag` | `v1.1.dev1` |" in (tmp_path / "summary").read_text()


@pytest.mark.slow
def test_a_description_that_does_not_render_is_an_error_and_a_missing_one_a_warning(project: Path) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('readme = "README.md"', 'readme = "README.rst"'))
    (project / "README.rst").write_text("Title\n===\n\n.. nothing:: like this\n\n``broken\n")
    done = try_nox(project, "-s", "build")
    assert done.returncode == 1
    assert "`long_description` has syntax errors in markup" in done.stdout
    assert not (project / "dist").exists()
    pyproject.write_text(pyproject.read_text().replace('readme = "README.rst"\n', ""))
    assert "`long_description` missing" in nox(project, "-s", "build").stdout


@pytest.mark.slow
def test_a_classifier_that_pypi_does_not_know_fails_the_build(tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend="setuptools")  # Hatchling looks at them itself
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text()
    pyproject.write_text(text.replace("classifiers = [", 'classifiers = [\n  "Frameworks :: Ansible",', 1))
    done = try_nox(project, "-s", "build")
    assert done.returncode == 1
    assert (
        done.stdout.count("found classifier 'Frameworks :: Ansible', expected one of https://pypi.org/classifiers") == 2
    )
    assert not (project / "dist").exists()


BACKEND = """import sys
from setuptools.build_meta import *
from setuptools.build_meta import build_wheel as real

def build_wheel(*arguments, **options):
    sys.exit("this wheel fails") if {fails} else None
    return real(*arguments, **options)
"""


@pytest.mark.slow
def test_pythonsafepath_does_not_hide_the_suite(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(
        '[project]\nname = "ship"\nversion = "1.0"\n[tool.setuptools]\npy-modules = ["ship"]\n'
    )
    (suite / "ship.py").write_text("")
    nox(suite, "-s", "build", PYTHONSAFEPATH="1")


@pytest.mark.slow
def test_a_build_that_fails_leaves_no_dists_for_the_gate(suite: Path) -> None:
    (suite / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "ship"\nversion = "1.0"\n[tool.setuptools]\npy-modules = ["ship", "backend"]\n'
    )
    (suite / "ship.py").write_text("")
    (suite / "backend.py").write_text(BACKEND.format(fails=False))
    nox(suite, "-s", "build", "verify-version")
    assert (suite / "bundle/dist").is_dir()
    (suite / "backend.py").write_text(BACKEND.format(fails=True))
    done = try_nox(suite, "-s", "build", "verify-version")
    assert done.returncode == 1
    assert "this wheel fails" in done.stdout
    assert "error: dist: found no dists, expected an sdist and wheels; run: nox -s build" in done.stdout
    assert "may be published" not in done.stdout
    assert not (suite / "dist").exists()
    assert not (suite / "bundle").exists()


def test_a_build_removes_its_own_files_alone(tmp_path: Path) -> None:
    write_release(tmp_path / "dist")
    for name in (".gitignore", "ship-1.0.tar.gz.sigstore.json"):
        (tmp_path / "dist" / name).write_text("*")
    for name in ("dist/notes.txt", "dist/site/index.html", "bundle/app.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    places = [(problem.code, Path(problem.where).relative_to(tmp_path).as_posix()) for problem in clean(tmp_path)]
    assert places == [("in-the-way", name) for name in ("bundle", "dist/notes.txt", "dist/site")]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["app.js", "index.html", "notes.txt"]


def test_files_and_links_that_are_called_dist_and_bundle_stay(tmp_path: Path) -> None:
    for name in ("dist", "bundle"):
        (tmp_path / name).write_text("mine")
    assert [Path(problem.where).name for problem in clean(tmp_path)] == ["bundle", "dist"]
    (tmp_path / "bundle").unlink()
    (tmp_path / "bundle").symlink_to(tmp_path)
    assert [Path(problem.where).name for problem in clean(tmp_path)] == ["bundle", "dist"]
    assert (tmp_path / "dist").read_text() == "mine"


def test_what_a_link_called_dist_leads_to_stays(tmp_path: Path) -> None:
    write_release(tmp_path / "mine")
    (tmp_path / "dist").symlink_to("mine")
    assert [Path(problem.where).name for problem in clean(tmp_path)] == ["dist"]
    assert len(list((tmp_path / "mine").iterdir())) == 2


@pytest.mark.parametrize("name", ["gate/judge.py", "errors.py", "dists/rules.py"])
def test_a_suite_that_lacks_a_module_is_one_line_with_the_command_that_writes_it(suite: Path, name: str) -> None:
    (suite / ".github/release/tagship_suite" / name).unlink()
    done = try_nox(suite, "-s", "verify-version")
    where = f"error: .github/release/tagship_suite/{name}"
    assert done.returncode
    assert f"{where}: found no such file, expected the whole suite; run: tagship sync [managed-files]" in done.stdout
    assert "Traceback" not in done.stdout


def test_locked_tools_that_are_missing_are_named_with_the_command_that_writes_them(suite: Path) -> None:
    (suite / ".github/release/requirements/tools.txt").unlink()
    done = try_nox(suite, "-s", "build")
    assert done.returncode
    assert "error: .github/release/requirements/tools.txt: found no such file, expected the locked" in done.stdout
    assert "run: tagship sync [managed-files]" in done.stdout


def test_a_folder_called_bundle_that_is_none_is_refused_before_a_build(suite: Path) -> None:
    (suite / "bundle").mkdir()
    (suite / "bundle/app.js").write_text("mine")
    with pytest.raises(ReleaseError, match="found something other than a bundle"):
        prepare(suite, {})
    write_release(suite / "dist")
    done = try_release(suite, "verify")
    assert "found something other than a bundle, expected none; rename it" in done.stdout
    assert (suite / "bundle/app.js").read_text() == "mine"


@pytest.mark.slow
def test_a_build_does_not_need_uv_and_makes_the_same_bytes_without_it(project: Path) -> None:
    nox(project, "-s", "build")
    found = digests(project / "dist")
    done = nox(project, "-s", "build", UV="no-uv")
    assert "uv pip install" not in done.stdout
    assert digests(project / "dist") == found


@pytest.mark.slow
def test_a_build_in_which_git_cannot_answer_leaves_nothing_of_an_earlier_one(project: Path) -> None:
    commit(project)
    for name in ("dist", "bundle"):
        write_sdist(project / name)
    (project / "bundle/SHA256SUMS").touch()
    done = try_nox(project, "-s", "build", GIT_DIR="/nowhere")
    assert done.returncode == 1
    assert "error: git log: found no answer (fatal: not a git repository: '/nowhere')" in done.stdout
    assert not (project / "dist").exists()
    assert not (project / "bundle").exists()


def test_normalising_forgets_the_machine_and_keeps_names_contents_and_the_executable_bit(
    tmp_path: Path,
) -> None:
    paths = []
    for machine, (order, mode, owner) in {"a": (1, 0o775, "root"), "b": (-1, 0o700, "me")}.items():
        plain = write_sdist(tmp_path / machine, files={"ä.txt": "ä", "long/" + "x" * 120: ""})
        with tarfile.open(plain) as archive:
            members = [(member, archive.extractfile(member)) for member in archive][::order]
            with tarfile.open(plain.with_suffix(".new"), "w:gz", format=tarfile.GNU_FORMAT) as other:
                for member, file in members:
                    member.uname, member.mtime = owner, 1000 + order
                    member.mode = mode if member.name.endswith(".txt") else mode & 0o666
                    other.addfile(member, file)
        plain.with_suffix(".new").replace(plain)
        tars.normalise(plain, 1_700_000_000)
        paths.append(plain)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with tarfile.open(paths[0]) as archive:
        assert {member.mtime for member in archive} == {1_700_000_000}
        assert [member.name for member in archive if member.mode == 0o755] == ["ship-1.0/ä.txt"]
        text = archive.extractfile("ship-1.0/ä.txt")
        assert text is not None
        assert text.read().decode() == "ä"


@pytest.mark.parametrize(
    ("lines", "pythons"),
    [
        (
            [
                "Classifier: Programming Language :: Python :: 3.12",
                "Classifier: Programming Language :: Python :: 3.9",
            ],
            ["3.9", "3.12"],
        ),
        (
            ["Classifier: Programming Language :: Python :: 3", "Requires-Python: >=3.12"],
            ["3.12", "3.13", "3.14"],
        ),
        (["Requires-Python: >3.10.2, !=3.13.*,<3.14"], ["3.10", "3.11", "3.12"]),
        (["Requires-Python: nonsense"], ["3.14"]),
        (["Requires-Python: <4"], ["3.14"]),
        (["Requires-Python: >=3.20"], ["3.20"]),
        ([], ["3.14"]),
        (
            [f"Classifier: Programming Language :: Python :: 3.{minor}" for minor in (6, 9, 14, 99)],
            ["3.9", "3.14", "3.99"],
        ),
    ],
)
def test_the_supported_pythons_are_those_that_the_metadata_declares(lines: list[str], pythons: list[str]) -> None:
    from email.parser import Parser

    assert supported(Parser().parsestr(metadata("ship", "1.0", *lines)), "3.14") == pythons


@pytest.mark.parametrize(("given", "found"), [("", 0), ("license-files = []", 0), ("license-files = ['L*']", 1)])
def test_a_wheel_without_the_licence_that_the_project_names_is_refused(suite: Path, given: str, found: int) -> None:
    (suite / "pyproject.toml").write_text(f'[project]\nname = "ship"\nversion = "1.0"\n{given}\n')
    write_release(suite / "dist")
    done = try_release(suite, "describe")
    assert done.stdout.count("found no License-File") == found, done.stdout
    assert done.returncode == found


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("you@example.com", True),
        ("Your Name <you@Example.ORG>", True),
        ("a@b.example, c@real.dev", True),
        ("a@example.company", False),
        ("a@test.dev", False),
        ("example.com@real.dev", False),
    ],
)
def test_a_placeholder_for_an_address_is_reported(suite: Path, address: str, told: bool) -> None:
    write_sdist(suite / "dist", extra=(f"Author-email: {address}",))
    done = try_release(suite, "describe")
    assert done.returncode == 0, done.stdout
    assert ("is a placeholder: set your own before a release" in done.stdout) == told


def test_nothing_of_the_suite_is_imported_after_a_backend_has_run_which_could_have_changed_it(suite: Path) -> None:
    write_release(suite / "dist")
    script = """
import os, sys
from pathlib import Path
sys.path.insert(0, ".github/release")
import tagship_suite.sessions
from tagship_suite.build import clean, compare, describe, prepare
before = set(sys.modules)
describe(Path(), os.environ)
print("later:", [name for name in sys.modules if name.startswith("tagship_suite") and name not in before])
"""
    assert "later: []" in run(sys.executable, "-c", script, cwd=suite).stdout


def test_python_does_not_warn_about_the_code_that_is_read(recwarn: pytest.WarningsRecorder) -> None:
    warnings.simplefilter("always")

    def read() -> None:
        ast.parse(r'"\d"')

    read()
    assert len(recwarn) == 1
    with reporting():
        read()
    Group("tool", commands=[click.Command("read", callback=read)]).main(["read"], standalone_mode=False)
    assert len(recwarn) == 1
