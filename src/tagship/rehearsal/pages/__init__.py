"""The report of a rehearsal as a page, in HTML or Markdown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tagship.errors import TagshipError

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.report import Report

#: The module that writes each form, imported at the end: a rehearsal prints its first line at once.
FORMS = {".html": "html", ".md": "markdown"}


def check(path: Path) -> None:
    """Raise `TagshipError` if no report can be written to `path`."""
    if path.suffix not in FORMS:
        raise TagshipError(f"--report {path}: found the suffix {path.suffix!r}, expected .html or .md; rename it")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise TagshipError(f"--report {path}: found no place for a file, expected one in a folder; name another one")


def write(report: Report, path: Path) -> None:
    """Write the page to `path`, replacing what is there; raise `TagshipError` if it cannot be written."""
    page = import_module(f"tagship.rehearsal.pages.{FORMS[path.suffix]}").page(report)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TagshipError(f"--report {path}: found '{reason}', expected a file to write; name another one") from error
