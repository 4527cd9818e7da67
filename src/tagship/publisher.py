"""The publisher to register at an index, and why a token does not match it.

The rules are those of https://docs.pypi.org/trusted-publishers/; an index only ever says "Publisher with
matching claims was not found", whichever of them is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tagship.indexes import INDEXES, PackageIndex
from tagship_suite.publish.claims import identity, link, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


FIELDS = ("owner", "repository", "workflow_filename")
#: The hosts whose tokens PyPI accepts for everybody.
TRUSTED = ("github.com", "gitlab.com")
#: The labels of the fields on the index's page.
LABELS = {
    "project_name": "PyPI Project Name",
    "namespace": "Namespace",
    "project": "Project name",
    "workflow_filepath": "Top-level pipeline file path",
    "owner": "Owner",
    "repository": "Repository name",
    "workflow_filename": "Workflow name",
    "environment": "Environment name",
}


@dataclass(frozen=True)
class Registration:
    """A publisher as registered at an index; without `environment` it accepts any.

    `owner_id` is GitHub's number of the owner, which the index looks up itself; "" if not known. With the `provider`
    `gitlab`, `owner` is the namespace and `workflow` the path of the top-level pipeline file.
    """

    project: str
    owner: str
    repository: str
    workflow: str
    environment: str = ""
    owner_id: str = ""
    provider: str = "github"

    @property
    def site(self) -> str:
        """Return the provider's name for people."""
        return "GitLab" if self.provider == "gitlab" else "GitHub"

    @property
    def fields(self) -> dict[str, str]:
        """Return the values by the names in the index's form."""
        names = ("namespace", "project", "workflow_filepath") if self.provider == "gitlab" else FIELDS
        return dict(
            zip((*names, "environment"), (self.owner, self.repository, self.workflow, self.environment), strict=True)
        )

    def __str__(self) -> str:
        environment = f", environment {self.environment!r}" if self.environment else ", any environment"
        return f"{self.owner}/{self.repository}, {self.workflow}{environment}"

    @property
    def identity(self) -> dict[str, str]:
        """The publisher as in provenance (https://docs.pypi.org/api/integrity/)."""
        return identity(self.fields)


@dataclass(frozen=True)
class Difference:
    """A field in which a token differs from the registration, and a sentence that says what to do."""

    field: str
    registered: str
    token: str
    sentence: str


@dataclass(frozen=True)
class Form:
    """Where to register a publisher, and the values to enter; `prefilled` if the link holds them."""

    index: str
    link: str
    prefilled: bool
    values: dict[str, str]


def publish_from(host: str) -> str:
    """Return what to do on a GitLab instance whose tokens PyPI does not accept."""
    return (
        f"PyPI trusts gitlab.com, and {host} only if your organisation has arranged it; else set the CI/CD variables"
        " TWINE_USERNAME (__token__) and TWINE_PASSWORD (an API token), for the environments pypi and testpypi only"
    )


def form_lines(values: Mapping[str, str]) -> list[str]:
    """Return a line for each of the values to enter, with its label on the index's page."""
    width = max(17, *(len(LABELS[name]) for name in values))
    return [f"  {LABELS[name]:{width}} {value}" for name, value in values.items()]


def registration_of(claims: Mapping[str, Any], project: str) -> Registration:
    """Return what must be registered so that an index accepts a token with these claims."""
    owner, repository, workflow, environment = values(claims).values()
    provider, owner_id = "gitlab" if "project_path" in claims else "github", str(claims.get("repository_owner_id", ""))
    return Registration(project, owner, repository, workflow, environment, owner_id, provider)


def form(registration: Registration, index: PackageIndex, *, exists: bool) -> Form:
    """Return the form for an existing project, else the one for a pending publisher."""
    fields = registration.fields
    where = link(f"https://{index.site}/", registration.project, fields, exists=exists)
    shown = fields if exists else {"project_name": registration.project, **fields}
    return Form(index.name, where, prefilled=exists, values=shown)


def forms(registrations: Mapping[str, Registration], *, exists: Iterable[str] = ()) -> list[Form]:
    """Return a form for each index, by its name; `exists` are the indexes that already have the project."""
    there = set(exists)
    return [form(each, INDEXES[name], exists=name in there) for name, each in registrations.items()]


def nearest(claims: Mapping[str, Any], registrations: Iterable[Registration]) -> Registration | None:
    """Return the registration closest to a token with these claims, None if there is none."""
    return min(registrations, key=lambda each: len(_compare(claims, each)), default=None)


