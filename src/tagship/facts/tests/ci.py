"""The commands that a project's CI runs, by job: in GitHub's workflows, and in the files of other services."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from packaging.version import Version

from tagship.facts import marked, workflow
from tagship.facts.expressions import UNKNOWN, Value, evaluate
from tagship.facts.marked import Map, Seq, Text
from tagship.facts.publishing.shell import EXPRESSION

from . import shell
from .model import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tagship.facts.workflow import Job, Step, Workflow

DEPTH = 3  # nested composite actions
#: The commands of a job, and a sorting key: the likeliest to be the tests comes first.
Ranked: TypeAlias = "tuple[tuple[int, ...], list[Command]]"
OTHERS = (".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml", "appveyor.yml", ".appveyor.yml")
#: Files that many projects still have although the service no longer runs them: tox takes precedence.
LEGACY = (".travis.yml",)
#: The keys that hold commands, in the order in which Travis and GitLab run them.
KEYS = ("before_install", "before_script", "install", "script", "run", "command", "bash", "test_script")
#: Words in the names of files and jobs: the first are for tests, the last for something else.
TESTS = re.compile(r"tests?|pytest|unit|\bci\b|build", re.IGNORECASE)
MAIN = re.compile(
    r"(run-|unit-?|python-?)?(tests?|pytest|ci|main|build)(-suite|-package)?|python-?(package|app)", re.IGNORECASE
)
OTHER = re.compile(
    r"lint|doc|cov|bench|publish|release|deploy|nightly|integration|e2e|typ|wheel|windows|macos|min|downstream|pypy|upstream"
    r"|codeql|alpine|cygwin|docker|pre-commit|schedule|cron|canary|old|dev|32|emul|qemu|arm|distro|conda|fuzz|example|slow|perf|mutation|extra",
    re.IGNORECASE,
)


def jobs(top: Path) -> list[list[Command]]:
    """Return the commands of each job of the repository at `top`, the likeliest test job first."""
    found = [*_of_github(top), *_of_others(top, OTHERS)]
    # A job that runs its tests for some values of its matrix only comes after all others.
    return [steps for _, steps in sorted(found, key=lambda entry: entry[0])]


def legacy(top: Path) -> list[list[Command]]:
    """Return the commands in the files of services that may no longer run."""
    return [steps for _, steps in _of_others(top, LEGACY)]


def pythons(top: Path) -> tuple[list[str], str]:
    """Return the Pythons in the matrix of the likeliest test job that has some, and the file with it."""
    for (_, other, unlike, _), read, job in sorted(_ranked(top), key=lambda entry: entry[0]):
        found = [each for values in _pythons(job).values() for each in values]
        if found and not other and not unlike:
            return found, read.file
    return [], ""


def commands(job: Job, file: str, top: Path) -> list[Command]:
    """Return the commands of a job of the workflow `file`."""
    return [*_steps(job.steps, file, top)]


def _of_github(top: Path) -> Iterator[Ranked]:
    for rank, read, job in _ranked(top):
        pythons, same = _pythons(job), _only(job)
        newest = {f"matrix.{name}": max(values, key=Version) for name, values in pythons.items()}
        steps = [*_steps(job.steps, read.file, top, pythons=pythons, same=same, decided={**newest, **same})]
        if any(step.conditional for step in steps):  # then steps for one Python are no more certain than these
            steps = [*_steps(job.steps, read.file, top, pythons=pythons, same=same, decided=same)]
        steps = [replace(step, env=(*_literal(job.env), *step.env)) for step in steps]
        yield (*rank, False), [step for step in steps if not step.conditional]
        yield (*rank, True), steps


def _ranked(top: Path) -> Iterator[tuple[tuple[bool, bool, bool, int], Workflow, Job]]:
    for read in workflow.readable(top):
        stem = Path(read.file).stem
        for name, job in read.jobs.items():
            label = f"{stem} {name} {job.name}"
            unusual = [text for text in (stem, name) if not MAIN.fullmatch(text)]
            other = bool(OTHER.search(label)) or any(map(_is_of_another, job.steps))
            yield (False, other, not TESTS.search(label), len(unusual)), read, job


def _is_of_another(step: Step) -> bool:
    """Return whether a step checks out another repository, whose tests the job then runs."""
    named = str(step.inputs.get("repository", ""))
    return step.action == "actions/checkout" and bool(named) and "github." not in named


def _of_others(top: Path, names: Iterable[str]) -> Iterator[Ranked]:
    for name in names:
        try:
            value = marked.read(top / name, name) if (top / name).is_file() else None
        except marked.Unreadable:
            continue
        label = Path(name).stem
        rank = (True, bool(OTHER.search(label)), not TESTS.search(label), not MAIN.fullmatch(label))
        yield (*rank, False), [*_others(value, name)]


def _pythons(job: Job) -> dict[str, list[str]]:
    """Return the Pythons in the job's matrix by the names that they have in it."""
    matrix, found = job.node.map("strategy").map("matrix"), dict[str, list[str]]()
    rows = [(name, each) for name, values in matrix.items() for each in marked.as_list(values)]
    rows += [pair for row in matrix.list("include") if isinstance(row, Map) for pair in row.items()]
    for name, value in rows:
        if "py" in str(name) and re.fullmatch(r"3\.\d+", str(value)):
            found.setdefault(str(name), []).append(str(value))
    return found


