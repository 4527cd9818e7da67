"""The checkout for a rehearsal: a clone of the repository at HEAD, with the tag of the release."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from tagship import noxfile
from tagship.errors import TagshipError
from tagship.facts import build, distributions
from tagship.project import tag_here
from tagship.update import command
from tagship_suite.config import load
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.repo import git
from tagship_suite.repo.packages import form, history
from tagship_suite.repo.version_source import is_from_git, locate
from tagship_suite.repo.versions import bump, parsed, read_tag

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.project import Project
    from tagship.rehearsal.process import Processes


#: The file that marks a folder as one of a rehearsal, and its text.
MARKER = ".tagship-rehearsal"
PROOF = "tagship rehearse created this folder, and replaces its contents.\n"
#: Everything that a rehearsal creates at the top of its folder.
MADE = frozenset(
    {
        MARKER,
        "environments",
        "github",
        "github-release",
        "install-back.txt",
        "logs",
        "publish",
        "publish-test",
        "repository",
        "state",
        "temporary",
    }
)


def check_own(folder: Path) -> None:
    """Raise `TagshipError` if a rehearsal must not write to `folder`: it holds something that no rehearsal created."""
    where, elsewhere = f"--keep {folder}", "name a new or empty folder"
    expected = "a new folder, an empty one, or one that an earlier rehearsal kept"
    try:
        if not os.path.lexists(folder):
            if not folder.parent.is_dir():
                raise TagshipError(Problem("usage", where, f"no folder {folder.parent}", "one", "create it first"))
            return
        if not folder.is_dir():
            raise TagshipError(Problem("in-the-way", where, "a file", expected, elsewhere))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        foreign = _foreign(folder)
    except OSError as error:
        raise _unusable(folder, error) from error
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise TagshipError(Problem("in-the-way", where, f"{foreign[0]!r}{more} in it", expected, elsewhere))


def make_own(folder: Path) -> None:
    """Mark `folder`, which has passed `check_own`, as a rehearsal's own."""
    try:
        folder.mkdir(exist_ok=True)
        # Before anything else, so that the next rehearsal recognises a folder that an interrupted one left.
        if not (folder / MARKER).exists():
            with (folder / MARKER).open("x", encoding="utf-8") as file:
                file.write(PROOF)
    except OSError as error:
        raise _unusable(folder, error) from error


def _foreign(folder: Path) -> list[str]:
    """Return the names in `folder` that no rehearsal created: all of them without the marker."""
    names = sorted(path.name for path in folder.iterdir())
    marker = folder / MARKER
    if not marker.is_file() or marker.is_symlink() or marker.read_bytes() != PROOF.encode():
        return names
    # A link leads to something else, whatever its name.
    return [name for name in names if name not in MADE or (folder / name).is_symlink()]


def _unusable(folder: Path, error: OSError) -> TagshipError:
    said = (error.strerror or str(error)).lower()
    expected, remedy = "a folder to write to", "name another one"
    return TagshipError(Problem("file-system", f"--keep {folder}", f"'{said}'", expected, remedy))


def commit_of(path: Path) -> str:
    """Return the commit at HEAD of the repository at `path`, which must have the suite."""
    commit: str | None = git.query(path, "rev-parse", "HEAD")
    if commit is None:
        raise TagshipError(
            Problem("no-repository", str(path), "no commit", "a git repository with one", "commit first")
        )
    if problem := noxfile.problem(path, f"run: {command('adopt', path)}"):
        raise TagshipError(problem)
    return commit


def clone(path: Path, commit: str, to: Path, processes: Processes, log: Path) -> list[str]:
    """Clone the repository at `path` at `commit` to `to`, in a rehearsal's own folder.

    Return the paths of the submodules that were cloned too, as they are checked out in `path`. Raises `TagshipError` if
    git fails.
    """
    shutil.rmtree(to, ignore_errors=True)
    for cwd, *arguments in (
        (path, "clone", "--quiet", "--no-checkout", str(path.resolve()), str(to)),
        (to, "checkout", "--quiet", "--detach", commit),
    ):
        done = processes.run(["git", *arguments], cwd, os.environ, log)
        if done.status:
            raise TagshipError(f"git {arguments[0]}: {' / '.join(done.output.strip().splitlines())} [git]")
    found = []
    for entry in filter(None, (git.query(to, "ls-files", "-z", "--stage") or "").split("\0")):
        (mode, sha, _), name = entry.split("\t")[0].split(), entry.split("\t", 1)[1]
        if mode == "160000" and (path / name / ".git").exists():
            inner = clone(path / name, sha, to / name, processes, log)
            found += [name, *(f"{name}/{each}" for each in inner)]
    return found


