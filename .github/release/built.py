"""What did the build make: the dists of each distribution, whether an index takes them, and what later jobs ask."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from . import rules
from .dists import read_dists, supported_pythons
from .errors import Problem, refuse

if TYPE_CHECKING:
    from pathlib import Path

    from .dists import Dist
    from .packages import Package


def read(folder: Path, packages: list[Package]) -> dict[Package, list[Dist]]:
    """Return the dists in `folder` by what they are of; raise `ReleaseError` for what is missing or wrong."""
    dists = read_dists(folder)
    groups = {package: [dist for dist in dists if package.name in {"", dist.name}] for package in packages}
    found = " ".join(dist.path.name for dist in dists)
    refuse([Problem("dist", found, f"dists of {each.name}", "build it") for each, some in groups.items() if not some])
    refuse([problem for each, some in groups.items() for problem in rules.problems(some, each.settings.file_limit)])
    return groups


def outputs(groups: dict[Package, list[Dist]]) -> dict[str, str]:
    """Return what the workflow's other jobs ask: `name`, `version`, and `pythons`, a JSON list."""
    firsts = [dists[0] for dists in groups.values()]
    pythons = [python for package, (first, *_) in groups.items() for python in _pythons(package, first)]
    return {
        "name": " ".join(dist.name for dist in firsts),
        "version": " ".join(dist.version for dist in firsts),
        "pythons": json.dumps(list(dict.fromkeys(pythons))),
    }


def _pythons(package: Package, dist: Dist) -> list[str]:
    here = ".".join(platform.python_version_tuple()[:2])
    return list(package.settings.pythons) or supported_pythons(dist.metadata, here)
