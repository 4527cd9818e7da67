"""What a project declares for its development: dependency groups, extras, the groups of its tools."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nox.project import dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tagship.facts import project as facts
from tagship.facts.files import Files
from tagship_suite.files import load_toml, parse_cfg, read_text, subtable

from . import files, poetry
from .model import Needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: The project itself in a requirements file, with its extras.
OWN = re.compile(r"(?:-e|--editable)?[ =]*(?:file:)?\.(?:/)?(?:\[([\w, .-]*)\])?(?:\s+#.*)?")
NO_ARCHIVE = re.compile(
    r"https?://[^#\s]*(?<!\.whl)(?<!\.zip)(?<!\.tgz)(?<!\.tar)(?<!\.gz)(?<!\.bz2)(?<!\.xz)(?:[#\s]|$)"
)
PYTEST = re.compile(r"(?m)^pytest(?![\w.-])")
#: Tools that check or release a project, and types for them.
LINTERS = re.compile(
    r"pre-commit(-hooks)?|prek|codespell|yamllint|zizmor|ruff|black|isort|flake8(-.*)?|pylint|pyupgrade|autoflake"
    r"|docformatter|mypy|pyright|ty|types-.*|safety|bandit|pip-audit|tox(-.*)?|nox|twine|commitizen|tbump|bump2version"
    r"|bump-my-version|python-semantic-release"
)
#: The tables in `[tool]` with the files that have the requirements of each extra.
IN_FILES = (
    ("setuptools", "dynamic", "optional-dependencies"),
    ("hatch", "metadata", "hooks", "requirements_txt", "optional-dependencies"),
)
#: What `hatch test` installs by itself: https://hatch.pypa.io/latest/config/internal/testing/#dependencies
HATCH_TEST = ("pytest", "pytest-mock", "pytest-rerunfailures", "pytest-xdist[psutil]")


@dataclass(frozen=True)
class Project:
    """The project in `root`, one of the distributions of the repository at `top`."""

    root: Path
    top: Path

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """Its pyproject.toml."""
        return load_toml(self.root / "pyproject.toml")

    @cached_property
    def tool(self) -> dict[str, Any]:
        """The tables of tools in it."""
        return subtable(self.pyproject, "tool")

    @cached_property
    def groups(self) -> dict[str, Any]:
        """The dependency groups of PEP 735."""
        return subtable(self.pyproject, "dependency-groups")

    @cached_property
    def extras(self) -> dict[str, Any]:
        """The requirements of each extra; None if only running setup.py would show them."""
        parser, section = parse_cfg(self.root / "setup.cfg"), "options.extras_require"
        found: dict[str, Any] = dict(self.facts.passed_lists("extras_require"))
        found |= dict(parser.items(section)) if parser.has_section(section) else {}
        found |= subtable(self.tool, "poetry", "extras")
        found |= self.tool_texts("flit", "metadata", "requires-extra")
        found |= {
            name: [*self._in_files(table)] for keys in IN_FILES for name, table in subtable(self.tool, *keys).items()
        }
        return found | subtable(self.pyproject, "project", "optional-dependencies")

    def _in_files(self, value: object) -> Iterator[str]:
        """Yield the lines of the files that `value` names, as setuptools or hatch-requirements-txt reads them."""
        value = value.get("file") if isinstance(value, dict) else value
        for file in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
            yield from _in_file(self.root / str(file))

    @cached_property
    def facts(self) -> facts.Project:
        """The reader of its files that also finds its version and modules."""
        return facts.Project(Files(self.top), os.path.realpath(self.root))

    @cached_property
    def tools(self) -> dict[str, dict[str, list[str]]]:
        """The groups of tools from before PEP 735, by the tool's name."""
        uv = texts(self.tool, "uv", "dev-dependencies")
        found = {
            "poetry": poetry.groups(self.pyproject),
            "pdm": self.tool_texts("pdm", "dev-dependencies"),
            "uv": {"dev": uv} if uv else {},
            "rye": {"dev": found} if (found := texts(self.tool, "rye", "dev-dependencies")) else {},
        }
        return {
            tool: {group: [*filter(self._is_for_tests, lines)] for group, lines in groups.items()}
            for tool, groups in found.items()
        }

    def _is_for_tests(self, line: str) -> bool:
        """Return whether a requirement may be for the tests: no linter, unless a test mentions it."""
        known = name(line)
        return not LINTERS.fullmatch(known) or re.search(rf"\b{re.escape(known)}\b", self._test_modules) is not None

    @cached_property
    def _test_modules(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace") for path in files.found(self.root))

    def tool_texts(self, *keys: str) -> dict[str, list[str]]:
        """Return the lists of strings at `keys` in the table of a tool."""
        table = subtable(self.tool, *keys)
        return {name: texts(table, name) for name in table if isinstance(table[name], list)}

    def group(self, name: str, source: str) -> Needs | None:
        """Return the group `name`, of PEP 735 or of a tool; None if there is none."""
        for known in self.groups:
            if canonicalize_name(known) == canonicalize_name(name):
                return Needs(groups=(known,), source=source)
        for tables in self.tools.values():
            if name in tables:
                return Needs(tuple(tables[name]), source=source)
        return None

    def extra(self, name: str, source: str) -> Needs:
        """Return the extra `name` in the project's spelling; setup.py may define more, so an unknown one stays."""
        known = {canonicalize_name(key): key for key in self.extras}
        return Needs(extras=(known.get(canonicalize_name(name), name),), source=source) if name else Needs()

    def hatch(self, name: str) -> dict[str, Any]:
        """Return the table of a Hatch environment, with what it inherits from its template."""
        own = load_toml(self.root / "hatch.toml")
        every = {**subtable(self.tool, "hatch", "envs"), **subtable(own, "envs")}
        table = subtable(every, name)
        base = table.get("template", "default")
        return {**({} if base == name or table.get("detached") else subtable(every, base)), **table}

    def hatch_needs(self, name: str, source: str) -> Needs:
        """Return what a Hatch environment installs."""
        table = self.hatch(name)
        lines = texts(table, "dependencies") or list(HATCH_TEST if name == "hatch-test" else ())
        found = self.arguments([*lines, *texts(table, "extra-dependencies")], "", source)
        for extra in texts(table, "features"):
            found += self.extra(extra, source)
        for group in texts(table, "dependency-groups"):
            found += self.group(group, source) or Needs()
        return found

    def requirements_file(self, file: str, source: str = "") -> Needs:
        """Return a requirements file, or its other lines if some cannot be installed next to the wheel.

        Those are the project itself, and a URL that does not show uv the kind of archive.
        """
        lines = [line.strip() for line in read_text(self.root / file).splitlines()]
        path, known = self.root.relative_to(self.top) / file, [line for line in lines if not NO_ARCHIVE.match(line)]
        if known != lines or any(map(OWN.fullmatch, lines)):
            return self.arguments(known, path.parent.as_posix(), source or path.as_posix())
        return Needs((f"-r {path.as_posix()}",), source=source or path.as_posix())

    def arguments(self, lines: Iterable[str], folder: str, source: str) -> Needs:
        """Return `lines` of requirements for the tests, the project itself as its extras.

        Files in them are relative to `folder`.
        """
        kept, extras = list[str](), list[str]()
        for line in lines:
            text = re.sub(r"\s+#.*|^#.*", "", line).strip()
            if own := self._own(text):
                extras += re.findall(r"[\w.-]+", own)
            elif text and own is None and self._is_for_tests(text):
                option, _, value = (
                    re.sub(r"^(-[rc])\s*", r"\1 ", text).partition(" ") if text[0] == "-" else ("", "", text)
                )
                relative = option in {"-r", "-c"} and "://" not in value and folder
                kept.append(f"{option} {f'{folder}/{value}' if relative and folder != '.' else value.strip()}".strip())
        return Needs(tuple(kept), extras=tuple(extras), source=source)

    def _own(self, line: str) -> str | None:
        """Return the extras if a line is the project itself, None if it is another requirement."""
        if match := OWN.fullmatch(line):
            return match[1] or ""
        named = re.fullmatch(r"(?:(?:-e\s*)?file:.*#egg=)?([\w.-]+)\s*(?:\[([\w, .-]*)\])?", line)
        return named[2] or "" if named and canonicalize_name(named[1]) == self.name else None

    @cached_property
    def name(self) -> str:
        """Its normalised name."""
        from tagship_suite.repo.packages import distribution_name

        return canonicalize_name(distribution_name(self.root))

    @cached_property
    def _modules(self) -> tuple[str, ...]:
        from tagship.facts import distributions

        return distributions.of(self.root, self.top).import_names

    def holds_its_modules(self, folder: str) -> bool:
        """Return whether a folder has one of the modules or packages that the project installs."""
        places = [self.root / folder / module for module in self._modules]
        return any(place.is_dir() or place.with_suffix(".py").is_file() for place in places)

    def names(self, found: Needs) -> set[str]:
        """Return the names of all distributions in `needs`, including those in groups, extras and files."""
        files = [self.top / line[3:].partition(";")[0] for line in found.requires if line.startswith("-r ")]
        grouped = [line for name in found.groups for line in self._group(name)]
        optional = [line for name in found.extras for line in _lines(self.extras.get(name) or ())]
        inside = [line for path in files for line in _in_file(path)]
        return {name(line) for line in [*found.requires, *grouped, *optional, *inside]}

    def _group(self, name: str) -> tuple[str, ...]:
        try:
            return dependency_groups(self.pyproject, name)
        except (LookupError, TypeError, ValueError):  # the session `test` reports what is wrong with it
            return ()


def _in_file(path: Path, depth: int = 0) -> list[str]:
    if not path.is_file() or depth > 3:
        return []
    lines = path.read_text("utf-8", "replace").splitlines()
    further = [match[1] for line in lines if (match := re.match(r"(?:-r|--requirement)[ =]*(\S+)", line.strip()))]
    return [*lines, *(line for other in further for line in _in_file(path.parent / other, depth + 1))]


def texts(table: object, *keys: str) -> list[str]:
    """Return the strings of the list at `keys`; none if there is no list."""
    value = subtable(table, *keys[:-1]).get(keys[-1])
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def name(text: str) -> str:
    """Return the normalised name of a requirement; the text itself if it is not one."""
    try:
        return canonicalize_name(Requirement(re.sub(r"\s+[#\\].*|\s+--hash.*", "", text.strip())).name)
    except InvalidRequirement:
        return text


def _lines(value: Any) -> list[str]:
    return value.split("\n") if isinstance(value, str) else [line for line in value if isinstance(line, str)]
