"""What the project's own workflows fetch in addition to the commit: submodules and Git LFS files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tagship.facts import workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.adopt.model import Adoption
    from tagship_suite.errors import Problem

#: By the input of actions/checkout: the repository variable that makes the release fetch them too, and their name.
VARIABLES = {"submodules": ("SUBMODULES", "submodules"), "lfs": ("LFS", "Git LFS files")}


def variables(found: Adoption) -> list[Problem]:
    """Add a step for each repository variable without which the release has fewer files than the project's own CI."""
    if found.on_gitlab:
        return []
    places = dict[tuple[str, str], str]()
    checkouts = sorted(_checkouts(found.folder), key=lambda each: Path(each[0]) in found.changes)
    for file, line, key, value in checkouts:
        places.setdefault((key, value), f"{file}:{line}")  # first those in a workflow that stays as it is
    for key, (name, them) in VARIABLES.items():
        value = "recursive" if (key, "recursive") in places else "true"
        if place := places.get((key, value)):
            remedy = f"if the build or the tests need them, set the repository variable {name} to {value} on GitHub"
            found.todo.append(f"{place}: fetches {them}, which the release does not: {remedy}")
    return []


def _checkouts(root: Path) -> Iterator[tuple[str, int, str, str]]:
    """Yield the file and line of each checkout that fetches more, and the input for that."""
    for read in workflow.readable(root):
        for step in (step for job in read.jobs.values() for step in job.steps if step.action == "actions/checkout"):
            for key in {*VARIABLES} & {*map(str, step.inputs)}:
                yield read.file, step.line, key, str(step.inputs[key]).lower()
