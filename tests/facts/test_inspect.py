"""`tagship inspect`: one line of JSON for each repository, whatever is wrong with one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagship import fleet
from tagship.facts import build, report
from tests.facts.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"pyproject.toml": "[project]\nname = 'thing'\nversion = '1.2.3'\n", "thing.py": ""}


def inspect(*arguments: str | Path, cwd: Path, stdin: str = "") -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "tagship", "inspect", "--format", "json", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, input=stdin)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_one_bad_repository_does_not_stop_the_others(tmp_path: Path) -> None:
    names = ["a", "broken", "line\nend", "missing", "z"]
    for name in names:
        if name != "missing":
            write(tmp_path / name, GOOD)
    (tmp_path / "broken/pyproject.toml").write_text("[project\n")
    status, found = inspect(*names, cwd=tmp_path)
    assert status == 1
    assert [each["path"] for each in found] == names
    assert [each["status"] for each in found] == ["inspected", "refused", "inspected", "refused", "inspected"]
    assert "pyproject.toml: found" in found[1]["reason"]
    assert found[0]["distributions"][0]["version"] == "1.2.3"


def test_paths_come_from_a_file_or_from_standard_input_and_all_cores_keep_their_order(tmp_path: Path) -> None:
    names = [f"r{number:02}" for number in range(40)]
    for name in names:
        write(tmp_path / name, GOOD | {"setup.py": ""})
    (tmp_path / "list.txt").write_text("\n".join(names[1:]) + "\n")
    assert [each["path"] for each in inspect("r00", "--from-file", "list.txt", cwd=tmp_path)[1]] == names
    status, found = inspect("--from-file", "-", cwd=tmp_path, stdin="\n".join(names[:2]))
    assert (status, len(found)) == (0, 2)


def test_facts_have_the_names_that_are_promised(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    _, (found,) = inspect(cwd=tmp_path)
    assert [*found][:4] == ["path", "status", "reason", "distributions"]
    assert {"tests", "tag_style", "default_branch", "publishing"} <= found.keys()
    (dist,) = found["distributions"]
    assert dist == {
        "path": ".",
        "name": "thing",
        "version": "1.2.3",
        "version_source": {"kind": "pyproject:static", "file": "pyproject.toml"},
        "backend": "setuptools.build_meta:__legacy__",
        "layout": "single-module",
        "import_names": ["thing"],
        "pythons": [],
        "unknown": [],
    }


def test_a_place_that_says_the_command_and_its_needs_is_one_piece_of_evidence(tmp_path: Path) -> None:
    (tmp_path / "tox.ini").write_text("[testenv]\ndeps = pytest\ncommands = python -m pytest\n")
    (tmp_path / "test_thing.py").write_text("def test_it(): ...\n")
    write(tmp_path, GOOD)
    tests = inspect(cwd=tmp_path)[1][0]["tests"]
    assert (tests["command"], len(tests["evidence"])) == (["python", "-m", "pytest"], 1)


def test_lines_for_people_say_the_same(tmp_path: Path) -> None:
    text = "\n".join(report.lines(report.inspect(write(tmp_path, GOOD))))
    assert "  thing\n    version 1.2.3 (pyproject:static pyproject.toml)\n    modules thing (single-module" in text


BACKEND = """\
import pathlib

def prepare_metadata_for_build_wheel(folder, settings=None):
    made = pathlib.Path(folder, "thing-4.5.dist-info")
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\\nName: thing\\nVersion: 4.5\\n")
    return made.name

def build_wheel(*_):
    raise RuntimeError("only the metadata is wanted")
