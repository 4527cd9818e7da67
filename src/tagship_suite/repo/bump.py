"""Cutting a release: bump the version, date the changelog, commit, tag, and push on request."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from ..errors import Problem, ReleaseError, refusal, refuse, some
from ..files import diffs
from . import changelog, elsewhere, git, packages
from .literals import Written
from .packages import form, history
from .version_source import places as places_of
from .version_source import refuse_other
from .versions import Tag, bump, holds_version, parsed

CURRENT, PARTS, DEFAULT_BRANCHES = "current", ("major", "minor", "patch"), ("main", "master")
#: A maintenance branch and the numbers of its versions: `1.x`, `v1.2`, `release/1.2.x`.
SERIES = re.compile(r"(?:[\w.-]+/)?v?(\d+(?:\.\d+)*)(?:\.x)?")
#: How servers refuse a push to a protected branch or tag: GitHub, GitLab, Bitbucket, Azure, and hooks.
PROTECTED = re.compile(r"(?i)protected|GH006|GH013|(?:pull|merge) request|not (?:allowed|permitted)|declined")


@dataclass(frozen=True)
class Plan:
    """What a release does: the new text of files, the commit's message, the tag, what is pushed; notes for the user."""

    files: dict[Path, str]
    message: str
    tag: str
    branch: str
    remote: str
    package: packages.Package
    notes: list[str]
    is_signed: bool


def cut_release(root: Path, wanted: str, *, push: bool, dry_run: bool = False) -> str:
    """Commit and tag the release `wanted` of the project at `root`; return what was done, or would be on `dry_run`.

    `wanted` is a version, `major`, `minor`, `patch`, or `current` for the version in the files, after `NAME/` for one
    of several distributions. Raises `ReleaseError` with every reason not to; after any failure HEAD, the tags, the
    index and the files are as they were.
    """
    plan = _plan(root, wanted)
    if push:
        _check_remote(root, plan)
    outcome = _outcome(root, plan, push=push, dry_run=dry_run)
    if dry_run:
        return outcome
    with git.restoring(root, plan.files, plan.tag):
        for path, text in plan.files.items():
            path.write_bytes(text.encode())
        if plan.files:
            git.commit(root, plan.message)
        git.run(root, "tag", "--sign" if plan.is_signed else "--annotate", plan.tag, "--message", plan.message)
        if push:
            _push(root, plan)
    return outcome


def _plan(root: Path, wanted: str) -> Plan:
    together, wanted = _packages(root, wanted)
    if git.query(root, "rev-parse", "HEAD") is None:
        remedy = "run: git init && git add -A && git commit"
        raise refusal("no-repository", "git", "no commit", "a repository with one", remedy)
    package = together[0]
    places = [place for each in together for place in places_of(each.folder, each.settings)]
    refuse_other(places)
    known = packages.distribution_name(package.folder) or root.resolve().name
    # A branch such as 1.x continues from its own tags; those of other branches only show their form.
    here, tags = history(root, package, known)
    now = _now(root, places, here, tags, wanted)
    version = _next(now, wanted)
    tag, text = form(package, version, here or tags, *(place.text for place in places))
    found = _problems(root, None if wanted == CURRENT else now, version, tag)
    is_dev = wanted.startswith("dev")  # from the branch that `dev-builds` names
    refuse(found if is_dev else found + _branch_problem(root, package.settings.release_branches, version))
    places, dated, notes = _changes(root, together, places, now, text, tag)
    files = elsewhere.rewritten(places, version, text) | dated
    _refuse_untracked(root, files)
    if now != version and (places or here):
        notes += elsewhere.mentions(root, together, now, places)
    is_tagged = now in {each.version for each in tags}  # maybe on another branch
    if wanted in PARTS and here and now > here[0].version and not (is_tagged or now.is_prerelease or now.local):
        notes.append(f"{now}, the version in the files, has no tag: inv release {CURRENT} would have released it")
    if here and version < here[0].version:
        notes.append(f"{here[0]} is an earlier tag of a greater version, which installers prefer")
    others = [] if here or places else [*filter(holds_version, git.lines(root, "tag", "--merged", "HEAD"))]
    notes += [
        f"{each} is no tag of {known}: if the build reads such tags, make its tag pattern match {tag}"
        for each in others[-1:]
    ]
    remote, branch = _upstream(root, git.symbolic(root, "HEAD") or "HEAD", package.settings.release_branches)
    message = " ".join(filter(None, ("Release", package.label, text)))
    is_signed = package.settings.require_signed_tag and not is_dev
    return Plan(files, message, tag, branch, remote, package, notes, is_signed)


