"""Which dist fits a Python on this machine: the one that an installer would choose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags

from ..errors import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from ..dists.reading import Dist


def pick(dists: list[Dist], python: str) -> Dist:
    """Return the best wheel of `dists` for the CPython of the version `python`, else the sdist.

    `python` is `3.12` or, free-threaded, `3.14t`; for anything else (`pypy3.11`) only a pure wheel counts.
    Raises `ReleaseError` if there is neither. Source of the rule: the platform compatibility tags of
    packaging.python.org.
    """
    places = {tag: place for place, tag in enumerate(_tags(python))}

    def rank(dist: Dist) -> int:
        return min((places.get(tag, len(places) + 1) for tag in dist.tags), default=len(places))

    dist = min(dists, key=rank)
    if rank(dist) > len(places):
        expected = f"one for Python {python} on this machine, or an sdist"
        refuse([Problem("no-fitting-wheel", str(dist.path.parent), "only other wheels", expected, "run: nox -s build")])
    return dist


def _tags(python: str) -> Iterator[Tag]:
    match = re.fullmatch(r"(?:python)?(\d+)\.(\d+)[.\d]*(t?)", python)
    version = (int(match[1]), int(match[2])) if match else (3,)
    if match:
        name = f"cp{match[1]}{match[2]}"
        yield from cpython_tags(version, [f"{name}t"] if match[3] else None)
        yield from compatible_tags(version, name)
    else:
        yield from compatible_tags(version)
