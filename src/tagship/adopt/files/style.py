"""The style of a project's own formatters for new files and lines: quotes, the first import, arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import tomlkit

from tagship_suite.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = (
    "pyproject.toml",
    ".isort.cfg",
    "ruff.toml",
    ".ruff.toml",
    "setup.cfg",
    "tox.ini",
    ".flake8",
    ".pre-commit-config.yaml",
)
SINGLE = re.compile(
    r"double-quote-string-fixer|(?m:^\s*(?:[\w.-]*\.)?(?:quote-style|inline-quotes)\s*=\s*[\"']?(?:single|')(?:$|[\"'\s]))"
)
AFTER_IMPORTS = re.compile(r"\blines[-_]after[-_]imports[\"']?\s*=\s*(\d)\b")
BY_LENGTH = re.compile(r"(?m)^\s*length[-_]sort(?:[-_]straight)?\s*=\s*true\b", re.IGNORECASE)
FUTURE = "from __future__ import annotations"
#: The line length at which TOML formatters break an array.
WIDTH = 80


def after_imports(root: Path) -> int:
    """Return the number of blank lines after imports in the project's style, before code other than a definition."""
    wanted = [int(number) for text in _configs(root) for number in AFTER_IMPORTS.findall(text)]
    return max(wanted, default=1)


def in_order(root: Path, text: str) -> str:
    """Return the `text` of a module with the imports of the release in the order of the project's formatter."""
    both = re.compile(r"(import importlib\.util\r?\n)(import sys\r?\n)")
    return both.sub(r"\2\1", text) if any(map(BY_LENGTH.search, _configs(root))) else text


def _configs(root: Path) -> list[str]:
    return [read_text(root / name) for name in CONFIGS if (root / name).is_file()]


def new_module(root: Path, docstring: str) -> tuple[str, str]:
    """Return the first lines of a new module in the style of the project at `root`, and its quote character."""
    texts = _configs(root)
    first = f"\n{FUTURE}\n" if any(FUTURE in text for text in texts) else ""
    return f'"""{docstring}"""\n{first}', "'" if any(map(SINGLE.search, texts)) else '"'


def value(text: str, key: str, found: str | list[str] | bool) -> Any:  # noqa: FBT001 (a value, not a flag)
    """Return `found` as a value of `key`, in the style of the TOML `text`."""
    if isinstance(found, bool):
        return tomlkit.item(found)
    if isinstance(found, str):
        return _string(found)
    items = [_string(each).as_string() for each in found]
    gap = " " if len(re.findall(r"=[ \t]*\[ [\"']", text)) > len(re.findall(r"=[ \t]*\[[\"']", text)) else ""
    line = f"[{gap}{', '.join(items)}{gap}]" if items else "[]"
    always = len(re.findall(r"=[ \t]*\[[ \t]*(?:#.*)?\r?\n", text)) > 1 and not re.search(r"=[ \t]*\[[ ]?[\"']", text)
    if items and (always or len(f"{key} = {line}") > WIDTH):
        indent = match[1] if (match := re.search(r"=[ \t]*\[[ \t]*(?:#.*)?\r?\n([ \t]+)\S", text)) else "    "
        line = "[\n" + "".join(f"{indent}{item},\n" for item in items) + "]"
    return tomlkit.value(line)


def _string(text: str) -> Any:
    is_literal = bool({*text} & {"\\", '"'}) and "'" not in text and text.isprintable()
    return tomlkit.string(text, literal=is_literal)
