"""How a project runs its tests; adoption finds out once, and writes it as settings for a person to review.

The first source that has an answer counts: the commands of CI, tox, the project's own nox sessions, Hatch and make,
each followed to the command that runs the tests; then the names of groups, extras, files and test modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tagship_suite.files import subtable
from tagship_suite.testing.plan import DEFAULTS

from . import ci, files, ways
from .command import settled
from .declared import Project
from .model import Needs
from .named import DEV, TESTS, named, plain
from .tox import Tox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .model import Way


@dataclass(frozen=True)
class Guess:
    """The settings `test-command`, `test-requires`, `test-groups` and `test-extras`; None if the default fits.

    `why` has a line of evidence for each of `command`, `requires`, `groups` and `extras` that was found; `others` are
    the commands that run more tests, by where they are.
    """

    command: tuple[str, ...] | None = None
    requires: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    extras: tuple[str, ...] | None = None
    why: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def guess(root: Path, top: Path | None = None) -> Guess:
    """Return how the project at `root` runs its tests, as far as its files show; nothing in it is run.

    `top` is the root of the repository if `root` is one of several distributions in it; what the tests of all
    need may be declared there. Raises `ReleaseError` if a file cannot be read.
    """
    project = Project(root, top or root)
    modules = files.found(root)
    way = next((way for way in _ways(project) if way.test), None)
    command = settled(way.test, project) if way and way.test else []
    if not modules and not command and not files.has_doctests(project):
        return Guess(command=(), why={"command": "there is no test module"})
    found, home = _needs(project, way)
    has = "pytest" in home.names(found)
    if command and way and way.test:
        reason = way.test.where
    else:
        by_pytest = "the tests need pytest" if has else ""
        command, reason = files.command(project, modules, by_pytest)
        command += files.ignored(project) if command == ["pytest"] else []
    others = {each.where: tuple(settled(each, project)) for each in reversed(way.others)} if way else {}
    more = {where: words for where, words in others.items() if words and _program(words) != _program(command or ())}
    return replace(_guess(command, reason, found, home), others=more)


def _program(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command with its program alone: `pytest` for `python -m pytest`."""
    return tuple(words[2:] if tuple(words[:2]) == ("python", "-m") else words)


def _ways(project: Project) -> Iterator[Way]:
    """Yield the ways in which the tests are run, by each source in the project."""
    if project.root == project.top:
        for commands in ci.jobs(project.top):
            yield ways.follow(commands, project)
    yield ways.by_tox(project, [])
    yield ways.by_nox(project, [])
    for name in subtable(project.hatch("default"), "scripts"):
        if ways.NAMED.fullmatch(name):
            yield ways.by_hatch(project, ["run", name])
    if project.hatch("hatch-test"):
        yield ways.by_hatch(project, ["test"])
    if project.root == project.top:
        for commands in ci.legacy(project.top):
            yield ways.follow(commands, project)
    for name in ("test", "tests", "check"):
        yield ways.by_make(project, name)


def _needs(project: Project, way: Way | None) -> tuple[Needs, Project]:
    """Return what the tests need, and the project in which it was found: one of several, or the repository's root."""
    found = way.needs if way else Needs()
    if way and way.test and (found or project.root == project.top):
        # `pip install -e .` and `pytest` in CI, and a group called `test`: both are used.
        names = project.names(found)
        return found + (Needs() if names - {project.name} else named(project, (*TESTS, *DEV))), project
    for home in dict.fromkeys((project, Project(project.top, project.top))):
        if found := named(home, TESTS) or _of_tox(home) or named(home, DEV) or plain(home):
            return found, home
    return Needs(), project


def _of_tox(project: Project) -> Needs:
    """Return what tox installs if that is for tests: it may run something else only."""
    tox = Tox.read(project)
    found = tox.needs(tox.names()[0]) if tox.file else Needs()
    files = any(line.startswith("-r ") for line in found.requires)
    return found if "pytest" in project.names(found) or found.groups or found.extras or files else Needs()


def _guess(command: list[str], reason: str, found: Needs, home: Project) -> Guess:
    requires = found.requires
    why = {"command": reason} | {
        name: found.source for name in ("requires", "groups", "extras") if getattr(found, name)
    }
    missing = _missing(command, found, home)
    if missing:
        undeclared = f"the runner {missing[0]}, which is not declared" if missing else ""
        why["requires"] = " and ".join(filter(None, (why.get("requires") if requires else "", undeclared)))
        requires = (*requires, *missing)
    usual = [(found.groups[:1], ()), ((), found.extras[:1])] if not requires else []
    default = (found.groups, found.extras) in usual and {*found.groups, *found.extras} <= {*DEFAULTS}
    default = default and not _only_in_setup_py(found.extras, home)
    return Guess(
        None if command == ["pytest"] else tuple(command),
        requires or None,
        None if default else found.groups or None,
        None if default else found.extras or None,
        why,
    )


def _missing(command: list[str], found: Needs, home: Project) -> list[str]:
    """Return the program of `command` and the plugins that its configuration needs, if nothing declares them."""
    words = [word for word in command if word != "env" and "=" not in word]
    runner = {"zope-testrunner": "zope.testrunner", "trial": "twisted"}.get(words[0], words[0])
    runner = "pytest" if words[:3] == ["python", "-m", "pytest"] else runner
    unknown = (home.root / "setup.py").is_file() and any(home.extras.get(name) is None for name in found.extras)
    if runner in {"python", "sh"} or unknown:
        return []
    names = home.names(found)
    wanted = [runner, *(files.plugins(home) if runner == "pytest" else [])]
    return [name for name in wanted if name.replace(".", "-") not in {*names, home.name}]


def _only_in_setup_py(extras: tuple[str, ...], project: Project) -> bool:
    """Return whether the extras are in setup.py only, where a session cannot see them without building."""
    root = project.root
    return bool(extras) and (root / "setup.py").is_file() and not (root / "setup.cfg").is_file()
