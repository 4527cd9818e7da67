"""`tagship adopt`: decide what bringing the suite into a repository changes, without running or writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import noxfile, suite, tree, update
from tagship.errors import Refused, TagshipError
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.repo import git
from tagship_suite.repo.files import read_text
from tagship_suite.repo.packages import distribution_name, every

from . import publishing, settings, version
from .ignored import managed_but_ignored, with_ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagship_suite.repo.packages import Package


@dataclass(frozen=True)
class Decision:
    """Something that was found or decided, and in which file the reason is."""

    what: str
    value: str
    why: str


@dataclass
class Adoption:
    """What an adoption of the repository at `folder` changes, why, and what is left to do by hand."""

    folder: Path
    names: list[str] = field(default_factory=list)
    changes: dict[Path, bytes | None] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    present: frozenset[Path] = frozenset()  # those of the files to change that are there before


def plan(folder: Path) -> Adoption:
    """Return what adopting the repository at `folder` changes; nothing where it has all of it.

    Raises with every reason not to: `TagshipError` where one is a file that cannot be read, else `Refused`.
    """
    problems: list[Problem | str] = [*_no_repository(folder)]
    _refuse(problems)
    found, unreadable = Adoption(folder), list[str]()
    for step in (_metadata, _managed, _sessions, _tasks, _git_ignores):
        try:
            problems += step(found)
        except ReleaseError as error:
            unreadable += error.args
    if found.changes:
        problems += tree.dirty(folder)
    if unreadable:
        raise TagshipError(*dict.fromkeys(map(str, [*unreadable, *problems])))
    _refuse(problems)
    found.present = frozenset(path for path in found.changes if (folder / path).exists())
    _left_to_do(found)
    return found


def carry_out(found: Adoption) -> None:
    """Write what was planned, all or nothing; raise `TagshipError` where the file system does not let it."""
    tree.apply(found.folder, found.changes)
    if still := managed_but_ignored(found.folder, found.changes):
        found.todo.insert(0, f"git ignores {still[0]}, which must be committed: git add --force {suite.RELEASE.parent}")


def _refuse(problems: Sequence[Problem | str]) -> None:
    if problems:
        raise Refused(*map(str, problems))


def _no_repository(folder: Path) -> list[Problem]:
    top = git.query(folder, "rev-parse", "--show-toplevel")
    if top is None:
        remedy = "run: git init && git add -A && git commit"
        return [Problem(str(folder), "no git repository", "one, so that a change can be seen and undone", remedy)]
    if Path(top).resolve() != folder.resolve():
        return [
            Problem(str(folder), "a folder of a repository", "its top", f"run: {update.command('adopt', Path(top))}")
        ]
    return []


def _metadata(found: Adoption) -> list[Problem]:
    """Read each distribution's name and version, and decide on its settings."""
    problems, unreadable = list[Problem](), list[str]()
    for package in every(found.folder):
        try:
            problems += _of_one(found, package)
        except ReleaseError as error:
            unreadable += error.args
    if unreadable:
        raise ReleaseError(*unreadable, *problems)
    return problems


def _of_one(found: Adoption, package: Package) -> list[Problem]:
    folder, label = package.folder, f"{package.name}: " if package.name else ""
    name, shown = distribution_name(folder), folder.relative_to(found.folder).as_posix()
    if not name:
        expected = "one in pyproject.toml, setup.cfg or setup.py"
        return [Problem(shown, "no name of a distribution", expected, "write it there")]
    package.settings  # noqa: B018 (raises for what is wrong in them)
    found.names.append(name)
    source = version.guess(folder)
    found.decisions.append(Decision(f"{label}version", source.version or "unknown", source.why))
    path = folder.relative_to(found.folder) / "pyproject.toml"
    text = read_text(found.folder / path) if (found.folder / path).is_file() else ""
    new = settings.missing(text, settings.decide(folder, found.folder))
    found.decisions += [Decision(f"{label}{each.key}", repr(each.value), each.why) for each in new]
    if new:
        found.changes[path] = settings.added(text, new).encode()
    return []


