"""The Pythons on which the tests run."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

from ..build import supported_pythons, this_python
from ..errors import ReleaseError
from ..repo.files import load_toml, parse_cfg, subtable
from ..repo.packages import every

if TYPE_CHECKING:
    from pathlib import Path

    from ..repo.packages import Package


def declared(root: Path) -> list[str]:
    """Return the Pythons that the distributions at `root` declare; none if their files cannot be read.

    The sessions that need the files report the error.
    """
    try:
        return list(dict.fromkeys(python for package in every(root) for python in of(package)))
    except ReleaseError:
        return []


def of(package: Package) -> list[str]:
    """Return the Pythons of one distribution: its setting `pythons`, else what its static metadata declares."""
    return list(package.settings.pythons) or supported_pythons(_metadata(package.folder), this_python())


def _metadata(folder: Path) -> Message:
    table = subtable(load_toml(folder / "pyproject.toml"), "project")
    cfg = parse_cfg(folder / "setup.cfg")
    classifiers = table.get("classifiers") or cfg.get("metadata", "classifiers", fallback="").splitlines()
    metadata = Message()
    for classifier in classifiers if isinstance(classifiers, list) else []:
        metadata["Classifier"] = str(classifier)
    metadata["Requires-Python"] = str(
        table.get("requires-python") or cfg.get("options", "python_requires", fallback="")
    )
    return metadata
