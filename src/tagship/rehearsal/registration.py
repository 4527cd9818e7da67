"""The publishers of a rehearsal: what is registered at the local indexes, and the tokens that they got."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tagship import publisher
from tagship.indexes import INDEXES
from tagship.rehearsal.failures import misregistered
from tagship.rehearsal.jobs import PUBLISHING
from tagship.rehearsal.report import Compared, Publisher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tagship.project import Project
    from tagship.publisher import Registration
    from tagship.rehearsal.index import LocalIndex
    from tagship.rehearsal.push import TagPush

#: The claims that an index uses to find the publisher.
SEEN = (
    *("repository", "repository_owner", "job_workflow_ref", "project_path", "ci_config_ref_uri"),
    *("environment", "ref", "event_name"),
)


def wanted(projects: list[Project], push: TagPush) -> dict[str, list[Registration]]:
    """Return what must be registered for `projects` at each index, by the index's name."""
    return {index: [_wanted(project, push, index) for project in projects] for index in PUBLISHING.values()}


def _wanted(project: Project, push: TagPush, index: str) -> Registration:
    return replace(project.registration(index), owner_id=push.owner_id if project.provider == "github" else "")


def register(registrations: dict[str, list[Registration]], index: LocalIndex, failures: Iterable[str]) -> None:
    """Register at both indexes as a person would, with the mistakes among `failures`.

    Of projects that share an environment only one can be pending: the others exist as if they had been published.
    """
    for name, right in ((name, each) for name, some in registrations.items() for each in some):
        known = index.registrations(name)
        registration = misregistered(right, failures)
        if registration is not None and right.project not in {each.project for each in known}:
            taken = registration.environment in {each.environment for each in known}
            (index.register if taken else index.register_pending)(registration, name)


def forms(registrations: dict[str, list[Registration]]) -> list[Publisher]:
    """Return what to register at each index, PyPI first."""
    each_index = [(INDEXES[name], each) for name in reversed(registrations) for each in registrations[name]]
    made = [publisher.form(registration, index, exists=False) for index, registration in each_index]
    return [Publisher(form.index, form.link, form.prefilled, form.values) for form in made]


def seen(registrations: dict[str, list[Registration]], index: LocalIndex) -> list[Publisher]:
    """Return the publishers with the claims of the last token at each index, and why it was refused."""
    return [_seen(form, index) for form in forms(registrations)]


def _seen(form: Publisher, index: LocalIndex) -> Publisher:
    mints = index.mints(form.index)
    # Projects in lockstep can each have an environment, and then a token.
    own = [mint for mint in mints if form.values["project_name"] in mint.projects] or mints
    if not own or not own[-1].claims:
        return form
    mint = own[-1]
    registered = index.registrations(form.index)
    found = publisher.explain(mint.claims, registered) if mint.code else []
    return replace(
        form,
        seen={key: str(mint.claims[key]) for key in SEEN if key in mint.claims},
        differences=tuple(difference.sentence for difference in found),
        compared=tuple(_compared(mint.claims, registered, {difference.field for difference in found})),
    )


def _compared(claims: Mapping[str, Any], registered: list[Registration], differing: set[str]) -> Iterator[Compared]:
    """Yield each field of the index's form."""
    token, nearest = publisher.registration_of(claims, ""), publisher.nearest(claims, registered)
    fields = nearest.fields if nearest else dict.fromkeys(token.fields, "")
    for name, label in zip(("owner", "repository", "workflow", "environment"), token.fields, strict=True):
        matches = not differing & {name, "registration"}
        yield Compared(label, token.fields[label], fields[label], matches)
