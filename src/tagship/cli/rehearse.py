"""The command that rehearses a release."""

from __future__ import annotations

import json
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from tagship.cli.group import interrupt_on_signals
from tagship.cli.options import FOLDER, FORMAT, examples
from tagship.rehearsal.failures import FAILURES


class Failure(click.Choice[str]):
    """The name of a failure; for an unknown one, the closest is suggested."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or fail with a suggestion."""
        if value not in self.choices:
            close = [f"did you mean {each!r}? " for each in get_close_matches(value, self.choices, 1)]
            meant = "".join([*close, "`--fail list` shows all names"])
            self.fail(f"found {value!r}, expected the name of a failure; {meant}", param, ctx)
        return value


def list_failures(ctx: click.Context, _: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Print the failures and end if `list` is among `names`."""
    if "list" in names:
        width = max(map(len, FAILURES))
        click.echo("\n".join(f"{name:{width}}  {shows}" for name, shows in FAILURES.items()))
        ctx.exit()
    return names


@click.command(
    short_help="Rehearse the release against local indexes.",
    epilog=examples(
        "tagship rehearse                          the whole release",
        "tagship rehearse --quick                  only publish what is in dist/",
        "tagship rehearse --quick --fail partial   see what a failure looks like",
        "tagship rehearse --report rehearsal.html  write a page",
    ),
)
@click.argument("path", type=FOLDER, default=".")
@click.option("--tag", default="", help="The tag to rehearse; by default that of the version.")
@click.option(
    "--fail",
    "failures",
    type=Failure([*FAILURES, "list"]),
    multiple=True,
    metavar="NAME",
    is_eager=True,
    callback=list_failures,
    help="Simulate a failure; `--fail list` prints their names and what each shows.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep all files in this folder: new, empty, or from an earlier rehearsal.",
)
@click.option("--quick", is_flag=True, help="Only verify and publish the dists that are in dist/ already.")
@click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Also write the report to this file, as a page: FILE.html or FILE.md.",
)
@FORMAT
def rehearse(
    path: Path,
    tag: str,
    failures: tuple[str, ...],
    keep: Path | None,
    reports: tuple[Path, ...],
    form: str,
    *,
    quick: bool,
) -> None:
    """Rehearse releasing HEAD of the repository at PATH (default: .) against local indexes that behave like PyPI.

    Exit status 0: pushing the tag would publish the release, if the tests also pass on the Pythons that the report
    lists as not tested. 1: it would fail; the report says why. 2: nothing to rehearse, or bad usage. 130: interrupted
    by Ctrl-C, 143: by SIGTERM; all processes are stopped, and temporary files are removed.
    """
    interrupt_on_signals()
    from tagship.cli.terminal import Steps, summary
    from tagship.rehearsal import pages, run

    for each in reports:
        pages.check(each)
    options = run.Options(tag, failures, keep, quick)
    if form == "json":
        report = run.rehearse(path, options)
        click.echo(json.dumps(report.data(), indent=2))
    else:
        with closing(Steps()) as steps:
            report = run.rehearse(path, options, steps)
        click.echo("\n".join(summary(report)))
    for each in reports:
        pages.write(report, each)
    raise SystemExit(0 if report.passed else 1)
