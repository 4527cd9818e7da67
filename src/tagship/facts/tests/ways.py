"""Follows a project's own commands to the one that runs its tests: through tox, nox, Hatch, make and scripts."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from tagship_suite.files import subtable

from . import nox, shell, sources
from .installs import installed, uv
from .model import Command, Needs, Way
from .tox import Tox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .declared import Project

RUNNERS = {
    *("pytest", "py.test", "stestr", "zope-testrunner", "trial", "nose2", "nosetests", "ward", "green", "ostestr"),
    "virtue",
}
MODULES = {"pytest", "unittest", "twisted.trial", "nose2", "ward", "zope.testrunner", "stestr", "xmlrunner"}
#: The name of a script that runs tests.
SCRIPT = re.compile(
    r"(?:.*/)?run[-_]tests?|(?:.*/)?(?:run[-_]?tests?|runtests?|test|tests|test_all|testall|all_?tests|setup)\.py|tests?(?:/__main__\.py)?/?"
)
#: The names of a target, session, environment or task for tests.
NAMED = re.compile(r"(?:.*[-_:])?(?:unit)?_?-?(?:py)?tests?(?:ing)?(?:[-_:].*)?|unit|check|ci|all|coverage|cov")
#: With these, a runner runs nothing.
SHOWS = {"--version", "--help", "--collect-only", "--co"}
DEPTH = 4
PYTHON = re.compile(r"python[\d.]*|pypy3?|\$\w*PYTHON\w*|\$\{EXPRESSION\}")
#: What runs another command: in the project's environment, or with a variable, a limit or a screen.
MANAGERS = {"uv", "poetry", "pdm", "pipenv", "rye"}
PREFIXES = {"env", "xvfb-run", "timeout", "nice", "time", "dbus-run-session", "catchsegv", "stdbuf"}
#: Options that take the next word.
OF_MANAGERS = (
    *("--group", "--extra", "--with", "--python", "-p", "--only-group", "--no-group", "--env-file", "--project"),
    *("--directory", "--with-editable", "--with-requirements", "--package"),
)
OF_INDEX = ("--with", "--from", "--python", "-p", "--spec")
OF_COVERAGE = ("--source", "--rcfile", "--omit", "--include", "--data-file", "--context", "--concurrency")


def follow(commands: Iterable[Command], project: Project, depth: int = 0) -> Way:
    """Return what `commands` install up to the first one that runs tests, and that one."""
    needs, left = Needs(), iter(commands)
    for command in left:
        plain, more = unwrapped(command, project)
        needs += more
        if is_test(plain):
            after = (unwrapped(each, project)[0] for each in left if not each.conditional)
            return Way(needs, plain, tuple(filter(is_test, after)))
        inner = _inner(plain, project, depth) if depth < DEPTH else Way()
        if inner.test:
            isolated = plain.argv[0] in {"tox", "nox", "hatch"}
            return replace(inner, needs=inner.needs if isolated else needs + inner.needs)
        needs += (inner.needs + installed(plain, project)).where(command.marker)
    return Way(needs)


def unwrapped(command: Command, project: Project) -> tuple[Command, Needs]:
    """Return a command without wrappers such as `uv run` and `coverage run`, and what those install."""
    needs = Needs()
    for _ in range(5):
        argv = [*command.argv]
        program = argv[0].rpartition("/")[2] if argv else ""
        if argv[1:2] == ["run"] and argv[0] in MANAGERS:
            argv, more = _without_manager(argv, project, command.where)
            needs += more
        elif program in PREFIXES:
            env, argv = _without_prefix(argv, program)
            command = replace(command, env=(*command.env, *env))
        elif program in {"uvx", "pipx"}:
            rest = argv[1 + (program == "pipx") :]
            argv = rest[_program(rest, OF_INDEX) :]
        elif (program == "coverage" and argv[1:2] == ["run"]) or argv[:4] == ["python", "-m", "coverage", "run"]:
            argv = _without_coverage(argv[2 if program == "coverage" else 4 :])
        elif PYTHON.fullmatch(program) and len(argv) > 1:
            argv = _without_flags(argv)
        if argv == [*command.argv]:
            break
        command = replace(command, argv=tuple(argv))
    return replace(command, argv=command.argv or ("",)), needs


def _without_manager(argv: list[str], project: Project, where: str) -> tuple[list[str], Needs]:
    """Return the command that `uv run` and the like run, and what the options of `uv run` install."""
    at = 2 + _program(argv[2:], OF_MANAGERS)
    return argv[at:], uv(argv[2:at], project, where) if argv[0] == "uv" else Needs()


def _without_prefix(argv: list[str], program: str) -> tuple[list[str], list[str]]:
    """Return the variables that a program such as `env` sets, and the command that it runs."""
    rest = argv[1 + _program(argv[1:], {"-s", "-n", "--server-args", "-k"}) + (program == "timeout") :]
    env = [*takewhile(shell.ASSIGNED.fullmatch, rest)]
    return env, rest[len(env) :]


def _without_coverage(rest: list[str]) -> list[str]:
    """Return what `coverage run` runs with the arguments `rest`."""
    at = _program(rest, OF_COVERAGE)
    module = "-m" in rest[:at] or rest[at - 1 : at] == ["-m"]
    return ["python", *(["-m"] if module else []), *rest[at:]]


def _without_flags(argv: list[str]) -> list[str]:
    """Return a command of any Python as one of `python` without flags, or as one of the tool that it starts."""
    if joined := re.fullmatch(r"(-[BbdEIOqsSuvx]+)m", argv[1]):  # `-Im`
        argv = [argv[0], joined[1], "-m", *argv[2:]]
    isolated = "I" in argv[1] and argv[1][:2] != "--"
    flags = 1
    while argv[flags:] and re.fullmatch(r"-[BbdEIOqsSuvx]+|-[WX].*", argv[flags]):
        flags += 2 if argv[flags] in {"-W", "-X"} else 1
    script = argv[flags].rpartition("/")[2] if argv[flags:] else ""
    if script in RUNNERS:  # `python -b ENV/bin/trial`
        return [script, *argv[flags + 1 :]]
    if isolated and argv[flags : flags + 2] == ["-m", "pytest"]:  # without the checkout on sys.path
        return argv[flags + 1 :]
    if argv[:2] == ["python", "-m"] and argv[2:3] in (["tox"], ["nox"], ["coverage"]):
        return argv[2:]
    return ["python", *argv[flags:]]


def _program(words: list[str], valued: Collection[str]) -> int:
    """Return the position of the program in `words`, after options; `valued` are those that take the next word."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        if words[at] == "-m":
            return at + 1
        at += 2 if words[at] in valued else 1
    return at + (words[at : at + 1] == ["--"])


