"""The facts about one repository, as `tagship inspect` prints them and `tagship adopt` and `tagship audit` use them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

#: `token`: a stored API token; `password`: a user's password; `oidc`: Trusted Publishing; `none`: no credentials.
Auth = Literal["token", "password", "oidc", "none"]


@dataclass(frozen=True)
class Evidence:
    """A line of a file as evidence; `file` is relative to the repository, `line` counts from 1."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class VersionSource:
    """Where a version is written: a `kind` such as `setup.py:literal`, and the `file`, "" if it comes from tags."""

    kind: str
    file: str = ""


@dataclass(frozen=True)
class Distribution:
    """One distribution: `path` is its folder, relative to the repository; what the files do not show is None."""

    path: str
    name: str | None
    version: str | None
    version_source: VersionSource
    backend: str
    layout: str
    import_names: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    #: For each fact that is None, a sentence that says why it cannot be known without running code.
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publishing:
    """A job that uploads to an index: `file` and `job` (or the name of a script's target), and the lines that show it.

    `index` is `pypi`, `testpypi` or the URL of another index. `evidence` is the chain from the trigger to the upload.
    """

    file: str
    job: str
    auth: Auth
    secrets: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    index: str = "pypi"
    evidence: tuple[Evidence, ...] = ()

    @property
    def within(self) -> str:
        """The name of the job or target in the file, "" for all of a script."""
        return self.job if self.job != self.file.rpartition("/")[2] else ""


@dataclass(frozen=True)
class Tests:
    """How the tests run: `runner` (`pytest`, `tox`, …), its command, and the lines that show it."""

    runner: str = ""
    command: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Repository:
    """All facts about the repository at `path`."""

    path: Path
    distributions: tuple[Distribution, ...] = ()
    tests: Tests = Tests()
    tag_style: str = ""
    default_branch: str = ""
    publishing: tuple[Publishing, ...] = ()
    #: One line for each file about publishing that could not be read.
    unread: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return the facts for JSON."""
        return {**asdict(self), "path": str(self.path)}
