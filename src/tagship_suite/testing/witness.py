"""Lets the tests import the project's modules from the installed distribution alone, and records what they import.

Standard library only, for every Python since 3.8. As a script it installs itself into the environment of the tests:
`python witness.py PACKAGE CHECKOUT FOLDER`. There a `.pth` file starts it in every process that has `TAGSHIP_WITNESS`.
"""

# ruff: noqa: PTH109, PTH110, PTH118, PTH121, PTH123
# Every Python process of the tests starts with this module: importing pathlib would be slow.

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder, all_suffixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.metadata import Distribution
    from types import ModuleType
    from typing import Any

    Record = Callable[[str, str], None]

VARIABLE, MODULE = "TAGSHIP_WITNESS", "_tagship_witness"
REWRITER = os.path.join("_pytest", "assertion", "rewrite.py")


def is_test(name: str) -> bool:
    """Return whether a module or package of this name, without dots, holds tests."""
    return name in {"test", "tests", "conftest"} or name.startswith("test_") or name.endswith("_test")


def start() -> None:
    """Guard and record the imports of this process, as configured in the folder that the variable names."""
    folder = os.environ[VARIABLE]
    try:
        with open(os.path.join(folder, "installed"), encoding="utf-8") as file:
            checkout, site, *shipped = file.read().splitlines()
    except OSError:  # the process outlives the tests
        return
    record = _record(folder, checkout, site)
    tops = {path.split("/")[0].split(".")[0] for path in shipped}
    _guard(site, {top for top in tops if not is_test(top)} or tops, record)


