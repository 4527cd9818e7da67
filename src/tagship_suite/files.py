"""Reading the project's own files: TOML, INI and text."""

import configparser
import difflib
import stat
import sys
from typing import Any

from .errors import refusal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from collections.abc import Iterator, Mapping
from pathlib import Path

#: The largest file that is read, in bytes: parsing TOML of that size takes seconds.
LONGEST = 2 * 2**20
#: A folder in its place, a link to itself, another encoding, broken syntax, or nested without end.
UNREADABLE = (OSError, ValueError, RecursionError)
__all__ = ["load_toml", "parse_cfg", "read_text", "subtable", "tomllib"]


def load_toml(path: Path) -> dict[str, Any]:
    """Return the TOML file at `path`, {} if there is none; raise `ReleaseError` if it is broken."""
    try:
        return tomllib.loads(_content(path))
    except FileNotFoundError:
        return {}
    except UNREADABLE as error:
        raise refusal("unreadable-file", str(path), str(error), "valid TOML in UTF-8", "fix the file") from error


def parse_cfg(path: Path) -> configparser.RawConfigParser:
    """Return the INI file at `path`, empty if there is none; raise `ReleaseError` if it is broken."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(_content(path))
    except FileNotFoundError:
        pass
    except (*UNREADABLE, configparser.Error) as error:
        reason = " ".join(str(error).split())
        raise refusal("unreadable-file", str(path), reason, "a valid INI file in UTF-8", "fix the file") from error
    return parser


def read_text(path: Path) -> str:
    """Return the text of the file at `path`, line ends as they are; raise `ReleaseError` if it is not UTF-8 text."""
    try:
        return _content(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        expected = "a readable text file"
        raise refusal("unreadable-file", str(path), reason, expected, "fix the path or the file") from error


def _content(path: Path) -> str:
    """Return the text of the file at `path`; raise `ReleaseError` if it is too large or not a regular file."""
    mode, size = path.stat().st_mode, path.stat().st_size
    if size > LONGEST or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        found = f"{size} bytes" if stat.S_ISREG(mode) else "no regular file"
        raise refusal("unreadable-file", str(path), found, f"a file of {LONGEST} bytes at most", "check what it is")
    return path.read_bytes().decode()


def subtable(data: object, *keys: str) -> dict[str, Any]:
    """Return the table below `data` that `keys` lead to; {} if there is none, or it is not a table."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def diffs(root: Path, files: Mapping[Path, str]) -> Iterator[str]:
    """Yield the lines of a unified diff of `files`, below `root`, to their new texts."""
    for path, text in files.items():
        name, before = path.relative_to(root.resolve()).as_posix(), read_text(path).splitlines()
        yield from difflib.unified_diff(before, text.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
