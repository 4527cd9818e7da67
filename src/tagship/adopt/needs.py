"""What a project's tests need: the requirements, dependency groups and extras that its files name for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nox.project import dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tagship_suite.repo.files import parse_cfg, read_text, subtable
from tagship_suite.repo.literals import passed_keys

from . import poetry, tox

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = ("test", "tests", "testing", "dev")
#: The project itself in a file of requirements, with its extras.
OWN = re.compile(r"(?:-e|--editable)?[ =]*\.(?:\[([\w, -]*)\])?(?:\s+#.*)?")
PYTEST = re.compile(r"(?m)^pytest(?![\w.-])")


@dataclass(frozen=True)
class Needs:
    """What is to be installed for the tests, as the settings name it, and in which file that was found."""

    requires: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    source: str = ""


def needs(root: Path, pyproject: dict[str, Any], top: Path) -> Needs:
    """Return the first that is there: what is named for tests, what tox installs, what is named for development.

    Each of them is a dependency group, an extra, a group of Poetry, PDM, uv or Hatch, or a requirements file. Paths
    are relative to `top`, the repository's root.
    """
    *tests, dev = GROUPS
    plain = root / "requirements.txt"
    named = plain.is_file() and PYTEST.search(read_text(plain))
    return (
        _named(root, pyproject, top, tests)
        or _by_tox(root, pyproject, top)
        or _named(root, pyproject, top, [dev])
        or (_requirements_file(root, plain.name, top) if named else Needs())
    )


def has_pytest(found: Needs, root: Path, pyproject: dict[str, Any], top: Path) -> bool:
    """Return whether pytest is among what was found: as a requirement, in a group, an extra or a file."""
    files = [top / line[3:] for line in found.requires if line.startswith("-r ")]
    in_file = any(path.is_file() and PYTEST.search(read_text(path)) for path in files)
    grouped = [line for name in found.groups for line in _group(pyproject, name)]
    optional = [line for name in found.extras for line in _lines(_extras(root, pyproject).get(name, ()))]
    return in_file or any(_name(line) == "pytest" for line in [*found.requires, *grouped, *optional])


def _named(root: Path, pyproject: dict[str, Any], top: Path, names: list[str]) -> Needs | None:
    groups, extras, tools = subtable(pyproject, "dependency-groups"), _extras(root, pyproject), _tools(pyproject)
    for name in names:
        if name in groups:
            return Needs(groups=(name,), source=f"the dependency group {name} in pyproject.toml")
        if name in extras:
            return Needs(extras=(name,), source=f"the extra {name}")
        for tool, tables in tools.items():
            if name in tables:
                return Needs(tuple(tables[name]), source=f"[tool.{tool}] in pyproject.toml, its group {name}")
    files = [path.relative_to(root) for pattern in ("*.txt", "*/*.txt") for path in sorted(root.glob(pattern))]
    for name in names:
        for file in files:  # dev-requirements.txt, requirements/dev.txt, dev.requirements.txt, ...
            if sorted(re.split(r"[-_./]", file.as_posix())) == sorted((name, "requirements", "txt")):
                return _requirements_file(root, file.as_posix(), top)
    return None


def _tools(pyproject: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Return the groups that tools had of their own before PEP 735, by the tool's name."""
    tool = subtable(pyproject, "tool")
    hatch = subtable(tool, "hatch", "envs")
    names = {"hatch-test": "test", "test": "test", "default": "dev"}
    environments = {
        names[key]: [*_texts(table, "dependencies"), *_texts(table, "extra-dependencies")]
        for key, table in hatch.items()
        if key in names
    }
    return {
        "poetry": poetry.groups(pyproject),
        "pdm": {name: _texts(subtable(tool, "pdm"), "dev-dependencies", name) for name in _pdm(tool)},
        "uv": {"dev": found} if (found := _texts(tool, "uv", "dev-dependencies")) else {},
        "hatch": {name: lines for name, lines in environments.items() if lines},
    }


def _pdm(tool: dict[str, Any]) -> dict[str, Any]:
    return subtable(tool, "pdm", "dev-dependencies")


def _texts(table: object, *keys: str) -> list[str]:
    value = subtable(table, *keys[:-1]).get(keys[-1])
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _by_tox(root: Path, pyproject: dict[str, Any], top: Path) -> Needs | None:
    """Return what tox's environment says, where that is about tests: tox may as well just run something else."""
    lines, extras, groups = tox.environment(root)
    files = [line[3:] for line in lines if line.startswith("-r ") and (root / line[3:]).is_file()]
    others = [line for line in lines if not line.startswith("-r ")]
    found = [_requirements_file(root, file, top) for file in files]
    found.append(_arguments(others, root.relative_to(top)))
    known = subtable(pyproject, "dependency-groups")
    requires = tuple(text for each in found for text in each.requires)
    named = tuple(group for group in groups if group in known)
    extras += [extra for each in found for extra in each.extras]
    if any(_name(line) == "pytest" for line in requires) or extras or named or files:
        return Needs(requires, named, tuple(extras), "the environment [testenv] of tox")
    return None


def _requirements_file(root: Path, file: str, top: Path) -> Needs:
    """Return a requirements file; where it has the project itself, which is tested anyway, what else is in it."""
    lines = [line.strip() for line in read_text(root / file).splitlines()]
    path = root.relative_to(top) / file
    if any(map(OWN.fullmatch, lines)):
        found = _arguments(lines, path.parent)
        return Needs(found.requires, extras=found.extras, source=path.as_posix())
    return Needs((f"-r {path.as_posix()}",), source=path.as_posix())


def _arguments(lines: list[str], folder: Path) -> Needs:
    """Return `lines` of requirements without the project itself, and its extras; files they name lie in `folder`."""
    extras = [extra for line in lines if (own := OWN.fullmatch(line)) for extra in re.findall(r"[\w-]+", own[1] or "")]
    kept = [re.sub(r"\s+#.*", "", line) for line in lines if line and line[0] != "#" and not OWN.fullmatch(line)]
    found = []
    for line in kept:
        option, _, value = re.sub(r"^(-[rc])\s*", r"\1 ", line).partition(" ") if line[0] == "-" else ("", "", line)
        value = (folder / value).as_posix() if option in {"-r", "-c"} and "://" not in value else value.strip()
        found.append(f"{option} {value}".strip())
    return Needs(tuple(found), extras=tuple(extras))


def _group(pyproject: dict[str, Any], name: str) -> tuple[str, ...]:
    try:
        return dependency_groups(pyproject, name)
    except (LookupError, TypeError, ValueError):  # the session test says what is wrong with it
        return ()


def _extras(root: Path, pyproject: dict[str, Any]) -> dict[str, Any]:
    """Return what stands behind each extra; of those in setup.py, which is not run, only the names."""
    setup, parser, section = root / "setup.py", parse_cfg(root / "setup.cfg"), "options.extras_require"
    keys = passed_keys(read_text(setup), "extras_require") if setup.is_file() else []
    found: dict[str, Any] = dict.fromkeys(keys, ())
    found |= dict(parser.items(section)) if parser.has_section(section) else {}
    found |= subtable(pyproject, "tool", "poetry", "extras")
    return found | subtable(pyproject, "project", "optional-dependencies")


def _lines(value: Any) -> list[str]:
    return value.split("\n") if isinstance(value, str) else [line for line in value if isinstance(line, str)]


def _name(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text.strip()).name)
    except InvalidRequirement:
        return text
