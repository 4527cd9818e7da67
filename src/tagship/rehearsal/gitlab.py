"""The push of a tag on GitLab: the variables and the ID tokens' claims of its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tagship.rehearsal.push import TagPush

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://gitlab.com"
LIFETIME = 3600
"""Seconds for which an ID token is valid: the timeout of the job."""


@dataclass(frozen=True)
class GitLabPush(TagPush):
    """The push of a tag on gitlab.com: `owner` is the namespace, `workflow` the top-level pipeline file."""

    workflow: str = ".gitlab-ci.yml"


def claims_of(push: GitLabPush, environment: str | None) -> dict[str, Any]:
    """Return the claims of an ID token for a job of this push, except those for time and audience.

    Source: https://docs.gitlab.com/ci/secrets/id_token_authentication/
    """
    claims = {
        "iss": ISSUER,
        "sub": f"project_path:{push.slug}:ref_type:tag:ref:{push.tag}",
        "namespace_id": push.owner_id,
        "namespace_path": push.owner,
        "project_id": push.repository_id,
        "project_path": push.slug,
        "project_visibility": push.visibility,
        "user_id": push.actor_id,
        "user_login": push.actor or push.owner,
        "user_access_level": "maintainer",
        "pipeline_id": push.run_id,
        "pipeline_source": "push",
        "job_id": push.run_id,
        "ref": push.tag,
        "ref_type": "tag",
        "ref_path": push.ref,
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": push.sha,
        # The top-level file, even if the job is in a file that it includes.
        "ci_config_ref_uri": f"gitlab.com/{push.slug}//{push.workflow}@{push.ref}",
        "ci_config_sha": push.sha,
    }
    return {**claims, "environment": environment, "environment_action": "start"} if environment else claims


def variables_of(push: GitLabPush, job: str, folder: Path) -> dict[str, str]:
    """Return the variables of a job of this push; `folder` gets its outputs, as in .gitlab/release.yml.

    Source: https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    return {
        "CI": "true",
        "CI_COMMIT_REF_NAME": push.tag,
        "CI_COMMIT_SHA": push.sha,
        "CI_COMMIT_TAG": push.tag,
        "CI_JOB_NAME": job,
        "CI_PROJECT_PATH": push.slug,
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITLAB_CI": "true",
    }
