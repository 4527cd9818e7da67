"""The commands that read repositories; only `audit --fix` writes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from tagship.cli.options import FORMAT, examples, repositories


@click.command(
    short_help="Print the versions, tests, tags and publishing of repositories.",
    epilog=examples("tagship inspect", "tagship inspect --format json ../one ../two"),
)
@repositories
@click.option("--build", "by_build", is_flag=True, help="Also query each build backend: this runs the project's code.")
@FORMAT
def inspect(paths: tuple[Path, ...], from_file: Path | None, form: str, *, by_build: bool) -> None:
    """Print the versions, tests, tags and publish jobs of the repositories at PATHS (default: .).

    Reads their files and runs none of them. JSON output is one object per repository, one per line, in order.

    Exit status 0: all were read. 1: at least one was refused, with the reason. 2: bad usage.
    """
    from tagship import fleet
    from tagship.facts import build, report

    named = fleet.paths(paths or (() if from_file else (Path(),)), from_file)
    question = build.inspect if by_build else report.inspect
    refused = False
    for answer in fleet.counted(fleet.ask(question, named)):
        refused |= answer["status"] == "refused"
        click.echo(json.dumps(answer) if form == "json" else "\n".join(report.lines(answer)))
    raise SystemExit(1 if refused else 0)


@click.command(
    short_help="Report what is unsafe or broken in publishing.",
    epilog=examples(
        "tagship audit", "tagship audit --diff --unsafe-fixes", "tagship audit --format sarif > audit.sarif"
    ),
)
@repositories
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="Output format.")
@click.option("--no-zizmor", is_flag=True, help="Use only tagship's own rules.")
@click.option("--fix", is_flag=True, help="Fix findings, if the fix cannot change what a good release does.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="With --fix or --diff: also the fixes that may change it.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
def audit(
    paths: tuple[Path, ...],
    from_file: Path | None,
    form: str,
    *,
    no_zizmor: bool,
    fix: bool,
    unsafe: bool,
    diff: bool,
) -> None:
    """Report what is unsafe or broken in how the repositories at PATHS (default: .) publish.

    Reads their files and runs none of them. If zizmor is installed, its findings about the same workflows are added.
    JSON output is one object per repository, one per line, in order.

    --fix changes only the lines that it must, all files of a repository or none, and refuses uncommitted changes.

    Exit status 0: no findings, or all are fixed. 1: findings. 2: a file or repository cannot be read, or bad usage.
    """
    from tagship import fleet
    from tagship.audit import run, sarif, zizmor

    if not no_zizmor and zizmor.executable() is None:
        click.echo("note: zizmor is not installed: only tagship's own rules are used", err=True)
    if unsafe and not (fix or diff):
        raise click.UsageError("--unsafe-fixes needs --fix or --diff")
    named = fleet.paths(paths or (() if from_file else (Path(),)), from_file)
    options = run.Options(with_zizmor=not no_zizmor, fix=fix and not diff, diff=diff, unsafe=unsafe)
    worst = 0
    seen = []
    for answer in fleet.counted(fleet.ask(partial(run.question, options), named)):
        worst = max(worst, {"clean": 0, "findings": 1}.get(answer["status"], 2))
        if form == "sarif":
            seen.append(answer)
        else:
            click.echo(json.dumps(answer) if form == "json" else "\n".join(run.lines(answer)))
    if form == "sarif":
        click.echo(json.dumps(sarif.log(seen), indent=2))
    raise SystemExit(worst)
