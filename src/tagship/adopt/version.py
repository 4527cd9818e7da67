"""Where is the version of a project written, if setup.py computes it from another file?"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship_suite.config import Config
from tagship_suite.errors import ReleaseError
from tagship_suite.repo.files import load_toml, parse_cfg, read_text, subtable
from tagship_suite.repo.literals import find, keywords
from tagship_suite.repo.version_source import locate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship_suite.repo.literals import Written

NAMES = ("__version__", "VERSION", "version", "__VERSION__")


@dataclass(frozen=True)
class Source:
    """The version and how it was found; `file` and `pattern` are settings, "" where none is needed."""

    version: str = ""
    why: str = ""
    file: str = ""
    pattern: str = ""


def guess(folder: Path) -> Source:
    """Return where the version of the project in `folder` is written, as far as its files show without being run."""
    try:
        written, known = locate(folder, Config()), True
    except ReleaseError:
        written, known = None, False
    if known and written is None:
        return Source(why="git's tags")
    if _computed(folder):
        return _behind_setup_py(folder, written)
    return Source(written.text, _shown(written, folder)) if written else Source(why="nothing shows where it is written")


def _shown(written: Written, folder: Path) -> str:
    line = read_text(written.path).count("\n", 0, written.start) + 1
    return f"{written.path.relative_to(folder).as_posix()}:{line}"


def _computed(folder: Path) -> bool:
    """Return whether only setup.py passes the version, and not as a literal or a constant."""
    path, pyproject = folder / "setup.py", load_toml(folder / "pyproject.toml")
    tables = (subtable(pyproject, "project"), subtable(pyproject, "tool", "poetry"))
    elsewhere = any("version" in table or "version" in str(table.get("dynamic", "")) for table in tables)
    elsewhere = elsewhere or parse_cfg(folder / "setup.cfg").has_option("metadata", "version")
    if elsewhere or not path.is_file():
        return False
    return _passes(read_text(path)) and next(keywords(read_text(path), "version"), None) is None


def _passes(text: str) -> bool:
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return False
    return any(keyword.arg == "version" for call in calls for keyword in call.keywords)


def _behind_setup_py(folder: Path, only: Written | None) -> Source:
    """Return the file that setup.py mentions, by its name or as a module, that holds a version, else `only`."""
    tree = ast.parse(read_text(folder / "setup.py"))
    mentioned = {*_mentioned(tree)}
    found = [
        (written, pattern)
        for path in _candidates(folder)
        if path.name in mentioned or _dotted(path, folder) in mentioned
        for written, pattern in _versions(path)
    ]
    # Where several files of that name hold one, setup.py also names the folder.
    named = [each for each in found if each[0].path.parent.name in mentioned] or found
    if len({written.path for written, _ in named}) != 1:
        named = [(only, "")] if only else []
    if not named:
        return Source(why="setup.py computes it, and no file that it mentions holds one")
    written, pattern = named[0]
    file = written.path.relative_to(folder).as_posix()
    return Source(written.text, f"{_shown(written, folder)}, which setup.py reads", file, pattern)


def _candidates(folder: Path) -> list[Path]:
    patterns = ("*", "*/*", "src/*/*", "lib/*/*")
    paths = [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]
    inside = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return [path for path in inside if path.name != "setup.py" and path.suffix in {"", ".py", ".txt", ".cfg"}]


def _mentioned(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from node.value.replace("\\", "/").split("/")
            yield node.value
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _dotted(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    parts = parts[1:] if parts[0] in {"src", "lib"} else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _versions(path: Path) -> Iterator[tuple[Written, str]]:
    """Yield the version in a file and the pattern that finds it, "" where the default does."""
    for name in NAMES if path.suffix == ".py" else NAMES[:1]:
        pattern = "" if name == NAMES[0] else f'^{name} = "(.*)"$'
        try:
            written = find(path, pattern)
        except ReleaseError:
            continue
        if written.text[:1].isdigit():
            yield written, pattern
            return
