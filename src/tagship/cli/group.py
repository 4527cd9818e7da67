"""The group of commands: prints errors in one line each, and handles signals."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import click

from tagship.cli import colours
from tagship.errors import TagshipError, one_line
from tagship_suite.errors import ReleaseError, links
from tagship_suite.report import without_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType


def print_errors(lines: Iterable[str]) -> None:
    """Print `lines` to standard error, and then a link for each of their codes."""
    lines = list(lines)
    for line in [*(f"error: {one_line(line)}" for line in lines), *links(lines)]:
        click.echo(colours.labelled(line), err=True)


class Group(click.Group):
    """A group that prints one line for each error that the user can fix, and exits with its status."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print errors meant for the user on standard error."""
        ctx.color = colours.wanted(os.environ)
        try:
            with without_warnings():
                return super().invoke(ctx)
        except (TagshipError, ReleaseError) as error:  # the second if git fails, for example
            print_errors(map(str, error.args))
            raise SystemExit(getattr(error, "status", TagshipError.status)) from None
        except (KeyboardInterrupt, click.Abort) as stopped:
            interrupt = stopped.__context__ if isinstance(stopped, click.Abort) else stopped
            if not isinstance(interrupt, KeyboardInterrupt):  # end of input at a prompt
                raise
            # Cleanup is done; a second signal would only print a traceback.
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)
            number = interrupt.args[0] if interrupt.args else signal.SIGINT
            click.echo("interrupted", err=True)
            # The status that a shell reports for a program killed by a signal.
            raise SystemExit(128 + number) from None


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def interrupt_on_signals() -> None:
    """Clean up on SIGTERM, from `kill` or a CI service, as on Ctrl-C; the exit status depends on the signal."""

    def terminate(number: int, frame: FrameType | None) -> None:
        # Use the handler of SIGINT, which the servers delay while they start and stop.
        handler = signal.getsignal(signal.SIGINT)
        (handler if callable(handler) else _interrupt)(number, frame)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT or not ignored:
            _interrupt(number, frame)

    # A background job of a shell ignores Ctrl-C, and must continue to.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)