def _packages(root: Path, wanted: str) -> tuple[list[packages.Package], str]:
    """Split `NAME/wanted` into distributions and the rest; a single one, or those in lockstep, need no name."""
    every, (name, slash, rest) = packages.every(root), wanted.rpartition("/")
    together = [each for each in every if each.lockstep]
    if len(every) == 1 or (not slash and (together or every[0].folder == root)):
        return together or every[:1], wanted
    found = packages.one(every, name, f"distribution in {wanted!r}, before a '/'")
    return together if found.lockstep else [found], rest


def _changes(
    root: Path, together: list[packages.Package], places: list[Written], now: Version, text: str, tag: str
) -> tuple[list[Written], dict[Path, str], list[str]]:
    """Return every place of the version, the dated changelogs, and notes; in lockstep also those of the root."""
    folders, notes = [each.folder for each in together], list[str]()
    dated: dict[Path, str] = {}
    if together[0].lockstep:
        folders = [root, *(folder for folder in folders if folder != root)]
        places = [*places, *(pin for each in folders for pin in elsewhere.pins(each, together, now))]
    for folder in folders:
        places = [*places, *elsewhere.certain(root, folder, packages.distribution_name(folder), now)]
        if not Version(text).is_devrelease:  # what it has so far is not released yet
            changed, left = changelog.dated(folder, text, tag)
            dated, notes = dated | changed, notes + left
    return places, dated, notes


def _now(root: Path, places: list[Written], here: list[Tag], tags: list[Tag], wanted: str) -> Version:
    """Return the project's current version, from its files, else from the newest tag before HEAD."""
    if places:
        if version := parsed(places[0].text):
            return version
        raise refusal("no-version", str(places[0].path), repr(places[0].text), "a PEP 440 version", "correct it")
    if here:
        return here[0].version
    if git.is_shallow(root):
        remedy = "run: git fetch --unshallow --tags"
        raise refusal("shallow-clone", "git", "a shallow clone", "the earlier tags", remedy)
    if wanted == CURRENT or (tags and wanted in PARTS):
        found = f"none before HEAD, but {tags[0]} elsewhere" if tags else "none before HEAD"
        raise refusal("no-tag", "tags", found, "one to derive the version from", "name the version to release")
    return Version("0")


def _next(now: Version, wanted: str) -> Version:
    if wanted in PARTS or re.fullmatch(r"dev\d+", wanted):
        return bump(now, wanted)
    if version := now if wanted == CURRENT else parsed(wanted):
        return version
    expected = "major, minor, patch, current or a version such as '1.2.3'"
    raise refusal("bad-version", "version", repr(wanted), expected, "name the version to release")


def _problems(root: Path, now: Version | None, version: Version, tag: str) -> list[Problem]:
    """Return every reason not to release `version`; `now` is the version that it must exceed, if any."""
    found = []
    if changed := git.changed(root, "--", ".") or git.lines(root, "diff", "--cached", "--name-only"):
        what = f"{len(changed)} changed files ({some(changed)})"
        found.append(Problem("uncommitted", "working tree", what, "a clean one", "commit or stash them"))
    if command := git.unfinished(root):
        remedy = f"finish it, or run: git {command} --abort"
        found.append(Problem("uncommitted", "git", f"a {command} in progress", "none", remedy))
    if now is not None and version <= now:
        remedy = "name a greater one" + (f", or {CURRENT!r} to release this one" if version == now else "")
        found.append(Problem("bad-version", "version", repr(str(version)), f"one greater than {str(now)!r}", remedy))
    if version.local:
        found.append(Problem("local-version", "version", repr(str(version)), repr(version.public), "indexes refuse it"))
    if git.query(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}") is not None:
        found.append(Problem("tag-exists", f"tag {tag!r}", "one of that name", "a new one", "release the next version"))
    return found


def _branch_problem(root: Path, branches: tuple[str, ...], version: Version) -> list[Problem]:
    branch, head = git.symbolic(root, "HEAD") or "", git.symbolic(root, "refs/remotes/origin/HEAD") or ""
    allowed = branches or tuple(dict.fromkeys(filter(None, (head.removeprefix("origin/"), *DEFAULT_BRANCHES))))
    series = SERIES.fullmatch(branch) if not branches else None
    if branch in allowed or (series and f"{version.base_version}.".startswith(f"{series[1]}.")):
        return []
    remedy = "switch to it, or set release-branches" if branch else f"HEAD is detached, run: git switch {allowed[0]}"
    return [Problem("release-branch", "branch", repr(branch or "none"), " or ".join(map(repr, allowed)), remedy)]


