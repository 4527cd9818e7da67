"""Fixes what can be fixed in one repository: all changes, or none."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import tree, update
from tagship.errors import Refused
from tagship_suite.errors import Problem
from tagship_suite.repo import git

from . import zizmor
from .context import Context
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tagship.lines import Lines

    from .model import Finding

ROUNDS = 10  # rounds: two fixes of one line are made one after the other


def changes(root: Path, *, unsafe: bool, with_zizmor: bool) -> dict[Path, bytes | None]:
    """Return the files of the repository at `root` after the fixes; {} if there is nothing to fix."""
    changed = dict[str, bytes]()
    for _ in range(ROUNDS):
        context = Context.read(root, changed)
        found = _of_lines((each for rule in RULES for each in rule.findings(context)), unsafe=unsafe)
        contents = {file: lines.content() for file, lines in found.items()}
        if not contents or Context.read(root, changed | contents).errors != context.errors:
            break
        changed |= contents
    if with_zizmor:
        changed |= zizmor.fixed(root, changed, unsafe=unsafe)
    made: dict[Path, bytes | None] = {Path(file): content for file, content in changed.items()}
    managed = update.status(root) if update.has_suite(root) else None
    if managed and (unsafe or not update.refusals(managed)):
        made |= managed.changes
    return made


def _of_lines(found: Iterable[Finding], *, unsafe: bool) -> dict[str, Lines]:
    """Return the changed lines of each file; if two fixes change the same line, only the first is made."""
    by_file: dict[str, Lines] = {}
    fixes = [(each.file, each.fix) for each in found if each.fix and (unsafe or each.fix.safe)]
    for file, fix in sorted(fixes, key=lambda pair: pair[1].safe):
        by_file.setdefault(file, fix.lines).merge(fix.lines)
    return by_file


def apply(root: Path, made: Mapping[Path, bytes | None]) -> None:
    """Write the changes; raise `Refused` without a repository, with uncommitted changes, or through a symlink."""
    problems = tree.unwritable(root, made)
    if git.query(root, "rev-parse", "--show-toplevel") is None:
        expected, remedy = "one, so that a change can be seen and undone", "run: git init && git add -A && git commit"
        problems.append(Problem("no-repository", str(root), "no git repository", expected, remedy))
    else:
        problems += tree.dirty(root)
    if problems:
        raise Refused(*map(str, problems))
    tree.apply(root, made)


def diff(root: Path, made: Mapping[Path, bytes | None]) -> Iterator[str]:
    """Yield the changes as lines of a unified diff."""
    for path in sorted(made):
        before, after = (root / path).read_bytes() if (root / path).is_file() else None, made[path]
        old, new = ((content or b"").decode("utf-8", "replace").splitlines() for content in (before, after))
        name = path.as_posix()
        names = (f"a/{name}" if before is not None else "/dev/null", f"b/{name}" if after is not None else "/dev/null")
        yield from difflib.unified_diff(old, new, *names, lineterm="")
