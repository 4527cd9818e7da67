"""Which distributions are in a repository, and what do their files say of each?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship_suite.config import Config
from tagship_suite.errors import ReleaseError
from tagship_suite.repo.packages import distribution_name, every
from tagship_suite.repo.version_source import locate

from .model import Distribution, VersionSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def find(root: Path) -> Iterator[Distribution]:
    """Yield the distributions of the repository at `root`."""
    for package in every(root):
        try:
            written = locate(package.folder, Config())
        except ReleaseError:
            written = None
        file = written.path.relative_to(package.folder).as_posix() if written else ""
        name = distribution_name(package.folder) or None
        path = package.folder.relative_to(root).as_posix()
        version = written.text if written else None
        yield Distribution(path, name, version, VersionSource("", file), "", "")