def _upstream(root: Path, branch: str, branches: tuple[str, ...]) -> tuple[str, str]:
    """Return the remote and what to push there; a branch that was made from another one follows that by default."""
    remote, pushed = git.upstream(root, branch)
    series, other = (SERIES.fullmatch(name) for name in (branch, pushed.partition(":")[2]))
    is_own = branches or (series and (other is None or other[1] != series[1]))
    return remote, branch if is_own else pushed


def _refuse_untracked(root: Path, files: Iterable[Path]) -> None:
    """Raise `ReleaseError` for those of `files` that a commit would leave out."""
    known = {root.resolve() / line for line in git.lines(root, "-c", "core.quotepath=off", "ls-files")}
    ignored, found = [str(path) for path in files if path not in known], "a file that git does not track"
    refuse([Problem("uncommitted", name, found, "a committed one", "commit it") for name in ignored])


def _check_remote(root: Path, plan: Plan) -> None:
    """Raise `ReleaseError` if the remote is missing, has the tag, or is ahead, before anything is changed."""
    if plan.remote not in git.lines(root, "remote"):
        remedy = f"run: git remote add {plan.remote} URL, or release without --push"
        raise refusal("no-remote", "git", f"no remote {plan.remote!r}", "one to push to", remedy)
    address = git.query(root, "remote", "get-url", "--push", plan.remote) or plan.remote
    if git.query(root, "ls-remote", address, f"refs/tags/{plan.tag}"):
        remedy = "run: git fetch --tags, and release the next version"
        raise refusal("tag-exists", f"tag {plan.tag!r}", f"one of that name at {plan.remote}", "a new one", remedy)
    git.run(root, "push", "--quiet", "--dry-run", plan.remote, git.refspec(plan.branch))


def _push(root: Path, plan: Plan) -> None:
    try:
        git.push(root, plan.remote, plan.branch, plan.tag)
    except ReleaseError as error:
        output, undone = str(error), f"{plan.tag}: not pushed; commit and tag are undone here [push-refused]"
        if not PROTECTED.search(output):
            raise ReleaseError(*error.args, f"run the same command again; {undone}") from error
        if f"refs/tags/{plan.tag}" in output or not plan.files:
            remedy = "ask somebody who may push tags to release"
            problem = Problem("push-refused", f"tag {plan.tag!r}", "refused by the server", "permission for it", remedy)
        else:
            here, _, there = plan.branch.partition(":")
            again = f"{plan.package.label}/{CURRENT}".lstrip("/")  # once the commit is on the branch
            to = shlex.quote(f"{git.query(root, 'rev-parse', 'HEAD')}:refs/heads/release-{plan.tag}")
            remedy = f"run: git push {plan.remote} {to}, open a pull request from it, and when it is merged run: "
            remedy += f"git switch {shlex.quote(here)}, git pull, inv release {again} --push"
            problem = Problem("push-refused", f"branch {there or here!r}", "no push allowed", "a pull request", remedy)
        raise ReleaseError(*error.args, problem, undone) from error


def _outcome(root: Path, plan: Plan, *, push: bool, dry_run: bool) -> str:
    """Return what was or would be done, which run it starts, which approval that waits for, and how to undo it."""
    environment = f"pypi{plan.package.suffix}"
    run = git.run_address(root, plan.remote, plan.tag) or "the CI run of the tag"
    run += f"; environment {environment!r} then waits for approval, if it has reviewers"
    branch, tag = shlex.quote(plan.branch), shlex.quote(plan.tag)  # an epoch's `!` is history for a shell
    made, undo, pushed = bool(plan.files), f"git tag -d {tag}", f"{plan.remote} {branch} {tag}"
    if dry_run:
        lines = [*diffs(root, plan.files), *[f"would commit: {plan.message}"] * made, f"would tag: {plan.tag}"]
        lines.append(f"its push would start: {run}")
    elif push:
        lines = [f"{plan.tag}: pushed to {plan.remote} with {plan.branch}", f"  run: {run}"]
        undo = f"cancel the run, then git push --delete {plan.remote} {tag}, {undo}"
        lines.append(f"  to undo before that: {undo}" + ", git revert HEAD, git push" * made)
    else:
        what = "committed and tagged" if made else "tagged"
        lines = [f"{plan.tag}: {what} here; to release it: git push --atomic {pushed}", f"  that starts: {run}"]
        lines.append(f"  to undo: {undo}" + ", then git reset --keep HEAD~1" * made)
    return "\n".join([*lines, *(f"note: {note}" for note in plan.notes)])
