"""In which folders of a repository are distributions?"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tagship_suite.errors import ReleaseError
from tagship_suite.files import subtable
from tagship_suite.repo.packages import is_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .files import Files

DEPTH = 3  # below the root
#: Folders that hold nothing to release: a folder below one of them is no distribution.
OTHERS = (
    *("test*", "example*", "sample*", "doc", "docs", "demo*", "bench*", "vendor*", "_vendor*", "third*party*"),
    *("extern*", "template*", "fixtures", "node_modules", "site-packages", "venv", "env", "build", "dist"),
    *("tutorial*", "playground*", "script*", "tool*", "ci", "deps", "submodules", "*{{*", ".*", "_*", "*.egg-info"),
)


def folders(files: Files, named: Iterable[str] = ()) -> list[str]:
    """Return the absolute paths of the folders that hold distributions, the root first.

    If the root is one itself, those below count only if a workspace, tagship's `packages` or `named`, the
    paths that a job builds from, lists them. Raises `ReleaseError` if one of these files cannot be read.
    """
    root = files.root
    pyproject = files.toml(os.path.join(root, "pyproject.toml"))
    built = is_distribution(files, root, workspace=_is_workspace(pyproject))
    own = [root] if built and not is_private(pyproject) else []
    listed = _listed(files, pyproject)
    if own or listed:
        return list(dict.fromkeys([*own, *listed, *_among(files, named)]))
    return list(_below(files, root)) or ([root] if built else [])


def _among(files: Files, named: Iterable[str]) -> Iterator[str]:
    """Yield the folders below the root that hold a distribution and contain one of the paths `named`."""
    for path in named:
        parts = os.path.normpath(path).split(os.sep)[:DEPTH]
        for count in range(1, len(parts) + 1) if parts[0] not in {"..", ".", ""} else ():
            folder = os.path.join(files.root, *parts[:count])
            if _is_other(parts[count - 1]) or not files.is_dir(folder):
                break
            try:
                found = is_distribution(files, folder)
            except ReleaseError:
                found = False
            if found:
                yield folder


def _is_workspace(pyproject: dict[str, Any]) -> bool:
    return bool(subtable(pyproject, "tool", "uv", "workspace"))


def _listed(files: Files, pyproject: dict[str, Any]) -> list[str]:
    """Return the members of the workspace, and what `packages` in `[tool.tagship]` lists."""
    tagship, workspace = subtable(pyproject, "tool", "tagship"), subtable(pyproject, "tool", "uv", "workspace")
    patterns, excluded = tagship.get("packages", workspace.get("members")), workspace.get("exclude")
    paths = [path for text in _texts(patterns) for path in _matching(files, text)]
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(fnmatchcase(files.name(path), text) for text in _texts(excluded))
        and is_distribution(files, path, workspace=bool(workspace))
    ]


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _matching(files: Files, pattern: str) -> list[str]:
    found = [files.root]
    for part in pattern.strip("/").split("/"):
        found = [
            os.path.join(folder, name)
            for folder in found
            for name in files.entries(folder)[0]
            if fnmatchcase(name, part)
        ]
    return found


def _is_other(name: str) -> bool:
    return any(fnmatchcase(name.lower(), other) for other in OTHERS)


def _below(files: Files, folder: str, depth: int = 0) -> Iterator[str]:
    """Yield the folders of distributions below `folder`, and none inside of those."""
    for name in files.entries(folder)[0]:
        path = os.path.join(folder, name)
        if _is_other(name) or os.path.islink(path):
            continue
        try:
            found = is_distribution(files, path)
        except ReleaseError:
            found = False  # nothing lists it, and other tools' files may look alike
        if found:
            yield path
        elif depth + 1 < DEPTH:
            yield from _below(files, path, depth + 1)


def is_distribution(files: Files, folder: str, *, workspace: bool = False) -> bool:
    """Return whether a distribution is built from `folder`; in uv's workspaces, only one with a build system."""
    pyproject = files.toml(os.path.join(folder, "pyproject.toml"))
    tool = subtable(pyproject, "tool")
    built = "build-system" in pyproject
    has_setup_py = files.is_file(os.path.join(folder, "setup.py"))
    if subtable(tool, "poetry").get("package-mode") is False:
        return False
    if not subtable(tool, "uv").get("package", built or not workspace or has_setup_py):
        return False
    written = "project" in pyproject or "name" in subtable(tool, "poetry") or "metadata" in subtable(tool, "flit")
    if written or has_setup_py:
        return True
    return files.cfg(os.path.join(folder, "setup.cfg")).has_option("metadata", "name")
