"""The notes of a rehearsal: what it skipped, what it assumed, and what else publishes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.publisher import TRUSTED, publish_from
from tagship_suite.repo import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.project import Project


def host(path: Path) -> str:
    """Return the host of the remote `origin` of the repository at `path`, "" if there is none."""
    address = next(iter(git.lines(path, "config", "--get", "remote.origin.url")), "")
    match = re.search(r"^(?:\w+://)?(?:[^@/]*@)?([\w-]+(?:\.[\w-]+)+)[:/]", address)
    return match[1] if match else ""


def submodules(clone: Path, names: list[str]) -> list[str]:
    """Return what GitHub needs to check out the submodules with these names, which the `clone` has."""
    if not names:
        return []
    value = "recursive" if any((clone / name / ".gitmodules").is_file() for name in names) else "true"
    here = f"{', '.join(names)}: checked out here as in your repository; on GitHub"
    return [f"{here}, that requires the repository variable SUBMODULES={value}"]


def before(found: Project, clone: Path, elsewhere: str, *, quick: bool) -> list[str]:
    """Return the notes before the first step of the rehearsal of a project, in the `clone` of its repository.

    `elsewhere` is the host of its remote if that is not GitHub.
    """
    return [
        *_uncommitted(found, quick=quick),
        *_assumed(found, elsewhere),
        *_others(clone),
        *_stand_ins(clone),
    ]


def _uncommitted(found: Project, *, quick: bool) -> Iterator[str]:
    if changed := len(git.changed(found.path, "--", ":/")):
        files, are, it = ("file", "is", "it") if changed == 1 else ("files", "are", "them")
        part = f"; the dists may hold {it}" if quick else ", and not part of this"
        yield f"{changed} changed {files} {are} not committed{part}"


def _assumed(found: Project, elsewhere: str) -> Iterator[str]:
    if elsewhere:
        played = f"origin is on {elsewhere}, where release.yml does not run: this simulated GitHub"
        yield f"{played}; on another CI service run nox -s publish with TWINE_USERNAME and TWINE_PASSWORD"
    elif not found.known:
        yield f"no remote on {found.registration('pypi').site}: OWNER and the repository's name are guesses"
    elif found.host not in TRUSTED:
        yield f"this simulated gitlab.com: {publish_from(found.host)}"


def _stand_ins(clone: Path) -> Iterator[str]:
    yield "attestations have no signature here: Sigstore signs only for jobs on GitHub and gitlab.com"
    workflow = clone / ".github/workflows/release.yml"
    if workflow.is_file() and "uses: pypa/gh-action-pypi-publish@" in workflow.read_text(encoding="utf-8"):
        yield "the workflow uploads with gh-action-pypi-publish: nox -s publish ran instead"


def _others(folder: Path) -> Iterator[str]:
    from tagship.facts import publishing  # imported late, so that the first line is printed at once

    for each in publishing.find(folder):
        if each.index not in {"pypi", "testpypi"}:
            continue
        if each.triggers:
            secrets = f" with {' and '.join(each.secrets)}" if each.secrets else ""
            also = f"{each.file}: the job {each.job!r} also publishes{secrets}; if a tag starts both"
            yield f"{also}, the second upload fails, as its files differ: remove that job, and then its secrets"
        else:
            at = each.evidence[-1]
            yield f"{at.file}:{at.line}: {at.text.strip()!r} publishes without any of these checks"
