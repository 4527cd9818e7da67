"""The output of a rehearsal: a line for each step, and on a terminal the running step."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tagship.cli.colours import labelled
from tagship.rehearsal.report import row
from tagship.rehearsal.run import Listener

if TYPE_CHECKING:
    from rich.progress import Progress

    from tagship.rehearsal.report import Report, Step

#: The colour of each outcome.
COLOURS = {"passed": "green", "failed": "red", "missing": "yellow", "left out": "yellow", "not run": "yellow"}


class Steps(Listener):
    """Prints a line for each step of a rehearsal, and on a terminal the running step with its time."""

    _running: Progress | None = None

    def __init__(self, *, err: bool = False) -> None:
        self._err = err  # standard output is for something else

    def began(self, report: Report) -> None:
        """Print what is rehearsed."""
        click.echo(f"rehearsing {report.name} at {report.commit[:12]}", err=self._err)

    def cloned(self, report: Report) -> None:
        """Print the tag."""
        click.echo(f"as if {report.tag} were pushed", err=self._err)

    def started(self, name: str) -> None:
        """Show the running step."""
        if self._err or not sys.stdout.isatty() or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
            return
        from rich.progress import Progress, TextColumn

        self._running = Progress(TextColumn("{task.description:44} {task.elapsed:6.1f} s  …"), transient=True)
        self._running.add_task(name)
        self._running.start()

    def ended(self, step: Step) -> None:
        """Print the outcome."""
        self.close()
        line = row(step).removesuffix(step.outcome)
        click.echo(line + click.style(step.outcome, fg=COLOURS[step.outcome]), err=self._err)
        for each in step.said:
            click.echo(f"    {labelled(each)}", err=self._err)

    def close(self) -> None:
        """Stop showing the running step."""
        if self._running:
            self._running.stop()
            self._running = None


def summary(report: Report) -> list[str]:
    """Return the lines to print after the steps."""
    *lines, verdict = report.lines()
    return [*map(labelled, lines), click.style(verdict, fg=COLOURS["passed" if report.passed else "failed"])]
