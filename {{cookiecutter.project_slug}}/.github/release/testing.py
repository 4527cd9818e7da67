"""How does a project run its own tests: by which command, where, and with what installed?"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from . import poetry
from .config import load, load_toml, subtable
from .dists import read_dist
from .needs import GROUPS, behind, name_of, names, needs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

FOLDERS = ("tests", "test", "testing")
PYTEST_CONFIGS = ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


@dataclass(frozen=True)
class Plan:
    """What `nox -s test` does: arguments of an installer, extras of the project, the command ([]: no tests), where.

    `locked` is the command that writes the locked requirements, to be installed first ([]: nothing is locked),
    `package` what is tested, and `reason` why there is no command.
    """

    requires: list[str]
    extras: list[str]
    command: list[str]
    folder: str = "."
    locked: list[str] = field(default_factory=list)
    package: str = "."
    reason: str = ""


def plan(root: Path, wheel: str = "", top: Path | None = None, beside: Collection[str] = ()) -> Plan:
    """Return how the project at `root` runs its tests; `[tool.tagship]` counts before what its files show.

    Where `wheel` is tested, and the package lies beside its tests, they run in a copy that lacks the package. Paths
    are relative to the `top` of the repository that `root` is a part of, `beside` others of these names.
    """
    top = top or root
    config, pyproject = load(root, top), load_toml(root / "pyproject.toml")
    requires, extras = list(config.test_requires), list[str]()
    if not requires:
        requires, extras = needs(root, pyproject, top)
    if not requires and not extras and root != top:
        shared = needs(top, load_toml(top / "pyproject.toml"), top)[0]
        requires = [line for line in shared if canonicalize_name(name_of(line)) not in beside]
    command = list(config.test_command) or _command(root, pyproject, [*requires, *behind(root, pyproject, extras)])
    lacking = ["pytest"] if command and command[0] == "pytest" and not names(requires, "pytest") else []
    locked = [] if config.test_requires else poetry.locked(root, pyproject, top, GROUPS)
    folder = root
    if command and wheel.endswith(".whl") and not config.test_in_place:
        shipped = read_dist(Path(wheel)).members
        inside = [] if config.test_command else _inside(root, shipped)
        inside = inside if command[0] == "pytest" or len(inside) == 1 else []  # unittest discovers below one
        folder, command = _apart(root, shipped, top, inside), [*command, *_by_name(command, inside)]
    shown = folder.relative_to(top).as_posix()
    return Plan(([] if locked else requires) + lacking, extras, command, shown, locked)


def _inside(root: Path, shipped: Iterable[str]) -> list[str]:
    """Return the packages that the tests are a part of, where the wheel ships them all, with the data beside them."""
    folders = {path.parent for path in _test_files(root)}
    if root in folders or (root / "conftest.py").is_file():
        return []
    beside = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files = {path.relative_to(root).as_posix().removeprefix("src/") for path in beside}
    return sorted({name.split("/")[0] for name in files}) if files <= {*shipped} else []


def _by_name(command: list[str], packages: list[str]) -> list[str]:
    """Return the arguments by which tests are run from where `packages` were installed."""
    if not packages:
        return []
    return ["--pyargs", *packages] if command[0] == "pytest" else ["--start-directory", packages[0]]


def _apart(root: Path, shipped: Iterable[str], top: Path, inside: list[str]) -> Path:
    """Return where to run the tests of a wheel so that they cannot import the package from the checkout."""
    packages = {name.split("/")[0] for name in shipped if ".dist-info/" not in name and ".data/" not in name}
    beside = sorted(name for name in packages if (root / name).exists())
    outside = [path for path in _test_files(root) if path.relative_to(root).parts[0] not in beside]
    outside = [path for path in outside if path.parent == root or path.relative_to(root).parts[0] in FOLDERS]
    beside += ["src"] if inside and (root / "src").is_dir() else []
    if not beside or not (outside or inside):
        return root
    copy = top / ".nox" / "-".join(["checkout", *root.relative_to(top).parts])
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, symlinks=True, ignore=_left_out)
    for name in beside:
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return copy


def _left_out(_: str, names: list[str]) -> set[str]:
    other = {name for name in names if name.endswith(".egg-info") or name in {"__pycache__", "venv"}}
    return other | {name for name in names if name in {".git", ".nox", ".venv", "build", "bundle", "dist"}}


def _command(root: Path, pyproject: dict[str, Any], requires: list[str]) -> list[str]:
    files = _test_files(root)
    by_pytest = names(requires, "pytest") or _configures_pytest(root, pyproject) or any(map(_imports_pytest, files))
    if not files:
        return []
    folder = next((name for name in ("tests", "test") if (root / name).is_dir()), ".")
    found = folder != "." or any(_is_in(path.parent, root) for path in files)
    if by_pytest or not found or not any(map(_imports_unittest, files)):
        return ["pytest", *_ignored(root)]
    top = ["-t", "."] if (root / folder / "__init__.py").is_file() else []
    # Isolated: the checkout must not stand in for the package that was installed.
    return ["python", "-I", "-m", "unittest", "discover", "-s", folder, *top]


def _is_in(folder: Path, root: Path) -> bool:
    """Tell whether unittest gets from `root` down to `folder`: only by packages."""
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


def _configures_pytest(root: Path, pyproject: dict[str, Any]) -> bool:
    if "pytest" in subtable(pyproject, "tool") or (root / "pytest.ini").is_file():
        return True
    sections = (("setup.cfg", b"[tool:pytest]"), ("tox.ini", b"[pytest]"))
    return any((root / name).is_file() and section in (root / name).read_bytes() for name, section in sections)
