"""`tagship sync`: checks that a project's managed files are unmodified and of this version, and updates them."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tagship import noxfile, suite, tree
from tagship.errors import Refused
from tagship.written import INIT, Written, content_of, first_edit, version
from tagship_suite.errors import Problem
from tagship_suite.files import load_toml, subtable
from tagship_suite.repo.packages import every, is_compiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagship_suite.repo.packages import Package


@dataclass(frozen=True)
class Finding:
    """A difference from this version: `older`, `newer`, `edited`, `missing`, `in-the-way`, `foreign` or `noxfile`."""

    kind: str
    problem: Problem

    def data(self) -> dict[str, str]:
        """Return the object for JSON."""
        return {"kind": self.kind, **asdict(self.problem)}


@dataclass
class Status:
    """The state of the managed files of the project in `folder`.

    `version` is that of the tagship that wrote them, "" if not known; `changes` update them to
    this version, with None for a file to remove; `foreign` are files among them that tagship did not write.
    """

    folder: Path
    version: str
    findings: list[Finding] = field(default_factory=list)
    changes: dict[Path, bytes | None] = field(default_factory=dict)
    foreign: list[Path] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Return the object for JSON."""
        return {
            "path": str(self.folder),
            "version": self.version or None,
            "expected": suite.release(),
            "findings": [finding.data() for finding in self.findings],
            "changes": {path.as_posix(): self.action(path) for path in sorted(self.changes)},
            "foreign": [path.as_posix() for path in self.foreign],
        }

    def action(self, path: Path) -> str:
        """Return what is done to the file at `path`."""
        return "remove" if self.changes[path] is None else "write"

    def checked(self) -> list[str]:
        """Return the output of a check: a line for each finding."""
        lines = [str(finding.problem) for finding in self.findings]
        return lines or [f"{self.folder}: the managed files are those of tagship {suite.release()}", *self._left()]

    def synced(self) -> list[str]:
        """Return the output of an update: a line for each file."""
        lines = [f"{self.action(path):6}  {path.as_posix()}" for path in sorted(self.changes)]
        before = f", from {self.version}" if self.version not in {"", suite.release()} else ""
        last = f"the managed files are those of tagship {suite.release()}{before if lines else ''}"
        return [*lines, f"{self.folder}: {last}", *self._left()]

    def _left(self) -> list[str]:
        return [f"note: {path.as_posix()}: not a file of tagship, left unchanged" for path in self.foreign]


def command(name: str, folder: Path, *options: str) -> str:
    """Return the command line `tagship NAME OPTIONS` for the project in `folder`."""
    return shlex.join(["tagship", name, *options, *([] if folder == Path() else [str(folder)])])


def has_suite(folder: Path) -> bool:
    """Return whether `folder` has the suite or a part of it."""
    return (folder / INIT.parent).is_dir() or (folder / suite.SUMS).is_file()


def status(
    folder: Path,
    publish_with: str = "",
    *,
    apart: bool = False,
    compiled: bool = False,
    packages: Sequence[Package] = (),
) -> Status:
    """Compare the managed files in `folder` with those of this version.

    `publish_with` is a key of `suite.WORKFLOWS`, or `gitlab`; by default it is read from the project's workflow.
    With `apart`, or if there is one already, the release's sessions have a separate noxfile. `packages` are the
    project's distributions, if its settings do not name them yet; `compiled` is whether they are to have
    `[tool.cibuildwheel]`.
    """
    compiled = compiled or any(is_compiled(package.folder) for package in packages or every(folder))
    apart = apart or suite.is_apart(folder)
    table = subtable(load_toml(folder / "pyproject.toml"), "tool", "tagship")
    dev, sbom = bool(table.get("dev-builds")), table.get("sbom") is True
    files = suite.files(publish_with or suite.chosen(folder), compiled=compiled, apart=apart, dev=dev, sbom=sbom)
    ours = suite.with_what_bots_moved(folder, files)
    found, written = Status(folder, version(folder)), Written.read(folder)
    _compare_versions(found)
    _compare_ours(found, ours, written)
    _compare_others(found, ours, written)
    _compare_builds(found)
    return found


