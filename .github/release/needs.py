"""What do a project's tests need: the requirements and the extras that its files name for them?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from . import poetry, tox
from .config import parse_cfg, subtable
from .errors import Problem, ReleaseError
from .source import passed_keys, read_text

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = ("test", "tests", "testing", "dev")
#: The project itself in a file of requirements, with its extras.
OWN = re.compile(r"(?:-e|--editable)?[ =]*\.(?:\[([\w, -]*)\])?(?:\s+#.*)?")


def needs(root: Path, pyproject: dict[str, Any], top: Path) -> tuple[list[str], list[str]]:
    """Return the first that is there: what is named for tests, what tox installs, what is named for development.

    Each of them a dependency group, an extra, a Poetry group or a requirements file.
    """
    *tests, dev = GROUPS
    plain = root / "requirements.txt"
    named = plain.is_file() and re.search(r"(?m)^pytest\b", read_text(plain))
    return (
        _named(root, pyproject, top, tests)
        or _by_tox(root, pyproject, top)
        or _named(root, pyproject, top, [dev])
        or (_requirements_file(root, plain.name, top) if named else ([], []))
    )


def _named(root: Path, pyproject: dict[str, Any], top: Path, names: list[str]) -> tuple[list[str], list[str]] | None:
    groups = subtable(pyproject, "dependency-groups")
    extras = _extras(root, pyproject)
    poetrys = poetry.groups(pyproject)
    for name in names:
        if name in groups:
            return _dependency_group(groups, name), []
        if name in extras:
            return [], [name]
        if name in poetrys:
            return poetrys[name], []
    files = [path.relative_to(root) for pattern in ("*.txt", "*/*.txt") for path in sorted(root.glob(pattern))]
    for name in names:
        for file in files:  # dev-requirements.txt, requirements/dev.txt, dev.requirements.txt, ...
            if sorted(re.split(r"[-_./]", file.as_posix())) == sorted((name, "requirements", "txt")):
                return _requirements_file(root, file.as_posix(), top)
    return None


def _by_tox(root: Path, pyproject: dict[str, Any], top: Path) -> tuple[list[str], list[str]] | None:
    """Return what tox's environment says, where that is about tests: tox may as well just run something else."""
    lines, extras, groups = tox.environment(root)
    files = [line[3:] for line in lines if line.startswith("-r ") and (root / line[3:]).is_file()]
    others = [line for line in lines if not line.startswith("-r ")]
    found = [_requirements_file(root, file, top) for file in files] + [_arguments(others, root.relative_to(top))]
    known = subtable(pyproject, "dependency-groups")
    requires = [line for group in groups for line in _dependency_group(known, group)]
    requires += [word for words, _ in found for word in words]
    extras = [*extras, *(extra for _, names in found for extra in names)]
    return (requires, extras) if names(requires, "pytest") or extras or groups or files else None


def _requirements_file(root: Path, file: str, top: Path) -> tuple[list[str], list[str]]:
    """Return the arguments for a requirements file; of the project itself, which is tested anyway, its extras."""
    lines = [line.strip() for line in read_text(root / file).splitlines()]
    path = root.relative_to(top) / file
    return _arguments(lines, path.parent) if any(map(OWN.fullmatch, lines)) else (["-r", path.as_posix()], [])


def _arguments(lines: list[str], folder: Path) -> tuple[list[str], list[str]]:
    """Return `lines` of requirements as arguments, without the project itself, and its extras.

    Files that they name lie in `folder`.
    """
    extras = [extra for line in lines if (own := OWN.fullmatch(line)) for extra in re.findall(r"[\w-]+", own[1] or "")]
    kept = [re.sub(r"\s+#.*", "", line) for line in lines if line and line[0] != "#" and not OWN.fullmatch(line)]
    arguments = []
    for line in kept:
        option, _, value = re.sub(r"^(-[rc])\s*", r"\1 ", line).partition(" ") if line[0] == "-" else ("", "", line)
        value = (folder / value).as_posix() if option in {"-r", "-c"} and "://" not in value else value.strip()
        arguments += [word for word in (option, value) if word]
    return arguments, extras


def _dependency_group(groups: dict[str, Any], name: str) -> list[str]:
    """Return the requirements of a dependency group, see https://peps.python.org/pep-0735/."""
    known = {str(canonicalize_name(key)): value for key, value in groups.items()}

    def expand(group: str, above: tuple[str, ...]) -> list[str]:
        if group in above or group not in known:
            problem = Problem("pyproject.toml", f"dependency group {group!r}", "one that exists, no circle", "mend it")
            raise ReleaseError(problem)
        found = []
        for item in known[group] if isinstance(known[group], list) else [known[group]]:
            included = item.get("include-group") if isinstance(item, dict) else None
            if not isinstance(item, str) and not isinstance(included, str):
                raise ReleaseError(
                    Problem("pyproject.toml", f"{item!r}", "a requirement or an include-group", "mend it")
                )
            found += [item] if isinstance(item, str) else expand(canonicalize_name(str(included)), (*above, group))
        return found

    return expand(canonicalize_name(name), ())


def _extras(root: Path, pyproject: dict[str, Any]) -> dict[str, Any]:
    """Return what stands behind each extra; of those in setup.py, which is not run, only the names."""
    setup, parser, section = root / "setup.py", parse_cfg(root / "setup.cfg"), "options.extras_require"
    found: dict[str, Any] = dict.fromkeys(
        passed_keys(read_text(setup), "extras_require") if setup.is_file() else [], ()
    )
    found |= dict(parser.items(section)) if parser.has_section(section) else {}
    return found | subtable(pyproject, "project", "optional-dependencies")


def behind(root: Path, pyproject: dict[str, Any], extras: list[str]) -> list[str]:
    """Return the requirements that stand behind the `extras`."""
    optional = _extras(root, pyproject)
    found = [optional.get(extra, []) for extra in extras]
    return [line for item in found for line in (item.split() if isinstance(item, str) else item)]


def names(requires: list[str], name: str) -> bool:
    return any(canonicalize_name(name_of(text)) == name for text in requires)


def name_of(text: str) -> str:
    try:
        return Requirement(text).name
    except InvalidRequirement:
        return text
