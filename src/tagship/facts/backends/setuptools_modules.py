"""Which packages and modules setuptools installs: those that are listed, searched for, or discovered."""

from __future__ import annotations

import os
import posixpath
import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tagship.facts.packages import automatic, find_packages, tops
from tagship.facts.project import Modules, Project
from tagship.facts.python.values import NotPlain, Unknown, Value, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: A command of MANIFEST.in that leaves a folder out of the sdist, from which the wheel is built.
PRUNE = re.compile(r"(?m)^\s*prune\s+(\S+)")


def package_dir(project: Project) -> dict[str, str]:
    """Return the folder of each package by its name; that of all others is under ""."""
    table = project.table("tool", "setuptools").get("package-dir")
    if isinstance(table, dict):
        return {key: value for key, value in table.items() if isinstance(value, str)}
    passed = project.passed("package_dir")
    if isinstance(passed, dict):
        return {str(key): str(value) for key, value in passed.items()}
    pairs = [line.partition("=") for line in project.lines("options", "package_dir")]
    return {key.strip(): value.strip() for key, _, value in pairs}


def modules(project: Project) -> Modules:
    """Return the packages and modules that setuptools installs."""
    if project.backend == "pbr.build" or project.setup[0].get("pbr"):
        return _of_pbr(project)
    found, extensions = _listed(project), _extensions(project)
    if extensions is None or (found and found.unknown):
        return found or _automatic(project)
    if found is None and project.table("project"):
        found = _automatic(project)  # extensions in setup.py alone switch automatic discovery off
    found = found or Modules()
    packages, modules = {*found.packages, *extensions[0]}, {*found.modules, *extensions[1]}
    reason = "" if packages or modules else "setup.py computes its extension modules"
    return Modules(tuple(packages), tuple(modules), found.source, reason)


def _listed(project: Project) -> Modules | None:
    """Return what pyproject.toml, setup.py and setup.cfg list or search for, None if none of them does."""
    found = _of_pyproject(project)
    if found is None or (found.packages and found.modules):
        return found or _of_setup_py(project) or _of_setup_cfg(project)
    # Packages from pyproject.toml and modules from setup.py are combined, and the reverse.
    other = _of_setup_py(project) or _of_setup_cfg(project) or Modules()
    packages, modules = found.packages or other.packages, found.modules or other.modules
    return Modules(packages, modules, found.source or other.source, found.unknown)


def _of_pbr(project: Project) -> Modules:
    given = project.lines("files", "packages")
    if not given and (found := _listed(project)):
        return found
    packages = given or [(project.cfg.get("metadata", "name", fallback="")).replace("-", "_")]
    return Modules(
        tops(packages), tuple(project.lines("files", "modules")), project.cfg.get("files", "packages_root", fallback="")
    )


def _of_pyproject(project: Project) -> Modules | None:
    table = project.table("tool", "setuptools")
    listed, single = table.get("packages"), table.get("py-modules")
    if listed is None and single is None:
        return None
    found = tuple(text for text in single if isinstance(text, str)) if isinstance(single, list) else ()
    if isinstance(listed, list):
        packages = [text for text in listed if isinstance(text, str)]
        return Modules(tops(packages), tops(found), _source_of(project, packages))
    if isinstance(listed, dict) and isinstance(find := listed.get("find"), dict):
        return _found(project, find, found, namespaces=find.get("namespaces", True) is not False)
    return Modules((), tops(found), package_dir(project).get("", ""))


def _found(project: Project, find: Mapping[str, Any], modules: Iterable[str], *, namespaces: bool) -> Modules:
    def texts_of(key: str, default: list[str]) -> list[str]:
        value = find.get(key)
        return [value] if isinstance(value, str) else [*map(str, value)] if isinstance(value, list) else default

    where = texts_of("where", [package_dir(project).get("", ".")])
    packages = [
        each
        for folder in where
        for each in _in_the_sdist(
            project,
            folder,
            find_packages(
                project.files,
                project.at(folder),
                texts_of("include", ["*"]),
                texts_of("exclude", []),
                namespaces=namespaces,
            ),
        )
    ]
    if namespaces:
        packages = [each for each in packages if _holds_code(project, where, each)]
    source = where[0] if where[0] not in {".", "./", ""} else ""
    return Modules(tops(packages), tops(modules), source)


