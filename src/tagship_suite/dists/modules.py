"""Which modules could hold a version, where are a dist's files once installed, do its entry points find theirs?"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from functools import cache, partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from ..errors import Problem
from ..repo.files import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .reading import Dist

#: The modules that hold a package's version by convention.
VERSION_MODULES = ("__init__", "_version", "__version__", "version", "__about__", "_about")
#: What precedes a module's own path in a wheel, by the name of its scheme or by its usual path, and in an sdist.
DATA = re.compile(r"^[^/]+\.data/(?:purelib|platlib|data/lib(?:64)?(?:/[^/]+)?/(?:site|dist)-packages)/", re.IGNORECASE)
ROOT = re.compile(r"[^/]+/(?:(?:src|lib)/)?")
#: https://packaging.python.org/en/latest/specifications/entry-points/
REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<name>\w+)[\w.]*)?\s*(?:\[.*\])?")
#: An entry point that is for a project's own tests may be broken on purpose, as that of a plugin that cannot be loaded.
TESTS = re.compile(r"(.*\.)?tests?(\..*)?")
#: A module with one of these names has attributes, or a package modules, that only running it would tell.
UNCERTAIN = {"*", "__getattr__", "__path__", "declare_namespace", "modules"}
UNCERTAIN |= {"__dict__", "exec", "globals", "locals", "setattr", "vars"}


def is_own(module: str, name: str) -> bool:
    """Return whether a module is the project's by its name: a bundled module may have another version."""
    return canonicalize_name(module.split("/")[0].removesuffix(".py")) == name


def modules(dist: Dist) -> dict[str, str]:
    """Return the modules that could hold the version: by the path in the dist, the path when installed.

    Those are top-level modules, and `__init__` and the like in each outermost package, which is below folders without
    `__init__.py` if it is in a namespace.
    """
    found = {}
    members = set(dist.members)
    for name in members:
        if not name.endswith(".py"):
            continue
        prefix = DATA.match(name) if dist.is_wheel else ROOT.match(name)
        start = prefix.end() if prefix else 0
        *folders, file = name[start:].split("/")
        above = (name[:start] + "/".join(folders[:depth]) for depth in range(1, len(folders)))
        in_package = file.removesuffix(".py") in VERSION_MODULES and f"{name.rpartition('/')[0]}/__init__.py" in members
        if (in_package or not folders) and not any(f"{folder}/__init__.py" in members for folder in above):
            found[name] = name[start:]
    return found


def misplaced(names: Iterable[str], info: str) -> str:
    """Return why installers disagree on where a wheel's files go, or on what it is; "" if they do not.

    `info` is the folder with its metadata. pip spreads every folder `*.data`, other installers only the wheel's own;
    Python takes each `.dist-info` and `.egg-info` that lies beside the modules for an installed distribution.
    """
    own = info.removesuffix(".dist-info") + ".data"
    known = re.compile(rf"{re.escape(own)}/(?:(?:purelib|platlib|headers|scripts|data)/.*)?", re.DOTALL)
    for name in names:
        top, place = name.split("/")[0], DATA.sub("", name).split("/")[0]
        if place.lower().endswith((".dist-info", ".egg-info")) and top != info:
            return f"{name!r} is installed as metadata, but is not in {info}"
        if top.lower().endswith(".data") and not known.fullmatch(name):
            return (
                f"{name!r} is not where every installer looks: in purelib, platlib, headers, scripts or data of {own}"
            )
    return ""


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
    groups = entry_points(wheel.read([points])[points])
    files = {DATA.sub("", name): name for name in wheel.members}
    names = cache(partial(_names, wheel))  # there may be hundreds of entry points, all to a few modules
    for group in groups.sections():
        for name, value in groups[group].items():
            reference = REFERENCE.fullmatch(value)
            if reference and TESTS.fullmatch(reference["module"]):
                continue
            if reference and (lost := _lost(wheel, files, names, **reference.groupdict())):
                found, remedy = f"{name!r} of {group}, which is {value!r}", "correct it, or ship what it names"
                yield Problem("entry-points", str(wheel.path), found, f"{lost} in the wheel", remedy)


def _lost(
    wheel: Dist, files: Mapping[str, str], names: Callable[[str], set[str] | None], module: str, name: str | None
) -> str:
    """Return what `wheel` lacks of an entry point, "" for nothing or if another distribution could have it."""
    above = module.replace(".", "/")
    if not _has(files, above):
        while above := above.rpartition("/")[0]:
            if _has(files, above):
                package = names(files.get(f"{above}/__init__.py", ""))
                return f"a module {module!r}" if package is not None and not package & UNCERTAIN else ""
        foreign = wheel.metadata.get_all("Requires-Dist") or module.split(".")[0] in sys.stdlib_module_names
        return "" if foreign else f"a module {module!r}"
    member = files.get(f"{above}/__init__.py") or files.get(f"{above}.py", "")  # of the two, Python imports the package
    found = names(member)
    if not name or found is None or found & UNCERTAIN or name in found or _has(files, f"{above}/{name}"):
        return ""
    return f"a {name!r} in {member}"


def _has(files: Mapping[str, str], module: str) -> bool:
    return any(file.startswith((f"{module}.", f"{module}/")) for file in files)


def _names(wheel: Dist, member: str) -> set[str] | None:
    """Return all names in the module `member`, None if there is none or this Python cannot parse it.

    Keywords and strings count, as a library may define what they name: `apipkg.initpkg(__name__, {"main": ...})`.
    """
    if not member:
        return None
    try:
        nodes = [*ast.walk(ast.parse(wheel.read([member])[member]))]
    except (*UNREADABLE, SyntaxError, MemoryError):
        return None
    fields = (
        getattr(node, field, None) for node in nodes for field in ("id", "attr", "asname", "name", "arg", "value")
    )
    return {part for found in fields if isinstance(found, str) for part in found.split(".")}
