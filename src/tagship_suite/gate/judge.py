"""The gate: do the dists, the modules they ship, the source file and the tag name one and the same version?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from packaging.version import Version

from ..config import Config
from ..dists import rules
from ..dists.modules import is_own, modules
from ..dists.reading import read_dist, read_dists
from ..errors import Problem, ReleaseError, refusal
from ..repo import git, version_source
from ..repo.literals import assigned, find
from ..repo.packages import Package, left_out
from ..repo.ref import current
from ..repo.versions import SEPARATORS, found_version, is_foreign, like, parse_version
from .history import appended, branch_problems, judge_history
from .signature import signer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..dists.reading import Dist
    from ..repo.ref import Ref

T = TypeVar("T")
S = TypeVar("S")

NO_VERSION = f"no version (only 'v', 'release' or the name may precede it, with one of {SEPARATORS})"


@dataclass
class Verdict:
    """What was compared (where, the version found), which versions differ, other problems, and notes."""

    dists: list[Dist]
    package: Package
    compared: list[tuple[str, str]] = field(default_factory=list)
    differing: list[Problem] = field(default_factory=list)
    problems: list[Problem | str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The normalised name of the release."""
        return self.package.name or self.dists[0].name

    @property
    def version(self) -> Version:
        """The version of the release, as the first dist says."""
        return Version(self.dists[0].version)


def judge(
    package: Package, environ: Mapping[str, str], others: Collection[str] = (), *, is_dev: bool = False
) -> Verdict:
    """Compare every version of `package`, whose dists are in `dist/` at the top, with each other and the tag.

    Other dists must belong to one of the distributions named in `others`. The tag of a dev build is never pushed, so it
    needs neither a release branch nor a signature. A file that cannot be read is one more problem. Raises
    `ReleaseError` if there is no dist at all.
    """
    unread: list[Problem | str] = []
    root = package.folder
    config = _attempt(unread, _settings, package) or Config()
    dists = [dist for dist in _readable(unread, package.root) if dist.name not in others]
    dists = [dist for dist in dists if _attempt(unread, _named, dist)]
    if not dists:
        none = Problem("no-dists", "dist", f"no dists of {package.name}", "an sdist and wheels", "run: nox -s build")
        raise ReleaseError(*(unread or [none]))
    verdict = Verdict(dists, package, problems=unread)
    ref = package.on(current(package.root, environ)).about(verdict.name)
    _judge_dists(verdict)
    _judge_modules(verdict)
    _judge_source(verdict, root, config)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, git.query(root, "rev-parse", "HEAD") or environ.get("GITHUB_SHA", ""))
    causes = judge_history(verdict, root, ref) if version_source.is_from_git(root, config) else []
    causes += (_attempt(unread, appended, root) if verdict.differing else None) or []
    # Do not report what only follows from a problem: the reader would change what is right.
    verdict.problems[:0] = causes or verdict.differing
    if names := _attempt(unread, left_out, package.root):
        remedy = 'to release them too, name them in [tool.tagship]: packages = ["..."] [packages]'
        verdict.notes.append(f"{', '.join(names)}: not part of this release; {remedy}")
    if ref.tags and config.release_branches and not is_dev:
        verdict.problems += branch_problems(root, config, ref)
    for tag in ref.tags if config.require_signed_tag and not is_dev else ():
        if found := _attempt(unread, partial(signer, package.root), tag):
            verdict.notes.append(found)
    verdict.problems += rules.problems(verdict.dists, config.file_limit)
    return verdict


def judge_release(dists: list[Dist], package: Package, ref: Ref) -> Verdict:
    """Compare only what a bundle holds, its `dists` of `package`, with each other and with the tag."""
    verdict = Verdict(dists, package)
    _judge_dists(verdict)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, "")
    verdict.problems += verdict.differing
    return verdict


def _settings(package: Package) -> Config:
    return package.settings


def _named(dist: Dist) -> Dist:
    if not dist.metadata["Name"]:
        raise refusal("metadata", str(dist.path), "metadata without a Name", repr(dist.name), "build it again")
    return dist


def _attempt(unread: list[Problem | str], read: Callable[[S], T], what: S) -> T | None:
    try:
        return read(what)
    except ReleaseError as error:
        unread += error.args
        return None


