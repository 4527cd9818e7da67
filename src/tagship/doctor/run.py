"""Runs the checks of `tagship doctor`, and the changes that it can make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship import published
from tagship.errors import TagshipError
from tagship.indexes import INDEXES
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.publish import attest

from . import checks, github, gitlab
from .github import Unseen
from .model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagship.project import Project
    from tagship.publisher import Registration

    from .github import Api
    from .model import Change


def connect(projects: Sequence[Project], environ: Mapping[str, str]) -> Api:
    """Return a connection to the host of the projects; raise `TagshipError` if it is not known."""
    first = projects[0]
    if not first.known:
        remedy = f"add it: git remote add origin git@{first.host}:OWNER/REPOSITORY.git"
        site = first.registration("pypi").site
        raise TagshipError(Problem("no-remote", "remote 'origin'", f"no repository on {site}", "one", remedy))
    return gitlab.connect(environ, first.host) if first.provider == "gitlab" else github.connect(environ)


def diagnose(projects: Sequence[Project], api: Api) -> list[Finding]:
    """Return the findings about the settings of the repository of `projects`; nothing is changed.

    Raises `TagshipError` if the host does not show the repository.
    """
    first = projects[0]
    try:
        found = _settings(projects, api)
    except Unseen as unseen:
        where = f"{first.owner}/{first.repository}"
        remedy = f"check the name in the remote 'origin', or set {api.variable} to a token that may read it"
        missing = f"no such repository: {unseen}"
        raise TagshipError(Problem("not-shown", where, missing, "one that it shows", remedy)) from None
    except (AttributeError, KeyError, TypeError):
        saw, expected = "a response that is JSON of another shape than documented", f"{api.site}'s API"
        raise TagshipError(Problem("host-answer", api.base, saw, expected, "check the URL, or try again")) from None
    if api.moved:
        saw = f"{first.owner}/{first.repository} is a former name"
        expected = "the current name in the remote 'origin', and in the publisher at the index"
        found.insert(0, Finding("repository", "wrong", saw, expected))
    for each in projects:
        found.append(
            _publisher(each.registration("pypi"), each.package.settings.index_url or INDEXES["pypi"].simple_url)
        )
    return found


def _settings(projects: Sequence[Project], api: Api) -> list[Finding]:
    first = projects[0]
    tags = {each.package.suffix: each.package.tag("1.0") for each in projects}
    if isinstance(api, gitlab.GitLabApi):
        return gitlab.run(gitlab.Target(api, first.host, first.owner, first.repository, tuple(tags.values())))
    environments = {f"{index}{suffix}": tag for suffix, tag in tags.items() for index in ("pypi", "testpypi")}
    dev_builds = first.package.settings.dev_builds
    return checks.run(checks.Target(api, first.owner, first.repository, environments, dev_builds))


def _publisher(wanted: Registration, simple_url: str) -> Finding:
    """Compare the publisher of the newest file at an index with what should be registered there."""
    name, expected = f"publisher of {wanted.project}", str(wanted)
    try:
        index, files = published.files(simple_url, wanted.project)
        if not files:
            return Finding(name, "unknown", "no file at the index yet", expected)
        filename, newest = max(files.items(), key=lambda file: file[1].uploaded)
        found = attest.publishers(index.provenance(newest), newest.sha256)
    except ReleaseError as error:
        return Finding(name, "unknown", str(error).splitlines()[0], expected)
    if not found:
        saw = f"{filename} has no provenance: it was uploaded with a token, or not signed"
        return Finding(name, "unknown", saw, expected)
    right = any(attest.accepts(each, wanted.identity) and each.get("environment") for each in found)
    saw = f"{filename} came from {' and '.join(map(attest.shown, found))}"
    return Finding(name, "right" if right else "wrong", saw, expected)


def change(api: Api, changes: Sequence[Change]) -> list[str]:
    """Make the changes, in order; return those that the host refused, with the reason."""
    refused = []
    for each in changes:
        try:
            api.change(each.method, each.path, each.body)
        except Unseen as unseen:
            found, expected = f"a refusal ({unseen.status})", "a token with administration rights"
            problem = Problem("host-token", each.does, found, expected, "log in with one")
            refused.append(str(problem))
    return refused
