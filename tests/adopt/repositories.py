"""Small repositories of common kinds, each with the tests and the publishing of its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conftest import commit

if TYPE_CHECKING:
    from pathlib import Path

TEST = "import thing\n\n\ndef test_it_has_a_version():\n    assert thing.__version__ == '1.2.0'\n"
VERSION = "__version__ = '1.2.0'\n"
CLASSIFIERS = ["Programming Language :: Python :: 3.10", "Programming Language :: Python :: 3.11"]

SETUP_PY = {
    "setup.py": f"""\
import os
import re

from setuptools import setup

CLASSIFIERS = {["Programming Language :: Python :: 3.6", *CLASSIFIERS]!r}


def read(*parts):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), *parts)) as file:
        return file.read()


setup(
    name="thing",
    version=re.search("__version__ = '([^']+)'", read("thing", "__init__.py")).group(1),
    packages=["thing"],
    classifiers=CLASSIFIERS,
)
""",
    "thing/__init__.py": VERSION,
    "tests/test_thing.py": TEST,
    "requirements-dev.txt": "pytest>=7\n",
    "MANIFEST.in": "include requirements-dev.txt\n",
}
POETRY = {
    "pyproject.toml": """\
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"

# This comment stays where it is.
[tool.poetry]
name = "thing"
version = "1.2.0"
description = "A thing."
authors = ["A Maintainer <maintainer@example.com>"]
packages = [{ include = "thing" }]

[tool.poetry.dependencies]
python = "^3.10"

[tool.poetry.group.test.dependencies]
pytest = "^8.0"
coverage = { version = "~7.4", extras = ["toml"] }
""",
    "thing/__init__.py": VERSION,
    "tests/test_thing.py": TEST,
}
SETUP_CFG = {
    "setup.cfg": """\
[metadata]
name = thing
version = attr: thing.__version__
classifiers =
    Programming Language :: Python :: 3.10
    Programming Language :: Python :: 3.11

[options]
package_dir =
    = src
packages = find:

[options.packages.find]
where = src
""",
    "setup.py": "from setuptools import setup\n\nsetup()\n",
    "src/thing/__init__.py": VERSION,
    "tests/test_thing.py": TEST,
    "tox.ini": "[tox]\nenvlist = py310,py311\n\n[testenv]\ndeps =\n    pytest\n    colorama\ncommands = pytest\n",
}
FLIT = {
    "pyproject.toml": f"""\
[build-system]
requires = ["flit_core >=3.2,<5"]
build-backend = "flit_core.buildapi"

[project]
name = "thing"
dynamic = ["version", "description"]
classifiers = {CLASSIFIERS}

[project.optional-dependencies]
test = ["pytest"]
""",
    "thing.py": f'"""A thing."""\n\n{VERSION}',
    "test_thing.py": TEST,
}
NOXFILE = """\
import nox


@nox.session
def lint(session: nox.Session) -> None:
    session.log("nothing to lint")
"""
TASKS = """\
from invoke import task


@task
def docs(context):
    print("no docs yet")
"""
OWN_FILES = {**FLIT, "noxfile.py": NOXFILE, "tasks.py": TASKS}
KINDS = {"setup.py": SETUP_PY, "poetry": POETRY, "setup.cfg": SETUP_CFG, "flit": FLIT, "own noxfile": OWN_FILES}


def make(folder: Path, files: dict[str, str], **more: str) -> Path:
    """Write `files` to a new repository in `folder`, and commit them."""
    for name, text in {**files, **more}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    commit(folder)
    return folder
