"""The files of a repository that could not be read, so that "no findings" never hides them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship.facts.files import Files
from tagship.facts.folders import folders
from tagship_suite.errors import Problem, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .context import Context

EXPECTED = ".github/workflows, pyproject.toml, setup.cfg or setup.py"


def unread(context: Context) -> Iterator[str]:
    """Yield a line for each unreadable file that matters for publishing, or one for an empty repository."""
    yield from dict.fromkeys(context.errors)
    files = Files(context.root)
    readers: dict[str, Callable[[str], object]] = {
        "pyproject.toml": files.toml,
        "setup.cfg": files.cfg,
        "setup.py": files.code,
    }
    problems = [line for name, reader in readers.items() for line in _problems(reader, name)]
    yield from problems
    if not problems and not context.errors and _is_empty(context, files):
        found = "no workflow and no distribution"
        yield str(Problem("no-name", str(context.root), found, EXPECTED, "name another folder"))


def _problems(reader: Callable[[str], object], name: str) -> tuple[str, ...]:
    try:
        reader(name)
    except ReleaseError as error:
        return error.args
    return ()


def _is_empty(context: Context, files: Files) -> bool:
    if context.workflows.by_file or context.publishes:
        return False
    try:
        return not folders(files)
    except ReleaseError:  # a repository with files that no rule reads
        return False
