"""Rehearses a release: what GitHub or GitLab would do with the tag, on this machine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import project
from tagship.rehearsal import notes
from tagship.rehearsal.checkout import check_own, clone, commit_of, find_dists, make_own, put_tag, tag_of, take_dists
from tagship.rehearsal.gitlab import GitLabPush
from tagship.rehearsal.jobs import Jobs
from tagship.rehearsal.process import Processes, closing_undisturbed, interrupts_held
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.report import Report
from tagship_suite.repo import git

if TYPE_CHECKING:
    from tagship.project import Project
    from tagship.rehearsal.report import Step


@dataclass(frozen=True)
class Options:
    """The options: the tag (default: the version's), the failures to simulate, and a folder to keep everything in.

    With `quick`, the dists in `dist/` are used: nothing is built, tested or installed.
    """

    tag: str = ""
    failures: tuple[str, ...] = ()
    keep: Path | None = None
    quick: bool = False


class Listener:
    """Receives the events of a rehearsal; this base class ignores them."""

    def began(self, report: Report) -> None:
        """Called before anything else; the tag may not be known yet."""

    def cloned(self, report: Report) -> None:
        """Called before the first step, with the tag."""

    def started(self, name: str) -> None:
        """Called when a step starts."""

    def ended(self, step: Step) -> None:
        """Called when a step has ended or was left out."""


def rehearse(path: Path, options: Options, listener: Listener | None = None) -> Report:
    """Rehearse the release of the repository at `path`, at HEAD.

    Changes nothing of the user's, and leaves nothing behind without `options.keep`. Raises `TagshipError` if there is
    nothing to rehearse (no repository, no suite, no version), or if `options.keep` is not a folder that a rehearsal
    may write to.
    """
    listener = listener or Listener()
    with closing_undisturbed() as stack:
        if options.keep:
            check_own(options.keep)
        found = project.read(path.resolve(), options.tag)
        report = Report(
            ", ".join(each.name for each in found), options.tag, commit_of(path.resolve()), quick=options.quick
        )
        report.began = datetime.now(timezone.utc).isoformat(timespec="seconds")
        if options.quick:
            find_dists(found)
        if options.keep:
            make_own(options.keep)
            report.kept = str(options.keep.resolve())
        listener.began(report)
        with interrupts_held():
            kept = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="tagship-rehearsal-"))
            folder, processes = Path(kept).resolve(), stack.enter_context(Processes())
        # In another thread: a Ctrl-C only reaches the main thread, and could leave a starting git process behind.
        push = processes.background.submit(_check_out, found, folder, options, report, processes).result()
        listener.cloned(report)
        from tagship.rehearsal.steps import Rehearsal  # takes a while, before which something must be printed

        return Rehearsal(found, options, Jobs(folder, push, processes), report, listener).perform()


def _check_out(
    projects: list[Project], folder: Path, options: Options, report: Report, processes: Processes
) -> TagPush:
    """Clone the repository to `folder` and tag the clone; return the push of that tag."""
    found = projects[0]
    (folder / "temporary").mkdir(parents=True, exist_ok=True)
    repository = folder / "repository"
    submodules = clone(found.path, report.commit, repository, processes, folder / "logs/git.log")
    report.notes += notes.submodules(repository, submodules)
    report.tag = options.tag or tag_of(repository, found)
    there = git.query(repository, "rev-parse", "--quiet", "--verify", f"refs/tags/{report.tag}^{{commit}}")
    if there not in {None, report.commit}:
        report.taken = True
        report.notes.append(
            f"tag {report.tag!r} is already at {there[:12]}: a release of this commit needs another tag"
        )
    put_tag(repository, found, report.tag)
    if options.quick:
        report.notes += take_dists(projects, repository, report.tag)
    kind = GitLabPush if found.provider == "gitlab" else TagPush
    return kind(found.owner, found.repository, report.tag, report.commit)
