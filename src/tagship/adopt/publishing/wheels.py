"""Wheels for several platforms: the settings of cibuildwheel, which its users often have in a workflow only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tagship import update
from tagship.adopt.model import Decision
from tagship.facts import distributions, workflow
from tagship.facts.marked import Unreadable, texts
from tagship_suite.repo.packages import is_compiled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.adopt.model import Adoption
    from tagship.facts.workflow import Job, Step, Workflow
    from tagship_suite.errors import Problem

#: Actions and commands that build wheels for several platforms.
PLATFORMS = re.compile(r"\b(cibuildwheel|maturin-action)\b")
#: An option of cibuildwheel as a variable, for all platforms or for one.
OPTION = re.compile(r"CIBW_(?P<name>\w+?)(?:_(?P<platform>LINUX|MACOS|WINDOWS))?")
#: Those that are no setting in TOML, or that need an emulator, which the release's workflow does not install.
OTHER = re.compile(r"PLATFORM|CACHE_PATH|DEBUG\w*|ALLOW_EMPTY|PRERELEASE_PYTHONS|FREE_THREADED\w*|PROJECT_\w+")
EMULATED = re.compile(r"(?i)aarch64|ppc64le|s390x|armv7l|riscv64")
RUNNER = re.compile(r"(?:ubuntu|windows|macos)-[\w.-]+")


def wheels(found: Adoption) -> list[Problem]:
    """Add a step for projects that build wheels for several platforms, or whose wheels hold compiled code."""
    root, pure = found.folder, [each.folder for each in found.packages if not is_compiled(each.folder)]
    if update.has_suite(root) or found.keep_old or not pure:
        return []
    native = [folder for folder in pure if distributions.has_extensions(folder, root)]
    files = [(folder / "pyproject.toml").relative_to(root).as_posix() for folder in native or pure]
    sync, built = update.command("sync", root), [*_built_for_platforms(root)]
    if built and (native or len(pure) == len(found.packages)):  # else it builds those that have the settings
        read, _, step = built[0]
        where = f"{read.file}:{step.line}"
        settings = "; ".join(_agreed([dict(_settings(*each)) for each in built]))
        found.decisions.append(Decision("wheels", "for this platform only", f"{where} is not adopted"))
        found.todo.append(
            f"add [tool.cibuildwheel] to {' or '.join(files)}, with the settings of {where} (CIBW_*)"
            f"{f': {settings};' if settings else ','} and run: {sync}; without it only one wheel is built"
        )
        _name_runners(found, built)
        return []
    found.todo += [
        f"add [tool.cibuildwheel] to {file}, and run: {sync}; PyPI refuses wheels with compiled code that are built "
        "for this machine only"
        for file in files
        if native
    ]
    return []


def _built_for_platforms(root: Path) -> Iterator[tuple[Workflow, Job, Step]]:
    """Yield each step that builds wheels for several platforms, with its job and workflow."""
    for path in workflow.files(root):
        try:
            read = workflow.read(path, root)
        except Unreadable:
            continue  # reported where publishing is read
        for job in read.jobs.values():
            yield from ((read, job, step) for step in job.steps if PLATFORMS.search(f"{step.action} {step.run}"))


def _agreed(steps: list[dict[str, str]]) -> Iterator[str]:
    """Yield the lines of the table for the keys on which the steps agree; those to build must be the same in all."""
    for key in dict.fromkeys(key for each in steps for key in each):
        values = {each[key] for each in steps if key in each}
        if len(values) == 1 and (key != "build" or all(key in each for each in steps)):
            yield f"{key} = {values.pop()}"


def _settings(read: Workflow, job: Job, step: Step) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of `[tool.cibuildwheel]` for the variables of a step that are literal."""
    for key, value in {**read.env, **job.env, **step.env}.items():
        option, text = OPTION.fullmatch(str(key)), str(value).strip()
        if not option or OTHER.fullmatch(option["name"]) or not text or "${{" in text:
            continue
        if not EMULATED.search(f"{key} {text}"):
            name = option["name"].lower().replace("_", "-")
            prefix = f"{option['platform'].lower()}." if option["platform"] else ""
            yield f"{prefix}{name}", text if text.isdigit() else json.dumps(text)


def _name_runners(found: Adoption, built: list[tuple[Workflow, Job, Step]]) -> None:
    """Add a step for the variable that names the machines, if the workflow has several."""
    named = [text for _, job, _ in built for key in ("runs-on", "strategy") for text in texts(job.node.get(key))]
    plain = re.compile(r"ubuntu-(?!.*arm)")  # most like the one that runs the tests
    runners = sorted({name for text in named for name in RUNNER.findall(text)})
    runners.sort(key=lambda name: not plain.match(name))
    if runners[1:]:
        shown = json.dumps(runners[:8])
        found.todo.append(f"set the repository variable BUILD_ON to {shown}, as only Linux is built on without it")
