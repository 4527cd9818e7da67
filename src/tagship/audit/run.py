"""Audits repositories, with tagship's rules and zizmor's, and fixes findings; one answer per repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tagship.errors import Refused, TagshipError, one_line
from tagship_suite.errors import Problem

from . import fix, zizmor
from .context import Context
from .model import Finding
from .rules import RULES
from .unread import unread

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Whether zizmor is used, and what is done about findings: nothing, a diff, or a fix."""

    with_zizmor: bool = True
    fix: bool = False
    diff: bool = False
    unsafe: bool = False


def audit(path: Path) -> tuple[list[Finding], list[str]]:
    """Return what tagship's rules find in the repository at `path`, and a line for each unreadable file."""
    if not path.is_dir():
        raise TagshipError(Problem("no-repository", str(path), "no folder", "a repository", "name one"))
    context = Context.read(path)
    found = [finding for rule in RULES for finding in rule.findings(context)]
    return sorted(found, key=lambda each: (each.file, each.line, each.rule)), [*unread(context)]


def question(options: Options, path: Path) -> dict[str, Any]:
    """Return the answer for the repository at `path`: its findings, after the fixes if requested."""
    found, errors = _found(options, path)
    made = fix.changes(path, unsafe=options.unsafe, with_zizmor=options.with_zizmor) if _fixes(options, found) else {}
    if not made:
        return _answer(path, found, errors)
    if options.diff:
        return _answer(path, found, errors) | {"diff": "\n".join(fix.diff(path, made))}
    try:
        fix.apply(path, made)
    except Refused as error:
        return _answer(path, found, errors) | {"reason": "; ".join(map(str, error.args))}
    left, errors = _found(options, path)
    still = {(each.rule, each.file, each.job, each.message) for each in left}
    fixed = [each.data() for each in found if (each.rule, each.file, each.job, each.message) not in still]
    return _answer(path, left, errors) | {"fixed": fixed}


def _fixes(options: Options, found: list[Finding]) -> bool:
    wanted = {"safe", "unsafe"} if options.unsafe else {"safe"}
    return (options.fix or options.diff) and any(each.fixable in wanted for each in found)


def _found(options: Options, path: Path) -> tuple[list[Finding], list[str]]:
    found, errors = audit(path)
    return [*found, *(zizmor.findings(path) if options.with_zizmor else [])], errors


def _answer(path: Path, found: list[Finding], errors: list[str]) -> dict[str, Any]:
    status = "unreadable" if errors else "findings" if found else "clean"
    return {
        "path": str(path),
        "status": status,
        "reason": "; ".join(errors),
        "errors": errors,
        "findings": [each.data() for each in found],
    }


def lines(answer: dict[str, Any]) -> list[str]:
    """Return the lines of an answer: what was fixed, the findings, then the counts."""
    if answer["status"] == "refused":
        return [one_line(f"error: {answer['path']}: {answer['reason'].removeprefix(answer['path'] + ': ')}")]
    found, fixed = ([Finding(**each) for each in answer.get(key, [])] for key in ("findings", "fixed"))
    errors = answer["errors"] or ([f"nothing was fixed: {answer['reason']}"] if answer["reason"] else [])
    text = [f"fixed: {each.file}: {each.message} [{each.rule}]" for each in fixed]
    text += [line for first, *others in _alike(found) for line in first.lines(others)]
    text += [f"error: {error}" for error in errors]
    text.append(f"{answer['path']}: {', '.join(_counts(found, len(fixed), len(answer['errors'])))}")
    return [one_line(line) for line in (*text, *answer.get("diff", "").splitlines())]


def _alike(found: list[Finding]) -> Iterable[list[Finding]]:
    """Return the findings in groups with the same message: a rule of zizmor often has many places."""
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for each in found:
        alike.setdefault((each.rule, each.level, each.message, each.remedy, each.fixable), []).append(each)
    return alike.values()


def _counts(found: list[Finding], fixed: int, unread: int) -> list[str]:
    kinds = [each.fixable for each in found]
    counted = f"{len(found)} finding{'' if len(found) == 1 else 's'}" if found else "no findings"
    parts = [counted, f"{fixed} fixed" if fixed else "", f"{unread} not read" if unread else ""]
    parts += [f"{kinds.count('safe')} to fix with --fix" if "safe" in kinds else ""]
    parts += [f"{kinds.count('unsafe')} with --fix --unsafe-fixes" if "unsafe" in kinds else ""]
    return [part for part in parts if part]
