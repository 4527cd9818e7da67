"""The entry points of the evaluator: what setup.py passes to `setup()`, the value of a name in a module."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import imports
from .machine import Exhausted, Machine, Raised, module_scope, unknown
from .statements import execute_module
from .values import Module, Value

if TYPE_CHECKING:
    from tagship.facts.files import Files

FAILURES = (Exhausted, RecursionError, MemoryError)
#: What the code raises where a module or a name is not there.
MISSING = {"ImportError", "AttributeError"}


def setup_arguments(files: Files, folder: str) -> tuple[dict[str, Value], str]:
    """Return what the setup.py in `folder` passes to `setup()`, and why that is not known, "" if it is."""
    file = os.path.join(folder, "setup.py")
    machine = Machine(files, folder)
    module = Module("setup", {"__file__": Value(file), "__name__": Value("__main__")}, files.name(file))
    try:
        tree = machine.parse(file)
        execute_module(machine, tree.body, module_scope(module))
    except Raised as error:
        return {}, f"setup.py cannot be read: {error}"
    except FAILURES:
        if not machine.calls:
            return {}, "setup.py is too long to be followed without running it"
    if not machine.calls:
        return {}, "setup.py does not call setup() as far as that can be followed without running it"
    return machine.calls[0], ""


def attribute(files: Files, folder: str, dotted: str, path: list[str]) -> Value:
    """Return the value of `dotted` ("a.b.c" is `c` of `a.b`); the module is searched in `path`, then in `folder`."""
    machine = Machine(files, folder, path=Value([Value(each) for each in path]))
    name, _, wanted = dotted.rpartition(".")
    try:
        return imports.member(machine, name, wanted)
    except Raised as error:
        return unknown(f"{dotted}: {error}", absent=error.name in MISSING)
    except FAILURES:
        return unknown(f"{dotted} is too long to be followed")


def of_file(files: Files, folder: str, file: str, name: str) -> Value:
    """Return the value of `name` in the module in `file`."""
    return called(files, folder, file, name, call=False)


def called(files: Files, folder: str, file: str, name: str, *, call: bool = True) -> Value:
    """Return what the function `name` of the module in `file` returns without arguments."""
    from . import calls
    from .values import Function

    machine = Machine(files, folder)
    try:
        module = imports.at(machine, os.path.join(folder, file))
        found = imports.of_module(machine, module.data, name) if isinstance(module.data, Module) else None
        if call and found and isinstance(found.data, Function):
            return calls.call_function(machine, found.data, [], {})
        return found if found and not call else unknown(f"{file} has no {name} that can be followed", absent=True)
    except Raised as error:
        return unknown(f"{file}: {error}", absent=error.name in MISSING)
    except FAILURES:
        return unknown(f"{file} is too long to be followed")
