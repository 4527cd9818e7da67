"""The command line: the only part of the package that prints or exits."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagship.errors import TagshipError
from tagship_suite.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Group(click.Group):
    """A group that prints one line for each error that the user can fix, and exits with its status."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print errors meant for the user on standard error."""
        try:
            return super().invoke(ctx)
        except (TagshipError, ReleaseError) as error:  # the second if git fails
            for line in error.args:
                click.echo(f"error: {line}", err=True)
            raise SystemExit(getattr(error, "status", TagshipError.status)) from None
        except KeyboardInterrupt as interrupt:
            # Cleanup is done; a second signal would only print a traceback.
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)
            number = interrupt.args[0] if interrupt.args else signal.SIGINT
            click.echo("interrupted", err=True)
            # The status that a shell reports for a program killed by a signal.
            raise SystemExit(128 + number) from None


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def _interrupt_on_signals() -> None:
    """Clean up on SIGTERM, from `kill` or a CI service, as on Ctrl-C, and remember which of the two it was."""

    def terminate(number: int, frame: FrameType | None) -> None:
        # Through the handler of SIGINT, which the servers delay while they start and stop.
        handler = signal.getsignal(signal.SIGINT)
        (handler if callable(handler) else _interrupt)(number, frame)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT or not ignored:
            _interrupt(number, frame)

    # A background job of a shell ignores Ctrl-C, and must continue to.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output format.")


def repositories(command: Callable[..., object]) -> Callable[..., object]:
    """Add arguments for many repositories, and an option for a file that lists them."""
    listed = click.option(
        "--from-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Also read repositories from this file, one per line; `-` is standard input.",
    )
    return click.argument("paths", type=click.Path(path_type=Path), nargs=-1)(listed(command))


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tagship", message="%(prog)s %(version)s")
def main() -> None:
    """Push a tag, ship to PyPI."""


@main.command(short_help="Rehearse the release against local indexes.")
@click.argument("path", type=FOLDER, default=".")
@click.option("--tag", default="", help="The tag to rehearse; by default that of the version.")
@click.option("--fail", "failures", multiple=True, metavar="NAME", help="Simulate a failure; `--fail help` lists them.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep all files in this folder: new, empty, or from an earlier rehearsal.",
)
@FORMAT
def rehearse(path: Path, tag: str, failures: tuple[str, ...], keep: Path | None, form: str) -> None:
    """Rehearse releasing HEAD of the repository at PATH (default: .) against local indexes that behave like PyPI.

    Exit status 0: pushing the tag would publish the release, if the tests also pass on the Pythons that the report
    lists as not tested. 1: it would fail; the report says why. 2: nothing to rehearse, or bad usage. 130: interrupted
    by Ctrl-C, 143: by SIGTERM; all processes are stopped, and temporary files are removed.
    """
    from tagship.rehearsal import run
    from tagship.rehearsal.report import Report, Step, row

    unknown = [name for name in failures if name not in run.FAILURES]
    if unknown:
        raise click.UsageError(f"--fail takes one of: {', '.join(run.FAILURES)}")

    def tell(step: Step) -> None:
        if form == "text":
            click.echo("\n".join([row(step), *(f"    {line}" for line in step.said)]))

    def begun(report: Report) -> None:
        if form == "text":
            click.echo(f"rehearsing {report.name} {report.tag} at {report.commit[:12]}")

    _interrupt_on_signals()
    report = run.rehearse(path, run.Options(tag, failures, keep), tell, begun)
    click.echo(json.dumps(report.data(), indent=2) if form == "json" else "\n".join(report.lines()))
    raise SystemExit(0 if report.passed else 1)


@main.command(short_help="Print what to register at PyPI and TestPyPI.")
@click.argument("path", type=FOLDER, default=".")
@FORMAT
def publisher(path: Path, form: str) -> None:
    """Print what to register at PyPI and TestPyPI for the repository at PATH (default: .)."""
    from tagship import project
    from tagship.adopt.publishing.before import notes
    from tagship.publisher import Form, Registration, forms, to_type

    projects = project.read_all(path)
    pairs: list[tuple[Form, Form]] = []
    for each in projects:
        registrations = {
            index: Registration(each.name, each.owner, each.repository, "release.yml", index + each.package.suffix)
            for index in ("pypi", "testpypi")
        }
        pairs += zip(forms(registrations), forms(registrations, exists=registrations), strict=True)
    if form == "json":
        data = [{"index": a.index, "new": a.link, "existing": b.link, "values": a.values} for a, b in pairs]
        click.echo(json.dumps(data, indent=2))
        return
    for pending, existing in pairs:
        click.echo(f"{pending.index}\n  new project       {pending.link}\n  existing project  {existing.link}")
        click.echo("\n".join(to_type(pending.values)))
    for line in notes(path):
        click.echo(f"note: {line}", err=True)
    if not all(each.known for each in projects):
        click.echo("note: no remote on GitHub: OWNER and the repository's name are guesses", err=True)


@main.command(short_help="Show what a release of HEAD would do.")
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


