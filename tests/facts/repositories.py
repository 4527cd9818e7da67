"""Writing small repositories, and what is read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship.facts import distributions

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.facts.model import Distribution


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write `files`, by their paths below `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def read(folder: Path, files: dict[str, str]) -> Distribution:
    """Return the one distribution that is read of a repository with these `files`."""
    (found,) = distributions.find(write(folder, files))
    return found
