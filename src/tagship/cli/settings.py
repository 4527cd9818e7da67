"""The commands for settings that are in no file: those on GitHub and at the indexes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from tagship.cli.group import print_errors
from tagship.cli.options import FOLDER, FORMAT, examples

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.publisher import Form, Registration


@click.command(
    short_help="Print what to register at PyPI and TestPyPI.",
    epilog=examples("tagship publisher", "tagship publisher --format json"),
)
@click.argument("path", type=FOLDER, default=".")
@FORMAT
def publisher(path: Path, form: str) -> None:
    """Print what to register at PyPI and TestPyPI for the repository at PATH (default: .).

    Exit status 0: printed. 2: there is no project at PATH, or one of its files cannot be read.
    """
    from tagship import project
    from tagship.adopt.publishing.before import notes
    from tagship.publisher import TRUSTED, form_lines, forms, publish_from
    from tagship.publisher import notes as shared

    projects = project.read_all(path)
    pairs: list[tuple[Form, Form]] = []
    at_pypi: list[Registration] = []
    for each in projects:
        registrations = {index: each.registration(index) for index in ("pypi", "testpypi")}
        at_pypi.append(registrations["pypi"])
        pairs += zip(forms(registrations), forms(registrations, exists=registrations), strict=True)
    if form == "json":
        data = [{"index": a.index, "new": a.link, "existing": b.link, "values": a.values} for a, b in pairs]
        click.echo(json.dumps(data, indent=2))
        return
    for pending, existing in pairs:
        click.echo(f"{pending.index}\n  new project       {pending.link}\n  existing project  {existing.link}")
        click.echo("\n".join(form_lines(pending.values)))
    for line in [*shared(at_pypi), *notes(path)]:
        click.echo(f"note: {line}", err=True)
    host, site = projects[0].host, projects[0].registration("pypi").site
    if not all(each.known for each in projects):
        click.echo(f"note: no remote on {site}: OWNER and the repository's name are guesses", err=True)
    elif host not in TRUSTED:
        click.echo(f"note: {publish_from(host)}", err=True)


@click.command(
    short_help="Check the settings on GitHub or GitLab, and PyPI.",
    epilog=examples(
        "tagship doctor          check the settings", "tagship doctor --fix    create what is missing, after asking"
    ),
)
@click.argument("path", type=FOLDER, default=".")
@click.option(
    "--fix", is_flag=True, help="Create what is missing (environments, rules, protected tags); asks before each."
)
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@FORMAT
def doctor(path: Path, form: str, *, fix: bool, yes: bool) -> None:
    """Check the settings on the host and PyPI on which the releases of the repository at PATH (default: .) depend.

    Uses the token from $GH_TOKEN, $GITHUB_TOKEN or `gh auth token`, on GitLab from $GITLAB_TOKEN or glab; without one,
    fewer settings are visible.

    Exit status 0: no visible setting is wrong. 1: at least one is wrong. 2: no setting is visible.
    """
    from tagship import project
    from tagship.doctor import run

    projects = project.read_all(path)
    api = run.connect(projects, os.environ)
    found = run.diagnose(projects, api)
    if form == "json":
        click.echo(json.dumps([each.data() for each in found], indent=2))
    else:
        click.echo("\n".join(line for each in found for line in each.lines()))
    changes = [change for each in found for change in each.changes if fix]
    agreed = [each for each in changes if yes or click.confirm(f"{each.does}?", err=True)]
    refused = run.change(api, agreed)
    for each in agreed if not refused else ():
        click.echo(f"done: {each.does}", err=True)
    print_errors(refused)
    raise SystemExit(1 if refused or any(each.state == "wrong" for each in found) else 0)
