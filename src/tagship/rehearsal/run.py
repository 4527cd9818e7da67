"""Rehearsing a release: what GitHub would do with the tag, on this machine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import project
from tagship.rehearsal import notes
from tagship.rehearsal.checkout import check_own, clone, commit_of, find_dists, make_own, tag_of, take_dists
from tagship.rehearsal.jobs import Jobs
from tagship.rehearsal.process import Processes, closing_undisturbed
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.report import Report
from tagship_suite.repo import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagship.project import Project
    from tagship.rehearsal.report import Step


@dataclass(frozen=True)
class Options:
    """The options: the tag (else the version's own), the failures to simulate, and a folder to keep it all in.

    With `quick`, the dists in `dist/` are taken as they are: they are neither built nor tested nor installed.
    """

    tag: str = ""
    failures: tuple[str, ...] = ()
    keep: Path | None = None
    quick: bool = False


def rehearse(
    path: Path,
    options: Options,
    tell: Callable[[Step], None] = lambda _: None,
    begun: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Rehearse the release of the repository at `path`, at HEAD.

    `begun` is called with what is rehearsed before the first step, `tell` with each step as it ends. Nothing of the
    user's is changed, and unless `options.keep` nothing is left. Raises `TagshipError` if there is nothing to rehearse
    (no repository, no suite, no version) or where `options.keep` is not a folder that a rehearsal may write to.
    """
    with closing_undisturbed() as stack:
        if options.keep:
            check_own(options.keep)
        found = project.read(path.resolve(), options.tag)
        commit = commit_of(path.resolve())
        if options.quick:
            find_dists(found.path)
        if options.keep:
            make_own(options.keep)
        own = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="tagship-rehearsal-"))
        folder = Path(own).resolve()
        push, noted = _check_out(found, commit, folder, options)
        report = Report(
            found.name, push.tag, commit, str(folder) if options.keep else None, notes=noted, quick=options.quick
        )
        begun(report)
        from tagship.rehearsal.steps import Rehearsal  # takes a while, in which nothing would be printed

        jobs = Jobs(folder, push, stack.enter_context(Processes()))
        return Rehearsal(found, options, jobs, report, tell).perform()


def _check_out(found: Project, commit: str, folder: Path, options: Options) -> tuple[TagPush, list[str]]:
    """Clone the repository to `folder` and tag the clone; return the push of that tag, and notes."""
    (folder / "temporary").mkdir(parents=True, exist_ok=True)
    repository = folder / "repository"
    submodules = clone(found.path, commit, repository)
    tag = options.tag or tag_of(repository, found)
    identity = ("-c", "user.name=tagship", "-c", "user.email=rehearsal@localhost")
    git.run(repository, *identity, "tag", "-f", "--no-sign", tag)
    noted = notes.submodules(repository, submodules)
    if options.quick:
        noted += take_dists(found.path, repository)
    return TagPush(found.owner, found.repository, tag, commit), noted
