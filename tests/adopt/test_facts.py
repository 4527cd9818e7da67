"""Pythons, versions, publishing and settings, as the files of a repository show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tagship.adopt import settings
from tagship.adopt.plan import carry_out, plan
from tagship.adopt.settings import Setting, pythons, version
from tagship.facts import distributions
from tagship_suite.errors import ReleaseError
from tagship_suite.files import tomllib
from tagship_suite.repo.literals import find
from tests.adopt.repositories import make
from tests.conftest import git

if TYPE_CHECKING:
    from pathlib import Path

C = "Programming Language :: Python :: 3."


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/", 1) if name.startswith("thing__") else folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", f"[project]\nclassifiers = ['{C}10', '{C}11']\n", []),
        ("pyproject.toml", f"[project]\nclassifiers = ['{C}7', '{C}11']\n", ["3.11"]),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.11,<3.14'\n", ["3.11", "3.12", "3.13"]),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.12.1,<3.14'\n", ["3.12", "3.13"]),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '>=3.9,<3.12'\n", ["3.9", "3.10", "3.11"]),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '~3.9'\n", ["3.9"]),
        ("setup.cfg", f"[metadata]\nclassifiers =\n  {C}10\n  {C}11\n", []),
        ("setup.cfg", "[options]\npython_requires = >=3.9,<3.11\n", ["3.9", "3.10"]),
        ("setup.py", f"setup(classifiers=['{C}9', '{C}10'])\n", ["3.9", "3.10"]),
        ("setup.py", f"X = '''\n{C}9\n{C}10\n'''\nsetup(classifiers=X.split('\\n'))\n", ["3.9", "3.10"]),
        ("setup.py", f"X = ['{C}9', 'Python']\nsetup(classifiers=[x for x in X])\n", ["3.9"]),
        ("setup.py", "setup(python_requires='>=3.10,<3.12')\n", ["3.10", "3.11"]),
        ("tox.ini", "[tox]\nenvlist = lint, py{39,310}-{a,b}, py311\n", ["3.9", "3.10", "3.11"]),
        ("tox.ini", "[testenv]\ndeps = py310\n", []),
        ("pyproject.toml", "[project]\nrequires-python = 'nonsense'\n", []),
        ("pyproject.toml", "[project]\nrequires-python = 3\nclassifiers = 'x'\n", []),
    ],
)
def test_pythons_are_read_where_a_release_would_not_find_them(
    name: str, text: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    assert pythons.guess(tmp_path)[0] == expected


def test_without_metadata_the_pythons_are_those_of_the_likeliest_test_job(tmp_path: Path) -> None:
    strategy = "    strategy: {{matrix: {{{}}}}}\n    steps: [run: pytest]\n"
    test = strategy.format("py: ['3.6', '3.10', '3.9', pypy3.11], django: ['3.2'], include: [{py: '3.14'}]")
    lint = strategy.format("py: ['3.12']")
    workflow = tmp_path / ".github/workflows/ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(f"on: push\njobs:\n  lint:\n{lint}  test:\n{test}")
    source = "the matrix in .github/workflows/ci.yml; those before 3.8 can no longer be installed"
    assert pythons.guess(tmp_path) == (["3.9", "3.10", "3.14"], source)
    workflow.write_text(f"on: push\njobs:\n  lint:\n{lint}")
    assert pythons.guess(tmp_path)[0] == []


CODE = """\
import os
import re
from os.path import join

import thing
import versioneer
from setuptools import setup

here = os.path.dirname(__file__)
parts = thing.a.parts if os.path.exists("thing/a.py") else ()


def read(name):
    return open(join(here, name)).read().strip()


