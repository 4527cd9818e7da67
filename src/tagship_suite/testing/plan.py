"""What the session `test` installs for each distribution, and the command that it runs."""

import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nox.project import dependency_groups
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name

from ..dists.reading import Dist, read_dists
from ..errors import ReleaseError, refusal
from ..files import load_toml, parse_cfg, subtable
from ..repo.packages import Package, chosen, distribution_name, every, left_out
from ..repo.versions import current
from . import pythons

DEFAULTS = ("test", "tests")
NO_TESTS = "test-command = [] says that there are no tests"


@dataclass(frozen=True)
class Plan:
    """How one distribution is tested: arguments for the installer, its own path with extras last, and the command.

    `source` is the path alone, `settings` the place of the settings. The command is empty if there is a `reason` not
    to test.
    """

    folder: Path
    settings: str
    command: tuple[str, ...] = ()
    source: str = ""
    arguments: list[str] = field(default_factory=list)
    in_place: bool = False
    reason: str = ""


def plans(root: Path, folder: str, python: str, environ: Mapping[str, str]) -> list[Plan]:
    """Return how each distribution of this run is tested, in order.

    `folder` contains the dists to test ("": each distribution is built from its folder), `python` is the version to
    test with. Raises `ReleaseError` if the settings do not say what the tests need.
    """
    dists = read_dists(Path(folder)) if folder else []
    packages = chosen(root, environ)
    on_tag = any(package.on(current(root, environ)).tags for package in packages)
    near = packages if on_tag else every(root)
    return [_planned(package, dists, python, near) for package in packages]


def _planned(package: Package, dists: list[Dist], python: str, near: list[Package]) -> Plan:
    dist, settings = _pick(dists, package.name, python) if dists else None, package.settings
    plan = Plan(package.folder, _where(package))
    if settings.test_command == ():
        return replace(plan, reason=NO_TESTS)
    known = settings.pythons or (pythons.supported(dist.metadata, python) if dist else pythons.of(package))
    if package.name and python and python not in known:
        return replace(plan, reason=f"{package.name} is for Python {', '.join(known)}")
    requires, extras = _needs(package, dist, python)
    source = str((dist.path if dist else package.folder).resolve())
    arguments = [*requires, *_constraints(package, dists, python, near), f"{source}{extras and f'[{extras}]'}"]
    command = settings.test_command or ("pytest",)
    return replace(plan, command=command, source=source, arguments=arguments, in_place=settings.test_in_place)


def _pick(dists: list[Dist], name: str, python: str) -> Dist:
    """Return the wheel of this name that fits, else its sdist; raise `ReleaseError` if there is none."""
    if own := [dist for dist in dists if name in {"", dist.name}]:
        return pick(own, python or platform.python_version())
    found = " ".join(dist.path.name for dist in dists)
    raise refusal("no-dists", "--installpkg", found, f"a dist of {name}", "run: nox -s build")


def pick(dists: list[Dist], python: str) -> Dist:
    """Return the one of `dists` that an installer would choose for the CPython of the version `python`.

    `python` is `3.12` or, free-threaded, `3.14t`; for anything else (`pypy3.11`) only a pure wheel counts. Raises
    `ReleaseError` if there is none. Source of the rule: the platform compatibility tags of packaging.python.org.
    """
    places = {tag: place for place, tag in enumerate(_tags(python))}
    # An sdist fits everywhere, but any wheel that fits comes first.
    ranks = [min((places.get(tag, len(places) + 1) for tag in dist.tags), default=len(places)) for dist in dists]
    if min(ranks) > len(places):
        where, expected = str(dists[0].path.parent), f"one for Python {python} on this machine, or an sdist"
        raise refusal("no-fitting-wheel", where, "only other wheels", expected, "run: nox -s build")
    return dists[ranks.index(min(ranks))]


def _tags(python: str) -> Iterator[Tag]:
    if match := re.fullmatch(r"(?:python)?(\d+)\.(\d+)[.\d]*(t?)", python):
        version, name = (int(match[1]), int(match[2])), f"cp{match[1]}{match[2]}"
        yield from cpython_tags(version, [f"{name}t"] if match[3] else None)
        yield from compatible_tags(version, name)
    else:
        yield from compatible_tags((3,))


def _needs(package: Package, dist: Dist | None, python: str) -> tuple[list[str], str]:
    """Return what the tests need: requirements, as arguments, and extras of the distribution."""
    settings = package.settings
    tables = [load_toml(folder / "pyproject.toml") for folder in dict.fromkeys((package.folder, package.root))]
    groups, extras = settings.test_groups or (), settings.test_extras or ()
    if settings.test_requires is None and not groups and not extras:
        known = [key for table in tables for key in subtable(table, "dependency-groups")]
        groups = _default(known) if settings.test_groups is None else ()
        extras = _default(_extras(package, dist)) if settings.test_extras is None and not groups else ()
        if not groups and not extras and settings.test_command is None:
            expected = "a dependency group or an extra called test"
            raise unnamed(_where(package), "nothing that the tests need", expected)
    requires = [text for line in settings.test_requires or () for text in _arguments(line, package, python)]
    return [*requires, *(text for name in groups for text in _group(tables, name))], ",".join(extras)


