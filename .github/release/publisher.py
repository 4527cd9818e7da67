"""Who publishes, as an index sees it: the identity of this run, and what to register for it.

The rules are those of https://docs.pypi.org/trusted-publishers/.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 15  # seconds
UNKNOWN = "claims was not found"  # what an index says where no publisher fits
WORKFLOW = re.compile(r"[^/]+/[^/]+/\.github/workflows/(?P<file>[^/]+\.ya?ml)@")


def claims(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what GitHub says of this job in its identity token; {} where it gives it none.

    The token itself is neither shown nor used.
    """
    url, bearer = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        return {}
    request = urllib.request.Request(f"{url}&audience=claims", headers={"Authorization": f"Bearer {bearer}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            payload = json.load(answer)["value"].split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {}


def workflow_file(found: Mapping[str, Any]) -> str:
    """Return the file name in a token's `job_workflow_ref`, "" when there is none."""
    match = WORKFLOW.match(str(found.get("job_workflow_ref", "")))
    return match["file"] if match else ""


def values(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the publisher that accepts a token with these claims, by the form's own field names."""
    return {
        "owner": str(found.get("repository_owner", "")),
        "repository": str(found.get("repository", "")).partition("/")[2],
        "workflow_filename": workflow_file(found),
        "environment": str(found.get("environment") or ""),
    }


def link(site: str, project: str, fields: Mapping[str, str], *, exists: bool) -> str:
    """Return where to register at the index of the address `site`: prefilled where the project exists."""
    if not exists:
        return f"{site}manage/account/publishing/"
    query = urlencode({"provider": "github", **fields})
    return f"{site}manage/project/{project}/settings/publishing/?{query}"


def advice(site: str, project: str, found: Mapping[str, Any], *, exists: bool) -> list[str]:
    """Return what to do where an index knows no publisher for a token with these claims."""
    fields = values(found)
    named = ", ".join(f"{name} {value!r}" for name, value in {"project_name": project, **fields}.items())
    lines = [
        f"register exactly this, upper and lower case included: {named}",
        f"here: {link(site, project, fields, exists=exists)}",
    ]
    if found.get("workflow_ref") != found.get("job_workflow_ref"):
        lines.append(f"the job runs in a reusable workflow, {found.get('job_workflow_ref')}: an index supports none")
    return lines
