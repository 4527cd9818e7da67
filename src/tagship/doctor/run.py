"""Everything that `tagship doctor` looks at, and the changes that it may make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship import project, published
from tagship.errors import TagshipError
from tagship.indexes import INDEXES
from tagship.publisher import Registration
from tagship_suite.errors import ReleaseError
from tagship_suite.publish import attest

from . import checks
from .github import Unseen
from .model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .github import Api
    from .model import Change

WORKFLOW = "release.yml"


def diagnose(path: Path, api: Api) -> list[Finding]:
    """Return what was seen of the settings of the repository at `path`; nothing is changed.

    Raises `TagshipError` if the repository is not on GitHub, or GitHub shows nothing of it.
    """
    projects = project.read_all(path)
    first = projects[0]
    if not first.known:
        remedy = "add it: git remote add origin git@github.com:OWNER/REPOSITORY.git"
        raise TagshipError(f"remote 'origin': found no repository on GitHub, expected one; {remedy}")
    environments = {
        f"{index}{each.package.suffix}": each.package.tag("1.0") for each in projects for index in ("pypi", "testpypi")
    }
    dev_builds = first.package.settings.dev_builds
    target = checks.Target(api, first.owner, first.repository, environments, dev_builds)
    try:
        found = checks.run(target)
    except Unseen as unseen:
        where = f"{first.owner}/{first.repository}"
        remedy = "check the name in the remote 'origin', or set GITHUB_TOKEN to a token that may read it"
        raise TagshipError(f"{where}: found no such repository: {unseen}; {remedy}") from None
    if api.moved:
        saw = f"{first.owner}/{first.repository} is a former name"
        expected = "the present one in the remote 'origin', and in the publisher at the index"
        found.insert(0, Finding("repository", "wrong", saw, expected))
    for each in projects:
        registration = Registration(each.name, each.owner, each.repository, WORKFLOW, f"pypi{each.package.suffix}")
        found.append(_publisher(registration, each.package.settings.index_url or INDEXES["pypi"].simple_url))
    return found


def _publisher(wanted: Registration, simple_url: str) -> Finding:
    """Compare the publisher of the newest file at an index with what should be registered there."""
    name, expected = f"publisher of {wanted.project}", str(wanted)
    try:
        index, files = published.files(simple_url, wanted.project)
        if not files:
            return Finding(name, "unknown", "no file at the index yet", expected)
        filename, newest = max(files.items(), key=lambda file: file[1].uploaded)
        found = attest.publishers(index.provenance(newest), newest.hashes.get("sha256", ""))
    except ReleaseError as error:
        return Finding(name, "unknown", str(error).splitlines()[0], expected)
    if not found:
        saw = f"{filename} has no provenance: it was uploaded with a token, or not signed"
        return Finding(name, "unknown", saw, expected)
    right = any(attest.accepts(each, wanted.identity) and each.get("environment") for each in found)
    saw = f"{filename} came from {' and '.join(map(attest.shown, found))}"
    return Finding(name, "right" if right else "wrong", saw, expected)


def change(api: Api, changes: Sequence[Change]) -> list[str]:
    """Make the changes, in their order; return what GitHub refused, with the reason."""
    refused = []
    for each in changes:
        try:
            api.change(each.method, each.path, each.body)
        except Unseen as unseen:
            refused.append(f"{each.does}: refused ({unseen.status}), which needs a token that may administer it")
    return refused
