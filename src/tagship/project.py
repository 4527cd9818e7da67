"""The projects in a repository: their names, and the repository that publishes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.errors import TagshipError
from tagship.facts import distributions
from tagship.publisher import Registration
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.files import load_toml
from tagship_suite.repo.bump import DEFAULT_BRANCHES
from tagship_suite.repo.git import lines, tags_here, upstream
from tagship_suite.repo.packages import chosen, distribution_name, history

if TYPE_CHECKING:
    from tagship_suite.repo.packages import Package

END = r"/(?P<repository>[\w.-]+?)(?:\.git)?/?(?:[#?].*)?$"
GITHUB = re.compile(rf"(?P<host>github\.com)(?::\d+)?[:/](?P<owner>[\w-]+){END}")
#: gitlab.com, or an instance with `gitlab` in its name.
GITLAB = re.compile(rf"(?:^|[@/])(?P<host>[\w.-]*gitlab[\w.-]*)(?::\d+)?[:/](?P<owner>[\w./-]+){END}")


@dataclass(frozen=True)
class Project:
    """A project: its names at the index and its host; `known` is whether its files or its remote name the latter.

    On GitLab `owner` is the namespace: a user, or a group with its parents.
    """

    path: Path
    name: str
    owner: str
    repository: str
    known: bool
    package: Package
    host: str = "github.com"

    @property
    def provider(self) -> str:
        """The kind of its host, as in `Registration`."""
        return "github" if self.host == "github.com" else "gitlab"

    def registration(self, index: str) -> Registration:
        """Return the publisher to register at the index of this name."""
        if self.provider == "gitlab":  # PyPA's action cannot compute the name of an environment
            return Registration(self.name, self.owner, self.repository, suite.TOP_LEVEL, index, provider="gitlab")
        environment = f"{index}{self.package.suffix}"
        return Registration(self.name, self.owner, self.repository, suite.WORKFLOW.name, environment)


def read(path: Path, tag: str = "") -> list[Project]:
    """Return the projects in the repository at `path` that `tag` releases: one, or all in lockstep.

    Without a `tag`, those whose tags have no name. Raises `TagshipError` if there is none or its files do not have its
    name.
    """
    found = read_all(path, tag)
    if released := [each for each in found if tag or not each.package.label]:
        return released
    remedy = f"name it: --tag {' or '.join(each.package.tag('X.Y.Z') for each in found)}"
    expected = "the tag of one distribution"
    raise TagshipError(Problem("no-such-package", "tag", repr(tag or "none"), expected, remedy))


def read_all(path: Path, tag: str = "") -> list[Project]:
    """Return the projects in the repository at `path`, with a `tag` only those that it releases.

    From their metadata and the remote of the default branch, else the URLs in their metadata. Raises `TagshipError` if
    there is none or its files do not have its name.
    """
    ref = {"GITHUB_REF_TYPE": "tag" if tag else "branch", "GITHUB_REF_NAME": tag}
    try:
        return [of(path, package) for package in chosen(path, ref)]
    except ReleaseError as error:
        raise TagshipError(*error.args) from error


def of(path: Path, package: Package) -> Project:
    """Return the project of a distribution in the repository at `path`; raise `TagshipError` if it has no name."""
    # What setup.py computes is only evaluated where nothing else has the name.
    name = distribution_name(package.folder) or (path.is_dir() and distributions.of(package.folder, path).name)
    if not name:
        found = "no name" if path.is_dir() else "no folder"
        expected = "one in pyproject.toml, setup.cfg or setup.py"
        raise TagshipError(Problem("no-name", str(path), found, expected, "name it there"))
    matches, runs_at = _matches(path, package.folder), host(path, package.folder)
    for match in matches:
        if (match["host"] == "github.com") == (runs_at == "github.com"):
            owner, repository = match["owner"], match["repository"]
            return Project(path, name, owner, repository, known=True, package=package, host=match["host"])
    repository = path.resolve().name if package.name else name
    return Project(path, name, "OWNER", repository, known=False, package=package, host=runs_at)


def tag_here(root: Path, found: Project) -> str:
    """Return the project's tag at HEAD of the repository at `root`, of several that of the greatest version; or ""."""
    here, (before, _) = tags_here(root), history(root, found.package, found.name)
    return next((str(tag) for tag in before if str(tag) in here), "")


def host(path: Path, folder: Path) -> str:
    """Return where the workflow of the repository at `path` runs, with a distribution in `folder`.

    It is the host of the release workflow, else of the remote, else of the metadata's URLs, else of other files.
    """
    hosts = [match["host"] for match in _matches(path, folder)]
    if (path / suite.PIPELINE).is_file():
        return next((each for each in hosts if each != "github.com"), "gitlab.com")
    if (path / suite.WORKFLOW).is_file():
        return "github.com"
    return next(iter(hosts), "gitlab.com" if (path / suite.TOP_LEVEL).is_file() else "github.com")


def _matches(path: Path, folder: Path) -> list[re.Match[str]]:
    default = next((name for name in DEFAULT_BRANCHES if lines(path, "config", f"branch.{name}.remote")), "main")
    remote = f"remote.{upstream(path, default)[0]}.url"
    addresses = [*lines(path, "config", "--get", remote), *_addresses(folder), *_addresses(path)]
    return [match for each in addresses if (match := GITHUB.search(each) or GITLAB.search(each))]


def _addresses(path: Path) -> list[str]:
    pyproject = load_toml(path / "pyproject.toml")
    poetry = pyproject.get("tool", {}).get("poetry", {})
    urls = [*pyproject.get("project", {}).get("urls", {}).values(), poetry.get("repository"), poetry.get("homepage")]
    # The URL of a page in the repository (`…/issues`) names the repository too.
    texts = [re.sub(r"(github\.com/[^/]+/[^/]+)/.*", r"\1", url) for url in urls if isinstance(url, str)]
    return [re.sub(r"/-/.*", "", text) for text in texts]
