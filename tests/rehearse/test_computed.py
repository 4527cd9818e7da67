"""The name and the version of a project whose setup.py computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship import project
from tagship.rehearsal.checkout import tag_of
from tests.adopt.repositories import make

if TYPE_CHECKING:
    from pathlib import Path

SETUP = """\
from setuptools import setup

about = {}
with open("about.py") as file:
    exec(file.read(), about)
setup(name=about["title"], version=about["version"], py_modules=["thing"])
"""
ABOUT = 'title = "thing"\nversion = ".".join(map(str, (1, 2, 0)))\n'


def test_what_setup_py_computes_names_the_project_and_its_tag(tmp_path: Path) -> None:
    root = make(tmp_path / "repository", {"setup.py": SETUP, "about.py": ABOUT, "thing.py": ""})
    (found,) = project.read(root)
    assert (found.name, tag_of(root, found)) == ("thing", "v1.2.0")
