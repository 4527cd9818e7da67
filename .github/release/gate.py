"""The gate: do the dists, the modules they ship, the source file and the tag name one and the same version?"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from . import git, rules, source
from .config import load
from .dists import read_dists
from .errors import Problem, ReleaseError
from .ref import current
from .versions import SEPARATORS, parse_tag, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .config import Config
    from .dists import Dist
    from .ref import Ref

#: A module's own version stands in one of these, by custom.
VERSION_MODULES = ("__init__", "_version", "__version__", "version", "__about__", "_about")


@dataclass
class Verdict:
    """What was compared (where, the version found), what is wrong, and what is worth knowing."""

    dists: list[Dist]
    compared: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The normalised name of the release."""
        return self.dists[0].name

    @property
    def version(self) -> Version:
        """The version of the release, as the first dist says."""
        return Version(self.dists[0].version)


def judge(root: Path, environ: Mapping[str, str]) -> Verdict:
    """Compare every version of the project at `root`, whose dists are in `dist/`, with each other and the tag.

    Raises `ReleaseError` only where the dists or the settings cannot be read; all else is in the verdict.
    """
    config = load(root)
    verdict = Verdict(_relative(root))
    ref = current(root, environ)
    _judge_dists(verdict)
    _judge_modules(verdict)
    _judge_source(verdict, root, config)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, git.ask(root, "rev-parse", "HEAD") or environ.get("GITHUB_SHA", ""))
    if source.is_from_git(root, config):
        _judge_history(verdict, root, ref)
    if ref.tags and config.release_branches:
        verdict.problems += _branch_problems(root, config, ref)
    verdict.problems += rules.problems(verdict.dists)
    return verdict


def judge_release(dists: list[Dist], ref: Ref) -> Verdict:
    """Compare only what a bundle holds, its `dists`, with each other and with the tag."""
    verdict = Verdict(dists)
    _judge_dists(verdict)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, "")
    return verdict


