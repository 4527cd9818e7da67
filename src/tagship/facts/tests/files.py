"""The test modules of a project, and what they use."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tagship_suite.files import subtable

if TYPE_CHECKING:
    from .declared import Project

PYTEST_CONFIGS = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
#: Plugins by the options and settings that they add to pytest.
PLUGINS = {
    "pytest-cov": r"--(?:no-)?cov\b",
    "pytest-xdist": r"(?:^|[\s\"'])-n[ =\"']|--numprocesses|--dist\b",
    "pytest-timeout": r"--timeout\b|^\s*timeout\s*=",
    "pytest-asyncio": r"asyncio_mode|--asyncio-mode",
    "pytest-randomly": r"--randomly",
    "pytest-django": r"DJANGO_SETTINGS_MODULE",
    "pytest-mock": r"mock_use_standalone",
    "pytest-env": r"^\s*env\s*=",
}


def found(root: Path) -> list[Path]:
    """Return the test modules, in any folder; at the top, also `tests.py`."""
    modules = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_other(Path(folder, name)))
        inside = {"tests", "test", "_tests"} & {*Path(folder).relative_to(root).parts}
        pattern = (
            r".*\.py" if inside else r"test.*\.py|.*_test\.py" if folder == str(root) else r"test_.*\.py|.*_test\.py"
        )
        modules += [Path(folder, name) for name in sorted(files) if re.fullmatch(pattern, name)]
    return modules


def _is_other(folder: Path) -> bool:
    other = {"build", "bundle", "dist", "node_modules", "site-packages"}
    return folder.name.startswith(".") or folder.name in other or (folder / "pyvenv.cfg").is_file()


def command(project: Project, modules: list[Path], by_pytest: str) -> tuple[list[str], str]:
    """Return the command, and why: pytest, unless all test modules are for unittest."""
    root = project.root
    by_pytest = by_pytest or configures_pytest(project)
    by_pytest = by_pytest or next(
        (f"{_shown(path, root)} uses pytest" for path in modules if _imports_pytest(path)), ""
    )
    folder = next((name for name in ("tests", "test") if (root / name).is_dir()), ".")
    below = folder != "." or any(_is_in(path.parent, root) for path in modules)
    by_unittest = next((_shown(path, root) for path in modules if _imports_unittest(path)), "")
    if by_pytest or not below or not by_unittest:
        return ["pytest"], by_pytest or f"{_shown(modules[0], root)} is a test module"
    top = ["-t", "."] if (root / folder / "__init__.py").is_file() else []
    found_by = ["python", "-m", "unittest", "discover", "-s", folder, *top]
    return found_by, f"{by_unittest} imports unittest, and nothing mentions pytest"


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_in(folder: Path, root: Path) -> bool:
    """Return whether unittest can descend from `root` to `folder`, which takes packages."""
    return folder == root or ((folder / "__init__.py").is_file() and _is_in(folder.parent, root))


def options(project: Project) -> str:
    """Return the texts with pytest's options and settings."""
    own = subtable(project.tool, "pytest")
    texts = [str(value) if key != "env" else "\nenv = " for key, value in _flat(own)]
    for name in PYTEST_CONFIGS:
        path = project.root / name
        if path.is_file() and name != "pyproject.toml":
            text = path.read_bytes().decode("utf-8", "replace")
            sections = re.findall(r"(?ms)^\[(?:tool:)?pytest\]$(.*?)(?=^\[|\Z)", text)
            texts += [text] if name.lstrip(".").startswith("pytest") else sections
    return "\n".join([*texts, *(f"{key} =" for key, _ in _flat(own))])


def _flat(table: object) -> list[tuple[str, object]]:
    entries = table.items() if isinstance(table, dict) else []
    return [pair for key, value in entries for pair in ((key, value), *(_flat(value)))]


def ignored(project: Project) -> list[str]:
    """Return options that exclude the release's modules from a pytest that collects every module, and coverage.

    Coverage that must reach a limit is measured in the checkout, not in what was installed.
    """
    text = options(project)
    elsewhere = re.search(r"(?m)^\s*testpaths\b(?!\s*=\s*\.(?:\s|$))", text)
    collects = bool(re.search(r"doctest-modules|python_files", text)) and not elsewhere
    covered = bool(re.search(r"--cov\b", text))
    ours = [f"--ignore={name}" for name in ("noxfile.py", "tasks.py", "bundle")]
    return [*(["--no-cov"] if covered else []), *(ours if collects else [])]


def has_doctests(project: Project) -> bool:
    """Return whether pytest is configured to run doctests, which need no test module."""
    return bool(re.search(r"--doctest-(?:modules|glob)\b", options(project)))


def plugins(project: Project) -> list[str]:
    """Return the plugins that pytest's configuration requires."""
    text = options(project)
    return [name for name, pattern in PLUGINS.items() if re.search(pattern, text, re.MULTILINE)]


def _imports_pytest(path: Path) -> bool:
    text = path.read_bytes()
    return re.search(rb"(?m)^\s*(?:import|from)\s+pytest\b", text) is not None or path.name == "conftest.py"


def _imports_unittest(path: Path) -> bool:
    return re.search(rb"(?m)^\s*(?:import|from)\s+unittest\b", path.read_bytes()) is not None


def configures_pytest(project: Project) -> str:
    """Return which file configures pytest, "" if none does."""
    if "pytest" in project.tool:
        return "pyproject.toml configures pytest"
    sections = {"setup.cfg": b"[tool:pytest]", "tox.ini": b"[pytest]"}
    paths = {name: project.root / name for name in PYTEST_CONFIGS if name != "pyproject.toml"}
    there = (name for name, path in paths.items() if path.is_file() and sections.get(name, b"") in path.read_bytes())
    return next((f"{name} configures pytest" for name in there), "")
