"""The commands that bring the release suite into a repository and update it."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagship.cli.group import interrupt_on_signals, print_errors
from tagship.cli.options import FOLDER, FORMAT, examples, repositories
from tagship.errors import one_line

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption


@click.command(
    short_help="Bring the release suite into repositories.",
    epilog=examples(
        "tagship adopt --dry-run                 show the plan and a diff",
        "tagship adopt ../one ../two             adopt two repositories",
        "tagship adopt --pull-request body.md    with the text of a pull request",
    ),
)
@repositories
@click.option("--dry-run", is_flag=True, help="Show the decisions and changes, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; the default without a terminal.")
@click.option("--keep-old", is_flag=True, help="Keep the existing publish jobs.")
@click.option(
    "--pull-request", "body", type=click.Path(path_type=Path), help="Write the text of a pull request to this file."
)
@click.option(
    "--rehearse/--no-rehearse", default=None, help="Rehearse the release afterwards; on a terminal by default."
)
@FORMAT
def adopt(
    paths: tuple[Path, ...],
    from_file: Path | None,
    form: str,
    body: Path | None,
    *,
    dry_run: bool,
    yes: bool,
    keep_old: bool,
    rehearse: bool | None,
) -> None:
    """Bring the release suite into the repositories at PATHS (default: .).

    Reads each repository without running its code, shows the changes, and asks. Writes the managed files and the
    settings in `[tool.tagship]`, imports the release sessions in noxfile.py, and removes the existing publish jobs from
    the workflows. Makes all changes or none; a second run changes nothing.

    Exit status 0: done, or nothing to do. 1: refused, and nothing was written; or the rehearsal failed. 2: a file
    cannot be read.
    """
    from tagship import fleet
    from tagship.adopt import report, run

    named = fleet.paths(paths or (() if from_file else (Path(),)), from_file)
    if body and (len(paths) > 1 or from_file):
        raise click.UsageError("--pull-request needs exactly one repository")
    asks = form == "text" and not yes and not dry_run and sys.stdin.isatty()

    def agreed(found: Adoption) -> bool:
        click.echo("\n".join(map(one_line, (*report.lines(found, dry_run=True), *report.diff(found)))))
        return click.confirm("write this?", default=True)

    options, worst = run.Options(dry_run=dry_run, keep_old=keep_old, body=body), 0
    results = (run.one(each, options, agreed) for each in named) if asks else run.many(named, options)
    for result in results:
        if form == "json":
            click.echo(json.dumps(result.data))
        else:
            click.echo("".join(f"{one_line(line)}\n" for line in result.lines), nl=False)
            print_errors(result.errors)
        worst = max(worst, result.status)
        if result.data["status"] == "adopted" and (asks if rehearse is None else rehearse):
            worst = max(worst, _rehearse(Path(result.data["path"]), err=form == "json"))
    raise SystemExit(worst)


def _rehearse(path: Path, *, err: bool) -> int:
    """Rehearse the release of an adopted repository; return the exit status."""
    interrupt_on_signals()
    from tagship.adopt import run
    from tagship.cli.terminal import Steps, summary

    with closing(Steps(err=err)) as steps:
        report = run.rehearsed(path, steps)
    click.echo("\n".join(summary(report)), err=err)
    return 0 if report.passed else 1


@click.command(
    short_help="Update or check the managed files.",
    epilog=examples(
        "tagship sync            update the managed files", "tagship sync --check    in CI: fail if one was edited"
    ),
)
@click.argument("path", type=FOLDER, default=".")
@click.option("--check", "only_check", is_flag=True, help="Verify that the files are unmodified and of this version.")
@click.option("--force", is_flag=True, help="Overwrite managed files that were edited or are from a newer version.")
@FORMAT
def sync(path: Path, form: str, *, only_check: bool, force: bool) -> None:
    """Update the managed files of the project at PATH (default: .) to this version.

    Pinned actions and locked requirements that a bot updated are kept.

    Exit status 0: done, or with --check no file differs. 1: refused, and nothing was written, or with --check at least
    one file differs. 2: a file cannot be read, or bad usage.
    """
    from tagship import update

    if only_check and force:
        raise click.UsageError("--check changes nothing, so it cannot be combined with --force")
    found = update.check(path) if only_check else update.sync(path, force=force)
    if form == "json":
        click.echo(json.dumps(found.data(), indent=2))
    else:
        click.echo("\n".join(found.checked() if only_check else found.synced()))
    raise SystemExit(1 if only_check and found.findings else 0)