def is_test(command: Command) -> bool:
    """Return whether a command runs tests directly."""
    program, *rest = command.argv
    if SHOWS & {*rest}:
        return False
    if program.rpartition("/")[2] in RUNNERS:
        return True
    if program != "python" or not rest:
        return False
    if rest[0] == "-m":
        named = rest[1] if len(rest) > 1 else ""
        return named in MODULES or bool(re.search(r"(^|[._])(tests?|testsuite)([._]|$)", named))
    if rest[0] == "setup.py":
        return bool({"test", "pytest", "nosetests"} & {*rest})
    return bool(SCRIPT.fullmatch(rest[0])) or (rest[0].endswith("manage.py") and "test" in rest)


def _inner(command: Command, project: Project, depth: int) -> Way:
    """Return what a command does that is defined in another file of the project."""
    program, *rest = command.argv
    name = program.rpartition("/")[2]
    if name == "tox":
        return by_tox(project, rest, depth)
    if name == "nox":
        return by_nox(project, _names(rest, {"-s", "--session", "--sessions", "-e"}), depth)
    if name == "hatch":
        return by_hatch(project, rest, depth)
    if name in {"make", "just"}:
        targets = [word for word in rest if not word.startswith("-") and "=" not in word]
        steps = [each for target in targets or [""] for each in sources.target(project, target, name)]
        return follow(steps, project, depth + 1)
    scripts = sources.scripts(project)
    if name in {"pdm", "poe", "poethepoet", "rye", "task", "taskipy"} and rest:
        # A task that only the matrix knows is the one for tests, in one of its runs.
        unknown = next(filter(NAMED.fullmatch, scripts), "") if "$" in rest[0] else ""
        name = rest[0] if rest[0] in scripts else unknown or name
    if name in scripts:
        return follow([*sources.script(name, scripts, command.where)], project, depth + 1)
    path = rest[0] if name in {"bash", "sh"} and rest else program
    if "/" in path or name in {"bash", "sh"}:
        return follow([*sources.file(project, path)], project, depth + 1)
    return Way()


