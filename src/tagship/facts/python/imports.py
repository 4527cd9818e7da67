"""Evaluates imports of modules of the repository, of known modules and of unknown ones."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from .machine import DEPTH, Machine, Raised, module_scope, unknown
from .values import Lazy, Module, Value

if TYPE_CHECKING:
    from .values import Scope


#: Known modules outside of the standard library; the repository may be their own.
PACKAGES = {"incremental", "toml", "tomli", "importlib_metadata"}


def plain_import(machine: Machine, node: ast.Import, scope: Scope) -> None:
    """Bind the names of `import a.b` and `import a.b as c`."""
    for alias in node.names:
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        _require(machine, alias.name, scope)
        scope.names[alias.asname or name] = Value(Lazy(lambda name=name: module(machine, name)))  # type: ignore[misc]


def from_import(machine: Machine, node: ast.ImportFrom, scope: Scope) -> None:
    """Bind the names of `from a import b`; a missing module of the repository raises."""
    base = _base(machine, node, scope)
    if base is None:
        return
    if node.level:
        _require_file(machine, base)
    else:
        _require(machine, base, scope)
    for alias in node.names:
        if alias.name != "*":
            scope.names[alias.asname or alias.name] = Value(
                Lazy(lambda name=alias.name: member(machine, base, name))  # type: ignore[misc]
            )
        elif scope.module:
            loaded = module(machine, base)
            if isinstance(loaded.data, Module):
                scope.module.stars.append(loaded.data)


def _base(machine: Machine, node: ast.ImportFrom, scope: Scope) -> str | None:
    """Return the module that names are imported from; for a relative import, the path of its file."""
    if not node.level:
        return node.module or ""
    if scope.top.module is None or not scope.top.module.file:
        return None
    folder = os.path.dirname(os.path.join(machine.files.root, scope.top.module.file))
    for _ in range(node.level - 1):
        folder = os.path.dirname(folder)
    return os.path.join(folder, *(node.module or "").split(".")) if node.module else folder


def _require(machine: Machine, name: str, scope: Scope) -> None:
    """Raise if a package of the repository has no module of this name."""
    from .library import KNOWN

    first = name.partition(".")[0]
    if first in KNOWN or machine.find(first) is None or machine.find(name):
        return
    raise Raised("ImportError", f"there is no module {name}, which {scope.file} imports")


def _file(machine: Machine, place: str) -> str | None:
    found = (os.path.join(place, "__init__.py"), f"{place}.py")
    return next((file for file in found if machine.files.is_file(file)), place if machine.files.is_dir(place) else None)


def _require_file(machine: Machine, place: str) -> None:
    if _file(machine, place) is None:
        raise Raised("ImportError", f"there is no {machine.files.name(place)}.py")


def module(machine: Machine, name: str) -> Value:
    """Return the module with this dotted name, or at this path without its suffix."""
    from .library import KNOWN

    if os.path.isabs(name):
        file = _file(machine, name)
        return at(machine, file) if file else unknown(f"there is no {machine.files.name(name)}.py", absent=True)
    if name in KNOWN and not (name in PACKAGES and machine.find(name)):
        return Value(Module(name, known=lambda attribute: KNOWN[name](machine, attribute)))
    first = name.partition(".")[0]
    file = None if first in KNOWN and first not in PACKAGES else machine.find(name)
    if file:
        return at(machine, file)
    return unknown(f"the module {name} is not part of the repository", absent=True)


def at(machine: Machine, file: str) -> Value:
    """Return the module in `file`; a folder is a namespace package."""
    if file not in machine.modules:
        if machine.depth >= DEPTH:
            return unknown("imports are nested too deeply")
        shown = machine.files.name(file)
        found = Module(shown, {"__file__": Value(file), "__name__": Value(os.path.basename(file)[:-3])}, shown)
        machine.modules[file] = found
        if file.endswith(".py") or machine.files.is_file(file):
            _execute(machine, file, found)
    return Value(machine.modules[file], how=frozenset({"import"}))


def _execute(machine: Machine, file: str, found: Module) -> None:
    from .statements import execute_module

    tree = machine.parse(file)
    machine.depth += 1
    try:
        found.names["__doc__"] = Value(ast.get_docstring(tree))
        execute_module(machine, tree.body, module_scope(found))
    finally:
        machine.depth -= 1


def member(machine: Machine, base: str, name: str) -> Value:
    """Return the value of `from base import name`: a name in the module, or a submodule."""
    loaded = module(machine, base)
    if not isinstance(loaded.data, Module):
        return loaded
    if found := of_module(machine, loaded.data, name):
        return found
    if loaded.data.known:
        return unknown(f"{base}.{name} is not known without running it")
    raise Raised("ImportError", f"{loaded.data.name} has no {name}")


def of_module(machine: Machine, found: Module, name: str) -> Value | None:
    """Return the value of `name` in a module: its own, one from a star import, or a submodule."""
    from .expressions import CIRCULAR, forced

    if found.known:
        return found.known(name)
    if name in found.names and found.names[name].data is not CIRCULAR:
        value = forced(machine, found.names[name], found.names, name)
        return Value(value.data, value.origins, value.how | {"import"})
    if value_of_star := from_stars(machine, found, name):
        return value_of_star
    place = os.path.join(machine.files.root, found.file)
    folder = os.path.dirname(place) if os.path.basename(place) == "__init__.py" else place
    file = _file(machine, os.path.join(folder, name))
    return at(machine, file) if file else None


def from_stars(machine: Machine, found: Module, name: str) -> Value | None:
    """Return the value of `name` in the modules that `found` imports with a star."""
    from .expressions import forced

    for star in found.stars:
        if star.known and (value := star.known(name)):
            return value
        if star is not found and name in star.names:
            return forced(machine, star.names[name], star.names, name)
    for star in found.stars:
        if star is not found and star.stars and (value := from_stars(machine, star, name)):
            return value
    return None
