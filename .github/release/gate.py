"""The gate: do the dists, the modules they ship, the source file and the tag name one and the same version?"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from packaging.utils import canonicalize_name
from packaging.version import Version

from . import git, rules, source
from .config import Config
from .dists import read_dist, read_dists
from .errors import Problem, ReleaseError
from .packages import Package, left_out
from .ref import current
from .versions import SEPARATORS, parse_version, split_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .dists import Dist
    from .ref import Ref

T = TypeVar("T")
S = TypeVar("S")

#: A module's own version stands in one of these, by custom.
VERSION_MODULES = ("__init__", "_version", "__version__", "version", "__about__", "_about")


NO_VERSION = f"no version (only 'v', 'release' or the name may stand before it, with one of {SEPARATORS})"

#: What stands before a module's own path in a wheel and in an sdist.
DATA = re.compile(r"[^/]+\.data/(?:pure|plat)lib/")
ROOT = re.compile(r"[^/]+/(?:(?:src|lib)/)?")


@dataclass
class Verdict:
    """What was compared (where, the version found), what is wrong, and what is worth knowing."""

    dists: list[Dist]
    package: Package
    compared: list[tuple[str, str]] = field(default_factory=list)
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


def judge(package: Package, environ: Mapping[str, str], others: Collection[str] = ()) -> Verdict:
    """Compare every version of `package`, whose dists are in `dist/` at the top, with each other and the tag.

    The dists may be those of `others` too, by their names, and of nobody else. What cannot be read is a problem among
    the others. Raises `ReleaseError` where there is no dist at all.
    """
    unread: list[Problem | str] = []
    root = package.folder
    ref = package.on(current(package.root, environ))
    config = _attempt(unread, _settings, package) or Config()
    dists = [dist for dist in _readable(unread, package.root) if dist.name not in others]
    dists = [dist for dist in dists if _attempt(unread, _named, dist)]
    if not dists:
        none = Problem("dist", f"no dists of {package.name}", "an sdist and wheels", "run: nox -s build")
        raise ReleaseError(*(unread or [none]))
    verdict = Verdict(dists, package, problems=unread)
    _judge_dists(verdict)
    _judge_modules(verdict)
    _judge_source(verdict, root, config)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, git.ask(root, "rev-parse", "HEAD") or environ.get("GITHUB_SHA", ""))
    if source.is_from_git(root, config):
        _judge_history(verdict, root, ref)
    if names := _attempt(unread, left_out, package.root):
        remedy = 'to release them too, name them in [tool.tagship]: packages = ["..."]'
        verdict.notes.append(f"{', '.join(names)}: not a part of this release; {remedy}")
    if ref.tags and config.release_branches:
        verdict.problems += _branch_problems(root, config, ref)
    verdict.problems += rules.problems(verdict.dists, config.file_limit)
    return verdict


def judge_release(dists: list[Dist], package: Package, ref: Ref) -> Verdict:
    """Compare only what a bundle holds, its `dists` of `package`, with each other and with the tag."""
    verdict = Verdict(dists, package)
    _judge_dists(verdict)
    _judge_tag(verdict, ref)
    _judge_local(verdict, ref, "")
    return verdict


def _settings(package: Package) -> Config:
    return package.settings


def _named(dist: Dist) -> Dist:
    if not dist.metadata["Name"]:
        raise ReleaseError(Problem(str(dist.path), "metadata without a Name", repr(dist.name), "build it again"))
    return dist


def _attempt(unread: list[Problem | str], read: Callable[[S], T], what: S) -> T | None:
    try:
        return read(what)
    except ReleaseError as error:
        unread += error.args
        return None


def _readable(unread: list[Problem | str], root: Path) -> list[Dist]:
    # Messages say `dist/NAME`, which is true on every machine.
    folder = root / "dist"
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        read_dists(folder)
    return [dist for path in paths if (dist := _attempt(unread, read_dist, path))]


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
    shipped = {module for dist in verdict.dists if dist.is_wheel for module in _modules(dist).values()}
    for dist in verdict.dists:
        modules = {file: module for file, module in _modules(dist).items() if not shipped or module in shipped}
        own = {file: module for file, module in modules.items() if _is_own(module, dist.name)} or modules
        for name, text in dist.read(list(own)).items() if own else ():
            for written in source.assigned(text, "__version__"):
                _compare(verdict, f"{dist.path}: {name} __version__", written, "write the version in one place")


def _is_own(module: str, name: str) -> bool:
    """Tell whether a module is the project's by its name: what is shipped beside it may have another version."""
    return canonicalize_name(module.split("/")[0].removesuffix(".py")) == name


def _modules(dist: Dist) -> dict[str, str]:
    """Return the modules that could hold the version: by the path in the dist, the path when installed.

    Those are modules at the top, and `__init__` and the like in the first package on the way down, which is
    below folders without `__init__.py` in a namespace.
    """
    found = {}
    members = set(dist.members)
    for name in members:
        if not name.endswith(".py"):
            continue
        prefix = DATA.match(name) if dist.is_wheel else ROOT.match(name)
        start = prefix.end() if prefix else 0
        *folders, file = name[start:].split("/")
        above = (name[:start] + "/".join(folders[:depth]) for depth in range(1, len(folders)))
        in_package = file.removesuffix(".py") in VERSION_MODULES and f"{name.rpartition('/')[0]}/__init__.py" in members
        if (in_package or not folders) and not any(f"{folder}/__init__.py" in members for folder in above):
            found[name] = name[start:]
    return found


