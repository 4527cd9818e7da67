"""What publishes a repository today: which lines of its workflows and of other CI services upload to an index?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = (
    ".github/workflows/*.yml",
    ".github/workflows/*.yaml",
    ".travis.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
)
ACTION = "pypa/gh-action-pypi-publish"
UPLOADS = re.compile(
    rf"^(?P<before>[^#\n]*?)(?P<found>{ACTION}|twine upload|(?:poetry|flit|pdm|hatch|uv) publish|provider: pypi\b|"
    r"setup\.py (?:\S+ )*upload)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Upload:
    """A line that uploads: in which file, which line, and what it runs."""

    file: str
    line: int
    what: str


def find(folder: Path) -> list[Upload]:
    """Return the lines in the repository at `folder` that publish by other means than the release suite."""
    return [upload for path in _files(folder) for upload in _in(path, folder)]


def _files(folder: Path) -> list[Path]:
    found = [path for place in PLACES for path in sorted(folder.glob(place)) if path.is_file()]
    return [path for path in found if path.relative_to(folder) != suite.WORKFLOW or not _is_ours(path)]


def _is_ours(path: Path) -> bool:
    return (path.parents[2] / suite.SUMS).is_file()


def _in(path: Path, folder: Path) -> Iterator[Upload]:
    text = path.read_text(encoding="utf-8", errors="replace")
    for match in UPLOADS.finditer(text):
        line = text.count("\n", 0, match.start("found")) + 1
        yield Upload(path.relative_to(folder).as_posix(), line, match["found"])
