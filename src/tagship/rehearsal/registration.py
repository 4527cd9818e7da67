"""The publishers of a rehearsal: what is registered at the local indexes, and what the indexes saw of it."""

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

#: The claims by which an index finds the publisher.
SEEN = ("repository", "repository_owner", "job_workflow_ref", "environment", "ref", "event_name")


def wanted(project: Project, push: TagPush) -> dict[str, Registration]:
    """Return what must be registered for `project` at each index, by its name."""
    return {
        index: publisher.Registration(
            project=project.name,
            owner=push.owner,
            repository=push.repository,
            workflow=push.workflow,
            environment=f"{index}{project.package.suffix}",
            owner_id=push.owner_id,
        )
        for index in PUBLISHING.values()
    }


def register(registrations: dict[str, Registration], index: LocalIndex, failures: Iterable[str]) -> None:
    """Register at both indexes as a person would, with the mistakes among `failures`."""
    for name, right in registrations.items():
        there = {each.project for each in index.registrations(name)}
        registration = misregistered(right, failures)
        if registration is not None and right.project not in there:
            index.register_pending(registration, name)


def forms(registrations: dict[str, Registration]) -> list[Publisher]:
    """Return what to register at each index, first PyPI."""
    made = [publisher.form(registrations[name], INDEXES[name], exists=False) for name in reversed(registrations)]
    return [Publisher(form.index, form.link, form.prefilled, form.values) for form in made]


def seen(registrations: dict[str, Registration], index: LocalIndex) -> list[Publisher]:
    """Return the same with the claims of the last token that each index got, and why it was refused."""
    return [_seen(form, index) for form in forms(registrations)]


def _seen(form: Publisher, index: LocalIndex) -> Publisher:
    mint = next(reversed(index.mints(form.index)), None)
    if mint is None or not mint.claims:
        return form
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