def _where(package: Package) -> str:
    return f"{(package.folder / 'pyproject.toml').relative_to(package.root).as_posix()} [tool.tagship]"


def unnamed(where: str, found: str, expected: str, requires: str = "pytest") -> ReleaseError:
    """Return the error that the settings do not say what the tests need, with the lines to add."""
    lines = f'\n  test-requires = ["{requires}"]\n  test-command = []  # where there are no tests'
    return refusal("test-command", where, found, expected, f"write one of these lines there:{lines}")


def _default(names: Iterable[str]) -> tuple[str, ...]:
    known = {str(canonicalize_name(name)) for name in names}
    return tuple(name for name in DEFAULTS if name in known)[:1]


def _extras(package: Package, dist: Dist | None) -> list[str]:
    if dist:
        return dist.metadata.get_all("Provides-Extra", [])
    pyproject, cfg = load_toml(package.folder / "pyproject.toml"), parse_cfg(package.folder / "setup.cfg")
    in_files = ("tool", "setuptools", "dynamic", "optional-dependencies")
    static = (("project", "optional-dependencies"), ("tool", "poetry", "extras"), in_files)
    section = "options.extras_require"
    written = cfg.options(section) if cfg.has_section(section) else []
    return [*written, *(name for keys in static for name in subtable(pyproject, *keys))]


def _group(tables: list[dict[str, Any]], name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group, the distribution's own one if it has one of this name."""
    groups = [(table, {*map(canonicalize_name, subtable(table, "dependency-groups"))}) for table in tables]
    own = (table for table, names in groups if canonicalize_name(name) in names)
    try:
        return dependency_groups(next(own, {"dependency-groups": {}}), name)
    except (LookupError, TypeError, ValueError) as error:
        remedy = "correct [dependency-groups] or test-groups"
        raise refusal("settings", "pyproject.toml", str(error), "a valid dependency group", remedy) from error


def _arguments(line: str, package: Package, python: str) -> list[str]:
    """Return a line of `test-requires` as arguments; a file is looked for in the distribution, then at the root.

    Unlike pip's, a line with a file can end with a marker.
    """
    match = re.fullmatch(r"(-[rc]|--requirement|--constraint)[ =]*(\S.*?)(?:\s*;\s*(.*))?", line)
    if not match:
        return line.split(maxsplit=1) if line.startswith("-") else [line]
    where = f"{_where(package)} test-requires"
    if match[3] and not _holds(match[3], where, python):
        return []
    if "://" in match[2]:
        return [match[1], match[2]]
    found = [folder / match[2] for folder in (package.folder, package.root) if (folder / match[2]).is_file()]
    if not found:
        raise refusal("settings", where, repr(line), "an existing file", "correct the path")
    return [match[1], str(found[0])]


def _holds(marker: str, where: str, python: str) -> bool:
    """Return whether a marker holds for this `python`; raise `ReleaseError` if it is not valid."""
    version = re.search(r"\d+\.\d+", python or platform.python_version())
    named = {"python_version": version[0], "python_full_version": f"{version[0]}.0"} if version else {}
    try:
        return Marker(marker).evaluate(dict(named))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
        found = str(error).splitlines()[0]
        raise refusal("settings", where, f"{marker!r}: {found}", "a marker after ';'", "correct it") from error


def _constraints(package: Package, dists: list[Dist], python: str, near: list[Package]) -> list[str]:
    """Write constraints by which paths and workspace members are installed from this repository, never from an index.

    Distributions that are not `near`, as on another one's tag, come from the index, unless uv's sources say otherwise.
    """
    members = {other.name: other.folder for other in every(package.root) if other.name != package.name}
    unreleased = [package.root / path for path in left_out(package.root)]
    outside = {str(canonicalize_name(distribution_name(folder))): folder for folder in unreleased}
    places = {**outside, **{each.name: each.folder for each in near if each.name in members}}
    for folder in (package.root, package.folder):
        for key, source in subtable(load_toml(folder / "pyproject.toml"), "tool", "uv", "sources").items():
            name, of = str(canonicalize_name(key)), subtable(source)
            if path := of.get("path"):
                places[name] = folder / path
            elif of.get("workspace") and name in members:
                places[name] = members[name]
    built = {dist.name for dist in dists}
    places = {name: _pick(dists, name, python).path if name in built else place for name, place in places.items()}
    lines = [f"{name} @ {place.resolve().as_uri()}\n" for name, place in places.items() if name]
    if not lines:
        return []
    path = package.root / ".nox" / f"siblings-{package.name or 'own'}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    return ["--constraint", str(path)]
