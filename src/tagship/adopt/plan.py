"""Plans the adoption of a repository, without running or writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tagship import suite, tree, update
from tagship.audit.context import Context
from tagship.errors import Refused, TagshipError
from tagship.facts import publishing, read
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.files import load_toml, subtable
from tagship_suite.repo import git
from tagship_suite.repo.packages import Package, distribution_name, every

from . import settings, steps
from .files import pipeline
from .files.ignored import managed_but_ignored
from .model import Adoption, Decision
from .publishing.wheels import wheels
from .remaining import ci_setup, fetched, instructions, makers
from .report import COMMIT
from .settings import lockstep, stale, tag_build, version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagship.facts.model import Repository


#: The names of the indexes for a person.
INDEXES = {"pypi": "PyPI", "testpypi": "TestPyPI"}


def plan(folder: Path, *, keep_old: bool = False) -> Adoption:
    """Return what adopting the repository at `folder` changes; nothing if it is already adopted.

    With `keep_old`, the existing publish jobs stay. Raises with every reason to refuse: `TagshipError` if one is a file
    that cannot be read, else `Refused`.
    """
    _refuse(_no_repository(folder))
    found, problems, unreadable = Adoption(folder, _facts(folder), keep_old), list[Problem | str](), list[str]()
    first = not update.has_suite(folder)
    replacing = first and not keep_old  # the existing publish jobs go
    in_order = (  # each step, and whether it applies
        (_metadata, True),
        (steps.old_publishing, replacing),
        (steps.dev_builds, replacing),
        (steps.versions, first),
        (stale.versions, True),
        (tag_build.remove, first),
        (makers.tag_makers, replacing),
        (makers.release_makers, replacing),
        (wheels, replacing),
        (steps.managed, True),
        (pipeline.include, True),
        (fetched.variables, first),
        (ci_setup.of_tests, first),
        (steps.sessions, True),
        (steps.tasks, True),
        (steps.keep_neighbours, first),
        (steps.git_ignores, True),
        (steps.tags, True),
        (instructions.releasing, replacing),
    )
    for step in (each for each, applies in in_order if applies):
        try:
            problems += step(found)
        except ReleaseError as error:
            unreadable += error.args
    found.changes = {path: content for path, content in found.changes.items() if _differs(folder / path, content)}
    if found.changes:
        problems += tree.dirty(folder)
    if unreadable:
        raise TagshipError(*dict.fromkeys(map(str, [*unreadable, *problems])))
    _refuse(problems)
    found.present = frozenset(path for path in found.changes if (folder / path).exists())
    _left_to_do(found)
    return found


def _facts(folder: Path) -> Repository:
    try:
        return read.repository(folder)
    except ReleaseError as error:
        problems = [*error.args, *tree.dirty(folder)]
        raise TagshipError(*dict.fromkeys(map(str, problems))) from error


def _differs(path: Path, content: bytes | None) -> bool:
    return path.exists() if content is None else not path.is_file() or path.read_bytes() != content


def carry_out(found: Adoption) -> None:
    """Write what was planned, all or nothing; raise `TagshipError` if the file system refuses it."""
    tree.apply(found.folder, found.changes)
    if still := managed_but_ignored(found.folder, found.changes):
        found.todo.insert(0, f"git ignores {still[0]}, which must be committed: git add --force {suite.RELEASE.parent}")


def _refuse(problems: Sequence[Problem | str]) -> None:
    if problems:
        raise Refused(*map(str, problems))


def _no_repository(folder: Path) -> list[Problem]:
    if not folder.is_dir():
        raise TagshipError(Problem("no-repository", str(folder), "no folder", "a git repository", "correct the path"))
    top = git.query(folder, "rev-parse", "--show-toplevel")
    if top is None:
        remedy = "run: git init && git add -A && git commit"
        return [
            Problem(
                "no-repository",
                str(folder),
                "no git repository",
                "one, so that a change can be seen and undone",
                remedy,
            )
        ]
    if Path(top).resolve() != folder.resolve():
        return [
            Problem(
                "no-repository",
                str(folder),
                "a subfolder of a repository",
                "its top",
                f"run: {update.command('adopt', Path(top))}",
            )
        ]
    return []


def _metadata(found: Adoption) -> list[Problem]:
    """Read each distribution's name and version, and decide on its settings."""
    problems, unreadable = list[Problem](), list[str]()
    found.packages = _packages(found)
    for package in found.packages:
        try:
            problems += _of_one(found, package)
        except ReleaseError as error:
            unreadable += error.args
    if unreadable:
        raise ReleaseError(*unreadable, *problems)
    lockstep.decide(found)
    return problems


