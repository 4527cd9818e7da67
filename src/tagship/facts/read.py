"""All facts about one repository, read from its files and from git's."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from . import distributions, refs
from .model import Publishing, Repository

if TYPE_CHECKING:
    from pathlib import Path


def repository(path: Path) -> Repository:
    """Return the facts about the repository at `path`; nothing in it is run.

    Raises `ReleaseError` with every file that cannot be read and without which the answer would be wrong.
    """
    found = refs.read(path)
    return Repository(
        path,
        distributions=tuple(distributions.find(path)),
        tag_style=refs.tag_style(found.tags),
        default_branch=found.default_branch,
        publishing=_publishing(path),
    )


def _publishing(path: Path) -> tuple[Publishing, ...]:
    if find_spec("tagship.facts.publishing") is None:
        return ()
    from importlib import import_module

    found: tuple[Publishing, ...] = import_module("tagship.facts.publishing").find(path)
    return found
