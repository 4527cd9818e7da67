"""What is this project: its name, and the repository that would publish it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tagship.errors import TagshipError
from tagship.release.config import load_toml
from tagship.release.errors import ReleaseError
from tagship.release.git import lines
from tagship.release.project import name as name_of

GITHUB = re.compile(r"github\.com[:/](?P<owner>[\w-]+)/(?P<repository>[\w.-]+?)(?:\.git)?/?(?:[#?].*)?$")


@dataclass(frozen=True)
class Project:
    """A project as an index and GitHub name it; `known` is whether its files or its remote say where it lives."""

    path: Path
    name: str
    owner: str
    repository: str
    known: bool


def read(path: Path) -> Project:
    """Return the project at `path`, from its metadata and its remote `origin`, else the addresses in its metadata.

    Raises `TagshipError` where there is no project or its files do not say its name.
    """
    try:
        name = name_of(path)
        addresses = [*lines(path, "remote", "get-url", "origin"), *_addresses(path)]
    except ReleaseError as error:
        raise TagshipError(*error.args) from error
    if not name:
        found = "no name" if path.is_dir() else "no folder"
        raise TagshipError(
            f"{path}: found {found}, expected one in pyproject.toml, setup.cfg or setup.py; name it there"
        )
    for address in addresses:
        if match := GITHUB.search(address):
            return Project(path, name, match["owner"], match["repository"], known=True)
    return Project(path, name, "OWNER", name, known=False)


def _addresses(path: Path) -> list[str]:
    pyproject = load_toml(path / "pyproject.toml")
    poetry = pyproject.get("tool", {}).get("poetry", {})
    urls = [*pyproject.get("project", {}).get("urls", {}).values(), poetry.get("repository"), poetry.get("homepage")]
    # An address of a page in the repository (`…/issues`) names the repository too.
    return [re.sub(r"(github\.com/[^/]+/[^/]+)/.*", r"\1", url) for url in urls if isinstance(url, str)]
