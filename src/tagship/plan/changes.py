"""The section of a changelog about one version: Keep a Changelog, git-cliff, towncrier, or the like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = re.compile(r"(change(s|log)|history|news|releases?)(\.(md|rst|txt|markdown))?", re.IGNORECASE)
FOLDERS = ("", "docs", "doc")
UNDERLINE = re.compile(r"([=~^\"'`#*+-])\1{2,}\s*")
LARGEST = 5_000_000  # bytes


def section(folder: Path, version: str) -> str:
    """Return the text below the heading of `version` in the changelog of the project in `folder`, "" without one."""
    for path in _files(folder):
        lines = path.read_text("utf-8", "replace").splitlines()
        if found := _below(lines, version):
            return found
    return ""


def _files(folder: Path) -> list[Path]:
    found = [path for name in FOLDERS if (folder / name).is_dir() for path in sorted((folder / name).iterdir())]
    return [path for path in found if NAMES.fullmatch(path.name) and path.is_file() and path.stat().st_size < LARGEST]


def _below(lines: list[str], version: str) -> str:
    headings = [(number, level) for number in range(len(lines)) if (level := _level(lines, number))]
    about = re.compile(rf"(?<![\w.])v?{re.escape(version)}(?![\w]|\.\d)")
    for position, (number, level) in enumerate(headings):
        if about.search(lines[number]):
            following = (line for line, other in headings[position + 1 :] if _is_same(other, level))
            start = number + (1 if level[0] == "#" else 2)
            return "\n".join(lines[start : next(following, len(lines))]).strip()
    return ""


def _level(lines: list[str], number: int) -> str:
    """Return how the heading in a line is marked, `##` or the character of its underline; "" if it is none."""
    line = lines[number]
    if match := re.match(r"(#{1,6})\s", line):
        return match[1]
    below = lines[number + 1] if number + 1 < len(lines) else ""
    underlined = UNDERLINE.fullmatch(below) and len(below.rstrip()) >= min(len(line.rstrip()), 4)
    return below[0] + "_" if underlined and line.strip() and not UNDERLINE.fullmatch(line) else ""


def _is_same(other: str, level: str) -> bool:
    """Return whether a heading ends the section: one as high or, of Markdown, higher."""
    return len(other) <= len(level) if {other[0], level[0]} == {"#"} and other[-1:] != "_" else other == level
