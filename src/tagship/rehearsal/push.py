"""The push of a tag on GitHub, and the variables of its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class TagPush:
    """The push of a tag on GitHub; `workflow` is the file's name in .github/workflows."""

    owner: str
    repository: str
    tag: str
    sha: str
    workflow: str = "release.yml"
    workflow_name: str = "release"
    owner_id: str = "1001"
    repository_id: str = "2002"
    visibility: str = "public"
    actor: str = ""
    actor_id: str = "3003"
    event_name: str = "push"
    ref_protected: str = "false"
    run_id: str = "4004"
    run_number: str = "1"
    run_attempt: str = "1"
    runner_environment: str = "github-hosted"

    @property
    def ref(self) -> str:
        """The full ref of the tag."""
        return f"refs/tags/{self.tag}"

    @property
    def slug(self) -> str:
        """`owner/repository`."""
        return f"{self.owner}/{self.repository}"


def variables_of(push: TagPush, job: str, folder: Path) -> dict[str, str]:
    """Return the variables that GitHub sets in a job of this push; `folder` gets its outputs and its summary.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": push.actor or push.owner,
        "GITHUB_EVENT_NAME": push.event_name,
        "GITHUB_JOB": job,
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_REF": push.ref,
        "GITHUB_REF_NAME": push.tag,
        "GITHUB_REF_TYPE": "tag",
        "GITHUB_REPOSITORY": push.slug,
        "GITHUB_REPOSITORY_OWNER": push.owner,
        "GITHUB_RUN_ATTEMPT": push.run_attempt,
        "GITHUB_RUN_ID": push.run_id,
        "GITHUB_RUN_NUMBER": push.run_number,
        "GITHUB_SHA": push.sha,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_WORKFLOW": push.workflow_name,
    }
