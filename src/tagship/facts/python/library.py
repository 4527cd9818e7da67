"""The library modules that setup.py and version modules use, as far as they only read and compute."""

from __future__ import annotations

import ast
import json
import os
import re
import textwrap
from typing import TYPE_CHECKING, Any

from tagship_suite.files import tomllib

from . import builtins, calls, imports, methods
from .machine import Machine, Raised, unknown
from .values import Builtin, Module, Scope, Stream, Unknown, Value, plain, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

Names = dict[str, Any]
#: The Python that the code is evaluated for.
VERSION = (3, 13, 0, "final", 0)


def _function(name: str, call: Callable[..., Any]) -> Value:
    return Value(Builtin(name, call))


def _computes(function: Callable[..., Any], how: str = "") -> Callable[..., Value]:
    """Return a function of values for a function of plain data."""

    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        given = {key: plain(each) for key, each in keywords.items()}
        return wrap(function(*map(plain, arguments), **given), *arguments, *keywords.values(), how=how)

    return call


def _fails(reason: str, tool: str = "") -> Callable[..., Value]:
    return lambda machine, scope, *arguments, **__: unknown(reason, tool=tool)


def _returns(data: Any) -> Callable[..., Value]:
    return lambda *_, **__: Value(data)


def _raises(name: str) -> Callable[..., Value]:
    def call(*_: Any, **__: Any) -> Value:
        raise Raised(name)

    return call


def _same(machine: Machine, scope: Scope, value: Value, *_: Value, **__: Value) -> Value:
    return value


# os


def _os_path(machine: Machine) -> Names:
    files = machine.files
    real = {
        name: _computes(getattr(os.path, name))
        for name in ("join", "dirname", "basename", "split", "splitext", "normpath", "isabs", "commonprefix")
    }
    absolute = _computes(lambda path: machine.absolute(str(path)))
    return real | {
        "abspath": absolute,
        "realpath": absolute,
        "relpath": _computes(lambda path, start="": os.path.relpath(machine.absolute(path), machine.absolute(start))),
        "isfile": _computes(lambda path: files.is_file(machine.absolute(str(path)))),
        "isdir": _computes(lambda path: files.is_dir(machine.absolute(str(path)))),
        "exists": _computes(lambda path: _exists(machine, str(path))),
        "sep": "/",
        "pardir": "..",
        "curdir": ".",
    }


def _exists(machine: Machine, path: str) -> bool:
    place = machine.absolute(path)
    return machine.files.is_file(place) or machine.files.is_dir(place)


def _os(machine: Machine) -> Names:
    command = _fails("it is printed by a command", "command")
    return {
        "path": imports.module(machine, "os.path"),
        "environ": Value(Module("os.environ", known=lambda name: ENVIRON.get(name) or _variable(name))),
        "getenv": ENVIRON["get"],
        "getcwd": _returns(machine.folder),
        "listdir": _computes(
            lambda path=".": sorted(name for names in machine.files.entries(machine.absolute(path)) for name in names)
        ),
        "fspath": _computes(str),
        "chdir": _returns(None),
        "system": _returns(0),
        "popen": command,
        "sep": "/",
        "linesep": "\n",
        "pardir": "..",
        "curdir": ".",
        "name": "posix",
    }


def _variable(name: str) -> Value:
    raise Raised("KeyError", name)


def _of_environment(machine: Machine, scope: Scope, name: Value, default: Value | None = None, **_: Value) -> Value:
    """Return the value of a variable that is not set; with a default string, CI is expected to set it."""
    if default is None or not isinstance(default.data, str) or not default.data:
        return default or Value(None)
    return Value(Unknown(f"it is the environment variable {plain(name)}", "environment"), default.origins)


ENVIRON = {
    "get": _function("get", _of_environment),
    "setdefault": _function("setdefault", _returns(None)),
    "pop": _function("pop", _returns(None)),
    "copy": _function("copy", _returns({})),
    "update": _function("update", _returns(None)),
}


def _sys(machine: Machine) -> Names:
    return {
        "argv": wrap(["setup.py", "bdist_wheel"]),
        "version_info": wrap(VERSION),
        "version": "3.13.0",
        "hexversion": 0x030D0000,
        "platform": "linux",
        "path": machine.path,
        "exit": _raises("SystemExit"),
        "maxsize": 2**63 - 1,
        "maxunicode": 0x10FFFF,
        "byteorder": "little",
        "executable": "python",
        "prefix": "/usr",
        "builtin_module_names": (),
        "dont_write_bytecode": False,
    }


# reading


def _re(machine: Machine) -> Names:
    names = ("search", "match", "fullmatch", "findall", "finditer", "sub", "split", "compile", "escape")
    flags = {name: int(getattr(re, name)) for name in dir(re) if name.isupper() and isinstance(getattr(re, name), int)}
    return flags | {name: _computes(_listed(getattr(re, name)), "regex") for name in names}


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: (
        list(function(*given, **named)) if function is re.finditer else function(*given, **named)
    )


