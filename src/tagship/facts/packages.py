"""Which packages are below a folder, by the rules of setuptools, which other backends follow more or less."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .files import Files

FOLDERS = 5_000  # levels that are searched
#: What setuptools' automatic discovery skips: https://setuptools.pypa.io/en/latest/userguide/package_discovery.html
NO_PACKAGES = (
    *("ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog"),
    *("test", "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils"),
    *("python", "build", "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "[._]*"),
)
NO_MODULES = (
    *("setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile", "noxfile", "pavement"),
    *("dodo", "tasks", "fabfile", "[Ss][Cc]onstruct", "conanfile", "manage", "benchmark", "benchmarks"),
    *("exercise", "exercises", "[._]*"),
)


def find_packages(
    files: Files, where: str, include: Iterable[str] = ("*",), exclude: Iterable[str] = (), *, namespaces: bool = False
) -> list[str]:
    """Return the packages below `where` that match `include` and not `exclude`, as setuptools' function does."""
    include, exclude = list(include), list(exclude)
    return [
        name
        for name in _walk(files, where, exclude, namespaces=namespaces)
        if _matches(name, include) and not _matches(name, exclude)
    ]


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _walk(files: Files, where: str, exclude: list[str], *, namespaces: bool) -> Iterator[str]:
    todo, count = [("", where)], 0
    while todo and count < FOLDERS:
        prefix, folder = todo.pop()
        count += 1
        for name in files.entries(folder)[0]:
            package, path = f"{prefix}{name}", os.path.join(folder, name)
            if "." in name or (not namespaces and not files.is_file(os.path.join(path, "__init__.py"))):
                continue
            if os.path.islink(path) and os.path.realpath(folder).startswith(os.path.realpath(path)):
                continue  # a link to one of its parents
            yield package
            if not {f"{package}*", f"{package}.*"} & {*exclude}:
                todo.append((f"{package}.", path))


def tops(names: Iterable[str]) -> tuple[str, ...]:
    """Return the first part of each of the dotted `names`."""
    return tuple(sorted({name.partition(".")[0] for name in names if name}))


def automatic(files: Files, folder: str) -> tuple[list[str], list[str], str]:
    """Return the top-level packages, the modules and their folder, as setuptools discovers them."""
    source = os.path.join(folder, "src")
    if files.is_dir(source):
        packages = find_packages(files, source, namespaces=True)
        modules = _modules(files, source, [])
        # More than one package or module is fine in `src`.
        return list(tops(packages)), modules, "src"
    folders, _ = files.entries(folder)
    names = [name for name in folders if name.isidentifier() or name.endswith("-stubs")]
    found = [name for name in names if not _matches(name, [*NO_PACKAGES])]
    found = [name for name in found if _has_code(files, os.path.join(folder, name))] if len(found) > 1 else found
    if found:
        return found, [], ""
    return [], _modules(files, folder, [*NO_MODULES]), ""


def _modules(files: Files, folder: str, exclude: list[str]) -> list[str]:
    stems = [name[:-3] for name in files.entries(folder)[1] if name.endswith(".py")]
    return [name for name in stems if name.isidentifier() and not _matches(name, exclude)]


def _has_code(files: Files, folder: str, depth: int = 0) -> bool:
    folders, names = files.entries(folder)
    return any(name.endswith((".py", ".pyi")) for name in names) or (
        depth < 4 and any(_has_code(files, os.path.join(folder, each), depth + 1) for each in folders)
    )
