"""What tox installs for the tests: the environment that the maintainers run."""

from __future__ import annotations

import configparser
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tagship_suite.repo.files import load_toml, subtable

if TYPE_CHECKING:
    from pathlib import Path

ROOT = r"\{(toxinidir|tox_root)\}(/)?"
KEYS = ("deps", "extras", "dependency_groups")


def environment(root: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the requirements, extras and dependency groups of every environment; files are `-r PATH`.

    What holds for some environments only is left out. Source of the rules: https://tox.wiki/en/latest/config.html
    """
    tool = subtable(load_toml(root / "pyproject.toml"), "tool", "tox")
    native = {**subtable(tool, "env_run_base"), **subtable(load_toml(root / "tox.toml"), "env_run_base")}
    file, parser = root / "tox.ini", configparser.RawConfigParser()
    text = file.read_text("utf-8", "replace") if file.is_file() else str(tool.get("legacy_tox_ini", ""))
    with suppress(configparser.Error):  # what does not parse is for tox to explain
        parser.read_string(text)
    deps, extras, groups = (_texts(native.get(key)) + _lines(parser, "testenv", key) for key in KEYS)
    return [re.sub(r"^(-[rc])\s*", r"\1 ", line) for line in deps], _words(extras), _words(groups)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _lines(parser: configparser.RawConfigParser, section: str, key: str, depth: int = 0) -> list[str]:
    found = []
    for line in parser.get(section, key, fallback="").splitlines():
        text = re.sub(r"\s+#.*|^#.*", "", line).strip()
        if (other := re.fullmatch(r"\{\[(.+)\](\w+)\}", text)) and depth < 5:
            found += _lines(parser, other[1], other[2], depth + 1)
            continue
        text = re.sub(ROOT, lambda match: "" if match[2] else ".", text)
        if text and "{" not in text and not re.match(r"[\w!,.-]+:\s", text):
            found.append(text)
    return found


def _words(lines: list[str]) -> list[str]:
    return [word for line in lines for word in re.split(r"[\s,]+", line) if word]