@main.command(short_help="Check the settings on GitHub and PyPI.")
@click.argument("path", type=FOLDER, default=".")
@click.option("--fix", is_flag=True, help="Create environments, deployment rules and rulesets; asks before each.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@FORMAT
def doctor(path: Path, form: str, *, fix: bool, yes: bool) -> None:
    """Check the settings on GitHub and PyPI on which the releases of the repository at PATH (default: .) depend.

    Uses the token from $GH_TOKEN, $GITHUB_TOKEN or `gh auth token`; without one, fewer settings are visible.

    Exit status 0: no visible setting is wrong. 1: at least one is wrong. 2: no setting is visible.
    """
    from tagship.doctor import run
    from tagship.doctor.github import connect

    api = connect(os.environ)
    found = run.diagnose(path, api)
    if form == "json":
        click.echo(json.dumps([each.data() for each in found], indent=2))
    else:
        click.echo("\n".join(line for each in found for line in each.lines()))
    changes = [change for each in found for change in each.changes if fix]
    agreed = [each for each in changes if yes or click.confirm(f"{each.does}?", err=True)]
    refused = run.change(api, agreed)
    for line in [*(f"done: {each.does}" for each in agreed if not refused), *(f"error: {each}" for each in refused)]:
        click.echo(line, err=True)
    raise SystemExit(1 if refused or any(each.state == "wrong" for each in found) else 0)


@main.command(short_help="Print the versions, tests, tags and publishing of repositories.")
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


@main.command(short_help="Report what is unsafe or broken in publishing.")
@repositories
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="Output format.")
@click.option("--no-zizmor", is_flag=True, help="Use only tagship's own rules.")
def audit(paths: tuple[Path, ...], from_file: Path | None, form: str, *, no_zizmor: bool) -> None:
    """Report what is unsafe or broken in how the repositories at PATHS (default: .) publish.

    Reads their files and runs none of them. If zizmor is installed, its findings about the same workflows are added.
    JSON output is one object per repository, one per line, in order.

    Exit status 0: no findings. 1: findings. 2: a file or repository cannot be read, or bad usage.
    """
    from tagship import fleet
    from tagship.audit import run, sarif, zizmor

    if not no_zizmor and zizmor.executable() is None:
        click.echo("note: zizmor is not installed: only tagship's own rules are used", err=True)
    named = fleet.paths(paths or (() if from_file else (Path(),)), from_file)
    worst = 0
    seen = []
    for answer in fleet.counted(fleet.ask(run.own if no_zizmor else run.question, named)):
        worst = max(worst, {"clean": 0, "findings": 1}.get(answer["status"], 2))
        if form == "sarif":
            seen.append(answer)
        else:
            click.echo(json.dumps(answer) if form == "json" else "\n".join(run.lines(answer)))
    if form == "sarif":
        click.echo(json.dumps(sarif.log(seen), indent=2))
    raise SystemExit(worst)


@main.command(short_help="Bring the release suite into repositories.")
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

    Exit status 0: done, or nothing to do. 1: refused, and nothing was written. 2: a file cannot be read.
    """
    from tagship import fleet
    from tagship.adopt import report, run
    from tagship.adopt.model import Adoption

    named = fleet.paths(paths or (() if from_file else (Path(),)), from_file)
    if body and (len(paths) > 1 or from_file):
        raise click.UsageError("--pull-request takes one repository")
    asks = form == "text" and not yes and not dry_run and sys.stdin.isatty()

    def agreed(found: Adoption) -> bool:
        click.echo("\n".join([*report.lines(found, dry_run=True), *report.diff(found)]))
        return click.confirm("write this?", default=True)

    options, worst = run.Options(dry_run=dry_run, keep_old=keep_old, body=body), 0
    results = (run.one(each, options, agreed) for each in named) if asks else run.many(named, options)
    for result in results:
        if form == "json":
            click.echo(json.dumps(result.data))
        else:
            click.echo("".join(f"{line}\n" for line in result.lines), nl=False)
            click.echo("".join(f"error: {line}\n" for line in result.errors), nl=False, err=True)
        worst = max(worst, result.status)
        if result.data["status"] == "adopted" and (asks if rehearse is None else rehearse):
            click.echo("rehearsing the release", err=True)
            click.echo("\n".join(run.rehearsed(Path(result.data["path"]))), err=form == "json")
    raise SystemExit(worst)


@main.command(short_help="Update or check the managed files.")
@click.argument("path", type=FOLDER, default=".")
@click.option("--check", "only_check", is_flag=True, help="Verify that the files are unmodified and of this version.")
@click.option("--force", is_flag=True, help="Overwrite managed files that were edited or are from a newer version.")
@FORMAT
def sync(path: Path, form: str, *, only_check: bool, force: bool) -> None:
    """Update the managed files of the project at PATH (default: .) to this version.

    Pinned actions and locked requirements that a bot updated are kept.

    Exit status 0: done, or with --check no file differs. 1: refused, and nothing was written, or with --check at least
    one file differs.
    """
    from tagship import update

    if only_check and force:
        raise click.UsageError("--check changes nothing: use it without --force")
    found = update.check(path) if only_check else update.sync(path, force=force)
    if form == "json":
        click.echo(json.dumps(found.data(), indent=2))
    else:
        click.echo("\n".join(found.checked() if only_check else found.synced()))
    raise SystemExit(1 if only_check and found.findings else 0)
