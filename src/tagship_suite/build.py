"""The build: what happens before and after the build backend, and what later jobs need to know about the dists."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from packaging.version import Version

from . import report
from .dists import modules, rules, tracked
from .dists.reading import Dist, read_dists
from .errors import Problem, ReleaseError, refusal, refuse
from .files import load_toml, subtable
from .gate import bundle, dev, handover
from .repo import git, notes
from .repo.literals import Written
from .repo.packages import Package, chosen, form, history, is_compiled
from .repo.version_source import locate
from .testing import pythons

#: The locked tools of compiled projects.
LOCK = ".github/release/requirements/wheels.txt"
#: An address in a domain reserved for examples: https://www.rfc-editor.org/rfc/rfc2606
PLACEHOLDER = re.compile(r"@(?:[\w.-]+\.)?(?:example(?:\.(?:com|net|org))?|invalid|test)(?![\w.-])", re.IGNORECASE)
#: What builds and uploads leave in `dist/`; uv also makes git ignore the folder.
DISTS = re.compile(r".+\.(whl|tar\.gz|zip|egg|attestation|asc|sigstore(\.json)?)|SHA256SUMS|\.(gitignore|DS_Store)")
#: In seconds, 1980-01-01, the first day that a zip archive, and so a wheel, can hold; the last second of gzip's.
EARLIEST, LATEST = 315532800, 2**32 - 1


def prepare(root: Path, environ: Mapping[str, str]) -> tuple[int, list[Package], tracked.Checkout | None]:
    """Remove old dists and the bundle; return SOURCE_DATE_EPOCH, the distributions to build, and the checkout's state.

    Raises `ReleaseError` if locked tools are missing, or if the folders of dists and bundle hold something else.
    """
    environ = dev.make_tag(root, environ)
    seconds, packages = epoch(root, environ), chosen(root, environ)
    compiled = [f"{each.path}/pyproject.toml" for each in packages if is_compiled(each.folder)]
    if compiled and not (root / LOCK).is_file():
        raise refusal("managed-files", compiled[0], "[tool.cibuildwheel]", f"also {LOCK}", "run: tagship sync")
    refuse(clean(root))
    return seconds, packages, tracked.checkout(root)


def compare(root: Path, packages: list[Package], before: tracked.Checkout | None) -> None:
    """Refuse dists that contain uncommitted files or lack committed ones; print lesser differences as notes."""
    if not before:
        return
    groups = grouped(root, packages).items()
    found = [each for package, dists in groups for each in tracked.compare(before, package.folder, dists)]
    report.notes(each for each in found if isinstance(each, str))
    refuse([each for each in found if not isinstance(each, str)])


def clean(root: Path) -> list[Problem]:
    """Remove the dists and the bundle of an earlier run; return a problem for all else there, which stays."""
    folder, found = root / "dist", bundle.clear(root)
    is_own = folder.is_dir() and not folder.is_symlink()  # what a link leads to is somebody else's
    for path in sorted(folder.iterdir()) if is_own else [folder] * os.path.lexists(folder):
        if DISTS.fullmatch(path.name) and not path.is_dir():
            path.unlink()
        else:
            remedy = "move it to another folder: a build empties this one"
            found.append(Problem("in-the-way", str(path), "something other than a dist", "dists", remedy))
    with suppress(OSError):  # it is not empty, or there is none
        folder.rmdir()
    return found


def epoch(root: Path, environ: Mapping[str, str]) -> int:
    """Return $SOURCE_DATE_EPOCH, else the time of the commit, in seconds since 1970."""
    given = environ.get("SOURCE_DATE_EPOCH", "")
    time = int(given[:20]) if given.isascii() and given.isdigit() else git.commit_time(root) or 0
    return min(max(time, EARLIEST), LATEST)


def describe(root: Path, environ: Mapping[str, str]) -> None:
    """Check the dists against the index's rules; print their names, versions, Pythons, sizes and hashes."""
    groups = grouped(root, chosen(root, environ))
    refuse([problem for each, some in groups.items() for problem in rules.problems(some, each.settings.file_limit)])
    dists = [(package, dist) for package, some in groups.items() for dist in some]
    wheels = [each for each in dists if each[1].is_wheel]
    refuse([*_unlicensed(wheels), *(problem for _, wheel in wheels for problem in modules.unresolved(wheel))])
    firsts = [some[0] for some in groups.values()]
    tested = [each for package, some in groups.items() for each in pythons.of(package, some[0].metadata)]
    outputs = {
        "name": " ".join(dist.name for dist in firsts),
        "version": " ".join(dist.version for dist in firsts),
        "pythons": json.dumps(list(dict.fromkeys(tested))),
        "digest": handover.digest(root / "dist"),
    }
    for name, value in outputs.items():
        print(f"{name}: {value}")
        report.output(name, value)
    for _, dist in dists:
        print(f"{dist.path}  {dist.size} bytes  SHA-256 {dist.sha256}")
        report.notes(rules.notes(dist))
    for package, files in groups.items():
        _summarise(package, files)


