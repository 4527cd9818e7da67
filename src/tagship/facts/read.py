"""All facts about one repository, read from its files and from git's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import distributions, publishing, refs
from .model import Repository, Tests
from .tests.summary import summary

if TYPE_CHECKING:
    from pathlib import Path


def repository(path: Path) -> Repository:
    """Return the facts about the repository at `path`; nothing in it is run.

    Raises `ReleaseError` that lists every file that cannot be read if the result would be wrong without it.
    """
    found = refs.read(path)
    publishers = publishing.read(path)
    dists = tuple(distributions.find(path, named=publishers.paths))
    names = [each.name for each in dists if each.name]
    return Repository(
        path,
        distributions=dists,
        tests=summary(path / dists[0].path, path) if dists else Tests(),
        tag_style=refs.tag_style(found.tags, names),
        default_branch=found.default_branch,
        publishing=publishers.found,
        unread=publishers.errors,
    )