def _readable(unread: list[Problem | str], root: Path) -> list[Dist]:
    # Messages say `dist/NAME`, the same on every machine.
    folder = root / "dist"
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        read_dists(folder)
    return [dist for path in paths if (dist := _attempt(unread, read_dist, path))]


def _differs(verdict: Verdict, where: str, found: str, remedy: str) -> list[Problem]:
    verdict.compared.append((where, found))
    try:
        same = parse_version(found) == verdict.version
    except ValueError:
        same = False
    return [] if same else [Problem("version-mismatch", where, repr(found), repr(str(verdict.version)), remedy)]


def _judge_dists(verdict: Verdict) -> None:
    for dist in verdict.dists:
        where = str(dist.path)
        if dist.name != verdict.name:
            verdict.problems.append(
                Problem("name-mismatch", where, repr(dist.name), repr(verdict.name), "release one project at a time")
            )
        verdict.problems += _differs(verdict, where, dist.version, "clean dist/ and run: nox -s build")


def _judge_modules(verdict: Verdict) -> None:
    every = {dist: modules(dist) for dist in verdict.dists}
    shipped = {module for dist, found in every.items() if dist.is_wheel for module in found.values()}
    for dist in verdict.dists:
        found = {file: module for file, module in every[dist].items() if not shipped or module in shipped}
        own = {file: module for file, module in found.items() if is_own(module, dist.name)} or found
        for name, text in dist.read(list(own)).items() if own else ():
            for written in assigned(text, "__version__"):
                where = f"{dist.path}: {name} __version__"
                verdict.differing += _differs(verdict, where, written, "write the version in one place")


def _judge_source(verdict: Verdict, root: Path, config: Config) -> None:
    if not config.version_file:
        return
    try:
        found = find(root / config.version_file, config.version_pattern)
    except ReleaseError as error:
        verdict.problems += error.args
        return
    where = (root / config.version_file).relative_to(verdict.package.root).as_posix()
    remedy = "build again, or correct version-file and version-pattern"
    verdict.differing += _differs(verdict, where, found.text, remedy)


def _judge_tag(verdict: Verdict, ref: Ref) -> None:
    if not ref.tags:
        verdict.notes.append(f"on {ref.description}: the tag is compared when there is one")
        return
    named = {tag: found_version(tag, verdict.name) for tag in ref.tags}
    right = [tag for tag, parts in named.items() if parts and parts[1] == verdict.version]
    for tag in right or named:
        parts = named[tag]
        verdict.compared.append((f"tag {tag!r}", str(parts[1]) if parts else repr(tag)))
        if not right:
            found = f"version {str(parts[1])!r}" if parts else NO_VERSION
            text = str(verdict.version)
            form = f"{parts[0]}{like(text, tag[len(parts[0]) :])}" if parts else verdict.package.tag(text)
            expected = f"version {text!r}, as in {form!r}"
            remedy = f"push {form} if that is right; else set the version, commit, and tag the new commit"
            if is_foreign(tag, verdict.name):
                remedy = f"this tag does not belong to {verdict.name} and releases nothing; to release it, push {form}"
            elif git.changed(verdict.package.root):
                remedy = "commit your changes, which are not in the tagged commit"
            verdict.differing.append(Problem("tag-mismatch", f"tag {tag!r}", found, expected, remedy))


def _judge_local(verdict: Verdict, ref: Ref, commit: str) -> None:
    local = verdict.version.local
    if not local:
        return
    if not ref.tags and (local.startswith("dev") or _names_commit(local, commit)):
        verdict.notes.append(f"{verdict.version} is a build between releases, which no index accepts")
        return
    found, expected = repr(str(verdict.version)), f"nothing after {verdict.version.public!r}"
    remedy = "indexes refuse local versions: build again, on the tag and from a clean tree, or correct the version"
    verdict.differing += [Problem("local-version", str(dist.path), found, expected, remedy) for dist in verdict.dists]


def _names_commit(local: str, commit: str) -> bool:
    """Return whether a local version such as `g0123abc.d20260101` was derived from the commit's hash."""
    hashes = re.findall(r"(?:^|\.)g?([0-9a-f]{6,40})(?=\.|$)", local)
    return any(commit.startswith(text) for text in hashes)
