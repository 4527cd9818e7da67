"""Rules about credentials: which ones publish, and what else could use them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.audit.editing import move_permissions
from tagship.audit.model import Fix, Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.audit.context import Context
    from tagship.facts.publishing.walk import Walk
    from tagship.facts.workflow import Workflow

INDEXES = ("pypi", "testpypi")
#: Actions that use no OIDC token, and words of commands that may use one.
PLAIN = re.compile(r"actions/(?:checkout|cache|setup-[\w-]+|(?:up|down)load-artifact)|astral-sh/setup-uv")
IDENTITY = re.compile(r"oidc|id[-_]token|sigstore|cosign|attest|provenance|trusted", re.IGNORECASE)


class LongLivedCredential(Rule):
    """A long-lived credential publishes.

    Anyone who gets hold of a stored token or password can use it from anywhere, until it is revoked. Trusted Publishing
    gives each run its own token, which expires after minutes.
    """

    name = "long-lived-credential"
    level = "error"
    remedy = (
        "register a trusted publisher (`tagship publisher`), give the job `permissions: {id-token: write}`, pass no "
        "password, and delete the secret and revoke the token once a release has worked"
    )

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that uploads to PyPI or TestPyPI with a credential."""
        for each in context.publishes:
            given = each.found.upload.credentials
            if given.auth in {"token", "password"} and each.index in INDEXES:
                names = f"the {given.auth} {', '.join(given.secrets)}" if given.secrets else f"a {given.auth}"
                yield Hit(each.in_job.file, each.in_job.line, each.name, names)


class CalledWorkflow(Rule):
    """Trusted Publishing is used in a reusable workflow.

    PyPI does not support trusted publishers for reusable workflows. It checks the called file, so the upload is refused
    if the caller is registered; registering the called file may stop working.
    """

    name = "trusted-publishing-in-called-workflow"
    remedy = (
        "move the job that uploads into the workflow that the tag starts, and let the called one only build and test"
    )

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads with an OIDC token in a called workflow."""
        found = dict[tuple[str, int, str], str]()
        for each in context.on_github(*INDEXES):
            if each.found.upload.credentials.auth != "oidc" or each.job is None or each.workflow is None:
                continue
            if each.is_called or each.job.uses or each.workflow.on("workflow_call"):
                where = (each.in_job.file, each.in_job.line, each.name)
                caller = f"started by {each.found.upload.evidence[0].file}" if each.is_called else ""
                found[where] = found.get(where) or caller
        yield from (Hit(*where, caller) for where, caller in found.items())


class WideIdentity(Rule):
    """Jobs that do not publish have `id-token: write`.

    Permissions of the workflow apply to all its jobs. Anything that runs in one of them, such as a test or a build
    dependency, can then request an OIDC token that the index trusts.
    """

    name = "wide-identity"
    remedy = "move `id-token: write` from the workflow's permissions to those of the job that publishes"
    fixes = "moves it, together with a copy of the other permissions; unsafe if another job may use it"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield the permissions of each workflow that let other jobs request an OIDC token too."""
        for each in context.on_github(*INDEXES):
            if each.found.upload.credentials.auth != "oidc" or each.workflow is None or each.job is None:
                continue
            publishing = {other.name for other in context.publishes if other.file == each.file}
            others = [
                name
                for name, job in each.workflow.jobs.items()
                if name not in publishing and not job.own_permissions and job.grants("id-token")
            ]
            if others:
                line = each.workflow.node.line_of("permissions")
                yield Hit(each.file, line, "", ", ".join(others), _moved(context, each.workflow, publishing, others))


def _moved(context: Context, workflow: Workflow, publishing: set[str], others: list[str]) -> Fix | None:
    """Return the fix that moves the permission to the jobs that publish; safe if no other job can need it."""
    lines, jobs = context.lines(workflow.file), [workflow.jobs[name] for name in publishing]
    if not move_permissions(lines, workflow, [job for job in jobs if not job.own_permissions], "id-token"):
        return None
    walks = [context.walk(workflow.file, name) for name in others]
    return Fix(lines, safe=all(walk is not None and not _may_use_identity(walk) for walk in walks))


def _may_use_identity(walk: Walk) -> bool:
    texts = [command.text for _, command in walk.ran]
    actions = [action.partition("@")[0].lower() for _, action, _ in walk.used]
    return any(map(IDENTITY.search, texts)) or not all(map(PLAIN.fullmatch, actions))


class NoEnvironment(Rule):
    """A job publishes without an environment.

    Without one, the index trusts the workflow on every branch and tag. An environment can require approval and
    restrict the tags, and its name in the trusted publisher ties uploads to those rules.
    """

    name = "no-environment"
    remedy = "add `environment: pypi` to the job, restrict it to release tags, and name it in the trusted publisher"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads to PyPI with an OIDC token and without an environment."""
        for each in context.on_github("pypi"):
            if (
                each.job is not None
                and each.found.upload.credentials.auth == "oidc"
                and "environment" not in each.job.node
            ):
                yield Hit(each.file, each.job.line, each.name)
