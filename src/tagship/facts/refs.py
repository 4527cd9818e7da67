"""Reads a repository's tags and branches from git's files, without a process for each repository."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REMOTE_HEAD = "refs/remotes/origin/HEAD"
USUAL = ("main", "master", "develop", "trunk")
USUAL_PREFIX = r"(?i:v|version|release|rel|r)?[-_/.]?v?"
#: Where a version can begin in a tag.
BEGIN = re.compile(r"(?<![0-9.])\d")


@dataclass(frozen=True)
class Refs:
    """The names of the tags, and the branch that a new clone starts on, "" if nothing shows it."""

    tags: tuple[str, ...] = ()
    default_branch: str = ""


def read(root: Path) -> Refs:
    """Return the references of the repository at `root`; none if it has no git folder."""
    here = _git_folder(root)
    if here is None:
        return Refs()
    common = _common(here)
    names = {*_packed(common / "packed-refs"), *_loose(common, "refs")}
    prefix = "refs/tags/"
    tags = sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
    return Refs(tuple(tags), _default_branch(here, common, names))


def tag_style(tags: Iterable[str], names: Iterable[str] = ()) -> str:
    """Return how the tag of the newest version is written, with 1.2.3 for the version; "" if no tag has one.

    A style that has only a version, or that begins with the first of the `names`, is preferred.
    """
    styles = _common_styles([found for tag in tags if (found := _read_tag(tag))])
    for known in (re.compile(USUAL_PREFIX), *(re.compile(f"{_spelled(name)}[-_/@=]*v?") for name in names)):
        if own := [
            (version, style) for version, style in styles if known.fullmatch(re.sub(r"1[._]2[._]3$", "", style))
        ]:
            return max(own)[1]
    return max(styles)[1] if styles else ""


def _common_styles(styles: list[tuple[Version, str]]) -> list[tuple[Version, str]]:
    """Leave out rare styles: tags for branches, tickets and by mistake."""
    counts = Counter(style for _, style in styles)
    return [(version, style) for version, style in styles if counts[style] * 20 >= len(styles)]


def _spelled(name: str) -> str:
    return "[-_.]".join(map(re.escape, re.split(r"[-_.]+", name)))


@lru_cache(maxsize=1 << 12)  # many repositories have the same ones
def _read_tag(tag: str) -> tuple[Version, str] | None:
    """Return the version that a tag names, and how the tag is written."""
    for match in BEGIN.finditer(tag):
        before = tag[: match.start()]
        if re.search(r"\d[._]", before):
            return None  # inside a version, not at its beginning
        text = tag[match.start() :]
        try:
            return Version(text.replace("_", ".")), f"{before}{'1_2_3' if re.match('[0-9]+_[0-9]', text) else '1.2.3'}"
        except ValueError:  # also for thousands of digits
            continue
    return None


def _git_folder(root: Path) -> Path | None:
    """Return the folder with HEAD: `.git`, where a `.git` file of a worktree or a submodule points, or a bare one."""
    git = root / ".git"
    if git.is_dir():
        return git
    text = _text(git)
    if text.startswith("gitdir:"):
        folder = root / text.removeprefix("gitdir:").strip()
        return folder if folder.is_dir() else None
    return root if (root / "HEAD").is_file() and (root / "objects").is_dir() else None


def _common(git: Path) -> Path:
    text = _text(git / "commondir").strip()
    return git / text if text else git


def _default_branch(here: Path, common: Path, names: set[str]) -> str:
    remote = _symbolic(common / REMOTE_HEAD).removeprefix("refs/remotes/origin/")
    current = _symbolic(here / "HEAD").removeprefix("refs/heads/")
    branches = {re.sub(r"^refs/(heads|remotes/origin)/", "", name) for name in names}
    return remote or current or next((name for name in USUAL if name in branches), "")


def _symbolic(path: Path) -> str:
    text = _text(path)
    return text.removeprefix("ref:").strip() if text.startswith("ref:") else ""


def _packed(path: Path) -> Iterator[str]:
    for line in _text(path).splitlines():
        if line[:1] not in {"#", "^", ""}:
            yield line.partition(" ")[2]


def _loose(common: Path, name: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(common / name), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = f"{name}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _loose(common, path)
        else:
            yield path


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
