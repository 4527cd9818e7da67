"""The arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

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


def examples(*lines: str) -> str:
    """Return the end of a command's help, with these examples, one per line."""
    return "\b\n" + "\n  ".join(["Examples:", *lines])