def _compare_ours(found: Status, ours: Mapping[Path, bytes], written: Written) -> None:
    """Report the files that are missing or edited, and what is in their place, such as a link out of the project."""
    blocked = tree.unwritable(found.folder, ours)
    found.findings += [Finding("in-the-way", problem) for problem in blocked]
    same = found.version == suite.release()
    for path, content in ours.items():
        current = content_of(found.folder / path)
        if current is None:
            found.changes[path] = content
        elif not _is_same(path, current, content):
            found.changes[path] = content
            if path != suite.SUMS and not written.has(path, current):
                text = first_edit(found.folder, path, current, content if same else None)
                _add(found, "edited", path, text, "sync", "--force")
    if not blocked and (same or not found.version):
        missing = [path for path in ours if not (found.folder / path).is_file()]
        for path in dict.fromkeys(_missing(found.folder, path) for path in missing):
            _add(found, "missing", path, "no such file" if path in ours else "no such folder", "sync")


def _missing(folder: Path, path: Path) -> Path:
    """Return the first folder above the missing file `path` that is missing too, else the file."""
    return next((each for each in reversed(path.parents) if not (folder / each).exists()), path)


def _compare_others(found: Status, ours: Mapping[Path, bytes], written: Written) -> None:
    """Report the files that this version does not have: another one's, or somebody else's."""
    for path in suite.present(found.folder):
        if path not in ours and {path, path.with_suffix(".in")} & set(written.sums):  # a lock belongs to its .in file
            found.changes[path] = None
            if not written.has(path, (found.folder / path).read_bytes()):
                _add(found, "edited", path, "an edited file that this version does not have", "sync", "--force")
        elif path not in ours:
            found.foreign.append(path)


def check(folder: Path) -> Status:
    """Return what is wrong with the suite in `folder`; raise `Refused` if there is none."""
    _refuse(_none(folder))
    found = status(folder)
    for path in found.foreign:
        if path.suffix == ".py":  # on the release's import path, where it could shadow any module
            remedy = "move it to another folder"
            found.findings.append(
                Finding("foreign", Problem("managed-files", path.as_posix(), "a module", "those of tagship", remedy))
            )
    if problem := noxfile.problem(folder, f"run: {command('adopt', folder)}"):
        found.findings.append(Finding("noxfile", problem))
    return found


def sync(folder: Path, *, force: bool = False) -> Status:
    """Make the managed files in `folder` those of this version; return what was done.

    Raises `Refused` if there is no suite, something is not committed, or a file was edited (without `force`).
    """
    _refuse(_none(folder))
    found = status(folder)
    blocked = [finding.problem for finding in found.findings if finding.kind == "in-the-way"]
    problems = refusals(found, force=force) + (blocked or tree.unwritable(folder, found.changes))
    _refuse(problems + (tree.dirty(folder) if found.changes else []))
    tree.apply(folder, found.changes)
    return found


def refusals(found: Status, *, force: bool = False) -> list[Problem]:
    """Return why the changes are refused: they would lose an edit, or go back to an older version."""
    return [finding.problem for finding in found.findings if finding.kind in {"edited", "newer"} and not force]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Refused(*map(str, problems))


def _none(folder: Path) -> list[Problem]:
    if has_suite(folder):
        return []
    remedy = f"run: {command('adopt', folder)}"
    return [
        Problem("managed-files", str(folder / suite.RELEASE), "no release suite", "the one that tagship writes", remedy)
    ]


def _add(found: Status, kind: str, path: Path, what: str, *arguments: str) -> None:
    place, _, text = what.rpartition("\n")
    where = f"{path.as_posix()}:{place}" if place else path.as_posix()
    remedy = f"run: {command(arguments[0], found.folder, *arguments[1:])}"
    remedy = f"keep the edit elsewhere, then {remedy}" if kind == "edited" else remedy
    found.findings.append(
        Finding(kind, Problem("managed-files", where, text, f"what tagship {suite.release()} writes", remedy))
    )


def _compare_versions(found: Status) -> None:
    ours = suite.release()
    if found.version in {"", ours}:
        return
    try:
        newer = Version(found.version) > Version(ours)
    except ValueError:
        newer = False
    kind, options = ("newer", ["--force"]) if newer else ("older", [])
    remedy = f"run: {command('sync', found.folder, *options)}"
    remedy = f"update tagship, or, to go back, {remedy}" if newer else remedy
    where = suite.RELEASE.as_posix()
    problem = Problem(
        "managed-files", where, f"tagship {found.version}, {kind} than this one", f"tagship {ours}", remedy
    )
    found.findings.append(Finding(kind, problem))


def _compare_builds(found: Status) -> None:
    """Report files that another build of the same version must have written."""
    if found.changes and not found.findings:
        path = next(iter(found.changes))
        _add(found, "older", path, f"another build of tagship {suite.release()}", "sync")


def _is_same(path: Path, current: bytes, content: bytes) -> bool:
    return suite.bare(path, current) == suite.bare(path, content) and (current == content or not suite.is_lock(path))