def _packages(found: Adoption) -> list[Package]:
    """Return the distributions; where they are in folders that nothing names, decide on the setting that does."""
    root, packages = found.folder, every(found.folder)
    text = found.text(Path("pyproject.toml"))
    paths = [each.path for each in found.facts.distributions]
    if "." in paths and subtable(load_toml(root / "pyproject.toml"), "tool", "uv", "workspace"):
        paths = _of_workspace(found)  # the root's tags release its members only if a job or a person names them
    below, known = [path for path in paths if path != "."], {each.folder for each in packages}
    new = settings.missing(text, [settings.Setting("packages", below, "the folders of the distributions")])
    if {root / path for path in below} <= known or not new:
        return packages
    found.changes[Path("pyproject.toml")] = settings.added(text, new).encode()
    why = "the publish jobs also build them" if "." in paths else "no distribution is at the top"
    found.decisions.append(Decision("packages", repr(below), why))
    labels = [canonicalize_name(distribution_name(root / path)) if paths[1:] else "" for path in paths]
    return [Package(root, root / path, label) for path, label in zip(paths, labels, strict=True)]


def _of_workspace(found: Adoption) -> list[str]:
    """Return the folders of the root and of those members of its workspace that the publish jobs also build."""
    words = publishing.read(found.folder).paths
    named, every_one = {canonicalize_name(word) for word in words}, bool({"--all", "--all-packages"} & {*words})
    members = [each for each in found.facts.distributions if each.path != "."]
    chosen = [each for each in members if each.name and (every_one or canonicalize_name(each.name) in named)]
    listed = subtable(load_toml(found.folder / "pyproject.toml"), "tool", "tagship", "packages")
    if found.facts.publishing and not update.has_suite(found.folder) and not listed and not chosen and members:
        names = ", ".join(each.name or each.path for each in members)
        found.todo.append(
            f"members of the workspace that are released too, of {names}: list their folders in `packages`"
        )
    return [".", *(each.path for each in chosen)]


def _of_one(found: Adoption, package: Package) -> list[Problem]:
    folder, label = package.folder, f"{package.name}: " if package.name else ""
    shown = folder.relative_to(found.folder).as_posix()
    name = distribution_name(folder) or next((d.name for d in found.facts.distributions if d.path == shown), None)
    if not name:
        expected = "one in pyproject.toml, setup.cfg or setup.py"
        return [Problem("no-name", shown, "no name of a distribution", expected, "write it there")]
    package.settings  # noqa: B018 (raises if they are wrong)
    found.names.append(name)
    source = version.guess(folder, found.folder)
    value, why = ("from git tags", "") if source.why == "git's tags" else (source.version or "unknown", source.why)
    found.decisions.append(Decision(f"{label}version", value, why))
    path = folder.relative_to(found.folder) / "pyproject.toml"
    text = found.text(path)
    wanted = settings.decide(folder, found.folder)
    found.tests[shown] = {each.key: each.value for each in wanted if each.key.startswith("test-")}
    new = settings.missing(text, wanted)
    found.decisions += [Decision(f"{label}{each.key}", repr(each.value), each.why) for each in new]
    if new:
        found.changes[path] = settings.added(text, new).encode()
    return []


def _left_to_do(found: Adoption) -> None:
    """Order the steps left to do by hand so that no release is interrupted."""
    here, publisher = found.folder, update.command("publisher", found.folder)
    steps = [
        COMMIT,
        f"rehearse the release: {update.command('rehearse', here)}",
        "on GitLab, protect the release tags and, with Premium, the environments pypi and testpypi; remove the tokens"
        if found.on_gitlab
        else "on GitHub, create the environments pypi and testpypi, restricted to tags, with reviewers for pypi",
        f"before the merge, register the publisher at PyPI and TestPyPI; for its values run: {publisher}",
        "merge the branch, and push the tag of the next version",
    ]
    to_pypi = [each for each in found.facts.publishing if each.index in {"pypi", "testpypi"}]
    kept = {name for each in found.facts.publishing if each not in to_pypi for name in each.secrets}
    secrets = list(dict.fromkeys(name for each in to_pypi for name in each.secrets if name not in kept))
    if found.keep_old and found.facts.publishing:
        places = ", ".join(dict.fromkeys(each.file for each in found.facts.publishing))
        steps.append(f"before pushing that tag, remove the existing publish jobs: {places}")
    if secrets:
        held = "secrets {}, and revoke the tokens and passwords in them"
        held = held if secrets[1:] else "secret {}, and revoke the token or password in it"
        steps.append(f"then delete the {held.format(', '.join(secrets))}")
    trusted = {(each.file, each.index) for each in to_pypi if each.auth == "oidc"}
    for each in Context.read(here).on_github("pypi", "testpypi"):  # each of several uploads in one job
        trusted |= {(each.file, each.index)} if each.found.upload.credentials.auth == "oidc" else set()
    if trusted:
        own = suite.WORKFLOW.as_posix()
        files = ", ".join(f"{file}{' with another environment' * (file == own)}" for file in sorted(dict(trusted)))
        at = " and ".join(name for key, name in INDEXES.items() if key in {index for _, index in trusted})
        steps.append(f"then remove the old publishers at {at}, those of {files}")
    found.todo += steps  # the other steps belong in the same branch
