"""The jobs of a release on GitLab, from the pipeline file that tagship writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .model import Job

if TYPE_CHECKING:
    from pathlib import Path


def jobs(path: Path) -> list[Job]:
    """Return the jobs of the pipeline file at `path`, in order; none if it was edited too much."""
    try:
        *_, found = YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8"))
        return [_job(name, job) for name, job in found.items() if not name.startswith(".")]
    except (YAMLError, AttributeError, TypeError, ValueError):
        return []  # edits are reported separately


def _job(name: str, job: dict[str, Any]) -> Job:
    may = {"id-token": "write"} if "id_tokens" in job else {"contents": "read"}
    return Job(name.rpartition("]]")[2], may, job.get("environment", {}).get("name", ""))
