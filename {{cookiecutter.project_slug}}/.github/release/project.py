"""What a project is called, read from its files without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .config import load_toml, parse_cfg, subtable
from .source import passed, read_text

if TYPE_CHECKING:
    from pathlib import Path


def name(root: Path) -> str:
    """Return the distribution name of the project at `root`; "" where its files do not say it in so many words."""
    pyproject = load_toml(root / "pyproject.toml")
    tables = (subtable(pyproject, "project"), subtable(pyproject, "tool", "poetry"))
    static = next((table["name"] for table in tables if isinstance(table.get("name"), str)), "")
    return static or _in_setup_cfg(root) or _in_setup_py(root)


def _in_setup_cfg(root: Path) -> str:
    return parse_cfg(root / "setup.cfg").get("metadata", "name", fallback="")


def _in_setup_py(root: Path) -> str:
    path = root / "setup.py"
    return passed(read_text(path), "name") if path.is_file() else ""