def _managed(found: Adoption) -> list[Problem]:
    """Add the managed files; those of the same names that tagship did not write are not overwritten."""
    uploads = publishing.find(found.folder)
    known = update.has_suite(found.folder)
    by_action = next((each for each in uploads if each.what == publishing.ACTION), None)
    publish_with = suite.chosen(found.folder) if known or by_action is None else "gh-action-pypi-publish"
    if not known:
        why = f"{by_action.file}:{by_action.line}" if by_action else "the default"
        found.decisions.append(Decision("publishes with", publish_with, why))
    status = update.status(found.folder, publish_with)
    found.changes.update(status.changes)
    if known:
        return update.refusals(status)
    problems = []
    for path in (finding.problem.where.partition(":")[0] for finding in status.findings if finding.kind == "edited"):
        moved = path.replace("release", "old-release") if path == suite.WORKFLOW.as_posix() else f"{path}.old"
        remedy = f"rename it and commit that: git mv {path} {moved}"
        problems.append(Problem(path, "a file of the project's own", "none of this name", remedy))
    return problems


def _sessions(found: Adoption) -> list[Problem]:
    """Add the import of the release's sessions to noxfile.py, which is left alone otherwise."""
    path = found.folder / "noxfile.py"
    if not path.is_file():
        text = '"""Nox sessions; `nox --list` shows them, with those of the release."""\n'
        found.changes[Path(path.name)] = noxfile.with_sessions(text).encode()
        found.decisions.append(Decision("noxfile.py", "a new one", "there is none"))
        return []
    module = noxfile.read(path)
    problems = noxfile.own(module)
    if noxfile.SESSIONS_MODULE not in module.imported and not problems:
        found.changes[Path(path.name)] = noxfile.with_sessions(read_text(path)).encode()
        kept = ", ".join(module.sessions) or "none"
        found.decisions.append(Decision("noxfile.py", "imports the release's sessions", f"its own stay: {kept}"))
    return problems


def _tasks(found: Adoption) -> list[Problem]:
    """Add the release's tasks to tasks.py, where there is none or it is invoke's and all its tasks count."""
    path = found.folder / "tasks.py"
    if not path.is_file():
        text = '"""Invoke tasks; `inv --list` shows them, with those of the release."""\n'
        found.changes[Path(path.name)] = noxfile.with_tasks(text, set()).encode()
        found.decisions.append(Decision("tasks.py", "a new one", "there is none"))
        return []
    module = noxfile.read(path)
    if noxfile.TASKS_MODULE in module.imported:
        return []
    if not any(name.partition(".")[0] == "invoke" for name in module.imported):
        found.decisions.append(Decision("tasks.py", "left alone", "it does not import invoke"))
    elif "Collection(" in read_text(path):
        found.decisions.append(Decision("tasks.py", "left alone", "it makes a Collection of its own"))
        found.todo.append(f"add the tasks of {noxfile.TASKS_MODULE} to the Collection in tasks.py, if you want them")
    else:
        found.changes[Path(path.name)] = noxfile.with_tasks(read_text(path), {*module.tasks}).encode()
        kept = ", ".join(module.tasks) or "none"
        found.decisions.append(Decision("tasks.py", "has the release's tasks", f"its own stay: {kept}"))
    return []


def _git_ignores(found: Adoption) -> list[Problem]:
    """Let git ignore what the sessions make, and see the managed files; git has no answer about what is outside."""
    if blocked := tree.unwritable(found.folder, found.changes):
        return blocked
    path = found.folder / ".gitignore"
    text = read_text(path) if path.is_file() else ""
    after = with_ignored(text, found.folder, found.changes)
    if after != text:
        found.changes[Path(path.name)] = after.encode()
    return tree.unwritable(found.folder, [Path(path.name)])


def _left_to_do(found: Adoption) -> None:
    old = [f"{each.file}:{each.line} ({each.what})" for each in publishing.find(found.folder)]
    here = found.folder
    steps = [
        "look at the changes, commit them and push a branch: git add -A && git commit",
        f"register the publisher at PyPI and TestPyPI; for the values run: {update.command('publisher', here)}",
        "on GitHub, make the environments pypi and testpypi, limited to tags, with reviewers on pypi",
        f"rehearse the release: {update.command('rehearse', here)}",
    ]
    steps += [f"remove what publishes today, then its token from the secrets: {', '.join(old)}"] if old else []
    found.todo = steps + found.todo