"""


@pytest.mark.slow
def test_a_backend_is_queried_only_on_request(tmp_path: Path) -> None:
    text = "[build-system]\nrequires = []\nbuild-backend = 'own'\nbackend-path = ['.']\n[project]\nname = 'thing'\n"
    write(tmp_path, {"pyproject.toml": text + "dynamic = ['version']\n", "own.py": BACKEND, "thing.py": ""})
    _, (before,) = inspect(cwd=tmp_path)
    _, (after,) = inspect("--build", cwd=tmp_path)
    assert [each["distributions"][0]["version"] for each in (before, after)] == [None, "4.5"]
    (tmp_path / "own.py").write_text("raise RuntimeError('the backend says why')\n")
    _, (failed,) = inspect("--build", cwd=tmp_path)
    assert failed["distributions"][0]["unknown"] == ["its build fails: RuntimeError: the backend says why"]


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("ModuleNotFoundError: No module named 'pkg_resources'", "add 'setuptools<81' to requires"),
        ("AttributeError: module 'configparser' has no attribute 'SafeConfigParser'", "update it"),
        ("first\nlast line", "its build fails: last line"),
    ],
)
def test_a_build_that_todays_tools_break_gets_its_cause_and_cure(said: str, cure: str) -> None:
    assert cure in build.cause(said)


def end_the_process(path: Path) -> dict[str, Any]:
    if path.name == "r3":
        os._exit(1)
    return {"path": str(path), "status": "inspected", "reason": ""}


def test_a_repository_that_ends_the_process_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"r{number}" for number in range(30)]
    found = list(fleet.ask(end_the_process, paths, workers=2))
    assert [each["path"] for each in found] == [*map(str, paths)]
    assert [each["status"] for each in found].count("refused") == 1


def test_an_expression_that_searches_forever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "SECONDS", 1)
    code = "import re\nfrom setuptools import setup\nsetup(name='a', version=re.match('(a+)+$', 'a' * 40 + 'b'))"
    (found,) = fleet.ask(report.inspect, [write(tmp_path, {"setup.py": code})])
    assert found["reason"] == "it was not read within 1 seconds [time-limit]"


BAD: dict[str, dict[str, bytes]] = {
    "no file at all": {},
    "broken TOML": {"pyproject.toml": b"[project]\nname = \n"},
    "TOML with a byte order mark": {"pyproject.toml": b"\xef\xbb\xbf[project]\nname = 'a'\n"},
    "TOML that is not UTF-8": {"pyproject.toml": b"[project]\nname = '\xff'\n"},
    "TOML of 10 MB": {"pyproject.toml": b"# x\n" * 2_600_000},
    "deeply nested TOML": {"pyproject.toml": b"a = " + b"[" * 20_000},
    "a broken setup.cfg": {"setup.cfg": b"name = a\n[metadata\n"},
    "a setup.cfg that is not UTF-8": {"setup.cfg": b"[metadata]\nname = \xff\n"},
    "an empty setup.cfg": {"setup.cfg": b""},
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    for name, data in BAD[kind].items():
        (tmp_path / name).write_bytes(data)
    found = report.inspect(tmp_path)
    assert found["status"] == "refused"
    assert ": found " in found["reason"]
    assert "\n" not in found["reason"]


CODE: dict[str, bytes] = {
    "binary": bytes(range(256)) * 10,
    "null bytes": b"setup(name='a')\0",
    "syntax error": b"def (:\n",
    "not UTF-8": b"x = '\xff\xfe'\n",
    "an unknown encoding": b"# -*- coding: nonsense -*-\n",
    "10 MB": b"x = 1\n" * 1_800_000,
    "deeply nested": b"x = " + b"(" * 5_000 + b")" * 5_000,
    "many operators": b"x = 1" + b" + 1" * 20_000,
}


@pytest.mark.parametrize("kind", CODE)
def test_a_setup_py_that_is_no_python_leaves_what_other_files_say(kind: str, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_bytes(CODE[kind])
    (dist,) = report.inspect(tmp_path)["distributions"]
    assert dist["name"] is None
    assert any("setup.py" in line for line in dist["unknown"])
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = thing\nversion = 1.2.3\n[options]\npy_modules = thing\n")
    (dist,) = report.inspect(tmp_path)["distributions"]
    assert (dist["name"], dist["version"]) == ("thing", "1.2.3")


def test_line_ends_and_byte_order_marks_of_other_systems_do_not_matter(tmp_path: Path) -> None:
    code = "from setuptools import setup\nimport re\nm = re.search(r\"^V = '(.*)'$\", open('v.py').read(), re.M)\n"
    text = code + "setup(name='thing', version=m.group(1), py_modules=['v'])\n"
    (tmp_path / "setup.py").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    (tmp_path / "v.py").write_bytes(b"\xef\xbb\xbfX = 1\r\nV = '1.2.3'\r\n")
    (dist,) = report.inspect(tmp_path)["distributions"]
    assert (dist["version"], dist["unknown"]) == ("1.2.3", ())


def test_links_that_lead_around_or_out_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "out", {"VERSION": "6.6.6", "thing/__init__.py": ""})
    code = "setup(name='a', version=open('VERSION').read(), packages=find_packages())"
    code = f"from setuptools import setup, find_packages\n{code}"
    root = write(tmp_path / "in", {"setup.py": code, "pkg/__init__.py": ""})
    (root / "VERSION").symlink_to(tmp_path / "out/VERSION")
    (root / "pkg/loop").symlink_to(root / "pkg")
    (root / "loop").symlink_to(root)
    (root / "thing").symlink_to(tmp_path / "out/thing")
    (dist,) = report.inspect(root)["distributions"]
    assert (dist["version"], dist["import_names"]) == (None, ("pkg",))
    assert "a link out of the repository" in dist["unknown"][0]


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "setup.py")
    assert report.inspect(tmp_path)["status"] == "refused"


TEXT = st.text(st.sampled_from("=[]{}()'\"\n #:._,abcdefimnoprstuvx0123456789%*\\"), max_size=80)
LINES = st.lists(
    st.one_of(
        TEXT,
        st.sampled_from(
            [
                *("[project]", "name = 'thing'", "dynamic = ['version']", "[tool.setuptools.dynamic]"),
                *("version = {attr = 'a.b'}", "[tool.hatch.version]", "path = 'a.py'", "[tool.poetry]"),
                *("[build-system]", "build-backend = 'hatchling.build'", "requires = 3", "version = 1"),
                *("[tool.setuptools]", "packages = 3", "[tool.pdm]", "version = {from = 3}", "[tool.uv]"),
                *("from setuptools import setup", "setup(name=1, version=[], packages={})", "import re, os, ast"),
                *("[metadata]", "version = attr: a.b", "x = re.search('(', 'a')", "setup(**[])", "for a in 1: b"),
            ]
        ),
    ),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(
    pyproject=LINES,
    cfg=LINES,
    setup=LINES,
    backend=st.sampled_from(["hatchling.build", "flit_core.x", "pdm.backend", "x"]),
)
def test_nothing_that_files_hold_raises(
    pyproject: list[str], cfg: list[str], setup: list[str], backend: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("any", numbered=True)
    top = f"[build-system]\nbuild-backend = '{backend}'\n" if "[build-system]" not in pyproject else ""
    texts = {"pyproject.toml": top + "\n".join(pyproject), "setup.cfg": "\n".join(cfg), "setup.py": "\n".join(setup)}
    (answer,) = fleet.ask(report.inspect, [write(root, texts | {"a.py": "b = 1\n"})])
    assert "report it" not in answer["reason"]


def test_a_script_that_uploads_is_named_once_and_without_a_login_that_nothing_shows(tmp_path: Path) -> None:
    make = {"Makefile": "up:\n\ttwine upload dist/*\n", "bin/up.sh": "#!/bin/sh\ntwine upload -r testpypi dist/*\n"}
    found = report.lines(report.inspect(write(tmp_path, {**GOOD, **make})))
    shown = ["  publishes Makefile up to pypi", "  publishes bin/up.sh to testpypi"]
    assert [line for line in found if "publishes" in line and ".github" not in line] == shown