def notes(registrations: Iterable[Registration]) -> list[str]:
    """Return notes about projects that are published from the same environment."""
    found: dict[str, list[str]] = {}
    for each in registrations:
        found.setdefault(str(each), []).append(each.project)
    return [
        f"{publisher}: an index accepts only one pending publisher with these values at a time. If several of "
        f"{', '.join(projects)} are new, register the one that others depend on, and the next one when publish stops "
        "at it; then run the job again. Projects that exist can all have this publisher"
        for publisher, projects in found.items()
        if len(projects) > 1
    ]


def explain(claims: Mapping[str, Any], registrations: Iterable[Registration]) -> list[Difference]:
    """Return the differences between a token and the registration closest to it.

    Takes the claims of the ID token and all registrations of the project. A token that no
    registration could accept (its event, a reusable workflow) is explained first.
    """
    general = _unsupported(claims)
    registered = nearest(claims, registrations)
    if registered is None:
        wanted = registration_of(claims, "")
        nothing = f"Nothing is registered for this project; register {wanted}."
        return [*general, Difference("registration", "", str(wanted), nothing)]
    return [*general, *_compare(claims, registered)]


def _unsupported(claims: Mapping[str, Any]) -> list[Difference]:
    found = []
    if claims.get("event_name") == "pull_request_target":
        sentence = "Publishing from pull_request_target is not supported; run on the push of a tag."
        found.append(Difference("event_name", "", "pull_request_target", sentence))
    caller, called = str(claims.get("workflow_ref", "")), str(claims.get("job_workflow_ref", ""))
    if caller and called and caller != called:
        sentence = (
            f"The job runs in the reusable workflow {called}, called by {caller}: the index looks at"
            " the called file, and reusable workflows are not supported. Publish from the calling workflow."
        )
        found.append(Difference("job_workflow_ref", caller, called, sentence))
    return found


def _compare(claims: Mapping[str, Any], registered: Registration) -> list[Difference]:
    token = registration_of(claims, registered.project)
    candidates = (
        _owner(token, registered),
        _repository_name(token, registered),
        _owner_id(token, registered),
        _workflow(token, registered),
        _environment(token, registered),
    )
    return [difference for difference in candidates if difference]


def _owner(token: Registration, registered: Registration) -> Difference | None:
    if token.owner == registered.owner:
        return None
    if token.owner.lower() == registered.owner.lower():
        sentence = f"The owner differs in case only: register {token.owner!r}, as {token.site} writes it."
    elif token.repository.lower() == registered.repository.lower():
        sentence = (
            f"The workflow ran in {token.owner}/{token.repository}, which looks like a fork of (or was"
            f" moved from) {registered.owner}/{registered.repository}: push there, or register this one."
        )
    else:
        sentence = f"The owner is {token.owner!r}, but {registered.owner!r} is registered."
    return Difference("owner", registered.owner, token.owner, sentence)


def _repository_name(token: Registration, registered: Registration) -> Difference | None:
    if token.repository == registered.repository:
        return None
    if token.repository.lower() == registered.repository.lower():
        sentence = f"The repository differs in case only: register {token.repository!r}, as {token.site} writes it."
    else:
        sentence = f"The repository is {token.repository!r} (renamed?), but {registered.repository!r} is registered."
    return Difference("repository", registered.repository, token.repository, sentence)


def _owner_id(token: Registration, registered: Registration) -> Difference | None:
    if not registered.owner_id or token.owner_id == registered.owner_id:
        return None
    sentence = (
        f"The owner's ID at GitHub is {token.owner_id}, but {registered.owner_id} was registered: the"
        " account was deleted and created again, or now belongs to somebody else. Register the publisher again."
    )
    return Difference("owner_id", registered.owner_id, token.owner_id, sentence)


def _workflow(token: Registration, registered: Registration) -> Difference | None:
    if token.workflow == registered.workflow:
        return None
    if token.workflow.rpartition(".")[0] == registered.workflow.rpartition(".")[0]:
        sentence = f"The workflow file has another extension: it is {token.workflow!r}, not {registered.workflow!r}."
    elif token.workflow.lower() == registered.workflow.lower():
        sentence = f"The workflow file differs in case only: it is {token.workflow!r}."
    else:
        sentence = f"The workflow file is {token.workflow!r}, but {registered.workflow!r} is registered."
    return Difference("workflow", registered.workflow, token.workflow, sentence)


def _environment(token: Registration, registered: Registration) -> Difference | None:
    if registered.environment in {"", token.environment}:
        return None
    if token.environment.lower() == registered.environment.lower():
        if token.provider == "github":
            return None
        sentence = f"The environment differs in case only: register {token.environment!r}, as the pipeline writes it."
        return Difference("environment", registered.environment, token.environment, sentence)
    if token.environment:
        sentence = f"The job's environment is {token.environment!r}, but {registered.environment!r} is registered."
    else:
        sentence = f"The job has no environment: add `environment: {registered.environment}` to it."
    return Difference("environment", registered.environment, token.environment, sentence)
