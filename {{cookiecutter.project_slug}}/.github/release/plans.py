"""How are the distributions tested that this run is about: each by itself, with those beside it from here?"""

from __future__ import annotations

import platform
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING

from .config import load_toml, subtable
from .dists import read_dists, supported_pythons
from .errors import Problem, ReleaseError
from .fitting import pick
from .packages import chosen, every
from .ref import current
from .testing import Plan, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .dists import Dist
    from .packages import Package


NO_TESTS = "there are no tests: set test-command in [tool.tagship] of pyproject.toml if there are"


def plans(root: Path, folder: str, python: str, environ: Mapping[str, str]) -> list[Plan]:
    """Return how each distribution is tested that this run is about, in the order in which to do it.

    `folder` holds the dists of which one is tested ("": each as it lies here), `python` is the version that tests it.
    """
    dists = read_dists(Path(folder)) if folder else []
    packages = chosen(root, environ)
    on_tag = any(package.on(current(root, environ)).tags for package in packages)
    return [_planned(package, dists, python, alone=on_tag) for package in packages]


def _planned(package: Package, dists: list[Dist], python: str, *, alone: bool) -> Plan:
    dist = _pick(dists, package.name, python) if dists else None
    if package.name and python and python not in (declared := _pythons(package, dist, python)):
        return Plan([], [], [], reason=f"{package.name} is for Python {', '.join(declared)}")
    others = [other for other in every(package.root) if other.name != package.name]
    found = plan(package.folder, str(dist.path) if dist else "", package.root, {other.name for other in others})
    requires = [] if alone or not others else ["--constraint", _constraints(package, others, dists, python)]
    return replace(
        found,
        requires=[*found.requires, *requires],
        package=str(dist.path.resolve()) if dist else package.path,
        reason="" if found.command else NO_TESTS,
    )


def _pick(dists: list[Dist], name: str, python: str) -> Dist:
    """Return the wheel of this name that fits, else its sdist; raise `ReleaseError` where there is none."""
    if own := [dist for dist in dists if name in {"", dist.name}]:
        return pick(own, python or platform.python_version())
    found = " ".join(dist.path.name for dist in dists)
    raise ReleaseError(Problem("--installpkg", found, f"a dist of {name}", "run: nox -s build"))


def _pythons(package: Package, dist: Dist | None, python: str) -> list[str]:
    """Return the Pythons that the dist declares, else the project's files; just `python` where none are."""
    said: Message = dist.metadata if dist else Message()
    static = {} if dist else subtable(load_toml(package.folder / "pyproject.toml"), "project")
    for classifier in static.get("classifiers", []):
        said["Classifier"] = str(classifier)
    if "requires-python" in static:
        said["Requires-Python"] = str(static["requires-python"])
    return list(package.settings.pythons) or supported_pythons(said, python)


def _constraints(package: Package, others: list[Package], dists: list[Dist], python: str) -> str:
    """Write the file by which an installer takes the `others` from here, not from an index; return its path."""
    path = package.root / ".nox" / f"beside-{package.name}.txt"
    path.parent.mkdir(exist_ok=True)
    built = {dist.name for dist in dists}
    places = {
        other.name: _pick(dists, other.name, python).path if other.name in built else other.folder for other in others
    }
    lines = [f"{name} @ {place.resolve().as_uri()}\n" for name, place in places.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
