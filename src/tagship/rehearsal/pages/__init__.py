"""The report of a rehearsal as a page, in HTML or Markdown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tagship.errors import TagshipError
from tagship_suite.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.report import Report

#: The module for each suffix, imported late, so that a rehearsal prints its first line at once.
FORMS = {".html": "html", ".md": "markdown"}


def check(path: Path) -> None:
    """Raise `TagshipError` if no report can be written to `path`."""
    where = f"--report {path}"
    if path.suffix not in FORMS:
        raise TagshipError(Problem("usage", where, f"the suffix {path.suffix!r}", ".html or .md", "rename it"))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise TagshipError(Problem("usage", where, "no place for a file", "one in a folder", "name another one"))


def write(report: Report, path: Path) -> None:
    """Write the page to `path`, replacing what is there; raise `TagshipError` if it cannot be written."""
    page = import_module(f"tagship.rehearsal.pages.{FORMS[path.suffix]}").page(report)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = Problem("file-system", f"--report {path}", f"'{reason}'", "a file to write", "name another one")
        raise TagshipError(problem) from error
