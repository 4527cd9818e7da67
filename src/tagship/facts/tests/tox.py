"""What tox does for the tests: reads its environments, without running them."""

from __future__ import annotations

import configparser
import re
import shlex
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from tagship_suite.files import load_toml, subtable

from .model import Command, Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .declared import Project

#: Environments for other purposes, which install what a release does not need.
SPECIAL = re.compile(
    r"pypy|min|low|old|dev|main|cov|bench|nightly|warn|type|lint|docs?|pre|opt|mypy|pyright|style|flake|ruff|black|format"
    r"|fix|pack|manifest|release"
)
#: Environments that need a server, which a release does not have.
SERVICE = re.compile(r"postgres|mysql|maria|mongo|redis|rabbit|kafka|elastic|docker|integration|e2e")
#: `py310, !a: ` before a line: it applies to some environments only.
FACTORS = r"!?(?:[\w.-]|\{[^{}:]*\})+"
CONDITION = re.compile(rf"({FACTORS}(?:\s*,\s*{FACTORS})*)\s*:\s*(?!//)")
DEPTH = 5
#: The folder into which tox installs: known when it runs only.
INSTALLED = "$INSTALLED"


@dataclass
class Tox:
    """The configuration of tox: sections of tox.ini, and tables of its TOML."""

    project: Project
    file: str = ""
    ini: configparser.RawConfigParser = field(default_factory=lambda: configparser.RawConfigParser(strict=False))
    toml: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, project: Project) -> Tox:
        """Return the configuration in tox.ini, setup.cfg, tox.toml or pyproject.toml; unreadable files are skipped."""
        tool, own = subtable(project.tool, "tox"), load_toml(project.root / "tox.toml")
        found = cls(project, "tox.toml" if own else "pyproject.toml" if tool else "", toml=own or tool)
        texts = [(name, project.root / name) for name in ("tox.ini", "setup.cfg")]
        legacy = str(tool.get("legacy_tox_ini", ""))
        read = [(name, path.read_text("utf-8", "replace")) for name, path in texts if path.is_file()]
        for name, text in [*read, ("pyproject.toml", legacy)]:
            if re.search(r"(?m)^\[(testenv|tox)", text) and not found.ini.sections():
                with suppress(configparser.Error):  # tox reports what does not parse
                    found.ini.read_string(text.replace("[tox:tox]", "[tox]"))
                found.file = name
        return found

    def names(self) -> list[str]:
        """Return the environments that tox runs by default, the usual ones for the newest Python first, and `py`.

        Usual ones have the factors of most environments: of `py310, py311, py311-x`, the last tests something optional.
        """
        listed = self.toml.get("env_list", self.toml.get("envlist", []))
        text = next(
            (self.ini.get("tox", key) for key in ("envlist", "env_list") if self.ini.has_option("tox", key)), ""
        )
        found = [name for name in listed if isinstance(name, str)] + [
            name
            for row in re.split(r"[\n,](?![^{]*\})", re.sub(r"(?m)\s+#.*|^#.*", "", text))
            for name in expanded(row)
        ]
        usual = Counter(map(_without_python, dict.fromkeys(found)))
        ranked = sorted(
            dict.fromkeys(found),
            key=lambda name: (
                bool(SPECIAL.search(name)),
                -usual[_without_python(name)],
                -_minor(name),
                -_newest(_without_python(name)),
            ),
        )
        served = [name for name in ranked if SERVICE.search(name)]
        return [*(name for name in ranked if name not in served), "py", *served]

    def needs(self, env: str) -> Needs:
        """Return what the environment `env` installs."""
        where = f"{self.file}, environment {env} of tox"
        project, folder = self.project, self.project.root.relative_to(self.project.top).as_posix()
        lines = [re.sub(r"^(-[rc])\s*(?:\./)?", r"\1 ", line) for line in self.lines(env, "deps") if "$" not in line]
        found = Needs()
        for line in lines:
            file = line[3:].strip().removeprefix("./") if line.startswith("-r ") else ""
            if file and (project.root / file).is_file():
                found += project.requirements_file(file, where)
            elif not file:
                found += project.arguments([line], folder, where)
        constraints = [value for name, value in self.variables(env) if name in {"PIP_CONSTRAINT", "UV_CONSTRAINT"}]
        for file in [*constraints, *self._words(env, "constraints")]:
            found += Needs((f"-c {file}",), source=where) if (project.top / file).is_file() else Needs()
        for name in self._words(env, "extras"):
            found += project.extra(name, where)
        for name in self._words(env, "dependency_groups"):
            found += project.group(name, where) or Needs()
        return found

    def commands(self, env: str, posargs: list[str]) -> list[Command]:
        """Return the commands of the environment `env`, and those before them."""
        rows, given = list[list[str]](), " ".join(posargs)
        lines = [line for key in ("commands_pre", "commands") for line in self.lines(env, key, given)]
        for line in "\n".join(lines).replace("\\\n", " ").splitlines():
            with suppress(ValueError):
                rows.append(shlex.split(re.sub(r"^[-!\s]+", "", line)))
        variables = tuple(f"{name}={value}" for name, value in self.variables(env))
        folder = next(iter([*self.lines(env, "changedir"), *self.lines(env, "change_dir")]), "")
        folder = folder if "$" not in folder and (self.project.root / folder).is_dir() else ""
        return [Command(tuple(row), f"{self.file}, environment {env} of tox", variables, folder) for row in rows if row]

    def variables(self, env: str, depth: int = 0) -> Iterator[tuple[str, str]]:
        """Yield the variables that the environment `env` sets, with their values."""
        for line in (*self.lines(env, "setenv", depth=depth), *self.lines(env, "set_env", depth=depth)):
            name, found, value = line.partition("=")
            if found:
                yield name.strip(), value.strip()

    def _words(self, env: str, key: str) -> list[str]:
        return [word for line in self.lines(env, key) for word in re.split(r"[\s,]+", line) if word]

    def lines(self, env: str, key: str, posargs: str = "", depth: int = 0) -> list[str]:
        """Return the lines of `key` that apply to the environment `env`, without substitutions that need a run."""
        native = {**subtable(self.toml, "env_run_base"), **subtable(self.toml, "env", env)}.get(key)
        if native is not None:
            return [self._filled(line, env, posargs, depth) for line in _native(native, posargs)]
        for section in self.ini.sections():
            kind, _, names = section.partition(":")
            if kind == "testenv" and env in expanded(names) and self.ini.has_option(section, key):
                return self._of_section(section, key, env, posargs, depth)
        return self._of_section("testenv", key, env, posargs, depth)

    def _of_section(self, section: str, key: str, env: str, posargs: str, depth: int = 0) -> list[str]:
        found = list[str]()
        value = self.ini.get(section, key, fallback="") if self.ini.has_section(section) else ""
        for line in value.splitlines():
            text = re.sub(r"\s+#.*|^#.*", "", line).strip()
            if condition := CONDITION.match(text):
                if not _holds(condition[1], env):
                    continue
                text = text[condition.end() :]
            if (other := re.fullmatch(r"\{\[(.+)\](\w+)\}", text)) and depth < DEPTH:
                found += self._of_section(other[1], other[2], env, posargs, depth + 1)
            elif text:
                found.append(self._filled(text, env, posargs, depth))
        return [text for text in found if text]

    def _filled(self, text: str, env: str, posargs: str, depth: int = 0) -> str:
        def fill(match: re.Match[str]) -> str:
            name, _, default = match[1].partition(":")
            if other := re.fullmatch(r"\[(.+)\](\w+)", match[1]):
                inner = self._of_section(other[1], other[2], env, posargs, depth + 1) if depth < DEPTH else []
                return " ".join(inner)
            if name == "posargs":
                return posargs or default
            if name == "env":
                variable, given, value = default.partition(":")
                known = dict(self.variables(env, depth + 1)) if depth < 2 else {}
                return known.get(variable, value if given else "$UNKNOWN")
            places = {"toxinidir": ".", "tox_root": ".", "/": "/", "": ":", "envname": env, "env_name": env}
            places |= dict.fromkeys(("envsitepackagesdir", "env_site_packages_dir"), INSTALLED)
            return places.get(
                name, "python" if "python" in name else "" if name.endswith("dir") and "bin" in name else "$UNKNOWN"
            )

        for _ in range(DEPTH):
            text = re.sub(r"\{((?:\[[^\]{}]*\])?[^{},]*|(?:env|posargs):[^{}]*)\}", fill, text)
        return re.sub(r"(^|[\s=])\./(?=\S)", r"\1", re.sub(r"(^|\s)/(?=(?:pytest|python)\b)", r"\1", text)).strip()


