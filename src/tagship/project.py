"""What are the projects here: their names, and the repository that would publish them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagship.errors import TagshipError
from tagship_suite.errors import ReleaseError
from tagship_suite.repo.files import load_toml
from tagship_suite.repo.git import lines
from tagship_suite.repo.packages import chosen, distribution_name

if TYPE_CHECKING:
    from tagship_suite.repo.packages import Package

GITHUB = re.compile(r"github\.com[:/](?P<owner>[\w-]+)/(?P<repository>[\w.-]+?)(?:\.git)?/?(?:[#?].*)?$")


@dataclass(frozen=True)
class Project:
    """A project as an index and GitHub name it; `known` is whether its files or its remote say where it lives."""

    path: Path
    name: str
    owner: str
    repository: str
    known: bool
    package: Package


def read(path: Path, tag: str = "") -> list[Project]:
    """Return the projects in the repository at `path` that `tag` releases: one, or all in lockstep.

    Without a `tag` those whose tags have no name. Raises `TagshipError` if there is none or its files do not say its
    name.
    """
    found = read_all(path, tag)
    if released := [each for each in found if tag or not each.package.label]:
        return released
    forms = " or ".join(each.package.tag("X.Y.Z") for each in found)
    raise TagshipError(f"tag: found {tag or 'none'!r}, expected the tag of one distribution; name it: --tag {forms}")


def read_all(path: Path, tag: str = "") -> list[Project]:
    """Return the projects in the repository at `path`, with a `tag` only those that it releases.

    From their metadata and the remote `origin`, else the addresses in their metadata. Raises `TagshipError` if
    there is none or its files do not say its name.
    """
    ref = {"GITHUB_REF_TYPE": "tag" if tag else "branch", "GITHUB_REF_NAME": tag}
    try:
        return [of(path, package) for package in chosen(path, ref)]
    except ReleaseError as error:
        raise TagshipError(*error.args) from error


def of(path: Path, package: Package) -> Project:
    """Return the project of a distribution in the repository at `path`; raise `TagshipError` if it has no name."""
    name = distribution_name(package.folder)
    addresses = [*lines(path, "config", "--get", "remote.origin.url"), *_addresses(package.folder), *_addresses(path)]
    if not name:
        found = "no name" if path.is_dir() else "no folder"
        raise TagshipError(
            f"{path}: found {found}, expected one in pyproject.toml, setup.cfg or setup.py; name it there"
        )
    for address in addresses:
        if match := GITHUB.search(address):
            return Project(path, name, match["owner"], match["repository"], known=True, package=package)
    repository = path.resolve().name if package.name else name
    return Project(path, name, "OWNER", repository, known=False, package=package)


def _addresses(path: Path) -> list[str]:
    pyproject = load_toml(path / "pyproject.toml")
    poetry = pyproject.get("tool", {}).get("poetry", {})
    urls = [*pyproject.get("project", {}).get("urls", {}).values(), poetry.get("repository"), poetry.get("homepage")]
    # An address of a page in the repository (`…/issues`) names the repository too.
    return [re.sub(r"(github\.com/[^/]+/[^/]+)/.*", r"\1", url) for url in urls if isinstance(url, str)]
