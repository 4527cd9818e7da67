"""The command that rehearses a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagship.cli.group import interrupt_on_signals
from tagship.cli.options import FOLDER, FORMAT

if TYPE_CHECKING:
    from tagship.rehearsal.report import Report, Step


@click.command(short_help="Rehearse the release against local indexes.")
@click.argument("path", type=FOLDER, default=".")
@click.option("--tag", default="", help="The tag to rehearse; by default that of the version.")
@click.option("--fail", "failures", multiple=True, metavar="NAME", help="Simulate a failure; `--fail help` lists them.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep all files in this folder: new, empty, or from an earlier rehearsal.",
)
@click.option("--quick", is_flag=True, help="Only verify and publish the dists that are in dist/ already.")
@FORMAT
def rehearse(path: Path, tag: str, failures: tuple[str, ...], keep: Path | None, form: str, *, quick: bool) -> None:
    """Rehearse releasing HEAD of the repository at PATH (default: .) against local indexes that behave like PyPI.

    Exit status 0: pushing the tag would publish the release, if the tests also pass on the Pythons that the report
    lists as not tested. 1: it would fail; the report says why. 2: nothing to rehearse, or bad usage. 130: interrupted
    by Ctrl-C, 143: by SIGTERM; all processes are stopped, and temporary files are removed.
    """
    from tagship.rehearsal import run
    from tagship.rehearsal.failures import FAILURES
    from tagship.rehearsal.report import row

    unknown = [name for name in failures if name not in FAILURES]
    if unknown:
        raise click.UsageError(f"--fail takes one of: {', '.join(FAILURES)}")

    def tell(step: Step) -> None:
        if form == "text":
            click.echo("\n".join([row(step), *(f"    {line}" for line in step.said)]))

    def begun(report: Report) -> None:
        if form == "text":
            click.echo(f"rehearsing {report.name} {report.tag} at {report.commit[:12]}")

    interrupt_on_signals()
    report = run.rehearse(path, run.Options(tag, failures, keep, quick), tell, begun)
    click.echo(json.dumps(report.data(), indent=2) if form == "json" else "\n".join(report.lines()))
    raise SystemExit(0 if report.passed else 1)
