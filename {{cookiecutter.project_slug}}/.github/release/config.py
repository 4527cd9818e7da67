"""The project's own words: `[tool.tagship]` and the rest of pyproject.toml."""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._compat import tomllib
from .errors import Problem, ReleaseError, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What a repository does not set for its parts.
OWN = ("version-file", "version-pattern", "packages")
ATTESTATIONS = ("required", "optional", "off")


@dataclass(frozen=True)
class Config:
    """The optional settings of `[tool.tagship]`; a list is empty and a text is "" where nothing is set.

    `file_limit` is in MiB, what PyPI takes of this project: 100 unless it granted more.
    """

    test_command: tuple[str, ...] = ()
    test_requires: tuple[str, ...] = ()
    test_in_place: bool = False
    version_file: str = ""
    version_pattern: str = ""
    release_branches: tuple[str, ...] = ()
    attestations: str = "required"
    file_limit: int = 100
    pythons: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def load_toml(path: Path) -> dict[str, Any]:
    """Return the TOML file at `path`, {} where there is none; raise `ReleaseError` where it is broken."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = Problem(str(path), str(error), "valid TOML in UTF-8", "mend the file")
        raise ReleaseError(problem) from error


def load(root: Path, top: Path | None = None) -> Config:
    """Return the settings of the project at `root`; raise `ReleaseError` for all that are wrong.

    What it does not set itself, the repository that it is a part of sets at its `top`.
    """
    table = subtable(load_toml(root / "pyproject.toml"), "tool", "tagship")
    problems = _problems(table, _shown(root, top))
    if top is not None and top != root:
        above = subtable(load_toml(top / "pyproject.toml"), "tool", "tagship")
        problems += _problems(above, "pyproject.toml")
        table = {**{key: value for key, value in above.items() if key not in OWN}, **table}
    refuse(problems)
    command = table.get("test-command", [])
    return Config(
        test_command=tuple(shlex.split(command) if isinstance(command, str) else command),
        test_requires=tuple(table.get("test-requires", [])),
        test_in_place=table.get("test-in-place", False),
        version_file=table.get("version-file", ""),
        version_pattern=table.get("version-pattern", ""),
        release_branches=tuple(table.get("release-branches", [])),
        attestations=table.get("attestations", "required"),
        file_limit=table.get("file-limit", 100),
        pythons=tuple(table.get("pythons", [])),
        packages=tuple(table.get("packages", [])),
    )


def _shown(root: Path, top: Path | None) -> str:
    path = root / "pyproject.toml"
    return path.relative_to(top).as_posix() if top else path.name


def subtable(data: object, *keys: str) -> dict[str, Any]:
    """Return the table below `data` that `keys` lead to; {} where there is none, or no table."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def parse_cfg(path: Path) -> configparser.RawConfigParser:
    """Return the INI file at `path`, empty where there is none; raise `ReleaseError` where it is broken."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_bytes().decode())
    except FileNotFoundError:
        pass
    except (configparser.Error, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise ReleaseError(Problem(str(path), words, "a valid INI file in UTF-8", "mend the file")) from error
    return parser


def _is_command(value: object) -> bool:
    if not isinstance(value, str):
        return _is_texts(value)
    try:
        return bool(shlex.split(value))
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def is_folder(value: object) -> bool:
    """Tell whether `value` is the path of a folder below another one, in which `*` may stand for names."""
    return isinstance(value, str) and not set(re.split(r"[/\\]", value)) & {"", ".", ".."}


def _is_folders(value: object) -> bool:
    return isinstance(value, list) and all(map(is_folder, value))


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and value >= 100  # a bool is an int, and less


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and re.compile(value).groups == 1
    except re.error:
        return False


SETTINGS: dict[str, tuple[Callable[[object], bool], str]] = {
    "test-command": (_is_command, "a command"),
    "test-requires": (_is_texts, "a list of requirements"),
    "test-in-place": (lambda value: isinstance(value, bool), "true or false"),
    "version-file": (_is_text, "a path"),
    "version-pattern": (_is_pattern, "a regular expression with one group around the version"),
    "release-branches": (_is_texts, "a list of branch names"),
    "pythons": (_is_texts, 'a list such as ["3.12", "3.13"]'),
    "packages": (_is_folders, 'a list of folders such as ["packages/*"]'),
    "file-limit": (_is_limit, "a number of MiB, 100 or more"),
    "attestations": (lambda value: value in ATTESTATIONS, f"one of {', '.join(ATTESTATIONS)}"),
}


def _problems(table: dict[str, Any], path: str) -> list[Problem]:
    where = f"{path} [tool.tagship]"
    problems = []
    for key, value in table.items():
        if key not in SETTINGS:
            problems.append(Problem(where, f"{key!r}", f"one of {', '.join(SETTINGS)}", "mend or remove it"))
        elif not SETTINGS[key][0](value):
            problems.append(Problem(f"{where} {key}", f"{value!r}", SETTINGS[key][1], "mend or remove it"))
    if "version-pattern" in table and "version-file" not in table:
        problems.append(Problem(where, "version-pattern alone", "version-file beside it", "name the file"))
    return problems
