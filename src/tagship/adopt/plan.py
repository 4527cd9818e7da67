"""`tagship adopt`: decide what bringing the suite into a repository changes, without running or writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tagship import noxfile, suite, tree, update
from tagship.errors import Refused, TagshipError
from tagship.facts import read
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.repo import git
from tagship_suite.repo.files import read_text
from tagship_suite.repo.packages import Package, distribution_name, every
from tagship_suite.repo.versions import names

from . import made_in_ci, neighbours, retire, settings, version
from .ignored import managed_but_ignored, with_ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagship.facts.model import Repository


ACTION = "pypa/gh-action-pypi-publish"


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
    facts: Repository
    keep_old: bool = False
    names: list[str] = field(default_factory=list)
    tests: dict[str, dict[str, object]] = field(default_factory=dict)  # the settings of each distribution, by its path
    changes: dict[Path, bytes | None] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    present: frozenset[Path] = frozenset()  # those of the files to change that are there before


def plan(folder: Path, *, keep_old: bool = False) -> Adoption:
    """Return what adopting the repository at `folder` changes; nothing where it has all of it.

    With `keep_old`, what publishes today stays. Raises with every reason not to: `TagshipError` where one is a file
    that cannot be read, else `Refused`.
    """
    _refuse(_no_repository(folder))
    found, problems, unreadable = Adoption(folder, _facts(folder), keep_old), list[Problem | str](), list[str]()
    steps = (_metadata, _old_publishing, _managed, _sessions, _tasks, _neighbours, _git_ignores, _versions, _tags)
    for step in steps:
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
    """Write what was planned, all or nothing; raise `TagshipError` where the file system does not let it."""
    tree.apply(found.folder, found.changes)
    if still := managed_but_ignored(found.folder, found.changes):
        found.todo.insert(0, f"git ignores {still[0]}, which must be committed: git add --force {suite.RELEASE.parent}")


def _refuse(problems: Sequence[Problem | str]) -> None:
    if problems:
        raise Refused(*map(str, problems))


def _no_repository(folder: Path) -> list[Problem]:
    if not folder.is_dir():
        raise TagshipError(Problem(str(folder), "no folder", "a git repository", "correct the path"))
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
    for package in _packages(found):
        try:
            problems += _of_one(found, package)
        except ReleaseError as error:
            unreadable += error.args
    if unreadable:
        raise ReleaseError(*unreadable, *problems)
    return problems


def _packages(found: Adoption) -> list[Package]:
    """Return the distributions; where they are only in folders that nothing names, decide on the setting that does."""
    root, packages = found.folder, every(found.folder)
    text = read_text(root / "pyproject.toml") if (root / "pyproject.toml").is_file() else ""
    below = [each.path for each in found.facts.distributions]
    new = settings.missing(text, [settings.Setting("packages", below, "the folders of the distributions")])
    if [each.folder for each in packages] != [root] or "." in below or not below or not new:
        return packages
    found.changes[Path("pyproject.toml")] = settings.added(text, new).encode()
    found.decisions.append(Decision("packages", repr(below), "no distribution is at the top"))
    labels = [canonicalize_name(distribution_name(root / path)) if below[1:] else "" for path in below]
    return [Package(root, root / path, label) for path, label in zip(below, labels, strict=True)]


def _of_one(found: Adoption, package: Package) -> list[Problem]:
    folder, label = package.folder, f"{package.name}: " if package.name else ""
    shown = folder.relative_to(found.folder).as_posix()
    name = distribution_name(folder) or next((d.name for d in found.facts.distributions if d.path == shown), None)
    if not name:
        expected = "one in pyproject.toml, setup.cfg or setup.py"
        return [Problem(shown, "no name of a distribution", expected, "write it there")]
    package.settings  # noqa: B018 (raises for what is wrong in them)
    found.names.append(name)
    source = version.guess(folder, found.folder)
    found.decisions.append(Decision(f"{label}version", source.version or "unknown", source.why))
    path = folder.relative_to(found.folder) / "pyproject.toml"
    text = read_text(found.folder / path) if (found.folder / path).is_file() else ""
    wanted = settings.decide(folder, found.folder)
    found.tests[shown] = {each.key: each.value for each in wanted if each.key.startswith("test-")}
    new = settings.missing(text, wanted)
    found.decisions += [Decision(f"{label}{each.key}", repr(each.value), each.why) for each in new]
    if new:
        found.changes[path] = settings.added(text, new).encode()
    return []


def _old_publishing(found: Adoption) -> list[Problem]:
    """Take what publishes today out of the workflows, where that is not to be kept."""
    if update.has_suite(found.folder) or found.keep_old or not (found.facts.publishing or _has_workflow(found)):
        return []
    done = retire.retire(found.folder, found.facts.publishing)
    found.changes.update(done.changes)
    found.decisions += [Decision("publishes today", *line.split(": ", 1)) for line in done.done]
    found.todo += done.todo
    return []


def _has_workflow(found: Adoption) -> bool:
    return (found.folder / suite.WORKFLOW).is_file()


def _managed(found: Adoption) -> list[Problem]:
    """Add the managed files; those of the same names that tagship did not write are not overwritten."""
    known = update.has_suite(found.folder)
    lines = [line for each in found.facts.publishing for line in each.evidence if ACTION in line.text]
    by_action = next(iter(lines), None)
    publish_with = suite.chosen(found.folder) if known or by_action is None else "gh-action-pypi-publish"
    publish_with = publish_with if known or by_action else "nox"
    if not known:
        why = f"{by_action.file}:{by_action.line}" if by_action else "the default"
        found.decisions.append(Decision("publishes with", publish_with, why))
    status = update.status(found.folder, publish_with, apart=_collides(found))
    moved = suite.WORKFLOW in found.changes
    found.changes.update(status.changes)
    if known:
        return update.refusals(status)
    if suite.WORKFLOW in status.changes and found.facts.default_branch:
        text = status.changes[suite.WORKFLOW] or b""
        found.changes[suite.WORKFLOW] = suite.for_branch(text, found.facts.default_branch)
    edited = [finding.problem.where.partition(":")[0] for finding in status.findings if finding.kind == "edited"]
    return [_in_place(path) for path in edited if not (moved and path == suite.WORKFLOW.as_posix())]


def _in_place(path: str) -> Problem:
    moved = path.replace("release", "old-release") if path == suite.WORKFLOW.as_posix() else f"{path}.old"
    remedy = f"rename it and commit that: git mv {path} {moved}"
    return Problem(path, "a file of the project's own", "none of this name", remedy)


def _collides(found: Adoption) -> bool:
    """Return whether the project's own noxfile has sessions of the release's names."""
    path = found.folder / "noxfile.py"
    module = noxfile.read(path) if path.is_file() else noxfile.Module()
    return noxfile.SESSIONS_MODULE not in module.imported and bool(noxfile.own(module))


def _sessions(found: Adoption) -> list[Problem]:
    """Add the import of the release's sessions to noxfile.py, which is left alone otherwise."""
    path = found.folder / "noxfile.py"
    if not path.is_file():
        text = '"""Nox sessions; `nox --list` shows them, with those of the release."""\n'
        found.changes[Path(path.name)] = noxfile.with_sessions(text).encode()
        found.decisions.append(Decision("noxfile.py", "a new one", "there is none"))
        return []
    module = noxfile.read(path)
    if suite.is_apart(found.folder) or _collides(found):
        same = ", ".join(name for name in module.sessions if name in noxfile.SESSIONS)
        why = f"it has sessions of its own of the same names: {same}"
        found.decisions.append(Decision("noxfile.py", f"left alone; the release's is {suite.NOXFILE.as_posix()}", why))
    elif noxfile.SESSIONS_MODULE not in module.imported:
        found.changes[Path(path.name)] = noxfile.with_sessions(read_text(path)).encode()
        kept = ", ".join(module.sessions) or "none"
        found.decisions.append(Decision("noxfile.py", "imports the release's sessions", f"its own stay: {kept}"))
    return noxfile.own(module) if noxfile.SESSIONS_MODULE in module.imported else []


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