def _relative(root: Path) -> list[Dist]:
    # Messages say `dist/NAME`, which is true on every machine.
    folder = root / "dist"
    return read_dists(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def _compare(verdict: Verdict, where: str, found: str, remedy: str) -> None:
    verdict.compared.append((where, found))
    try:
        same = parse_version(found) == verdict.version
    except ValueError:
        same = False
    if not same:
        verdict.problems.append(Problem(where, repr(found), repr(str(verdict.version)), remedy))


def _judge_dists(verdict: Verdict) -> None:
    for dist in verdict.dists:
        where = str(dist.path)
        if dist.name != verdict.name:
            verdict.problems.append(
                Problem(where, repr(dist.name), repr(verdict.name), "release one project at a time")
            )
        _compare(verdict, where, dist.version, "clean dist/ and run: nox -s build")


def _judge_modules(verdict: Verdict) -> None:
    for dist in verdict.dists:
        files = list(_version_files(dist, _top_levels(verdict.dists)))
        for name, text in dist.read(files).items() if files else ():
            for written in source.assigned(text, "__version__"):
                _compare(verdict, f"{dist.path}: {name} __version__", written, "write the version in one place")


def _top_levels(dists: list[Dist]) -> set[str]:
    """Return the names that the wheels install: what else an sdist holds (tests, docs) has versions of its own."""
    members = [name for dist in dists if dist.is_wheel for name in dist.members]
    return {name.split("/")[0].removesuffix(".py") for name in members if ".dist-info/" not in name}


def _version_files(dist: Dist, top_levels: set[str]) -> Iterator[str]:
    prefix = "" if dist.is_wheel else r"[^/]+/(?:src/|lib/)?"
    pattern = re.compile(rf"{prefix}(?P<top>\w+)(?:/(?:{'|'.join(VERSION_MODULES)}))?\.py")
    for name in dist.members:
        match = pattern.fullmatch(name)
        if match and (match["top"] in top_levels or (not top_levels and "/" in name.partition("/")[2])):
            yield name


def _judge_source(verdict: Verdict, root: Path, config: Config) -> None:
    if not config.version_file:
        return
    try:
        found = source.find(root / config.version_file, config.version_pattern)
    except ReleaseError as error:
        verdict.problems += error.args
        return
    _compare(verdict, config.version_file, found.text, "build again, or mend version-file and version-pattern")


def _judge_tag(verdict: Verdict, ref: Ref) -> None:
    if not ref.tags:
        verdict.notes.append(f"on {ref.words}: the tag is compared when there is one")
        return
    named = {tag: _tag_version(tag, verdict.name) for tag in ref.tags}
    right = [tag for tag, version in named.items() if version == verdict.version]
    for tag in right or named:
        found = str(named[tag]) if named[tag] else repr(tag)
        verdict.compared.append((f"tag {tag!r}", found))
        if not right:
            expected = f"version {str(verdict.version)!r}, as in 'v{verdict.version}'"
            remedy = "set the version and build again, or delete this tag and push the right one"
            verdict.problems.append(Problem(f"tag {tag!r}", _meaning(named[tag]), expected, remedy))


def _tag_version(tag: str, name: str) -> Version | None:
    try:
        return parse_tag(tag, name)
    except ValueError:
        return None


def _meaning(version: Version | None) -> str:
    forms = f"no version (only 'v', 'release' or the name may stand before it, with one of {SEPARATORS})"
    return f"version {str(version)!r}" if version else forms


def _judge_local(verdict: Verdict, ref: Ref, commit: str) -> None:
    local = verdict.version.local
    if not local:
        return
    if not ref.tags and _names_commit(local, commit):
        verdict.notes.append(f"{verdict.version} is a build between releases: no index would take it")
        return
    found, expected = repr(str(verdict.version)), f"nothing after {verdict.version.public!r}"
    remedy = "an index takes no local version: build again, on the tag and from a clean tree"
    verdict.problems += [Problem(str(dist.path), found, expected, remedy) for dist in verdict.dists]


def _judge_history(verdict: Verdict, root: Path, ref: Ref) -> None:
    """Where the version is derived from git's tags, say what keeps it from being the one that is meant."""
    changed, obstacles = _changed(root), _obstacles(root, verdict.name, ref)
    if not ref.tags:
        verdict.notes += map(str, [*obstacles, *changed]) if verdict.version.local else []
    elif verdict.problems or changed:
        again = Problem("dist", "dists from before the tag", "dists of this commit", "run: nox -s build")
        verdict.problems += [*obstacles, *changed] or [again]


def _changed(root: Path) -> list[Problem]:
    if not (files := git.changed(root)):
        return []
    found = f"{len(files)} changed files ({', '.join(files[:3])}{', …' if files[3:] else ''})"
    return [Problem("git", found, "a clean tree", "commit or stash them, then run: nox -s build")]


def _obstacles(root: Path, name: str, ref: Ref) -> list[Problem]:
    found = []
    if git.is_shallow(root):
        remedy = "run: git fetch --unshallow --tags (in a workflow: fetch-depth: 0), then nox -s build"
        found.append(Problem("git", "a shallow clone", "the whole history, from which the version is derived", remedy))
    if not any(_tag_version(tag, name) for tag in git.tags_here(root)):
        tag = next(iter(ref.tags), "vX.Y.Z")
        remedy = f"run: git fetch --tags, or git tag {shlex.quote(tag)}, then nox -s build"
        found.append(Problem("git", "no tag at this commit", "one that names the version", remedy))
    return found


def _names_commit(local: str, commit: str) -> bool:
    """Tell whether a local version such as `g0123abc.d20260101` was derived from the commit's hash."""
    hashes = re.findall(r"(?:^|\.)g?([0-9a-f]{6,40})(?=\.|$)", local)
    return any(commit.startswith(text) for text in hashes)


def _branch_problems(root: Path, config: Config, ref: Ref) -> list[Problem]:
    holding = git.lines(root, "branch", "--all", "--contains", "HEAD", "--format=%(refname)")
    names = {re.sub(r"refs/(?:heads|remotes/[^/]+)/", "", name) for name in holding}
    if names & set(config.release_branches):
        return []
    found = f"a commit on {', '.join(sorted(names - {'HEAD'})) or 'no branch'}"
    expected = f"one on {' or '.join(config.release_branches)} (release-branches)"
    return [Problem(" ".join(ref.tags), found, expected, "merge it there first, then tag")]