def find_dists(projects: list[Project]) -> list[Path]:
    """Return the dists of `projects` in `dist/` of their repository; raise `TagshipError` if there are none."""
    folder, names = projects[0].path / "dist", {canonicalize_name(each.name) for each in projects}
    dists = [each for pattern in ("*.whl", "*.tar.gz") for each in sorted(folder.glob(pattern))]
    found = [each for each in dists if canonicalize_name(each.name.partition("-")[0]) in names]
    if not found:
        of = " or ".join(each.name for each in projects)
        found_none, expected = f"no dists of {of}", "those to rehearse with"
        raise TagshipError(Problem("no-dists", str(folder), found_none, expected, "run: nox -s build"))
    return found


def take_dists(projects: list[Project], repository: Path, tag: str) -> list[str]:
    """Copy the dists of `projects` to the clone; return a note for each sdist that is not one of the `tag` there."""
    (repository / "dist").mkdir()
    time, notes = git.query(repository, "log", "-1", "--format=%ct"), []
    named, package = read_tag(tag, projects[0].name), projects[0].package
    by_tag = named.version if named and is_from_git(package.folder, package.settings) else None
    for dist in find_dists(projects):
        shutil.copy2(dist, repository / "dist")
        # A build writes the time of the commit into the gzip header of the sdist.
        if dist.suffix == ".gz" and str(_gzip_time(dist)) != time:
            notes.append(f"dist/{dist.name} was not built from this commit; build it again: nox -s build")
        elif by_tag and dist.suffix == ".gz" and _version(dist) != by_tag:
            notes.append(
                f"dist/{dist.name} was built without the tag {tag}, from which its version comes: run this without "
                "--quick, to build with the tag"
            )
    return notes


def _version(sdist: Path) -> Version | None:
    return parsed(sdist.name.removesuffix(".tar.gz").rpartition("-")[2])


def _gzip_time(path: Path) -> int:
    with path.open("rb") as file:
        return int.from_bytes(file.read(8)[4:], "little")


def tag_of(repository: Path, found: Project) -> str:
    """Return the tag that a release of this commit would have, in the form of the existing tags."""
    folder = repository / found.package.folder.relative_to(found.package.root)
    try:
        written = locate(folder, load(folder, repository))
        text = written and written.text
    except ReleaseError as error:
        # As Python code computes it; a rehearsal runs the backend in any case.
        text = distributions.of(folder, repository).version or build.ask(folder).get("version")
        if text is None:
            raise TagshipError(*error.args, "or name the tag: --tag v1.2.3") from error
    before, every = history(repository, found.package, found.name)
    if text:
        version, texts = parsed(text), [text]
        return form(found.package, version, before or every, *texts)[0] if version else found.package.tag(texts[0])
    here = tag_here(repository, found)
    following = bump(before[0].version, "patch") if before else Version("0.1.0")
    return here or form(found.package, following, before)[0]


def put_tag(repository: Path, found: Project, tag: str) -> None:
    """Create `tag` at the commit of the clone in `repository`, signed by the user if the project requires it."""
    identity, sign = ["-c", "user.name=tagship", "-c", "user.email=rehearsal@localhost"], ["--no-sign"]
    if found.package.settings.require_signed_tag:
        commits = [git.query(repository, "rev-parse", "--quiet", "--verify", each) for each in (f"{tag}^{{}}", "HEAD")]
        if commits[0] == commits[1]:
            return  # it exists, and its own signature is the one to verify
        own = (line.partition(" ") for line in git.lines(found.path, "config", "--get-regexp", r"^(user|gpg)\."))
        identity = [part for name, _, value in own for part in ("-c", f"{name}={value}")]
        sign = ["--sign", "--message", tag]
    try:
        git.run(repository, *identity, "tag", "-f", *sign, tag)
    except ReleaseError as error:
        raise TagshipError(*error.args) from error
