"""Reads from the repository, its workflow and the indexes what a release of HEAD would do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tagship import noxfile, project, suite, tree, update
from tagship.errors import TagshipError
from tagship.facts import distributions, workflow
from tagship.facts.marked import Unreadable
from tagship.indexes import INDEXES
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.files import load_toml, parse_cfg, read_text, subtable
from tagship_suite.repo import git
from tagship_suite.repo.notes import section
from tagship_suite.repo.packages import form, history, is_compiled
from tagship_suite.repo.version_source import locate
from tagship_suite.repo.versions import parsed, read_tag
from tagship_suite.testing import pythons

from . import stops
from .model import Held, Job, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.project import Project

TIMEOUT = 5  # seconds for an index to answer
BY_TAGS = "git's tags"


def plans(path: Path, tag: str = "", *, offline: bool = False) -> list[Plan]:
    """Return the plan of each distribution that a release of HEAD contains; with `tag`, of those that it releases.

    Raises `TagshipError` if there is no project, or no commit to release.
    """
    commit = git.query(path, "rev-parse", "HEAD")
    if commit is None:
        remedy = "run: git init && git add -A && git commit"
        raise TagshipError(Problem("no-repository", str(path), "no commit", "one to release", remedy))
    projects = project.read_all(path, tag)
    found = [_plan(each, commit, tag, offline=offline) for each in projects]
    _in_step([plan for plan, each in zip(found, projects, strict=True) if each.package.lockstep])
    return found


def _in_step(together: list[Plan]) -> None:
    """Add notes about plans that are released together, and problems with that."""
    for plan, first in ((plan, together[0]) for plan in together[1:]):
        plan.notes.append(f"released with {first.name}, by the same tag (lockstep)")
        if plan.version != first.version:
            found, expected = f"version {plan.version!r}", f"{first.version!r} as of {first.name} (lockstep)"
            remedy = "write one version in all of them"
            plan.problems.append(str(Problem("lockstep", plan.name, found, expected, remedy)))


def _plan(found: Project, commit: str, tag: str, *, offline: bool) -> Plan:
    plan = Plan(found.name, commit)
    _version_and_tag(plan, found, tag)
    _dists(plan, found)
    _jobs(plan, found)
    _indexes(plan, found, offline=offline)
    _repository(plan, found)
    registration = found.registration("pypi")
    plan.publisher = str(registration)
    if not found.known:
        plan.notes.append(f"no remote on {registration.site}: the publisher's owner and repository are not known")
    return plan


def _version_and_tag(plan: Plan, found: Project, tag: str) -> None:
    plan.tag = tag or project.tag_here(found.path, found)
    named = read_tag(plan.tag, found.name) if plan.tag else None
    _version(plan, found, str(named.version) if named else "")
    if not plan.version or plan.version_source == BY_TAGS:
        return
    plan.tag = plan.tag or _in_form(plan.version, found)
    named = read_tag(plan.tag, found.name)
    if named is None or named.version != parsed(plan.version):
        has = f"version {str(named.version) if named else 'none'!r}"
        expected = f"{plan.version!r} as in {plan.version_source}"
        remedy = f"{noxfile.another_version(found.path)}, or tag {_in_form(plan.version, found)!r}"
        plan.problems.append(str(Problem("tag-mismatch", f"tag {plan.tag!r}", has, expected, remedy)))


def _version(plan: Plan, found: Project, tagged: str) -> None:
    """Find the version in the files; where they leave it to git's tags or to code, it is the `tagged` one."""
    try:
        written = locate(found.package.folder, found.package.settings)
    except ReleaseError as error:
        computed = distributions.version(found.package.folder, found.path)
        if found.package.settings.version_file or computed.absent or not computed.kind:
            plan.problems += map(str, error.args)
            return
        file = computed.file or "code"
        plan.version_source = f"{file}, which computes it" if computed.text else f"the tag, as {file} computes it"
        plan.version = computed.text or tagged
        if not plan.version:
            plan.notes.append("only the build knows the version: name a tag: --tag v1.2.3")
        return
    if written is None:
        plan.version, plan.version_source = tagged, BY_TAGS
        if not tagged:
            problem = Problem("no-tag", "tag", "none that names a version at HEAD", "one", "name it: --tag v1.2.3")
            plan.problems.append(str(problem))
        return
    line = read_text(written.path).count("\n", 0, written.start) + 1
    plan.version, plan.version_source = written.text, f"{written.path.relative_to(found.path).as_posix()}:{line}"


