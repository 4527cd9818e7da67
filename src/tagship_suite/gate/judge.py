"""The gate: do the dists, the modules they ship, the source file and the tag name one and the same version?"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from ..config import Config
from ..dists import rules
from ..dists.modules import is_own, modules
from ..dists.reading import Dist, read_dists
from ..errors import Problem, collecting, refusal, refuse
from ..repo import git, version_source
from ..repo.literals import find, strings
from ..repo.packages import Package, left_out
from ..repo.versions import SEPARATORS, Ref, current, is_foreign, like, parsed, read_tag
from .history import appended, branch_problems, judge_history, signer, unset

NO_VERSION = f"no version (only 'v', 'release', 'version' or the name may precede it, with one of {SEPARATORS})"


@dataclass
class Verdict:
    """What was compared (where, the version found), which versions differ, other problems, and notes."""

    dists: list[Dist]
    package: Package
    compared: list[tuple[str, str]] = field(default_factory=list)
    differing: list[Problem] = field(default_factory=list)
    problems: list[Problem | str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tag: str = ""  # the one that names the version

    @property
    def name(self) -> str:
        """The normalised name of the release."""
        return self.package.name or self.dists[0].name

    @property
    def version(self) -> Version:
        """The version of the release, as the first dist says."""
        return Version(self.dists[0].version)


def judge(package: Package, environ: Mapping[str, str], others: Collection[str], *, is_dev: bool) -> Verdict:
    """Compare every version of `package`, whose dists are in `dist/` at the top, with each other and the tag.

    Other dists must belong to one of the distributions named in `others`. The tag of a dev build is never pushed, so it
    needs neither a release branch nor a signature. A file that cannot be read is one more problem. Raises
    `ReleaseError` if there is no dist at all.
    """
    unread: list[Problem | str] = []
    config = Config()
    with collecting(unread):
        config = package.settings
    verdict = Verdict(_own(package, others, unread), package, problems=unread)
    root, ref = package.folder, package.on(current(package.root, environ)).about(verdict.name)
    _judge_dists(verdict)
    _judge_modules(verdict)
    with collecting(unread):
        _judge_source(verdict, root, config)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, git.query(root, "rev-parse", "HEAD") or environ.get("GITHUB_SHA", ""))
    causes: list[Problem | str] = []
    causes += judge_history(verdict, root, ref) if version_source.is_from_git(root, config) else []
    with collecting(unread):
        causes += [*appended(root), *unset(verdict, root, config)] if verdict.differing else []
    # Do not report what only follows from a problem: the reader would change what is right.
    verdict.problems[:0] = causes or verdict.differing
    with collecting(unread):
        if names := left_out(package.root):
            remedy = 'to release them too, name them in [tool.tagship]: packages = ["..."] [packages]'
            verdict.notes.append(f"{', '.join(names)}: not part of this release; {remedy}")
    if ref.tags and config.release_branches and not is_dev:
        verdict.problems += branch_problems(root, config, ref)
    for tag in ref.tags if config.require_signed_tag and not is_dev else ():
        with collecting(unread):
            verdict.notes.append(signer(package.root, tag))
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


def _own(package: Package, others: Collection[str], unread: list[Problem | str]) -> list[Dist]:
    """Return the dists in `dist/` that are not one of the `others`; raise `ReleaseError` if there are none."""
    # Messages say `dist/NAME`, the same on every machine.
    folder = package.root / "dist"
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    dists = []
    for dist in read_dists(folder, unread):
        if dist.name in others:
            continue
        with collecting(unread):
            if not dist.metadata["Name"]:
                raise refusal("metadata", str(dist.path), "metadata without a Name", repr(dist.name), "build it again")
            dists.append(dist)
    if not dists:
        none = Problem("no-dists", "dist", f"no dists of {package.name}", "an sdist and wheels", "run: nox -s build")
        refuse(unread or [none])
    return dists


def _differs(verdict: Verdict, where: str, found: str, remedy: str) -> list[Problem]:
    verdict.compared.append((where, found))
    if parsed(found) == verdict.version:
        return []
    return [Problem("version-mismatch", where, repr(found), repr(str(verdict.version)), remedy)]


def _judge_dists(verdict: Verdict) -> None:
    for dist in verdict.dists:
        if dist.name != verdict.name:
            found, expected = repr(dist.name), repr(verdict.name)
            problem = dist.problem("name-mismatch", found, expected, "release one project at a time")
            verdict.problems.append(problem)
        verdict.problems += _differs(verdict, str(dist.path), dist.version, "clean dist/ and run: nox -s build")


def _judge_modules(verdict: Verdict) -> None:
    every = {dist: modules(dist) for dist in verdict.dists}
    shipped = {module for dist, found in every.items() if dist.is_wheel for module in found.values()}
    for dist, modules_ in every.items():
        found = {file: module for file, module in modules_.items() if not shipped or module in shipped}
        own = [file for file, module in found.items() if is_own(module, dist.name)] or [*found]
        for name, content in dist.contents(own):
            for written in strings(content.decode("utf-8-sig", "replace"), "__version__"):
                where = f"{dist.path}: {name} __version__"
                verdict.differing += _differs(verdict, where, written.text, "write the version in one place")


def _judge_source(verdict: Verdict, root: Path, config: Config) -> None:
    if file := config.version_file:
        found = find(root / file, config.version_pattern).text
        where = (root / file).relative_to(verdict.package.root).as_posix()
        remedy = "build again, or correct version-file and version-pattern"
        verdict.differing += _differs(verdict, where, found, remedy)


def _judge_tag(verdict: Verdict, ref: Ref) -> None:
    if not ref.tags:
        verdict.notes.append(f"on {ref.description}: the tag is compared when there is one")
        return
    named = {tag: read_tag(tag, verdict.name) for tag in ref.tags}
    right = [tag for tag, parts in named.items() if parts and parts.version == verdict.version]
    verdict.tag = next(iter(right), "")
    for tag in right or named:
        parts = named[tag]
        verdict.compared.append((f"tag {tag!r}", str(parts.version) if parts else repr(tag)))
        if not right:
            found = f"version {str(parts.version)!r}" if parts else NO_VERSION
            text = str(verdict.version)
            form = f"{parts.prefix}{like(text, parts.text)}" if parts else verdict.package.tag(text)
            expected = f"version {text!r}, as in {form!r}"
            remedy = f"push {form} if that is right; else set the version, commit, and tag the new commit"
            if is_foreign(tag, verdict.name):
                remedy = f"this tag does not belong to {verdict.name} and releases nothing; to release it, push {form}"
            elif parts and re.fullmatch(rf"{re.escape(str(parts.version))}(\.\d+)+", str(verdict.version)):
                remedy = f"a tag that each release moves, such as {tag}, releases nothing; to release, push {form}"
            elif git.changed(verdict.package.root):
                remedy = "commit your changes, which are not in the tagged commit"
            verdict.differing.append(Problem("tag-mismatch", f"tag {tag!r}", found, expected, remedy))


def _judge_local(verdict: Verdict, ref: Ref, commit: str) -> None:
    local = verdict.version.local
    if not local:
        return
    # Such as `g0123abc.d20260101`, derived from the commit's hash.
    hashes = re.findall(r"(?:^|\.)g?([0-9a-f]{6,40})(?=\.|$)", local)
    if not ref.tags and (local.startswith("dev") or any(map(commit.startswith, hashes))):
        verdict.notes.append(f"{verdict.version} is a build between releases, which no index accepts")
        return
    found, expected = repr(str(verdict.version)), f"nothing after {verdict.version.public!r}"
    remedy = "indexes refuse local versions: build again, on the tag and from a clean tree, or correct the version"
    verdict.differing += [dist.problem("local-version", found, expected, remedy) for dist in verdict.dists]
