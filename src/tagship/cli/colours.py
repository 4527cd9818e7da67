"""Colours, and when they are printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = {"error": "red", "differs": "red", "note": "yellow"}
LABEL = re.compile(rf"\s*({'|'.join(LABELS)}):")


def wanted(environ: Mapping[str, str]) -> bool | None:
    """Return whether to print colours; None: only to a terminal.

    Sources: https://no-color.org, https://force-color.org
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("CI") else None


def labelled(line: str) -> str:
    """Return `line` with its label, such as `error:`, in the label's colour."""
    match = LABEL.match(line)
    return click.style(match[0], fg=LABELS[match[1]]) + line[match.end() :] if match else line
