"""The Pythons on which the tests run."""

import platform
from email.message import Message
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..errors import collecting
from ..files import load_toml, parse_cfg, subtable
from ..repo.packages import Package, every

#: The minor version of the oldest Python 3 that setup-python has for the current runners.
OLDEST = 8


def declared(root: Path) -> list[str]:
    """Return the Pythons that the distributions at `root` declare; none if their files cannot be read."""
    with collecting([]):  # the sessions that need the files report the errors
        return list(dict.fromkeys(python for package in every(root) for python in of(package)))
    return []


def of(package: Package, metadata: Message | None = None) -> list[str]:
    """Return the Pythons of a distribution: its setting `pythons`, else those of its `metadata`, else of its files."""
    current = ".".join(platform.python_version_tuple()[:2])
    return list(package.settings.pythons) or supported(metadata or _metadata(package.folder), current)


def supported(metadata: Message, current: str) -> list[str]:
    """Return the Pythons (`3.12`) that core metadata declares, oldest first, as `nox.project.python_versions` reads it.

    From the classifiers, else from Requires-Python up to the `current` one, or the oldest that it allows.
    """
    from nox.project import python_versions  # which the environments of the release tools lack

    requires = metadata.get("Requires-Python", "")
    table = {"classifiers": metadata.get_all("Classifier", []), "requires-python": requires}
    for newest in (None, current):
        try:
            versions = python_versions({"project": table}, max_version=newest)
            found = [each for each in versions if int(each.rstrip("t").partition(".")[2]) >= OLDEST]
            # `>3.9.1,<3.13` is about patch releases: a late one stands for the series.
            allowed = SpecifierSet(requires)
            every = map("3.{}".format, range(OLDEST, 100))
            oldest = next((python for python in every if f"{python}.99" in allowed), current)
            return [python for python in found if f"{python.rstrip('t')}.99" in allowed] or [oldest]
        except (ValueError, InvalidSpecifier):
            continue
    return [current]


def _metadata(folder: Path) -> Message:
    table, cfg = subtable(load_toml(folder / "pyproject.toml"), "project"), parse_cfg(folder / "setup.cfg")
    classifiers = table.get("classifiers") or cfg.get("metadata", "classifiers", fallback="").splitlines()
    metadata = Message()
    for classifier in classifiers if isinstance(classifiers, list) else []:
        metadata["Classifier"] = str(classifier)
    requires = table.get("requires-python") or cfg.get("options", "python_requires", fallback="")
    metadata["Requires-Python"] = str(requires)
    return metadata