def _judge_source(verdict: Verdict, root: Path, config: Config) -> None:
    if not config.version_file:
        return
    try:
        found = source.find(root / config.version_file, config.version_pattern)
    except ReleaseError as error:
        verdict.problems += error.args
        return
    where = (root / config.version_file).relative_to(verdict.package.root).as_posix()
    _compare(verdict, where, found.text, "build again, or mend version-file and version-pattern")


def _judge_tag(verdict: Verdict, ref: Ref) -> None:
    if not ref.tags:
        verdict.notes.append(f"on {ref.words}: the tag is compared when there is one")
        return
    named = {tag: _split(tag, verdict.name) for tag in ref.tags}
    right = [tag for tag, parts in named.items() if parts and parts[1] == verdict.version]
    for tag in right or named:
        parts = named[tag]
        verdict.compared.append((f"tag {tag!r}", str(parts[1]) if parts else repr(tag)))
        if not right:
            found = f"version {str(parts[1])!r}" if parts else NO_VERSION
            form = f"{parts[0]}{verdict.version}" if parts else verdict.package.tag(verdict.version)
            expected = f"version {str(verdict.version)!r}, as in {form!r}"
            remedy = "set the version and build again, or delete this tag and push the right one"
            if git.changed(verdict.package.root):
                remedy = "commit your changes, which this tag is not about"
            verdict.problems.append(Problem(f"tag {tag!r}", found, expected, remedy))


def _split(tag: str, name: str) -> tuple[str, Version] | None:
    try:
        return split_tag(tag, name)
    except ValueError:
        return None


def _judge_local(verdict: Verdict, ref: Ref, commit: str) -> None:
    local = verdict.version.local
    if not local:
        return
    if not ref.tags and (local.startswith("dev") or _names_commit(local, commit)):
        verdict.notes.append(f"{verdict.version} is a build between releases: no index would take it")
        return
    found, expected = repr(str(verdict.version)), f"nothing after {verdict.version.public!r}"
    remedy = "an index takes no local version: build again, on the tag and from a clean tree, or mend what is written"
    verdict.problems += [Problem(str(dist.path), found, expected, remedy) for dist in verdict.dists]


def _judge_history(verdict: Verdict, root: Path, ref: Ref) -> None:
    """Where the version is derived from git's tags, say what keeps it from being the one that is meant."""
    changed, obstacles = _changed(root), _obstacles(verdict.package, verdict.name, ref)
    if not ref.tags:
        verdict.notes += map(str, [*obstacles, *changed]) if verdict.version.local else []
    elif verdict.problems or changed:
        again = Problem("dist", "dists from before the tag", "dists of this commit", "run: nox -s build")
        causes = obstacles + changed
        # Whoever heeded what is said of the tag would delete a right one.
        others = [each for each in verdict.problems if not (causes and str(each).startswith("tag "))]
        verdict.problems[:] = [*(causes or [again]), *others]


def _changed(root: Path) -> list[Problem]:
    if not (files := git.changed(root)):
        return []
    found = f"{len(files)} changed files ({', '.join(files[:3])}{', …' if files[3:] else ''})"
    return [Problem("git", found, "a clean tree", "commit or stash them, then run: nox -s build")]


def _obstacles(package: Package, name: str, ref: Ref) -> list[Problem]:
    found, root = [], package.folder
    if git.is_shallow(root):
        remedy = "run: git fetch --unshallow --tags (in a workflow: fetch-depth: 0), then nox -s build"
        found.append(Problem("git", "a shallow clone", "the whole history, from which the version is derived", remedy))
    if not any(_split(tag, name) for tag in git.tags_here(root) if package.owns(tag)):
        tag = next(iter(ref.tags), package.tag("X.Y.Z"))
        remedy = f"run: git fetch --tags, or git tag {shlex.quote(tag)}, then nox -s build"
        found.append(Problem("git", "no tag at this commit", "one that names the version", remedy))
    return found


def _names_commit(local: str, commit: str) -> bool:
    """Tell whether a local version such as `g0123abc.d20260101` was derived from the commit's hash."""
    hashes = re.findall(r"(?:^|\.)g?([0-9a-f]{6,40})(?=\.|$)", local)
    return any(commit.startswith(text) for text in hashes)


def _branch_problems(root: Path, config: Config, ref: Ref) -> list[Problem]:
    holding = git.lines(root, "branch", "--all", "--contains", "HEAD", "--format=%(refname)")
    names = {re.sub(r"\Arefs/(?:heads|remotes/[^/]+)/", "", name) for name in holding if not name.startswith("(")}
    if names & set(config.release_branches):
        return []
    found = f"a commit on {', '.join(sorted(names - {'HEAD'})) or 'no branch'}"
    expected = f"one on {' or '.join(config.release_branches)} (release-branches)"
    return [Problem(" ".join(ref.tags), found, expected, "merge it there first, then tag")]
