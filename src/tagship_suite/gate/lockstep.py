"""What a bundle releases: one distribution or several in lockstep, in which order, and for which tag."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..dists.reading import Dist
from ..errors import Problem
from ..repo import packages
from ..repo.versions import current
from . import bundle
from .judge import Verdict, judge_release


def by_release(root: Path, dists: list[Dist]) -> list[list[Dist]]:
    """Return the `dists` of a bundle by release, in the order of publishing: several distributions only in lockstep."""
    in_step = all(packages.of(root, dist.name).settings.lockstep for dist in dists)
    return ordered(dists) if in_step else [dists]


def ordered(dists: list[Dist]) -> list[list[Dist]]:
    """Return `dists` by distribution, each after those that it depends on; extras count where they make no cycle."""
    groups = {name: [dist for dist in dists if dist.name == name] for name in sorted({dist.name for dist in dists})}
    for extras in (True, False):
        graph = {}
        for name, (dist, *_) in groups.items():
            needs = [each for each in _requirements(dist) if extras or "extra" not in str(each.marker)]
            graph[name] = sorted({canonicalize_name(each.name) for each in needs} & groups.keys() - {name})
        with suppress(CycleError):
            return [groups[name] for name in TopologicalSorter(graph).static_order()]
    return list(groups.values())


def judge_bundle(root: Path, dists: list[Dist], environ: Mapping[str, str]) -> tuple[str, Version, list[Problem | str]]:
    """Return the tag and version of `dists`, from the bundle of the project at `root`, and what is wrong with them."""
    first, *others = by_release(root, dists)
    if others:
        parts = [judge_bundle(root, group, environ) for group in (first, *others)]
        return *parts[0][:2], list(dict.fromkeys(problem for *_, problems in parts for problem in problems))
    package = packages.of(root, dists[0].name)
    ref = package.on(current(root, environ)).about(dists[0].name)
    verdict = judge_release(dists, package, ref)
    found, tag = list(verdict.problems), package.tag(verdict.version)
    if not ref.tags:
        expected = f"a tag such as {tag!r}: only a tag is published"
        remedy = f"tag the commit that was built and try again: git tag {tag}"
        found.insert(0, Problem("no-tag", "publish", ref.description, expected, remedy))
    if not environ.get("GITHUB_REF_TYPE") and (made := bundle.made_from(bundle.locate(root), root)):
        remedy = "check out the tagged commit and run: nox -s build verify-version"
        found.append(Problem("stale-dists", "bundle", f"dists of {made}", "dists of the commit here", remedy))
    return verdict.tag or tag, verdict.version, found


def problems(verdicts: list[Verdict]) -> list[Problem]:
    """Return why distributions in lockstep do not fit together: different versions, or dependencies on other ones."""
    together = [verdict for verdict in verdicts if verdict.package.lockstep]
    versions = {verdict.name: verdict.version for verdict in together}
    # One in the root has tags without a name, as they have.
    others = [each.name for each in verdicts if together and each not in together and not each.package.label]
    where, found = "pyproject.toml [tool.tagship] lockstep", "false, but true for distributions below it"
    expected, remedy = "true: a tag without a name releases all of them", "set it, or move {} into a folder of its own"
    shared = [Problem("lockstep", where, found, expected, remedy.format(name)) for name in others]
    return [*shared, *(problem for verdict in together for problem in _misfits(verdict, versions))]


def _misfits(verdict: Verdict, versions: dict[str, Version]) -> Iterator[Problem]:
    dist, (first, version) = verdict.dists[0], next(iter(versions.items()))
    if verdict.version != version:
        expected = f"{str(version)!r}, that of {first} (lockstep)"
        remedy = "set one version, or lockstep = false in [tool.tagship] of its own pyproject.toml"
        yield Problem("lockstep", str(dist.path), repr(str(verdict.version)), expected, remedy)
    for requirement in _requirements(dist):
        needed = versions.get(canonicalize_name(requirement.name))
        if needed and not needed.local and not requirement.specifier.contains(needed, prereleases=True):
            expected = f"one that allows {needed}, which is released with it"
            yield Problem("lockstep", f"{dist.path} dependency", repr(str(requirement)), expected, "correct it")


def _requirements(dist: Dist) -> Iterator[Requirement]:
    for text in dist.metadata.get_all("Requires-Dist", []):
        with suppress(InvalidRequirement):  # which the index's rules report
            yield Requirement(text)
