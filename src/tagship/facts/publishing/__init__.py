"""What publishes today: every job, script and target that uploads to an index, and the lines that show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts.model import Evidence, Publishing

from . import built, local, services
from .github import Found, Workflows
from .targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: From the least to the most specific way in which a job logs in.
STRENGTH = {"none": 0, "oidc": 1, "token": 2, "password": 3}


@dataclass(frozen=True)
class Publishers:
    """What publishes, the paths that the jobs build from, and one line for each file that could not be read."""

    found: tuple[Publishing, ...]
    errors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def find(path: Path) -> tuple[Publishing, ...]:
    """Return what publishes from the repository at `path`, without the release workflow of this suite."""
    return read(path).found


def read(path: Path) -> Publishers:
    """Return what publishes from the repository at `path`, and which files could not be read."""
    targets = Targets(path)
    workflows = Workflows.read(path, targets)
    if (path / suite.SUMS).is_file():
        workflows.by_file.pop(suite.WORKFLOW.as_posix(), None)
    of_github = [*workflows.uploads()]
    found = [*of_github, *services.uploads(path, targets, workflows.errors)]
    known = {(line.file, line.line) for each in found for line in each.upload.evidence}
    people = local.publishing(path, targets, known)
    named = tuple(dict.fromkeys(built.paths(workflows, of_github)))
    return Publishers((*_merged(found), *people), tuple(workflows.errors), named)


def _merged(found: Iterable[Found]) -> list[Publishing]:
    """Return one entry for each job and index; PyPI and TestPyPI are merged, as they differ in a value only."""
    groups: dict[tuple[str, str, str], list[Found]] = {}
    for each in found:
        index = "pypi" if each.upload.index in {"pypi", "testpypi"} else each.upload.index
        groups.setdefault((each.file, each.job, index), []).append(each)
    return [_entry(group) for group in groups.values()]


def _entry(group: list[Found]) -> Publishing:
    first = group[0]
    credentials = [each.upload.credentials for each in group]
    indexes = {each.upload.index: None for each in group}
    return Publishing(
        file=first.file,
        job=first.job,
        auth=max((each.auth for each in credentials), key=STRENGTH.__getitem__),
        secrets=tuple(dict.fromkeys(name for each in credentials for name in each.secrets)),
        triggers=tuple(dict.fromkeys(name for each in group for name in each.triggers)),
        index="pypi" if "pypi" in indexes else next(iter(indexes)),
        evidence=tuple(dict.fromkeys(line for each in group for line in each.upload.evidence)),
    )


__all__ = ["Evidence", "Publishers", "Publishing", "find", "read"]