def _record(folder: str, checkout: str, site: str) -> Record:
    """Record each module below `checkout` or `site` that is executed, at once: a process may be killed."""
    log = os.path.join(folder, f"{os.getpid()}.seen")
    # The tests may monkeypatch these.
    opened, write, close, real, frame = os.open, os.write, os.close, os.path.realpath, sys._getframe
    own = (os.path.join(checkout, ""), os.path.join(site, ""))
    prefix, seen = os.path.join(real(sys.prefix), ""), set()

    def record(kind: str, text: str) -> None:
        file = opened(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        write(file, f"{kind} {text}\n".encode("utf-8", "surrogateescape"))
        close(file)

    def in_checkout(path: str) -> bool:
        return path.startswith(own[0]) and not path.startswith(prefix)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "import":
            name = arguments[1]  # an extension module's file, else None
        elif event == "exec" and getattr(arguments[0], "co_name", "") == "<module>":
            name = arguments[0].co_filename
        else:
            return
        if not name or name in seen or name.startswith("<"):
            return
        try:
            by, kind = frame(1).f_code.co_filename, "module"
        except ValueError:  # not called from Python code
            by, kind = "<>", "script"
        with suppress(OSError):  # an error in a hook would be raised in the tests
            if by[0] != "<" and in_checkout(real(by)):  # an exec() by the project, which is not an import
                return
            seen.add(name)
            path = real(name)
            if in_checkout(path) or path.startswith(own[1]):
                record("test" if by.endswith(REWRITER) else kind, path)

    sys.addaudithook(hook)
    return record


def _guard(site: str, tops: set[str], record: Record) -> None:
    """Find the top-level modules `tops` in `site` only, whatever sys.path and pytest say.

    Tests are found in the checkout first, where their data is, and as unittest demands. So is what the
    distribution lacks; the proof reports it.
    """
    found, located = PathFinder.find_spec, importlib.util.spec_from_file_location

    def find_spec(
        _: type, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, *inner = name.split(".")
        if top not in tops:
            spec = found(name, path, target)
            if name in COUNTS and spec:
                _count(spec.loader, COUNTS[name], record)
            return spec
        above = [top, *inner][:-1]
        places: list[Sequence[str]] = [[os.path.join(site, *above)]]
        if inner:
            places += [path or [], [os.path.join(entry or os.getcwd(), *above) for entry in sys.path]]
        for place in reversed(places) if any(map(is_test, inner)) else places:
            if spec := found(name, place, target):
                if spec.submodule_search_locations is not None:  # a namespace package would follow sys.path
                    spec.submodule_search_locations = list(spec.submodule_search_locations)
                return spec
        return None

    def spec_from_file_location(name: str, location: Any = None, **options: Any) -> ModuleSpec | None:
        parts = name.split(".")
        if parts[0] in tops and not any(map(is_test, parts[1:])) and location and not options.get("loader"):
            spec = importlib.util.find_spec(name)
            if spec and spec.origin and spec.origin.startswith(os.path.join(site, "")):
                return ModuleSpec(name, _Installed(spec), origin=str(location))  # type: ignore[arg-type]
        return located(name, location, **options)

    PathFinder.find_spec = classmethod(find_spec)  # type: ignore[method-assign,assignment]
    importlib.util.spec_from_file_location = spec_from_file_location


class _Installed:
    """Loads the installed module instead of one that is loaded by its path, as in pytest's import mode `importlib`."""

    def __init__(self, spec: ModuleSpec) -> None:
        self.spec = spec

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return importlib.import_module(self.spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


def _count(loader: Any, wrap: Callable[[Any, Record], None], record: Record) -> None:
    """Wrap what runs tests in the module that `loader` executes, to record how many are run and not skipped."""
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        execute(module)
        wrap(module, record)

    loader.exec_module = exec_module


def _count_unittest(module: Any, record: Record) -> None:
    run = module.TextTestRunner.run

    def counted(self: Any, test: Any) -> Any:
        result = run(self, test)
        # A skipped subtest is part of one that ran; a skipped class was not counted.
        skipped = [each for each, _ in result.skipped if type(each).__name__ not in {"_SubTest", "_ErrorHolder"}]
        record("ran", str(result.testsRun - len(skipped)))
        return result

    module.TextTestRunner.run = counted


def _count_pytest(module: Any, record: Record) -> None:
    start_session, make_report, ran = module.pytest_sessionstart, module.pytest_runtest_makereport, [0]
    real, twins = os.path.realpath, set()

    def pytest_sessionstart(session: Any) -> None:
        record("ran", "0")
        start_session(session)

    def pytest_runtest_makereport(item: Any, call: Any) -> Any:
        skipped = call.excinfo is not None and call.excinfo.typename in {"Skipped", "SkipTest"}
        if call.when == "call" and not skipped and not ran[0]:  # one is enough
            record("ran", "1")
            ran[0] = 1
        # PY_IGNORE_IMPORTMISMATCH is for the modules of the distribution, not for two test modules of one name.
        path, file = str(getattr(item, "path", item.fspath)), getattr(getattr(item, "module", None), "__file__", None)
        if file and (path, file) not in twins:
            twins.add((path, file))
            if real(path) != real(file):
                record("twin", f"{real(path)}\t{real(file)}")
        return make_report(item, call)

    module.pytest_sessionstart, module.pytest_runtest_makereport = pytest_sessionstart, pytest_runtest_makereport


#: What runs tests, by module.
COUNTS = {"unittest.runner": _count_unittest, "_pytest.runner": _count_pytest}


def install(package: str, checkout: str, folder: str) -> None:
    """Install this module into the site-packages of the distribution that was installed from the path `package`.

    Writes the configuration for `start` to `folder`: the checkout, the location of the distribution, and its modules.
    """
    from shutil import copyfile

    dist = _installed_from(package)
    site = os.path.realpath(str(dist.locate_file("")))
    paths = [path.as_posix() for path in dist.files or ()]
    modules = [path for path in paths if path.endswith(tuple(all_suffixes())) and path[:3] != "../"]
    modules = [path for path in modules if "__pycache__/" not in path]
    with open(os.path.join(folder, "installed"), "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in (os.path.realpath(checkout), site, *modules)))
    copyfile(__file__, os.path.join(site, f"{MODULE}.py"))
    with open(os.path.join(site, f"{MODULE}.pth"), "w", encoding="utf-8") as file:
        file.write(f"import os; {VARIABLE!r} in os.environ and __import__({MODULE!r}).start()\n")


def _installed_from(package: str) -> Distribution:
    """Return the distribution that was installed from this path, see https://peps.python.org/pep-0610/."""
    import json
    from importlib.metadata import distributions
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    for dist in distributions():
        url = urlsplit(json.loads(dist.read_text("direct_url.json") or "{}").get("url", ""))
        path = url2pathname(url.path)
        if url.scheme == "file" and os.path.exists(path) and os.path.samefile(path, package):
            return dist
    sys.exit(f"{package}: found no distribution that was installed from it, expected one")


if __name__ == "__main__":
    install(*sys.argv[1:])
