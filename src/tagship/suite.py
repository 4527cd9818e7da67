"""The suite: which files are managed, where they come from, and where a copy of them has drifted."""

from __future__ import annotations

import json
from pathlib import Path

WORKFLOW = Path(".github/workflows/release.yml")
#: Where each workflow is written, by `publish_with`: but for the first, where GitHub does not run it.
WORKFLOWS = {
    "nox": WORKFLOW,
    "gh-action-pypi-publish": Path("templates/workflows/gh-action-pypi-publish.yml"),
}


def source() -> Path:
    """Return the folder that holds the managed files: the installed package's, else this repository's root."""
    installed = Path(__file__).parent / "_suite"
    return installed if installed.is_dir() else Path(__file__).parents[2]


def managed(folder: Path) -> list[Path]:
    """Return the managed files of the template repository at `folder`, relative to it.

    The list is `_copy_without_render` of cookiecutter.json, and no other.
    """
    patterns = json.loads((folder / "cookiecutter.json").read_text(encoding="utf-8"))["_copy_without_render"]
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(folder) for path in found)


def written(path: Path, publish_with: str = "nox") -> Path:
    """Return where the managed file `path` of a project is written in the source."""
    return WORKFLOWS[publish_with] if path == WORKFLOW else path


def drift(copy: Path, original: Path, paths: list[Path], publish_with: str = "nox") -> list[Path]:
    """Return those of `paths` that are missing in the folder `copy`, or other bytes there than in `original`."""
    return [path for path in paths if not _same(copy / path, original / written(path, publish_with))]


def _same(copy: Path, original: Path) -> bool:
    return copy.is_file() and copy.read_bytes() == original.read_bytes()
