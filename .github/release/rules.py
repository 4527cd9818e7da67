"""The rules by which PyPI refuses an upload, checked before the tag rather than after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from .errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dists import Dist

MAX_SIZE = 100 * 2**20
MAX_SUMMARY = 512


def problems(dists: list[Dist]) -> list[Problem]:
    """Return every reason why PyPI would refuse one of `dists`, local versions aside (see the gate).

    Source of the rules: https://docs.pypi.org/ and the file upload view of pypi/warehouse.
    """
    found = [problem for dist in dists for problem in _dist_problems(dist)]
    sdists = [dist.path.name for dist in dists if not dist.is_wheel]
    if len(sdists) > 1:
        found.append(Problem("dist", f"{len(sdists)} sdists ({', '.join(sdists)})", "one", "remove the others"))
    return found


def _dist_problems(dist: Dist) -> Iterator[Problem]:
    where = str(dist.path)
    yield from _name_problems(dist, where)
    yield from _dependency_problems(dist, where)
    if dist.size > MAX_SIZE:
        found = f"{dist.size / 2**20:.1f} MiB"
        yield Problem(where, found, "at most 100 MiB", "ship less, or ask PyPI for a higher limit")
    if len(dist.metadata.get("Summary", "")) > MAX_SUMMARY:
        yield Problem(where, "a longer summary", f"at most {MAX_SUMMARY} characters", "shorten the description")
    for tag in sorted({tag.platform for tag in dist.tags if re.match(r"linux_(?!armv[67]l$)", tag.platform)}):
        remedy = "add [tool.cibuildwheel] to pyproject.toml: it builds wheels that run on other machines than this one"
        yield Problem(where, f"platform {tag!r}, which PyPI refuses", "manylinux or musllinux", remedy)


def _name_problems(dist: Dist, where: str) -> Iterator[Problem]:
    name, version = dist.metadata.get("Name", ""), dist.metadata.get("Version", "")
    if canonicalize_name(name) != dist.name or not _same_version(version, dist.version):
        found = f"metadata of {name!r} {version!r}"
        yield Problem(where, found, f"{dist.name} {dist.version} as in the file name", "build it again")
    plain = dist.name.replace("-", "_")
    if not dist.is_wheel and dist.path.name != (file := f"{plain}-{dist.version}.tar.gz"):
        # https://peps.python.org/pep-0625/
        yield Problem(where, repr(dist.path.name), repr(file), "use a build backend that knows PEP 625")


def _dependency_problems(dist: Dist, where: str) -> Iterator[Problem]:
    texts = dist.metadata.get_all("Requires-Dist", [])
    if not texts:
        return
    from packaging.requirements import InvalidRequirement, Requirement  # slow to import, and many have none

    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield Problem(where, f"dependency {text!r}", "a PEP 508 requirement", "mend the dependency")
        else:
            if requirement.url:
                yield Problem(where, f"dependency {text!r}", "a name and versions, no URL", "depend on a release")


def _same_version(left: str, right: str) -> bool:
    try:
        return Version(left) == Version(right)
    except InvalidVersion:
        return False