def _native(value: Any, posargs: str) -> list[str]:
    """Return the lines of a value in TOML: a list of strings, of lists (one per command), or a table of variables."""
    if isinstance(value, dict):
        return [f"{key}={text}" for key, text in value.items() if isinstance(text, str)]
    rows = value if isinstance(value, list) else [value]
    return [_row(row, posargs) for row in rows]


def _row(row: Any, posargs: str) -> str:
    if isinstance(row, list):
        return " ".join(_word(word, posargs) for word in row)
    return _word(row, posargs) if isinstance(row, dict) else str(row)


def _word(word: Any, posargs: str) -> str:
    if isinstance(word, dict):
        default = word.get("default", [])
        if word.get("replace") == "posargs":
            return posargs or " ".join(map(shlex.quote, map(str, default if isinstance(default, list) else [default])))
        return ""
    return str(word) if "{" in str(word) else shlex.quote(str(word))


def expanded(text: str) -> list[str]:
    """Expand a generative name such as `py{310,311}-{a,b}`."""
    parts = [
        [name for each in part[1:-1].split(",") for name in _range(each.strip())]
        if part.startswith("{")
        else part.replace(" ", "").split(",")
        for part in re.split(r"(\{[^{}]*\})", text.strip())
        if part
    ]
    if not any("{" in part for part in text):
        return [name for name in parts[0] if name] if parts else []
    return ["".join(names) for names in product(*parts)]


def _range(text: str) -> list[str]:
    """Return the numbers that `0-5` in braces stands for, and any other text unchanged."""
    found = re.fullmatch(r"(\d+)-(\d+)", text)
    return [str(number) for number in range(int(found[1]), int(found[2]) + 1)][:100] if found else [text]


def _holds(condition: str, env: str) -> bool:
    """Return whether a factor condition such as `py310-a,!b` applies to the environment `env`."""
    factors = {*env.split("-")}
    alternatives = [name for part in re.split(r",(?![^{]*\})", condition) for name in expanded(part)]
    return any(
        all((factor[1:] not in factors) if factor.startswith("!") else factor in factors for factor in each.split("-"))
        for each in alternatives
    )


def _without_python(env: str) -> str:
    return "-".join(factor for factor in env.split("-") if not re.fullmatch(r"(py)?3?\.?\d*|python3?", factor))


def _newest(factors: str) -> int:
    """Return the number at the end of factors such as `django52`: that of a version, of which the tests need one."""
    found = re.search(r"\d+$", factors)
    return int(found[0]) if found else 0


def _minor(env: str) -> int:
    found = re.search(r"(?:^|-)(?:py)?3\.?(\d+)(?=-|$)", env)
    return int(found[1]) if found else 100 if env.split("-")[0] in {"py", "py3", "python"} else 0
