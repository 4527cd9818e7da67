"""The name and the version of a project whose setup.py computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.slow
def test_a_version_that_only_the_backend_knows_is_asked_of_it(tmp_path: Path) -> None:
    code = "parts = [1, 2, 0]\n__version__ = next(map('.'.join, [map(str, parts)]))\n"
    pyproject = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "thing"
dynamic = ["version"]
readme = "README.md"
[tool.hatch.version]
source = "code"
path = "thing/about.py"
"""
    readme = "Thing\n\n[a: b]: https://example.org\n[![Build][one]][two]\n"
    root = make(tmp_path / "repository", {"pyproject.toml": pyproject, "thing/about.py": code, "README.md": readme})
    (found,) = project.read(root)
    assert tag_of(root, found) == "v1.2.0"
