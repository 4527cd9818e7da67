"""What git's history says of a release: where a derived version comes from, and which branches hold the commit."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ..errors import Problem
from ..repo import git
from ..repo.versions import found_version

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import Config
    from ..repo.packages import Package
    from ..repo.ref import Ref
    from .judge import Verdict


def judge_history(verdict: Verdict, root: Path, ref: Ref) -> None:
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
    if not any(found_version(tag, name) for tag in git.tags_here(root) if package.owns(tag)):
        tag = next(iter(ref.tags), package.tag("X.Y.Z"))
        remedy = f"run: git fetch --tags, or git tag {shlex.quote(tag)}, then nox -s build"
        found.append(Problem("git", "no tag at this commit", "one that names the version", remedy))
    return found


def branch_problems(root: Path, config: Config, ref: Ref) -> list[Problem]:
    """Return why the tagged commit is on none of the branches that `release-branches` names."""
    holding = git.lines(root, "branch", "--all", "--contains", "HEAD", "--format=%(refname)")
    names = {re.sub(r"\Arefs/(?:heads|remotes/[^/]+)/", "", name) for name in holding if not name.startswith("(")}
    if names & set(config.release_branches):
        return []
    found = f"a commit on {', '.join(sorted(names - {'HEAD'})) or 'no branch'}"
    expected = f"one on {' or '.join(config.release_branches)} (release-branches)"
    return [Problem(" ".join(ref.tags), found, expected, "merge it there first, then tag")]