def _neighbours(found: Adoption) -> list[Problem]:
    """Keep the sdist, the pre-commit hooks and Dependabot of the project as they were, or better."""
    if update.has_suite(found.folder):
        return []
    path, new = (
        Path("pyproject.toml"),
        [str(path) for path in found.changes if path.parent == Path() and path.suffix == ".py"],
    )
    new = [name for name in new if not (found.folder / name).exists()]
    before = (found.changes.get(path) or _bytes(found.folder / path)).decode()
    after, others, why = neighbours.sdist(found.folder, before, new)
    if after != before:
        found.changes[path] = after.encode()
    found.decisions += [Decision("sdist", "without the suite", why)] if why else []
    for changes, todo in ((others, ""), neighbours.hooks(found.folder), neighbours.dependabot(found.folder)):
        found.changes.update(changes)
        found.todo += [todo] if todo else []
    return []


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _versions(found: Adoption) -> list[Problem]:
    """Refuse a project whose version is written by CI only: no tag could ever match what is committed."""
    if update.has_suite(found.folder) or not found.names:
        return []
    source = version.guess(found.folder)
    if source.why == "git's tags":
        return []
    return made_in_ci.problems(found.folder, found.facts.publishing, found.names[0], source.version)


def _tags(found: Adoption) -> list[Problem]:
    """Say it where tags have been written in a way that the gate does not take for the project's."""
    style = found.facts.tag_style
    if style and found.names and not any(names(style, name, bare=True) for name in found.names):
        shown = style.replace("1.2.3", "X.Y.Z")
        found.todo.append(
            f"tag releases vX.Y.Z from now on: {shown}, as so far, names no distribution of this repository"
        )
    if style:
        found.decisions.append(Decision("tags", style, "the newest one"))
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
    """Put what a person does in the order that lets every release of this time be published."""
    here, publisher = found.folder, update.command("publisher", found.folder)
    steps = [
        "look at the changes, commit them and push a branch: git add -A && git commit",
        f"rehearse the release: {update.command('rehearse', here)}",
        "on GitHub, make the environments pypi and testpypi, limited to tags, with reviewers on pypi",
        f"before the merge, register the publisher at PyPI and TestPyPI; for its values run: {publisher}",
        "merge the branch, and push the tag of the next version",
    ]
    secrets = list(dict.fromkeys(name for each in found.facts.publishing for name in each.secrets))
    if found.keep_old and found.facts.publishing:
        places = ", ".join(dict.fromkeys(each.file for each in found.facts.publishing))
        steps.append(f"remove what publishes today before that tag: {places}")
    if secrets:
        steps.append(f"then delete the secrets {', '.join(secrets)}, and revoke the tokens and passwords in them")
    found.todo = steps + found.todo