def _loaded(load: Callable[[str], Any]) -> Callable[..., Value]:
    def call(machine: Machine, scope: Scope, file: Value, *_: Value, **__: Value) -> Value:
        if isinstance(file.data, Stream):
            return wrap(load(file.data.text), file)
        if not file.known:
            return file
        data = plain(file)
        text = data.decode() if isinstance(data, bytes) else str(data)
        if machine.files.is_file(machine.absolute(text)) if len(text) < 200 and "\n" not in text else False:
            return call(machine, scope, methods.opened(machine, text))  # toml.load takes a path
        return wrap(load(text), file)

    return call


def _json(machine: Machine) -> Names:
    return {"load": _loaded(json.loads), "loads": _loaded(json.loads)}


def _toml(machine: Machine) -> Names:
    return {"load": _loaded(tomllib.loads), "loads": _loaded(tomllib.loads)}


def _ast(machine: Machine) -> Names:
    def parse(text: str | bytes, *_: object, **__: object) -> ast.AST:
        return ast.parse(text)

    nodes = {
        name: Value(kind) for name, kind in vars(ast).items() if isinstance(kind, type) and issubclass(kind, ast.AST)
    }
    return nodes | {
        "parse": _computes(parse, "ast"),
        "literal_eval": _computes(ast.literal_eval),
        "walk": _computes(lambda node: list(ast.walk(node)), "ast"),
        "iter_child_nodes": _computes(lambda node: list(ast.iter_child_nodes(node)), "ast"),
        "get_docstring": _computes(ast.get_docstring),
        "NodeVisitor": Value(Unknown("ast.NodeVisitor")),
    }


def _pathlib(machine: Machine) -> Names:
    cls = builtins.path
    return {"Path": cls, "PurePath": cls, "PosixPath": cls, "PurePosixPath": cls}


def _configparser(machine: Machine) -> Names:
    return dict.fromkeys(("ConfigParser", "RawConfigParser", "SafeConfigParser"), builtins.config)


# modules by their path


def _by_path(position: int) -> Callable[..., Value]:
    def call(machine: Machine, scope: Scope, *arguments: Value, **keywords: Value) -> Value:
        path = str(plain(arguments[position] if len(arguments) > position else keywords["path"]))
        place = machine.absolute(path)
        if not machine.files.is_file(place):
            raise Raised("FileNotFoundError", machine.files.name(place))
        return imports.at(machine, place)

    return call


def _run_path(machine: Machine, scope: Scope, path: Value, *_: Value, **__: Value) -> Value:
    names = Value(dict[str, Value]())
    stream = methods.opened(machine, str(plain(path)))
    if isinstance(stream.data, Stream):
        builtins.execute_text(machine, scope, Value(stream.data.text, stream.origins), names)
        return names
    return stream


def _import_module(machine: Machine, scope: Scope, name: Value, *_: Value) -> Value:
    return imports.module(machine, str(plain(name)))


def _module_constant(machine: Machine, scope: Scope, module: Value, name: Value, *_: Value, **__: Value) -> Value:
    return imports.member(machine, str(plain(module)), str(plain(name)))


def _importlib(machine: Machine) -> Names:
    found = ("util", "machinery", "metadata", "resources")
    return {"import_module": _import_module} | {name: imports.module(machine, f"importlib.{name}") for name in found}


def _util(machine: Machine) -> Names:
    return {"spec_from_file_location": _by_path(1), "module_from_spec": _same}


def _machinery(machine: Machine) -> Names:
    return {"SourceFileLoader": _by_path(1)}


def _metadata(machine: Machine) -> Names:
    read = _fails("it is read from the metadata of the installed package", "metadata")
    return {"version": read, "metadata": read, "distribution": read, "PackageNotFoundError": Value(Unknown("a class"))}


# packaging tools


def _setup(machine: Machine, scope: Scope, *_: Value, **keywords: Value) -> Value:
    machine.calls.append(keywords)
    return Value(None)


def _extension(machine: Machine, scope: Scope, name: Value, *_: Value, **__: Value) -> Value:
    return Value({"name": name})


def _find_packages(namespaces: bool) -> Callable[..., Value]:  # noqa: FBT001
    def call(
        machine: Machine,
        scope: Scope,
        where: Value | None = None,
        exclude: Value | None = None,
        include: Value | None = None,
    ) -> Value:
        from tagship.facts.packages import find_packages

        folder = machine.absolute(str(plain(where)) if where else ".")
        patterns = [list(plain(each)) if each else default for each, default in ((include, ["*"]), (exclude, []))]
        return wrap(find_packages(machine.files, folder, *patterns, namespaces=namespaces))

    return call


def _setuptools(machine: Machine) -> Names:
    finders = {
        "find_packages": _find_packages(False),
        "find_namespace_packages": _find_packages(True),
        "Extension": _extension,
    }
    kinds = {name: Value(Module(f"setuptools.{name}", known=lambda _: None)) for name in ("command",)}
    return (
        finders
        | {"setup": _setup}
        | kinds
        | {
            "PackageFinder": Value(
                Module("PackageFinder", known={"find": _function("find", _find_packages(False))}.get)
            ),
            "PEP420PackageFinder": Value(
                Module("PEP420PackageFinder", known={"find": _function("find", _find_packages(True))}.get)
            ),
        }
    )


