"""How a project runs its tests: guessed once, at adoption, for a person to read and keep as settings."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship_suite.repo.files import load_toml, subtable
from tagship_suite.testing.plan import DEFAULTS

from .needs import has_pytest, needs

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTEST_CONFIGS = ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


@dataclass(frozen=True)
class Guess:
    """The settings `test-command`, `test-requires`, `test-groups` and `test-extras`; None: the default fits.

    `why` has a line of evidence for each of `command`, `requires`, `groups` and `extras` that was looked for.
    """

    command: tuple[str, ...] | None = None
    requires: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    extras: tuple[str, ...] | None = None
    why: Mapping[str, str] = field(default_factory=dict)


def guess(root: Path, top: Path | None = None) -> Guess:
    """Return how the project at `root` runs its tests, by what its files show; nothing in it is run.

    `top` is the root of the repository, where `root` is one of several distributions in it, and what the tests of all
    need may be named. Raises `ReleaseError` where a file cannot be read.
    """
    top, pyproject = top or root, load_toml(root / "pyproject.toml")
    files = _test_files(root)
    if not files:
        return Guess(command=(), why={"command": "no module of tests is there"})
    home, table, found = root, pyproject, needs(root, pyproject, top)
    if not found.source and root != top:
        home, table = top, load_toml(top / "pyproject.toml")
        found = needs(top, table, top)
    has = has_pytest(found, home, table, top)
    command, reason = _command(root, pyproject, files, by_pytest="pytest is among what the tests need" if has else "")
    requires = found.requires
    why = {"command": reason} | {
        name: found.source for name in ("requires", "groups", "extras") if getattr(found, name)
    }
    if command[0] == "pytest" and not has and not _hidden(found.extras, home):
        requires = (*requires, "pytest")
        why["requires"] = " and ".join(filter(None, (why.get("requires"), "the runner pytest, which nothing names")))
    usual = [(found.groups[:1], ()), ((), found.extras[:1])] if not requires else []
    default = (found.groups, found.extras) in usual and {*found.groups, *found.extras} <= {*DEFAULTS}
    default = default and not _hidden(found.extras, home)
    return Guess(
        None if command == ["pytest"] else tuple(command),
        requires or None,
        None if default else found.groups or None,
        None if default else found.extras or None,
        why,
    )


def _hidden(extras: tuple[str, ...], root: Path) -> bool:
    """Return whether what the extras hold is only in setup.py, which is not run to be read."""
    return bool(extras) and (root / "setup.py").is_file() and not (root / "setup.cfg").is_file()


def _command(root: Path, pyproject: dict[str, Any], files: list[Path], by_pytest: str) -> tuple[list[str], str]:
    """Return the command, and what it was concluded from."""
    by_pytest = by_pytest or _configures_pytest(root, pyproject)
    by_pytest = by_pytest or next((f"{_shown(path, root)} uses pytest" for path in files if _imports_pytest(path)), "")
    folder = next((name for name in ("tests", "test") if (root / name).is_dir()), ".")
    below = folder != "." or any(_is_in(path.parent, root) for path in files)
    by_unittest = next((_shown(path, root) for path in files if _imports_unittest(path)), "")
    if by_pytest or not below or not by_unittest:
        return ["pytest", *_ignored(root)], by_pytest or f"{_shown(files[0], root)} is a module of tests"
    top = ["-t", "."] if (root / folder / "__init__.py").is_file() else []
    command = ["python", "-m", "unittest", "discover", "-s", folder, *top]
    return command, f"{by_unittest} imports unittest, and nothing mentions pytest"


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_in(folder: Path, root: Path) -> bool:
    """Return whether unittest gets from `root` down to `folder`: only by packages."""
    return folder == root or ((folder / "__init__.py").is_file() and _is_in(folder.parent, root))


def _ignored(root: Path) -> list[str]:
    """Keep the suite's own modules from a pytest that is told to collect every module, as doctests are."""
    files = [root / name for name in PYTEST_CONFIGS if (root / name).is_file()]
    collects = any(re.search(rb"doctest-modules|python_files", path.read_bytes()) for path in files)
    return ["--ignore=noxfile.py", "--ignore=tasks.py"] if collects else []


def _test_files(root: Path) -> list[Path]:
    """Return the modules of tests, wherever they lie; those at the top may be called `tests.py` too."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_other(Path(folder, name)))
        inside = {"tests", "test", "_tests"} & {*Path(folder).relative_to(root).parts}
        pattern = (
            r".*\.py" if inside else r"test.*\.py|.*_test\.py" if folder == str(root) else r"test_.*\.py|.*_test\.py"
        )
        found += [Path(folder, name) for name in sorted(files) if re.fullmatch(pattern, name)]
    return found


def _is_other(folder: Path) -> bool:
    other = {"build", "bundle", "dist", "node_modules", "site-packages"}
    return folder.name.startswith(".") or folder.name in other or (folder / "pyvenv.cfg").is_file()


def _imports_pytest(path: Path) -> bool:
    text = path.read_bytes()
    return re.search(rb"(?m)^\s*(?:import|from)\s+pytest\b", text) is not None or path.name == "conftest.py"


def _imports_unittest(path: Path) -> bool:
    return re.search(rb"(?m)^\s*(?:import|from)\s+unittest\b", path.read_bytes()) is not None


def _configures_pytest(root: Path, pyproject: dict[str, Any]) -> str:
    """Return which file configures pytest, "" where none does."""
    if "pytest" in subtable(pyproject, "tool"):
        return "pyproject.toml configures pytest"
    sections = (("pytest.toml", b""), ("pytest.ini", b""), ("setup.cfg", b"[tool:pytest]"), ("tox.ini", b"[pytest]"))
    found = (name for name, text in sections if (root / name).is_file() and text in (root / name).read_bytes())
    return next((f"{name} configures pytest" for name in found), "")