def grep(name, file):
    return re.search(f"^{name} = ['\\"](.*)['\\"]$", read(file), re.M).group(1)


"""


@pytest.mark.parametrize(
    ("setup", "file", "text", "expected"),
    [
        ("version='1.2'", "thing/a.py", "", ("1.2", "", "")),
        (
            "version=grep('__version__', 'thing/version.py')",
            "thing/version.py",
            "__version__ = '1.2'",
            ("1.2", "thing/version.py", ""),
        ),
        ("version=read('VERSION')", "VERSION", "1.2\n", ("1.2", "VERSION", "")),
        ("version=open(join(here, 'version.txt')).read()", "version.txt", "1.2", ("1.2", "version.txt", "")),
        (
            "version=grep('VERSION', 'thing/const.py')",
            "thing/const.py",
            'VERSION = "1.2"\n',
            ("1.2", "thing/const.py", '^VERSION = "(.*)"$'),
        ),
        ("version=thing.__version__", "thing/__init__.py", "__version__ = '1.2'", ("1.2", "thing/__init__.py", "")),
        ("version=versioneer.get_version()", "thing/a.py", "", ("", "", "")),
        ("use_scm_version=True", "thing/a.py", "", ("", "", "")),
        ("version='.'.join(parts)", "thing/a.py", "parts = ('1', '2')", ("1.2", "", "")),
    ],
)
def test_a_version_that_setup_py_computes_is_found_in_the_file_that_it_reads(
    setup: str, file: str, text: str, expected: tuple[str, str, str], tmp_path: Path
) -> None:
    write(tmp_path, **{"setup.py": f"{CODE}setup(name='thing', {setup})\n", file: text})
    found = version.guess(tmp_path)
    assert (found.version, found.file, found.pattern) == expected


MESON = """\
# version: '0.1'
project('thing', 'c', default_options: ['warning_level=2'], meson_version: '>= 1.1',
  version: '1.2')
dep = dependency('zlib', version: '>=1.3')
"""


def test_the_version_of_meson_becomes_settings_that_find_it(tmp_path: Path) -> None:
    backend = '[project]\nname = "thing"\ndynamic = ["version"]\n[build-system]\nbuild-backend = "mesonpy"\n'
    write(tmp_path, **{"pyproject.toml": backend, "meson.build": MESON})
    found = version.guess(tmp_path)
    assert (found.version, found.file) == ("1.2", "meson.build")
    assert find(tmp_path / found.file, found.pattern).text == "1.2"


def test_of_two_files_with_a_version_the_one_that_setup_py_names_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "setup.py": f"{CODE}setup(name='thing', version=grep('__version__', 'thing/__init__.py'))\n",
            "thing/__init__.py": "__version__ = '1.2'\n",
            "other/__init__.py": "__version__ = '9.9'\n",
        },
    )
    assert version.guess(tmp_path).file == "thing/__init__.py"


VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.lists(st.text(), min_size=1)
)


@hypothesis_settings(deadline=None)
@given(value=VALUES.map(lambda value: value if isinstance(value, str) else [*map(ascii, value)]))
@pytest.mark.parametrize(
    "before", ["", "x = 1", "[tool.a]\nb = 1\n\n[c]\n\n[tool.d]\n", "[tool.tagship]\nfile-limit = 200\n\n[e]\n"]
)
def test_a_setting_is_read_back_as_it_was_written_and_the_rest_stays(before: str, value: str | list[str]) -> None:
    after = settings.added(before, [Setting("test-command", value, "a reason")])
    data, old = tomllib.loads(after), tomllib.loads(before)
    assert data["tool"]["tagship"].pop("test-command") == value
    if not data["tool"]["tagship"]:
        del data["tool"]["tagship"]
    if not data["tool"]:
        del data["tool"]
    assert data == old
    assert all(line in after.splitlines() for line in before.splitlines())


@pytest.mark.parametrize("before", ["tool = {}\n", "tool = 1\n", "tool = {tagship = 1}\n"])
def test_if_toml_has_no_place_for_a_table_the_lines_to_add_are_printed(before: str) -> None:
    new = [Setting("pythons", ["3.12"], "")]
    with pytest.raises(ReleaseError, match=r'add to it: pythons = \["3.12"\]'):
        settings.added(before, new)


def test_a_table_without_settings_is_filled() -> None:
    after = settings.added("[tool.tagship]\n", [Setting("pythons", ["3.12"], "")])
    assert after == '[tool.tagship]\npythons = ["3.12"]\n'


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"setup.cfg": "[egg_info]\ntag_build = dev\ntag_date = 0\n"}, "1.2.0.dev0"),
        ({"setup.cfg": "[egg_info]\ntag-build = .post1\n"}, "1.2.0.post1"),
        ({"setup.cfg": "[egg_info]\ntag_build =\ntag_date = 1\n"}, None),
        ({"setup.cfg": "[egg_info]\ntag_build =\ntag_date = 0\n"}, "1.2.0"),
        ({"pyproject.toml": '[tool.distutils.egg_info]\ntag-build = "dev"\n'}, "1.2.0.dev0"),
    ],
)
def test_what_setuptools_appends_to_a_version_is_a_part_of_it_until_the_adoption(
    files: dict[str, str], version: str | None, tmp_path: Path
) -> None:
    setup = {"setup.py": "from setuptools import setup\nsetup(name='thing', version='1.2.0')\n", "thing.py": ""}
    folder = make(tmp_path / "thing", {**setup, **files})
    git(folder, "tag", "v1.1.0")
    assert distributions.of(folder, folder).version == version
    found = plan(folder)
    assert any((each.what, each.value) == ("version", "1.2.0") for each in found.decisions)
    carry_out(found)
    assert distributions.of(folder, folder).version == "1.2.0"


def test_a_setting_on_two_lines_is_removed_whole(tmp_path: Path) -> None:
    cfg = "[metadata]\nname = thing\nversion = 1.2.0\n[egg_info]\ntag_build =\n# why\n\n    dev\nx = 1\n"
    folder = make(tmp_path / "thing", {"setup.cfg": cfg, "pyproject.toml": "", "thing.py": ""})
    git(folder, "tag", "v1.1.0")
    carry_out(plan(folder))
    assert (folder / "setup.cfg").read_text() == cfg.replace("tag_build =\n# why\n\n    dev\n", "")


def test_only_the_settings_that_append_something_are_removed(tmp_path: Path) -> None:
    cfg = "[metadata]\nname = thing\nversion = 1.2.0\n[egg_info]\n# why\ntag_build = dev\nx = 1\n[bdist_wheel]\ny = 1\n"
    pyproject = "[tool.distutils.egg_info]\ntag-build = 'dev'\n\n[tool.other]\na = 1\n"
    folder = make(tmp_path / "thing", {"setup.cfg": cfg, "pyproject.toml": pyproject, "thing.py": ""})
    assert any(each.startswith("setuptools [egg_info]: remove tag-build = dev, ") for each in plan(folder).todo)
    git(folder, "tag", "v1.1.0")
    found = plan(folder)
    carry_out(found)
    assert (folder / "setup.cfg").read_text() == cfg.replace("tag_build = dev\n", "")
    assert (folder / "pyproject.toml").read_text().startswith("[tool.other]\na = 1\n")
    assert any(
        (each.what, each.value) == ("setuptools", "without tag-build = dev, tag_build = dev")
        for each in found.decisions
    )
