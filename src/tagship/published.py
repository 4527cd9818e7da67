"""The files of a project at an index, read with the suite's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from tagship.indexes import INDEXES
from tagship_suite.publish.index import TIMEOUT, Index

if TYPE_CHECKING:
    from packaging.version import Version

    from tagship_suite.publish.index import Remote


def files(simple_url: str, project: str, timeout: float = TIMEOUT) -> tuple[Index, dict[str, Remote]]:
    """Return the index with its simple API at `simple_url`, and the files that it has of `project`, by name.

    `timeout` is in seconds. Raises `ReleaseError` if the index does not answer, or with something else.
    """
    site = next((f"https://{each.site}/" for each in INDEXES.values() if each.simple_url == simple_url), "")
    index = Index(simple_url, (f"{simple_url.rstrip('/')}/",), site, timeout=timeout)
    return index, index.files(canonicalize_name(project))


def release_of(filename: str) -> tuple[str, Version] | None:
    """Return the project and the version in the name of a wheel or an sdist, None for anything else."""
    try:
        return (parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename)(filename)[:2]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