def _summarise(package: Package, files: list[Dist]) -> None:
    dist = files[0]
    if PLACEHOLDER.search(address := dist.metadata.get("Author-email", "")):
        remedy = "set your own before a release [metadata]"
        report.notes([f"{dist.path}: Author-email {address!r} is a placeholder: {remedy}"])
    text = notes.of(package, dist.name, Version(dist.version))
    changes = f"<details><summary>Notes of the release</summary>\n\n{text}\n\n</details>"
    rows = [(each.path.name, f"{each.size}", each.sha256) for each in files]
    table = report.table(("file", "bytes", "SHA-256"), rows)
    trees = [report.tree(each.path.name, each.members) for each in files]
    report.summary(f"## {dist.name} {dist.version}", _plan(package, dist), changes, table, *trees)


def _plan(package: Package, dist: Dist) -> str:
    """Return what a release of this commit would be, as a Markdown table for the reviewers of a pull request."""
    version, suffix = Version(dist.version), package.suffix
    before, every = history(package.root, package, dist.name)
    own = [str(tag) for tag in every if tag.version == version]
    tag = next(filter(set(git.tags_here(package.root)).__contains__, own), "")
    written: list[Written | None] = []
    with suppress(ReleaseError):
        written = [locate(package.folder, package.settings)]
    if not tag and own:
        tag = f"none: {own[0]} is on another commit, so a release needs another version"
    elif not tag and written == [None]:
        tag = "none here: a release has the version of its tag"
    rows = [
        ("tag", tag or form(package, version, before or every, *(each.text for each in written if each))[0]),
        ("tested on", ", ".join(f"Python {python}" for python in pythons.of(package, dist.metadata))),
        ("environments", f"testpypi{suffix}, pypi{suffix}"),
        ("previous release", next((str(tag) for tag in before if tag.version < version), "none")),
    ]
    return report.table(("a release of this commit", ""), rows)


def _unlicensed(wheels: list[tuple[Package, Dist]]) -> Iterator[Problem]:
    """Find wheels without the license files that the project declares: hatchling finds none if its path has a `[`."""
    for package, wheel in wheels:
        given = subtable(load_toml(package.folder / "pyproject.toml"), "project").get("license-files")
        if given and isinstance(given, list) and not wheel.metadata.get_all("License-File"):
            remedy = "correct license-files; if this folder's path has a '[', '*' or '?' in it, build in another one"
            yield wheel.problem("license-files", "no License-File", f"the files of license-files, {given}", remedy)


def grouped(root: Path, packages: list[Package]) -> dict[Package, list[Dist]]:
    """Return the dists in `dist/` by distribution; raise `ReleaseError` if one has none."""
    dists = read_dists(root / "dist")
    groups = {package: [dist for dist in dists if package.name in {"", dist.name}] for package in packages}
    found = " ".join(dist.path.name for dist in dists)
    absent = [package.name for package, some in groups.items() if not some]
    refuse([Problem("no-dists", "dist", found, f"dists of {name}", "build it") for name in absent])
    return groups