def _in_form(version: str, found: Project) -> str:
    """Return the tag of a version in the form of the project's earlier tags."""
    before, every = history(found.path, found.package, found.name)
    wanted = parsed(version)
    return form(found.package, wanted, before or every, version)[0] if wanted else found.package.tag(version)


def _dists(plan: Plan, found: Project) -> None:
    name = canonicalize_name(found.name).replace("-", "_")
    version = str(parsed(plan.version) or plan.version or "VERSION")
    compiled = is_compiled(found.package.folder) or distributions.has_extensions(found.package.folder, found.path)
    tags = "*" if compiled else f"{'py2.' * _is_universal(found.package.folder)}py3-none-any"
    plan.dists = [f"{name}-{version}.tar.gz", f"{name}-{version}-{tags}.whl"]
    try:
        plan.pythons = pythons.of(found.package)
    except ReleaseError as error:
        plan.problems += map(str, error.args)


def _is_universal(folder: Path) -> bool:
    """Return whether setuptools also names Python 2 in the wheel, an option that is deprecated."""
    cfg, table = parse_cfg(folder / "setup.cfg"), load_toml(folder / "pyproject.toml")
    given = cfg.get("bdist_wheel", "universal", fallback="")
    given = given or subtable(table, "tool", "distutils", "bdist_wheel").get("universal", "")
    by_setuptools = str(subtable(table, "build-system").get("build-backend", "setuptools")).startswith("setuptools")
    return by_setuptools and str(given).lower() in {"1", "true", "yes", "on"}


def _jobs(plan: Plan, found: Project) -> None:
    on_gitlab = found.provider == "gitlab"
    place = suite.PIPELINE if on_gitlab else suite.WORKFLOW
    path = found.path / place
    if not path.is_file() or not (found.path / suite.REQUIREMENTS).is_dir():
        saw, remedy = "another workflow" if path.is_file() else "no such file", update.command("adopt", found.path)
        problem = Problem("managed-files", place.as_posix(), saw, "the release's workflow", f"run: {remedy}")
        plan.problems.append(str(problem))
        return
    if on_gitlab:
        from . import pipeline  # its YAML library takes as long to import as everything else

        plan.jobs = pipeline.jobs(path)
        return
    try:
        jobs = workflow.read(path, found.path).jobs.values()
    except Unreadable as error:
        plan.problems.append(str(error))
        return
    makes_release = found.package.settings.github_release
    for job in [job for job in jobs if makes_release or job.id != "github-release"]:
        scopes = {str(scope): str(level) for scope, level in (job.permissions or {}).items()}
        # The name's suffix is an output of the gate: the distribution's.
        environment = job.environment.partition("${{")[0]
        plan.jobs.append(Job(str(job.id), scopes, f"{environment}{found.package.suffix}" if environment else ""))


def _indexes(plan: Plan, found: Project, *, offline: bool) -> None:
    if offline:
        return
    own = found.package.settings.index_url
    addresses = {own: own} if own else {name: index.simple_url for name, index in INDEXES.items()}
    with ThreadPoolExecutor() as pool:
        plan.indexes = list(pool.map(lambda item: _held(found.name, plan.version, *item), addresses.items()))
    for held in plan.indexes:
        if held.has_version:
            expected = "none, as it refuses files with other bytes"
            remedy = noxfile.another_version(found.path, "patch")
            problem = Problem("file-exists", held.index, f"version {plan.version}", expected, remedy)
            plan.problems.append(str(problem))


def _held(name: str, version: str, index: str, address: str) -> Held:
    from tagship import published  # requests, which nothing else here needs

    try:
        _, files = published.files(address, name, TIMEOUT)
    except ReleaseError as error:
        return Held(index, saw=f"not known: {str(error).splitlines()[0]}")
    versions = {release[1] for release in map(published.release_of, files) if release}
    if not versions:
        return Held(index, has_version=False, saw="no file of it yet")
    return Held(index, str(max(versions)), parsed(version) in versions)


def _repository(plan: Plan, found: Project) -> None:
    if tree.dirty(found.path):
        plan.notes.append("uncommitted changes are not part of this release")
    if update.has_suite(found.path):
        plan.problems += [str(finding.problem) for finding in update.check(found.path).findings]
        plan.notes += stops.never_started(found)
    if plan.tag:
        stops.at_the_gate(plan, found)
    version = parsed(plan.version)
    plan.changes = section(found.package.folder, version) if version else ""
    if version and not plan.changes and not plan.problems:
        plan.notes.append(
            f"no changelog has a section for {version} yet: inv release makes it from 'Unreleased'; "
            "without one, the release notes list the commits"
        )