def _only(job: Job) -> dict[str, Value]:
    """Return the values of the job's matrix whose names have no other value, by these names."""
    lists = {name: marked.as_list(values) for name, values in job.node.map("strategy").map("matrix").items()}
    single = {f"matrix.{name}": str(values[0]) for name, values in lists.items() if _is_single(values)}
    return {name: {"true": True, "false": False}.get(value, value) for name, value in single.items()}


def _is_single(values: Seq) -> bool:
    return len(values) == 1 and isinstance(values[0], Text)


def _literal(env: Map) -> list[str]:
    """Return the variables that have the same value in every run."""
    return [f"{name}={value}" for name, value in env.items() if isinstance(value, Text) and "$" not in value]


def _steps(
    steps: Iterable[Step],
    file: str,
    top: Path,
    depth: int = 0,
    *,
    pythons: Mapping[str, list[str]] = MappingProxyType({}),
    same: Mapping[str, Value] = MappingProxyType({}),
    decided: Mapping[str, Value] = MappingProxyType({}),
) -> Iterator[Command]:
    """Yield the commands of `steps`, without those that only run elsewhere, or for older Pythons, unless they install.

    `same` are the values that do not vary in the matrix; a step is not conditional if its condition is true with those
    in `decided`.
    """
    for step in steps:
        if re.search(r"(?i)==\s*'?(windows|macos)|startsWith\([^)]*(windows|macos)", step.condition):
            continue
        held, marker = _held(step.condition, pythons, same)
        older = held is False and bool(marker)
        if held is False and not marker:
            continue
        always = evaluate(step.condition, lambda name: decided.get(name, UNKNOWN)) is True
        if step.uses.startswith("./") and depth < DEPTH:
            yield from _of_action(top / step.uses, top, depth + 1)
        text = EXPRESSION.sub(lambda found: _filled(found[0], same), step.run)
        for command in shell.commands(text, file, step.run.first):
            folder = posixpath.normpath(posixpath.join(step.folder, command.folder))
            if older and not {"install", "sync"} & {*command.argv}:
                continue
            yield replace(
                command,
                folder="" if folder == "." else folder,
                env=(*_literal(step.env), *command.env),
                conditional="matrix." in step.condition and not always and not older,
                marker=marker,
            )


def _held(condition: str, pythons: Mapping[str, list[str]], same: Mapping[str, Value]) -> tuple[bool | None, str]:
    """Return whether a condition holds for the newest Python, None if not known; and an equivalent marker."""
    name, values = next(iter(pythons.items()), ("", ["0"]))

    def holds(python: str) -> bool | None:
        return evaluate(condition, lambda key: {**same, f"matrix.{name}": python}.get(key, UNKNOWN))

    ordered = sorted({*values}, key=Version)
    held = [holds(python) for python in ordered]
    known = [each for each in held if each is not None]
    if len(known) == len(held) and len({*held}) > 1:
        if known == sorted(known):
            return True, f"python_version >= '{ordered[known.index(True)]}'"
        if known == sorted(known, reverse=True):
            return False, f"python_version < '{ordered[known.index(False)]}'"
    return held[-1], ""


def _filled(expression: str, same: Mapping[str, Value]) -> str:
    """Return the value of an expression if it is the same in every run."""
    value = same.get(expression[3:-2].strip())
    return value if isinstance(value, str) else expression


def _of_action(folder: Path, top: Path, depth: int) -> Iterator[Command]:
    """Yield the commands of a composite action of the repository."""
    for path in (folder / "action.yml", folder / "action.yaml"):
        if path.is_file() and path.resolve().is_relative_to(top.resolve()):
            name = path.relative_to(top).as_posix()
            with suppress(marked.Unreadable):
                read = marked.read(path, name)
                steps = workflow.steps(read.map("runs")) if isinstance(read, Map) else ()
                yield from _steps(steps, name, top, depth)


def _texts(value: object, file: str) -> Iterator[Command]:
    for text in marked.texts(value):
        yield from shell.commands(text, file, text.first)


def _others(value: object, file: str) -> Iterator[Command]:
    """Yield the commands of another service's file: the values of a few keys, at any depth."""
    entries = [*value.items()] if isinstance(value, Map) else []
    for key, inner in sorted(entries, key=lambda pair: KEYS.index(pair[0]) if pair[0] in KEYS else len(KEYS)):
        if key in KEYS and not isinstance(inner, Map):
            yield from _texts(inner, file)
    for inner in [*(inner for _, inner in entries), *(value if isinstance(value, Seq) else ())]:
        yield from _others(inner, file)
