"""What a project is called, read from its files without running anything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .config import load_toml, parse_cfg, subtable
from .source import read_text

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
    if not (root / "setup.py").is_file():
        return ""
    try:
        tree = ast.parse(read_text(root / "setup.py"))
    except SyntaxError:
        return ""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "name"]
    texts = [value.value for value in values if isinstance(value, ast.Constant)]
    return next((text for text in texts if isinstance(text, str)), "")
