"""The tag that a bundle is published for, and why it cannot be: no tag, another version, another commit."""

from collections.abc import Mapping
from pathlib import Path

from packaging.version import Version

from ..dists.reading import Dist
from ..errors import Problem
from ..repo import packages
from ..repo.ref import current
from . import bundle, judge, lockstep


def tagged(root: Path, dists: list[Dist], environ: Mapping[str, str]) -> tuple[str, Version, list[Problem | str]]:
    """Return the tag and version of `dists`, from the bundle of the project at `root`, and what is wrong with them."""
    first, *others = lockstep.releases(root, dists)
    if others:
        parts = [tagged(root, group, environ) for group in (first, *others)]
        return *parts[0][:2], list(dict.fromkeys(problem for *_, problems in parts for problem in problems))
    package = packages.of(root, dists[0].name)
    ref = package.on(current(root, environ)).about(dists[0].name)
    verdict = judge.judge_release(dists, package, ref)
    found, tag = list(verdict.problems), package.tag(verdict.version)
    if not ref.tags:
        expected = f"a tag such as {tag!r}: only a tag is published"
        remedy = f"tag the commit that was built and try again: git tag {tag}"
        found.insert(0, Problem("no-tag", "publish", ref.description, expected, remedy))
    if not environ.get("GITHUB_REF_TYPE") and (made := bundle.made_from(bundle.locate(root), root)):
        remedy = "check out the tagged commit and run: nox -s build verify-version"
        found.append(Problem("stale-dists", "bundle", f"dists of {made}", "dists of the commit here", remedy))
    return verdict.tag or tag, verdict.version, found
