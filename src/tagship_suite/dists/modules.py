"""The modules of a dist: which could hold the version, and which does an entry point name in vain?"""

import ast
import configparser
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial

from packaging.utils import canonicalize_name

from ..errors import Problem
from ..files import UNREADABLE
from ..testing.witness import is_test
from . import zips
from .reading import Dist

#: The modules that hold a package's version by convention.
VERSION_MODULES = ("__init__", "_version", "__version__", "version", "__about__", "_about")
#: Top-level names that setuptools does not take for a package or module of the project. Source of the rule:
#: DEFAULT_EXCLUDE of FlatLayoutPackageFinder and FlatLayoutModuleFinder in setuptools.discovery; and `t` and `testing`,
#: in which projects have tests or what these share.
OTHER = re.compile(
    r"ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|(unit_)?tests?|t|testing|examples?|scripts|tools"
    r"|utils?|python|build|dist|v?env|requirements|tasks|fabfile|site_scons|benchmarks?|exercises?|htmlcov|setup"
    r"|conftest|toxfile|noxfile|pavement|dodo|conanfile|manage|[._].*"
)
#: What precedes a module's own path in an sdist.
ROOT = re.compile(r"[^/]+/(?:(?:src|lib)/)?")
#: https://packaging.python.org/en/latest/specifications/entry-points/
REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<name>\w+)[\w.]*)?\s*(?:\[.*\])?")
#: An entry point that is for a project's own tests may be broken on purpose, as that of a plugin that cannot be loaded.
TESTS = re.compile(r"(.*\.)?tests?(\..*)?")
#: A module with one of these names has attributes, or a package modules, that only running it would tell.
UNCERTAIN = {"*", "__getattr__", "__path__", "declare_namespace", "modules"}
UNCERTAIN |= {"__dict__", "exec", "globals", "locals", "setattr", "vars"}


Names = Callable[[str], set[str]]  # those in a module of a wheel


def is_own(module: str, name: str) -> bool:
    """Return whether a module is the project's by its name: a bundled module may have another version."""
    return canonicalize_name(module.split("/")[0].removesuffix(".py")) == name


def is_of_tests(path: str) -> bool:
    """Return whether a file is part of tests, by its own name or that of a folder that it is in."""
    return any(is_test(part.partition(".")[0]) for part in path.split("/"))


def modules(dist: Dist) -> dict[str, str]:
    """Return the modules that could hold the version: by the path in the dist, the path when installed.

    Those are top-level modules, and `__init__` and the like in each outermost package, which is below folders without
    `__init__.py` if it is in a namespace.
    """
    found, members, above = {}, dist.members, zips.MODULES if dist.is_wheel else ROOT
    for name in (name for name in members if name.endswith(".py")):
        prefix = above.match(name)
        start = prefix.end() if prefix else 0
        *folders, file = name[start:].split("/")
        outer = (name[:start] + "/".join(folders[:depth]) for depth in range(1, len(folders)))
        in_package = file.removesuffix(".py") in VERSION_MODULES and f"{name.rpartition('/')[0]}/__init__.py" in members
        if (in_package or not folders) and not any(f"{folder}/__init__.py" in members for folder in outer):
            found[name] = name[start:]
    return found


def entry_points(text: str) -> configparser.ConfigParser:
    """Return the groups of `entry_points.txt`; raise `configparser.Error` if it is broken."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def unresolved(wheel: Dist) -> Iterator[Problem]:
    """Yield the entry points that certainly cannot be loaded: `wheel` lacks their module, or that lacks the name."""
    points = f"{wheel.info}/entry_points.txt"
    if points not in wheel.members:
        return
    groups = entry_points(wheel.read(points))
    files = {zips.MODULES.sub("", name): name for name in wheel.members}
    names = cache(partial(_names, wheel))  # there may be hundreds of entry points, all to a few modules
    for group in groups.sections():
        for name, value in groups[group].items():
            reference = REFERENCE.fullmatch(value)
            if not reference or TESTS.fullmatch(reference["module"]):
                continue
            if lost := _lost(wheel, files, names, **reference.groupdict()):
                found, remedy = f"{name!r} of {group}, which is {value!r}", "correct it, or ship what it names"
                yield wheel.problem("entry-points", found, f"{lost} in the wheel", remedy)


def _lost(wheel: Dist, files: Mapping[str, str], names: Names, module: str, name: str | None) -> str:
    """Return what `wheel` lacks of an entry point, "" for nothing or if another distribution could have it."""
    above = module.replace(".", "/")
    if _has(files, above):
        member = files.get(f"{above}/__init__.py") or files.get(f"{above}.py", "")  # Python prefers the package
        is_there = not name or {name, *UNCERTAIN} & names(member) or _has(files, f"{above}/{name}")
        return "" if is_there else f"a {name!r} in {member}"
    while above := above.rpartition("/")[0]:
        if _has(files, above):
            return "" if names(files.get(f"{above}/__init__.py", "")) & UNCERTAIN else f"a module {module!r}"
    is_foreign = wheel.metadata.get_all("Requires-Dist") or module.split(".")[0] in sys.stdlib_module_names
    return "" if is_foreign else f"a module {module!r}"


def _has(files: Mapping[str, str], module: str) -> bool:
    return any(file.startswith((f"{module}.", f"{module}/")) for file in files)


def _names(wheel: Dist, member: str) -> set[str]:
    """Return all names in the module `member`; `*`, for any, if there is none or this Python cannot parse it.

    Keywords and strings count, as a library may define what they name: `apipkg.initpkg(__name__, {"main": ...})`.
    """
    try:
        nodes = [*ast.walk(ast.parse(wheel.read(member)))] if member else []
    except (*UNREADABLE, SyntaxError, MemoryError):
        nodes = []
    keys = ("id", "attr", "asname", "name", "arg", "value")
    found = (text for node in nodes for key in keys if isinstance(text := getattr(node, key, None), str))
    return {part for text in found for part in text.split(".")} if nodes else {"*"}
