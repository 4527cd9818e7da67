"""The command that verifies a release from outside."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tagship.cli.options import FOLDER, FORMAT, examples


@click.command(
    short_help="Verify the files of a release at an index.",
    epilog=examples("tagship verify ship==1.2.0", "tagship verify ship==1.2.0 --source octo/ship"),
)
@click.argument("release", metavar="NAME==VERSION")
@click.option("--repository", type=click.Choice(["pypi", "testpypi"]), default="pypi", help="The index.")
@click.option("--index", "url", metavar="URL", help="The simple API of another index.")
@click.option("--source", default="", metavar="OWNER/REPO", help="The expected repository; a URL for one on GitLab.")
@click.option("--workflow", default="", metavar="FILE", help="The expected workflow file, such as release.yml.")
@click.option("--environment", default="", metavar="NAME", help="The expected environment.")
@click.option("--project", type=FOLDER, default=".", help="The project whose publisher is expected (default: .).")
@click.option("--sha256sums", type=click.Path(path_type=Path), metavar="FILE", help="Compare with these hashes too.")
@click.option("--offline", is_flag=True, help="Do not update Sigstore's trust root.")
@FORMAT
def verify(
    release: str,
    repository: str,
    url: str | None,
    source: str,
    workflow: str,
    environment: str,
    project: Path,
    sha256sums: Path | None,
    form: str,
    *,
    offline: bool,
) -> None:
    """Verify the files of a release that an index serves.

    Downloads each file, compares its SHA-256, and verifies its attestations (PEP 740) with pypi-attestations. The
    expected publisher is the one of the options, else that of the project at hand if it has this name, else any.

    Exit status 0: all files are right. 1: at least one is wrong. 2: there is no such release, or it cannot be read.
    """
    from tagship import verify
    from tagship.indexes import INDEXES

    name, version = verify.release_of(release)
    publisher = verify.publisher_of(source, workflow, environment) or verify.publisher_here(project, name, repository)
    expected = verify.Expected(publisher, verify.sums(sha256sums) if sha256sums else {})
    simple_url = url or INDEXES[repository].simple_url
    files = []
    for file in verify.verify(name, version, simple_url, expected, offline=offline):
        files.append(file)
        if form == "text":
            click.echo("\n".join(file.lines()))
    wrong = sum(bool(file.problems) for file in files)
    if form == "json":
        data = {"name": name, "version": str(version), "index": simple_url, "expected": publisher}
        click.echo(json.dumps({**data, "verified": not wrong, "files": [file.data() for file in files]}, indent=2))
    else:
        click.echo(f"{name} {version} at {simple_url}: {len(files) - wrong} of {len(files)} files are right")
        if not publisher:
            click.echo("note: any publisher is accepted; name the expected one: --source OWNER/REPO", err=True)
    raise SystemExit(1 if wrong else 0)
