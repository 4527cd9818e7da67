"""Compares dists with git: the committed files that they lack, and the uncommitted files that they contain."""

import glob
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ..errors import Problem, shortened, some
from ..files import load_toml, read_text, subtable
from ..repo import git
from .modules import OTHER, is_of_tests, is_own
from .reading import Dist
from .zips import MODULES

#: How a pointer of Git LFS begins; it has less than 1 KiB.
POINTER, SMALL = b"version https://git-lfs.github.com/spec/", 1024
#: What build tools leave in a checkout for the next build: metadata, bytecode, extensions.
LEFT = re.compile(r"(?:.*/)?(?:[^/]+\.(?:egg|dist)-info/.*|PKG-INFO|[^/]+\.(?:pyc|pyd|so))", re.DOTALL)
#: What they generate, by suffix, and the suffixes of its sources: translations, Cython's and protobuf's output.
MADE, SOURCES = re.compile(r"(?:_pb2(?:_grpc)?)?\.\w+$"), (".po", ".proto", ".pyx", ".pyx.in")
PURE = re.compile(r"\.c(?:pp)?$")  # Cython and mypyc, from plain Python
#: The keys in `[tool]` that name what they write, or ship although git ignores it.
WRITTEN = {"artifacts", "version-file", "version_file", "write_to"}
PACKAGE = re.compile(r"(src/)?([^/]+?)(?:/.*)?\.pyi?", re.DOTALL)
#: What a wheel need not have: sources of compiled code, and texts for contributors.
UNMISSED = re.compile(r".*\.(?:build|c|cc|cpp|f90|h|hpp|in|md|po|pot|proto|pxd|pyx|rs|rst)|(?:.*/)?\..*", re.DOTALL)
#: By build backend, the settings that exclude a file from the sdist or the wheel, or include it in the wheel.
BACKENDS = {
    "setuptools": ("exclude in MANIFEST.in", "exclude of find_packages", "packages or package_data of setuptools"),
    "hatchling": (*("exclude in [tool.hatch.build]",) * 2, "packages or artifacts in [tool.hatch.build.targets.wheel]"),
    "poetry": (*("exclude in [tool.poetry]",) * 2, "packages or include in [tool.poetry]"),
    "pdm": (*("excludes in [tool.pdm.build]",) * 2, "includes in [tool.pdm.build]"),
    "uv_build": (*("source-exclude in [tool.uv.build-backend]",) * 2, "module-name in [tool.uv.build-backend]"),
    "flit_core": (*("exclude in [tool.flit.sdist]",) * 2, "include in [tool.flit.sdist]"),
    "": ("what the build backend excludes",) * 2 + ("what the build backend includes",),
}


@dataclass
class Checkout:
    """The working tree `top` at `time` (in ns): the paths in it of files, submodules without content, LFS pointers."""

    top: Path
    tracked: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    pointers: set[str] = field(default_factory=set)
    time: int = field(default_factory=time.time_ns)


def checkout(root: Path) -> Checkout | None:
    """Return the state of the working tree with `root`, before a build; None if there is no repository."""
    if not (top := git.query(root, "rev-parse", "--show-toplevel")):
        return None
    found = Checkout(Path(top).resolve())
    _add(found, "")
    return found


def _add(found: Checkout, below: str) -> None:
    """Add the files in the folder `below` to `found`, and those in its submodules."""
    folder = found.top / below
    for line in _listed(folder, "--stage"):
        mode, path = line[:6], below + line.partition("\t")[2]
        if mode.startswith("100"):
            found.tracked.add(path)
        elif mode == "120000":
            continue  # a symlink: its target counts
        elif (found.top / path / ".git").exists():
            _add(found, f"{path}/")
        elif not any((found.top / path).glob("*")):
            found.missing.add(path)
    found.others.update(below + path for path in _listed(folder, "--others"))
    found.changed.update(below + path for path in _listed(folder, "--name-only", "HEAD", command="diff"))
    found.pointers.update(below + path for path in _listed(folder, ":(attr:filter=lfs)") if _is_pointer(folder / path))