def _in_the_sdist(project: Project, folder: str, packages: Iterable[str]) -> list[str]:
    """Return those of the `packages` in `folder` that MANIFEST.in does not prune."""
    pruned = [name.strip("/") for name in PRUNE.findall(project.files.text(project.at("MANIFEST.in")) or "")]
    paths = {each: posixpath.normpath(f"{folder or '.'}/{each.replace('.', '/')}") for each in packages}
    forms = [form for name in pruned for form in (name, f"{name}/*")]
    return [each for each, path in paths.items() if not any(fnmatch(path, form) for form in forms)]


def _extensions(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the packages and modules for which setup.py passes extensions, None if it passes none."""
    value = project.setup[0].get("ext_modules")
    if value is None or value.data is None or value.data in ([], ()):
        return None
    items = value.data if isinstance(value.data, list | tuple) else []
    named = [item.data["name"].data for item in items if isinstance(item.data, dict) and "name" in item.data]
    names = [name for name in named if isinstance(name, str)]
    inside = tops(name for name in names if "." in name)
    return inside, tuple(name for name in names if "." not in name)


def _holds_code(project: Project, where: list[str], package: str) -> bool:
    """Return whether a folder holds any file: nothing is installed of folders without one."""
    paths = [project.at(folder, *package.split(".")) for folder in where]
    return any(
        name.endswith((".py", ".pyi", ".so", ".typed")) for path in paths for name in project.files.entries(path)[1]
    )


def _source_of(project: Project, packages: list[str]) -> str:
    """Return the folder that holds the listed packages, "" for the folder of the distribution."""
    directories = package_dir(project)
    source = directories.get("", "")
    first = packages[0].partition(".")[0] if packages else ""
    if not source and first in directories:
        source = os.path.dirname(directories[first].rstrip("/"))
    return source if source not in {".", "./"} else ""


def _of_setup_py(project: Project) -> Modules | None:
    given, single = project.setup[0].get("packages"), project.setup[0].get("py_modules")
    if (given is None or given.data is None) and (single is None or single.data is None):
        return None
    if any(each is not None and not each.known for each in (given, single)):
        return Modules(unknown=f"setup.py computes its packages: {_reason(given, single)}")
    try:
        packages = list(plain(given)) if given and given.data else []
        found = list(plain(single)) if single and single.data else []
    except (NotPlain, TypeError) as error:
        return Modules(unknown=f"setup.py computes its packages: {error}")
    if [text for text in packages if isinstance(text, str) and text.startswith("find")] == ["find:"]:
        return _of_setup_cfg(project)
    packages, found = (
        [text for text in packages if isinstance(text, str)],
        [text for text in found if isinstance(text, str)],
    )
    if not packages and not found:
        return None
    source = _source_of(project, packages)
    return Modules(tops(_in_the_sdist(project, source, packages)), tops(found), source)


def _reason(*values: Value | None) -> str:
    return next((each.data.reason for each in values if each and isinstance(each.data, Unknown)), "")


def _of_setup_cfg(project: Project) -> Modules | None:
    packages, single = project.lines("options", "packages"), project.lines("options", "py_modules")
    if not packages and not single:
        return None
    if packages and packages[0] in {"find:", "find_namespace:"}:
        section = "options.packages.find"
        keys = ("where", "include", "exclude")
        find: dict[str, Any] = {key: found for key in keys if (found := project.lines(section, key))}
        return _found(project, find, single, namespaces=packages[0] != "find:")
    return Modules(tops(packages), tops(single), _source_of(project, packages))


def _automatic(project: Project) -> Modules:
    directories = package_dir(project)
    if directories and "" not in directories:
        return Modules(tops(directories), (), _source_of(project, list(directories)))
    if (source := directories.get("", "")) and source not in {".", "src"}:
        packages = find_packages(project.files, project.at(source), namespaces=True)
        return Modules(tops(packages), (), source)
    packages, found, source = automatic(project.files, project.folder)
    several = not source and len(packages) + len(found) > 1
    reason = f"setuptools refuses to choose between {', '.join([*packages, *found][:9])}" if several else ""
    return Modules(() if several else tuple(packages), () if several else tuple(found), source, reason)
