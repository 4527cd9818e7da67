"""Finds what CI makes before it builds: a build from the commit alone would lack it."""

from __future__ import annotations

import re
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
    uploads = {(each.file, each.job) for each in found if (root / each.file).parent == root / workflow.FOLDER}
    seen = set[tuple[str, str]]()
    for file, name in sorted(uploads):
        try:
            read = workflow.read(root / file, root)
        except Unreadable:
            continue
        for job in read.before(name):
            made = next(_made(job), None) if (file, str(job.id)) not in seen else None
            seen.add((file, str(job.id)))
            if made:
                yield f"{file}:{made.line}", made.text


def _made(job: Job) -> Iterator[shell.Command]:
    """Yield the commands that make files before the job builds or hands on something."""
    found = list[shell.Command]()
    for step in job.steps:
        for command in shell.commands(step.run, step.run.first):
            if BUILDS.search(command.text):
                yield from found
                return
            if MAKES.search(command.text) and not OTHER.search(command.text):
                found.append(command)
        if BUILDS.search(step.action):
            yield from found
            return
