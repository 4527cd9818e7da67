"""The command that shows what a release would do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tagship.cli.options import FOLDER, examples

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    short_help="Show what a release of HEAD would do.",
    epilog=examples("tagship plan", "tagship plan --format markdown >> $GITHUB_STEP_SUMMARY"),
)
@click.argument("path", type=FOLDER, default=".")
@click.option("--tag", default="", help="The tag to plan for; by default the one at HEAD, else that of the version.")
@click.option("--offline", is_flag=True, help="Do not query the indexes.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", help="The output format."
)
def plan(path: Path, tag: str, form: str, *, offline: bool) -> None:
    """Show what a release of HEAD would do in the repository at PATH (default: .), and everything that would stop it.

    Reads the repository and queries the indexes; nothing is built, tagged or changed.

    Exit status 0: no problem was found. 1: the release would fail. 2: there is nothing to release.
    """
    from tagship.plan import gather, report

    found = gather.plans(path, tag, offline=offline)
    if form == "json":
        click.echo(json.dumps([each.data() for each in found], indent=2))
    else:
        shown = report.markdown if form == "markdown" else report.lines
        click.echo("\n".join(line for each in found for line in shown(each)))
    raise SystemExit(1 if any(each.problems for each in found) else 0)