def _scm(tool: str) -> Callable[[Machine], Names]:
    reason = f"{tool} derives it from git's tags"

    def names(machine: Machine) -> Names:
        versions = Value({"version": unknown(reason, tool=tool), "full-revisionid": unknown(reason, tool=tool)})
        return {
            "get_version": _fails(reason, tool),
            "get_versions": lambda *_, **__: versions,
            "get_cmdclass": _returns({}),
            "setup": _setup,
        }

    return names


def _incremental(
    machine: Machine, scope: Scope, package: Value, major: Value, minor: Value, micro: Value, **others: Value
) -> Value:
    """Return the text of the `Version` that Incremental writes into a package."""
    parts = {"release_candidate": "rc", "post": ".post", "dev": ".dev"}
    text = ".".join(str(plain(each)) for each in (major, minor, micro))
    found = {name: plain(value) for name, value in others.items()}
    text += "".join(f"{sign}{found[name]}" for name, sign in parts.items() if found.get(name) is not None)
    return wrap(text, major, minor, micro, *others.values())


def _commands(machine: Machine) -> Names:
    read = _fails("it is printed by a command", "command")
    names = ("check_output", "run", "Popen", "call", "check_call", "getoutput", "getstatusoutput")
    return dict.fromkeys(names, read) | {"PIPE": -1, "DEVNULL": -3, "STDOUT": -2}


def _clock(machine: Machine) -> Names:
    read = _fails("it is the time of the build", "clock")
    inner = Value(Module("datetime", known=lambda _: _function("now", read)))
    return dict.fromkeys(("time", "strftime", "gmtime", "localtime"), read) | {"datetime": inner, "date": inner}


def _shutil(machine: Machine) -> Names:
    def copy(machine: Machine, scope: Scope, source: Value, target: Value, *_: Value, **__: Value) -> Value:
        machine.copies[machine.absolute(str(plain(target)))] = machine.absolute(str(plain(source)))
        return target

    return dict.fromkeys(("copy", "copy2", "copyfile"), copy)


TABLES: dict[str, Callable[[Machine], Names]] = {
    "os": _os,
    "os.path": _os_path,
    "shutil": _shutil,
    "sys": _sys,
    "re": _re,
    "io": lambda _: {"open": builtins.BUILTINS["open"]},
    "codecs": lambda _: {"open": builtins.open_with_codecs},
    "builtins": lambda _: dict(builtins.BUILTINS),
    "json": _json,
    "toml": _toml,
    "tomllib": _toml,
    "tomli": _toml,
    "ast": _ast,
    "pathlib": _pathlib,
    "configparser": _configparser,
    "ConfigParser": _configparser,
    "textwrap": lambda _: {"dedent": _computes(textwrap.dedent)},
    "contextlib": lambda _: {"closing": _same, "suppress": _returns(None)},
    "typing": lambda _: {"TYPE_CHECKING": False, "cast": lambda _machine, _scope, _type, value: value},
    "inspect": lambda machine: {
        "currentframe": _returns(None),
        "getfile": _returns(os.path.join(machine.folder, "setup.py")),
    },
    "importlib": _importlib,
    "importlib.util": _util,
    "importlib.machinery": _machinery,
    "importlib.metadata": _metadata,
    "importlib.resources": lambda _: {},
    "importlib_metadata": _metadata,
    "imp": lambda _: {"load_source": _by_path(1)},
    "runpy": lambda _: {"run_path": _run_path},
    "setuptools": _setuptools,
    "distutils": lambda machine: {"core": imports.module(machine, "distutils.core")},
    "setuptools.depends": lambda _: {"get_module_constant": _module_constant},
    "distutils.core": _setuptools,
    "distutils.extension": _setuptools,
    "setuptools.extension": _setuptools,
    "numpy.distutils.core": _setuptools,
    "skbuild": _setuptools,
    "setuptools_scm": _scm("setuptools_scm"),
    "versioneer": _scm("versioneer"),
    "versioningit": _scm("versioningit"),
    "incremental": lambda _: {"Version": _incremental},
    "subprocess": _commands,
    "commands": _commands,
    "time": _clock,
    "datetime": _clock,
}


def _known(table: Callable[[Machine], Names], machine: Machine, name: str) -> Value | None:
    found = table(machine).get(name)
    if found is None or isinstance(found, Value):
        return found
    return _function(name, found) if callable(found) and not isinstance(found, type) else Value(found)


KNOWN: dict[str, Callable[[Machine, str], Value | None]] = {
    name: (lambda machine, attribute, table=table: _known(table, machine, attribute))  # type: ignore[misc]
    for name, table in TABLES.items()
}
__all__ = ["KNOWN", "calls"]
