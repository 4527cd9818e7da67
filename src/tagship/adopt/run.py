"""Adopting one repository or many: plan, ask, write, and rehearse the result."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship import fleet, tree
from tagship.errors import TagshipError
from tagship_suite.errors import ReleaseError, from_os
from tagship_suite.repo import git

from . import plan, pull_request, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tagship.rehearsal.report import Report
    from tagship.rehearsal.run import Listener

    from .model import Adoption


@dataclass(frozen=True)
class Options:
    """What to do with a plan: only show it, keep the existing publish jobs, write the text of a pull request."""

    dry_run: bool = False
    keep_old: bool = False
    body: Path | None = None


@dataclass(frozen=True)
class Result:
    """The outcome for one repository: the object for JSON, the lines to print, and the exit status."""

    data: dict[str, Any]
    lines: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    status: int = 0


def one(folder: Path, options: Options, agreed: Callable[[Adoption], bool] | None = None) -> Result:
    """Adopt the repository at `folder` if the plan is `agreed` to; every error becomes the result."""
    try:
        found = plan.plan(folder, keep_old=options.keep_old)
        text = pull_request.body(found) if options.body else ""
        if found.changes and agreed and not options.dry_run and not agreed(found):
            return Result(
                report.refusal(folder, ("not agreed to",)), errors=(f"{folder}: nothing was changed",), status=1
            )
        if not options.dry_run:
            plan.carry_out(found)
        if options.body:
            options.body.write_text(text, encoding="utf-8")
    except (TagshipError, ReleaseError) as error:
        reasons = tuple(str(line) for line in error.args)
        return Result(report.refusal(folder, reasons), errors=reasons, status=getattr(error, "status", 2))
    except (OSError, ValueError, RecursionError) as error:  # one bad repository does not stop the others
        bug = f"{folder}: {error}; report it with the repository [bug]"
        reason = str(from_os(error)) if isinstance(error, OSError) else bug
        return Result(report.refusal(folder, (reason,)), errors=(reason,), status=2)
    shown = report.lines(found, dry_run=options.dry_run) if agreed is None or options.dry_run else []
    shown += [*report.diff(found)] if options.dry_run else []
    return Result(report.data(found, dry_run=options.dry_run), (*shown, *report.todo(found)))


def many(folders: Iterable[Path], options: Options) -> Iterator[Result]:
    """Yield the results of `folders`, in order, from as many processes as there are cores."""
    for answer in fleet.counted(fleet.ask(partial(_answer, options), folders)):
        if answer["status"] == "refused" and "lines" not in answer:  # it was not read completely
            answer = {**report.refusal(Path(answer["path"]), (answer["reason"],)), "status_code": 2}
            answer |= {"lines": (), "errors": (answer["reason"],)}
        lines, errors, status = (answer.pop(key) for key in ("lines", "errors", "status_code"))
        yield Result(answer, tuple(lines), tuple(errors), status)


def _answer(options: Options, path: Path) -> dict[str, Any]:
    result = one(path, options)
    return {**result.data, "lines": result.lines, "errors": result.errors, "status_code": result.status}


def rehearsed(folder: Path, listener: Listener) -> Report:
    """Rehearse the release of the repository at `folder` with its uncommitted changes, committed in a clone."""
    from tagship.rehearsal import run

    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary) / folder.resolve().name
        git.query(folder, "clone", "--quiet", str(folder.resolve()), str(clone))
        changed = git.lines(folder, "ls-files", "--modified", "--others", "--deleted", "--exclude-standard", "-z")
        paths = {Path(name) for line in changed for name in line.split("\0") if name}
        contents = {path: place.read_bytes() if (place := folder / path).is_file() else None for path in paths}
        tree.apply(clone, contents)
        identity = ("-c", "user.name=tagship", "-c", "user.email=tagship@localhost")
        git.query(
            clone, "add", "--all", "--force", *sorted(str(p) for p, content in contents.items() if content is not None)
        )
        git.query(clone, *identity, "commit", "--quiet", "--all", "--no-verify", "--message", "adopt tagship")
        address = git.query(folder, "config", "--get", "remote.origin.url")
        if address:
            git.query(clone, "remote", "set-url", "origin", address)
        return run.rehearse(clone, run.Options(), listener)
