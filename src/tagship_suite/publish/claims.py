"""The OIDC claims of this job, and the publisher to register for them: https://docs.pypi.org/trusted-publishers/."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

NO_PUBLISHER = "claims was not found"  # part of the index's message if no publisher matches
WORKFLOW = re.compile(r"[^/]+/[^/]+/\.github/workflows/(?P<file>[^/]+\.ya?ml)@")
PIPELINE = re.compile(r".+?//(?P<file>.*[^/]\.ya?ml)@")


def of_this_job() -> dict[str, Any]:
    """Return the claims of this job's OIDC token, which itself is neither used nor shown; {} if there is none."""
    from id import IdentityError, decode_oidc_token, detect_credential  # the `tagship` command is installed without it

    try:
        token = detect_credential("sigstore")
        return dict(json.loads(decode_oidc_token(token)[1])) if token else {}
    except (IdentityError, OSError, ValueError, TypeError):
        return {}


def values(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the publisher that accepts a token with these claims, by the field names of the index's form."""
    environment = {"environment": str(claims.get("environment") or "")}
    if "project_path" in claims:  # GitLab's
        namespace, _, project = str(claims["project_path"]).rpartition("/")
        file = _file(PIPELINE, claims.get("ci_config_ref_uri"))
        return {"namespace": namespace, "project": project, "workflow_filepath": file, **environment}
    owner, repository = str(claims.get("repository_owner", "")), str(claims.get("repository", "")).partition("/")[2]
    file = _file(WORKFLOW, claims.get("job_workflow_ref"))
    return {"owner": owner, "repository": repository, "workflow_filename": file, **environment}


def _file(pattern: re.Pattern[str], ref: object) -> str:
    """Return the file of a workflow or pipeline, "" if `ref` names none."""
    match = pattern.match(str(ref))
    return match["file"] if match else ""


def identity(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the publisher with these `values`, by the field names of https://docs.pypi.org/api/integrity/."""
    owner, repository, workflow, environment = fields.values()
    kind, file = ("GitLab", "workflow_filepath") if "namespace" in fields else ("GitHub", "workflow")
    return {"kind": kind, "repository": f"{owner}/{repository}", file: workflow, "environment": environment}


def link(site: str, project: str, fields: Mapping[str, str], *, exists: bool) -> str:
    """Return where to register a publisher at the index `site`: a prefilled form if the project exists."""
    if not exists:
        return f"{site}manage/account/publishing/"
    query = urlencode({"provider": "gitlab" if "namespace" in fields else "github", **fields})
    return f"{site}manage/project/{project}/settings/publishing/?{query}"


def advice(site: str, project: str, claims: Mapping[str, Any], *, exists: bool) -> list[str]:
    """Return what to do if an index has no publisher for a token with these claims."""
    fields = values(claims)
    named = ", ".join(f"{name} {value!r}" for name, value in {"project_name": project, **fields}.items())
    lines = [
        f"register exactly this, upper and lower case included: {named}",
        f"here: {link(site, project, fields, exists=exists)}",
    ]
    if exists and "//test." in site:
        lines.append("or, if that project is not yours, set the repository's variable PUBLISH_TEST to false")
    if claims.get("workflow_ref") != claims.get("job_workflow_ref"):
        called = claims.get("job_workflow_ref")
        lines.append(f"the job runs in a reusable workflow, {called}: Trusted Publishing does not support that")
    return lines