def _listed(folder: Path, *arguments: str, command: str = "ls-files") -> list[str]:
    return [name for name in (git.query(folder, command, "-z", *arguments) or "").split("\0") if name]


def _is_pointer(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < SMALL and path.read_bytes().startswith(POINTER)


def compare(before: Checkout, folder: Path, dists: Iterable[Dist]) -> Iterator[Problem | str]:
    """Yield what is a mistake in the `dists` built in `folder` from the state `before`, and notes on what may be."""
    folder = folder.resolve()
    start = f"{Path(os.path.relpath(folder, before.top)).as_posix()}/".removeprefix("./")
    own = {path.removeprefix(start) for path in before.tracked if path.startswith(start)}
    if not own:  # the folder is not this repository's
        return
    backend = str(subtable(load_toml(folder / "pyproject.toml"), "build-system").get("build-backend", "setuptools"))
    words = next(found for name, found in BACKENDS.items() if backend.startswith(name))
    missing = [path.removeprefix(start) for path in sorted(before.missing) if path.startswith(start)]
    for dist in {dist.is_wheel: dist for dist in dists}.values():  # the wheels of several machines lack the same files
        if dist.is_wheel:
            yield from _wheel_problems(dist, own, missing, words)
        else:
            yield from _sdist_problems(dist, folder, before, words[0])


def _sdist_problems(sdist: Dist, folder: Path, before: Checkout, leave_out: str) -> Iterator[Problem | str]:
    """Yield uncommitted files that no build tool generated, Git LFS pointers, and a note on uncommitted changes."""
    found, changed = [], set()
    patterns = [*_written(load_toml(folder / "pyproject.toml").get("tool")), *_named(folder / "MANIFEST.in")]
    for name in sorted(sdist.members):
        inner = name.partition("/")[2]
        path = Path(os.path.realpath(folder / inner))
        known = path.relative_to(before.top).as_posix() if path.is_relative_to(before.top) else ""
        within = {known, *map(str, PurePosixPath(known).parents)} & before.changed  # a submodule, by its folder
        changed |= {Path(os.path.relpath(before.top / each, folder)).as_posix() for each in within}
        if known in before.pointers:
            remedy = f"run: git lfs pull; on GitHub, set the repository variable LFS to true; or add it to {leave_out}"
            what, expected = "a pointer of Git LFS", "the file that it stands for"
            found.append(sdist.problem("lfs-pointer", what, expected, remedy, inner))
        elif _is_stray(known, before, patterns):
            remedy = f"remove it, add it to {leave_out}, or commit it"
            what = "a file that git does not track"
            found.append(sdist.problem("untracked-file", what, "committed files", remedy, inner))
    if changed:
        yield f"{sdist.path} holds changes that are not committed: {some(sorted(changed))} [uncommitted]"
    yield from shortened(found, str(sdist.path), "more of them", "committed files")


def _is_stray(path: str, before: Checkout, patterns: list[str]) -> bool:
    """Return whether git does not track the file, and no build tool generated it, in this build or an earlier one."""
    file, above = before.top / path, (f"{folder}/" for folder in PurePosixPath(path).parents)
    if not {path, *above} & before.others:  # where a nested repository is listed by its folder alone
        return False
    is_left = LEFT.fullmatch(path) or not file.exists() or file.stat().st_mtime_ns >= before.time
    sources = {*(MADE.sub(source, path) for source in SOURCES), PURE.sub(".py", path)}
    is_named = file.name[0] != "." and any(fnmatchcase(f"/{path}", pattern) for pattern in patterns)
    return not (is_left or sources & before.tracked or is_named)


def _written(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name in value:
            yield from _written(value[name], name)
    elif isinstance(value, list):
        for each in value:
            yield from _written(each, key)
    elif isinstance(value, str) and (key in WRITTEN or (key == "path" and glob.escape(value) == value)):
        yield f"*/{value.strip('/')}"  # Poetry's `path` of one file, which is not a pattern
        if key == "artifacts":  # for hatchling, a folder stands for everything in it
            yield f"*/{value.strip('/')}/*"


def _named(manifest: Path) -> Iterator[str]:
    """Yield the files that MANIFEST.in includes by name, which is never a mistake."""
    lines = read_text(manifest).splitlines() if manifest.is_file() else []
    for command, *names in map(str.split, filter(str.strip, lines)):
        yield from (f"*/{name}" for name in names if command == "include" and glob.escape(name) == name)


def _wheel_problems(wheel: Dist, own: set[str], missing: list[str], words: tuple[str, ...]) -> Iterator[Problem | str]:
    """Yield what the wheel lacks of the project's packages, and what it contains besides them."""
    _, keep_out, put_in = words
    installed = {MODULES.sub("", name) for name in wheel.members}
    modules = {name for name in installed if name.endswith((".py", ".pyi", ".pyd", ".so"))}
    modules = {name for name in modules if not name.split("/")[0].endswith((".data", ".dist-info"))}
    tops = {name.split("/")[0] for name in modules}
    odd = {top for top in tops if OTHER.fullmatch(top.split(".")[0]) and top[0] != "_" and not is_own(top, wheel.name)}
    if tops > odd:
        if odd:
            found = f"{wheel.path} installs {some(sorted(odd))} at the top of site-packages"
            yield f"{found}; if that is not intended, add it to {keep_out} [top-level]"
    elif (packages := _packages(own, wheel)) and not any(".data/" in name for name in installed):
        found = f"no module but {some(sorted(odd))}" if odd else "no module"
        yield wheel.problem("no-module", found, some(sorted(packages)), f"add it to {put_in}")
    places = _places(own | {f"{path}/" for path in missing}, own, modules)
    yield from _submodules(missing, places)
    lacking = {path for path in places.keys() & own if places[path] not in installed}
    typed = {path for path in lacking if path.endswith("/py.typed")}
    for path in sorted(typed):
        above = PurePosixPath(places[path]).parents[1:]  # only an outermost package counts
        inner = any(f"{folder}/__init__.py" in installed for folder in above)
        if not inner and any(name.startswith(places[path].removesuffix("py.typed")) for name in modules):
            expected = f"one as in {path}: type checkers ignore the package's types without it"
            yield wheel.problem("py-typed", f"no {places[path]}", expected, f"add it to {put_in}")
    if missed := {path for path in lacking - typed if not UNMISSED.fullmatch(path) and not is_of_tests(path)}:
        yield f"{wheel.path} lacks {some(sorted(missed))}; add what its users need to {put_in} [not-in-wheel]"


def _submodules(missing: list[str], places: Collection[str]) -> Iterator[Problem | str]:
    for path in missing:
        if f"{path}/" in places:
            found, expected = "a submodule without content", "its files, which are part of a package"
            remedy = "run: git submodule update --init; on GitHub, set the repository variable SUBMODULES to true"
            yield Problem("submodule", path, found, expected, remedy)
        else:
            yield f"{path}: the dists lack this submodule, which is not checked out [submodule]"


def _packages(own: set[str], wheel: Dist) -> set[str]:
    """Return the packages and modules that belong in the wheel, by their name or because they are in `src`."""
    found = [match for path in own if (match := PACKAGE.fullmatch(path)) and not OTHER.fullmatch(match[2])]
    return {match[2] for match in found if match[1] or is_own(match[2], wheel.name)}


def _places(paths: Iterable[str], own: set[str], modules: set[str]) -> dict[str, str]:
    """Return where a wheel with these `modules` has, or would have, each of `paths` that lies in a package."""
    folders = defaultdict[str, Counter[str]](Counter)
    for path in own:
        for start in [0, *(match.end() for match in re.finditer("/", path))]:
            if path[start:] in modules:
                folders[path[start:].split("/")[0]][path[:start]] += 1
    starts = {f"{_best(found)}{top}/": f"{top}/" for top, found in folders.items()}
    return {path: starts[at] + path.removeprefix(at) for path in paths for at in starts if path.startswith(at)}


def _best(found: Counter[str]) -> str:
    return min(found, key=lambda folder: (is_of_tests(folder), -found[folder], len(folder)))