def by_tox(project: Project, arguments: list[str], depth: int = 0) -> Way:
    """Return what tox does in the first environment that runs tests, of those in `arguments` if it names some."""
    found = Tox.read(project)
    posargs = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    given = [n for value in _names(arguments, {"-e", "-f", "--env"}) for n in value.split(",") if "$" not in n]
    if not found.file:
        return Way()
    for env in given or found.names()[:12]:
        way = follow(found.commands(env, posargs), project, depth + 1)
        if way.test:
            test = replace(way.test, where=f"{found.file}, environment {env} of tox")
            return Way(found.needs(env) + way.needs, test, way.others)
    return Way()


def by_nox(project: Project, given: list[str], depth: int = 0) -> Way:
    """Return what the first of the project's nox sessions that runs tests does, of those in `given` if it has any."""
    every = nox.sessions(project)
    given = [re.sub(r"[-(].*", "", name) if name not in every else name for name in given if "$" not in name]
    names = [name for name in given if name in every] or sorted(every, key=lambda name: not NAMED.fullmatch(name))
    for name in names:
        way = follow(every[name], project, depth + 1)
        if way.test:
            return way
    return Way()


def by_hatch(project: Project, arguments: list[str], depth: int = 0) -> Way:
    """Return what `hatch test` or `hatch run` does with these arguments."""
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] == ["test"]:
        source = "environment hatch-test of Hatch"
        return Way(project.hatch_needs("hatch-test", source), Command(("pytest",), source))
    if words[:1] not in (["run"], ["env"]) or len(words) < 2:
        return Way()
    env, _, script = words[1].rpartition(":")
    env = "test" if "$" in env else env.partition("+")[0].partition(".")[0] or "default"
    source = f"environment {env} of Hatch"
    if env == "hatch-test":
        return Way(project.hatch_needs(env, source), Command(("pytest",), source))
    scripts = {**subtable(project.hatch("default"), "scripts"), **subtable(project.hatch(env), "scripts")}
    row = [*sources.script(script, scripts, source)] or [Command((script, *words[2:]), source)]
    way = follow(row, project, depth + 1)
    return replace(way, needs=project.hatch_needs(env, source) + way.needs)


def _names(arguments: list[str], options: set[str]) -> list[str]:
    """Return the values of `options`; nox accepts several words."""
    found, taking = list[str](), False
    for word in arguments:
        option, _, value = word.partition("=")
        if word == "--":
            break
        if option in options:
            taking = not value
            found += [value] if value else []
        elif word.startswith("-"):
            short = next((each for each in options if len(each) == 2 and word.startswith(each) and word[1] != "-"), "")
            found += [word[2:]] if short else []
            taking = False
        elif taking:
            found.append(word)
    return found


def by_make(project: Project, target: str) -> Way:
    """Return what a target of the project's Makefile or justfile does."""
    return follow(sources.target(project, target), project)
