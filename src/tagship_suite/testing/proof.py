"""Whether the tests ran what the wheel ships, judged by the imports that the witness recorded."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..dists.modules import OTHER, is_of_tests
from ..errors import Problem, refuse, shortened
from .witness import is_test

IN_PLACE = "set test-in-place = true in [tool.tagship]"


@dataclass(frozen=True)
class Evidence:
    """The installed distribution and its modules, the executed modules, and how many tests each run did not skip.

    `twins` has the test files in place of which pytest ran the module of another file, and that file.
    """

    checkout: Path
    site: Path
    shipped: frozenset[str]
    seen: dict[Path, str]
    ran: tuple[int, ...] = ()
    twins: Mapping[Path, Path] = field(default_factory=dict)

    @cached_property
    def imported(self) -> set[str]:
        """The modules of the installed distribution that were imported."""
        below = {path.relative_to(self.site).as_posix() for path in self.seen if path.is_relative_to(self.site)}
        return below & self.shipped

    @cached_property
    def loose(self) -> dict[Path, str]:
        """The modules that were executed from the checkout, except those in an environment below it."""
        inside = {path: path.relative_to(self.checkout) for path in self.seen if path.is_relative_to(self.checkout)}
        hidden = re.compile(r"(.*/)?(\.[^/]*|site-packages)/.*")
        return {path: self.seen[path] for path, inner in inside.items() if not hidden.fullmatch(inner.as_posix())}

    @cached_property
    def test_folders(self) -> set[Path]:
        """The folders that directly hold a test module or conftest that ran."""
        return {path.parent for path, kind in self.loose.items() if kind == "test" or is_test(path.stem)}

    @cached_property
    def sources(self) -> set[Path]:
        """The folders of the checkout with the source of the distribution, inferred from the executed modules."""
        above = {parent for path in self.loose for parent in path.parents if parent.is_relative_to(self.checkout)}
        return {folder for folder in above if self._ships(folder)}

    @cached_property
    def needed(self) -> set[str]:
        """What the imported modules import in turn, but the distribution lacks: `a/b` for `a.b`."""
        names = {name for path in self.imported if path.endswith(".py") for name in _imported_by(self.site / path)}
        known = {path.name.partition(".")[0] for path in self.site.glob("*")} | sys.stdlib_module_names
        parts = [name.split(".") for name in names if name.partition(".")[0] not in known]
        return {"/".join(each[:end]) for each in parts for end in range(1, len(each) + 1)}  # and the packages above

    def needs(self, path: Path) -> bool:
        """Return whether a module of the distribution imports the one in the checkout at `path`."""
        module = path.with_name(path.name.partition(".")[0]).as_posix().removesuffix("/__init__")
        return not is_test(module.rpartition("/")[2]) and any(module.endswith(f"/{name}") for name in self.needed)

    def _ships(self, folder: Path) -> bool:
        there = [name for name in self.shipped if (folder / name).is_file()]
        if folder in {self.checkout, self.checkout / "src"}:
            return bool(there)
        # Tests often mirror the names of what they test; there only empty modules are equal.
        pairs = ((folder / name, self.site / name) for name in there)
        return any(one.is_file() and own.read_bytes() == one.read_bytes() != b"" for own, one in pairs)

    def is_tests_own(self, path: Path, source: Path) -> bool:
        """Return whether a module that is not shipped belongs to the tests, or is not part of a package."""
        if self.loose[path] == "script" or is_test(path.stem):
            return True
        top = path.relative_to(source).parts[0]
        if source == self.checkout and OTHER.fullmatch(top.partition(".")[0]) and not self._has(source / top, source):
            return True
        inner = [folder for folder in path.parents if folder.is_relative_to(source) and folder != source]
        return any(folder in self.test_folders and not self._has(folder, source) for folder in inner)

    def may_run_here(self, path: Path, inner: str) -> bool:
        """Return whether the module at `path` is a test or a script, and the same as the `inner` that is shipped."""
        may = is_of_tests(inner) or self.loose[path] == "script"  # what that imports is looked at by itself
        return may and path.read_bytes() == (self.site / inner).read_bytes()

    def lacks_beside(self, path: Path, inner: str) -> str:
        """Return the data in the package of a script that only the checkout has, where the script would find it."""
        folder, installed = path.parent, (self.site / inner).parent
        reads = self.loose[path] == "script" and "/" in inner and not is_of_tests(inner)
        below = sorted(folder.rglob("*")) if reads else []
        names = [file.relative_to(folder) for file in below if file.is_file() and not file.suffix.startswith(".py")]
        lacking = (name for name in names if not (installed / name).is_file() and not OTHER.fullmatch(name.parts[0]))
        return next((name.as_posix() for name in lacking), "")

    def _has(self, folder: Path, source: Path) -> bool:
        start = f"{folder.relative_to(source).as_posix()}/"
        return any(name.startswith(start) for name in self.shipped)


def _imported_by(path: Path) -> Iterator[str]:
    """Yield the absolute names that the module at `path` imports, and those that `from` may import."""
    with suppress(OSError, SyntaxError, ValueError):  # the tests' Python may be newer than this one
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def read(folder: Path) -> Evidence:
    """Return what the witness wrote to `folder`."""
    checkout, site, *shipped = (folder / "installed").read_text("utf-8").splitlines()
    logs = (path.read_bytes().decode("utf-8", "surrogateescape") for path in sorted(folder.glob("*.seen")))
    pairs = [line.split(" ", 1) for log in logs for line in log.splitlines()]
    ran = tuple(int(text) for kind, text in pairs if kind == "ran")
    twins = {Path(one): Path(other) for kind, text in pairs if kind == "twin" for one, other in [text.split("\t", 1)]}
    # A file that one process runs as a script and another one imports is imported, whichever has the lower number.
    seen = {Path(text): kind for each in ("script", "module", "test") for kind, text in pairs if kind == each}
    return Evidence(Path(checkout), Path(site), frozenset(shipped), seen, ran, twins)


def prove(folder: Path, name: str) -> str:
    """Return a sentence on what the tests imported from the dist `name`; raise `ReleaseError` unless they tested it."""
    evidence = read(folder)
    refuse(problems(evidence, name))
    count = f"{len(evidence.imported)} of the {len(evidence.shipped)} modules of {name}"
    return f"the tests imported {count}, none of them from elsewhere"


def problems(evidence: Evidence, name: str) -> list[Problem]:
    """Return why the tests do not test the dist `name`: it has no modules, others were imported, or no test ran."""
    found = [*idle(evidence), *_unrun(evidence)]
    if not evidence.shipped:
        remedy = f"include them, or {IN_PLACE} if the project has none"
        found.append(Problem("no-module", name, "no module", "the project's modules", remedy))
    elif not evidence.imported:
        remedy = f"correct what the wheel includes, or test-command; or {IN_PLACE}"
        found.append(Problem("not-tested", "tests", f"no module of {name} imported", "at least one", remedy))
    loose = [problem for path in sorted(evidence.loose) for problem in _judged(path, evidence, name)]
    return found + shortened(loose, "tests", "more modules from the checkout", "none")


def _unrun(evidence: Evidence) -> Iterator[Problem]:
    """Yield the test modules instead of which pytest ran one of the same name, all of which lie in the checkout."""
    remedy = "rename one, put __init__.py into their folders, or set --import-mode=importlib"
    for pair in evidence.twins.items():
        is_installed = any(path.is_relative_to(evidence.site) for path in pair)
        if not is_installed and all(path.is_relative_to(evidence.checkout) for path in pair):
            where, found = (path.relative_to(evidence.checkout).as_posix() for path in pair)
            yield Problem("no-tests", where, f"the tests of {found} instead of its own", "modules of two names", remedy)


def idle(evidence: Evidence) -> list[Problem]:
    """Return the problem that the runs ran no test, as far as they were counted."""
    remedy = "correct test-command in [tool.tagship], or install what the skipped tests need"
    problem = Problem("no-tests", "tests", "no test that ran", "at least one", remedy)
    return [problem] if evidence.ran and not any(evidence.ran) else []


def _judged(path: Path, evidence: Evidence, name: str) -> list[Problem]:
    source = max(evidence.sources & {*path.parents}, key=lambda folder: len(folder.parts), default=None)
    where = path.relative_to(evidence.checkout).as_posix()
    inner = path.relative_to(source or evidence.checkout).as_posix()
    module = inner.partition(".")[0].replace("/", ".").removesuffix(".__init__")
    found, expected = f"module {module} imported from the checkout", f"the one in {name}"
    if source and inner in evidence.shipped:
        data = evidence.lacks_beside(path, inner)
        if evidence.may_run_here(path, inner) and not data:
            return []
        found, expected = f"module {module} run from the checkout", f"the one of {name}"
        expected += f", which lacks {data}" if data else ""
        remedy = f"{f'include {data} in the wheel' if data else 'import it by its name'}, or {IN_PLACE}"
    elif evidence.needs(path):
        expected += ", which imports it"
        remedy = "include it in the wheel, or declare it as a dependency"
    elif source is None or evidence.is_tests_own(path, source):
        return []
    else:
        remedy = "include it in the wheel, or move it to the tests"
    return [Problem("not-from-wheel", where, found, expected, remedy)]
