"""What is rehearsed: a clone of the repository at HEAD, with the tag that its release will have."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tagship.errors import TagshipError
from tagship.release import git
from tagship.release.config import load
from tagship.release.errors import ReleaseError
from tagship.release.source import locate
from tagship.release.versions import bump, holds_version, newest_tag

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.project import Project


def clone(path: Path, to: Path) -> str:
    """Clone the repository at `path` at HEAD to the folder `to`; return the commit."""
    commit: str | None = git.ask(path, "rev-parse", "HEAD")
    if commit is None:
        raise TagshipError(f"{path}: found no commit, expected a git repository with one; commit first")
    missing = [name for name in ("noxfile.py", ".github/release/__main__.py") if not (path / name).is_file()]
    if missing:
        raise TagshipError(
            f"{path}: found no {' and no '.join(missing)}, expected the suite; copy it in, see the README"
        )
    shutil.rmtree(to, ignore_errors=True)
    try:
        git.run(path, "clone", "--quiet", "--no-checkout", str(path.resolve()), str(to))
        git.run(to, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
    except ReleaseError as error:
        raise TagshipError(*error.args) from error
    return commit


def tag_of(repository: Path, found: Project) -> str:
    """Return the tag that the release at this commit will have, in the form of the tags there are."""
    try:
        folder = repository / found.package.folder.relative_to(found.package.root)
        written = locate(folder, load(folder, repository))
    except ReleaseError as error:
        raise TagshipError(*error.args, "or name the tag: --tag v1.2.3") from error
    own = found.package.owns
    newest = newest_tag(filter(own, git.lines(repository, "tag")), found.name)
    if written:
        return f"{newest[0]}{written.text}" if newest else str(found.package.tag(written.text))
    here: list[str] = [tag for tag in git.tags_here(repository) if holds_version(tag) and own(tag)]
    if here:
        return here[0]
    return f"{newest[0]}{bump(newest[1], 'patch')}" if newest else str(found.package.tag("0.1.0"))
