"""Finds the files that CI generates before it builds, and the variables that it sets; no session does either."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from tagship.facts import workflow
from tagship.facts.marked import Unreadable
from tagship.facts.publishing import shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.facts.model import Publishing
    from tagship.facts.workflow import Job

#: Commands that build, and actions that build or take what was built.
BUILDS = re.compile(
    r"-m build\b|\b(uv|poetry|hatch|flit|pdm|rye) (build|publish)\b|setup\.py .*\b[sb]dist|pyproject-build"
    r"|\bpip wheel\b|\btwine\b|^actions/upload-artifact|^hynek/build-and-inspect"
    r"|^pypa/(cibuildwheel|gh-action-pypi-publish)"
)
#: Those that run the build backend.
BACKEND = re.compile(
    r"-m build\b|\b(uv|poetry|hatch|flit|pdm|rye) build\b|setup\.py .*\b[sb]dist|pyproject-build|\bpip wheel\b"
)
#: Variables of tools and CI services, and those for the version and credentials, which other modules read.
OF_TOOLS = re.compile(
    r"(PIP|UV|PY|TOX|NOX|TWINE|POETRY|PDM|CIBW|GIT|GITHUB|GH|ACTIONS|RUNNER|LC|CONDA|HATCH(?!_BUILD))_\w+|PYTHON\w*|CI"
    r"|LANG|TERM|PATH|HOME|SOURCE_DATE_EPOCH|DEBIAN_FRONTEND|MACOSX_\w+|_PYTHON_HOST_PLATFORM|ARCHFLAGS"
    r"|\w*(COLORS?|VERSION|TAG|TOKEN|PASSWORD|SECRET|USER)\w*"
)
#: Commands that make files: compiled translations, bundled scripts and styles, code from a grammar or a protocol, data
#: from elsewhere; and any target of make but the usual ones, which make nothing that is shipped, or are the build.
MAKES = re.compile(
    r"generat|compile|translat|msgfmt|\b(py)?babel\b|protoc\b|grpc_tools|codegen|webpack|download|vendor"
    r"|\b(npm|yarn|pnpm|bun) (run )?\S*build"
    r"|\bmake (?:-\S+ (?:\d+ )?|\w+=\S* )*"
    r"(?!\S*(?:=|build|check|clean|deps|dist|env|format|html|lint|package|publish|setup|test|type|upload|wheel)"
    r"|all\b|dev|init)[a-z]",
    re.IGNORECASE,
)
#: What makes nothing that is shipped, such as tests, and what only installs a tool that could.
OTHER = re.compile(
    r"\b(pytest|tox|nox|unittest|compileall|py_compile)\b"
    r"|\binstall\b|notes|changelog|release|version|sbom|docs?\b|coverage|matrix|hash|token|attest|echo",
    re.IGNORECASE,
)


def before_build(root: Path, found: tuple[Publishing, ...]) -> Iterator[tuple[str, str]]:
    """Yield the place and the command of what jobs that build what is published make before; one for each job."""
    for file, job in _building(root, found):
        if made := next(_made(job), None):
            yield f"{file}:{made.line}", made.text


def variables(root: Path, found: tuple[Publishing, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield the first place, the name and the value of each variable with which jobs run the published build."""
    places = dict[tuple[str, str], str]()
    for file, job in _building(root, found):
        for step in job.steps:
            for command in shell.commands(step.run, step.run.first):
                if BACKEND.search(" ".join(command.words)):
                    given = {**job.env, **step.env, **dict(command.assigned)}
                    for name, value in given.items():
                        if isinstance(value, str) and "$" not in value and not OF_TOOLS.fullmatch(str(name)):
                            places.setdefault((str(name), str(value)), f"{file}:{command.line}")
    yield from ((place, name, value) for (name, value), place in places.items())


def _building(root: Path, found: tuple[Publishing, ...]) -> Iterator[tuple[str, Job]]:
    """Yield each job that publishes or that such a job waits for, with its file."""
    uploads = {(each.file, each.job) for each in found if (root / each.file).parent == root / workflow.FOLDER}
    jobs: dict[tuple[str, str], Job] = {}
    for file, name in sorted(uploads):
        with suppress(Unreadable):
            jobs |= {(file, str(job.id)): job for job in workflow.read(root / file, root).before(name)}
    yield from ((file, job) for (file, _), job in jobs.items())


def _made(job: Job) -> Iterator[shell.Command]:
    """Yield the commands that make files before the job builds or hands on something."""
    found = list[shell.Command]()
    for step in job.steps:
        for command in shell.commands(step.run, step.run.first):
            text = " ".join(command.words)  # others may be on the same line
            if BUILDS.search(text):
                yield from found
                return
            if MAKES.search(text) and not OTHER.search(text):
                found.append(command)
        if BUILDS.search(step.action):
            yield from found
            return
