"""Other publish jobs, and those from before the adoption, whose publisher or token may still exist."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.facts import publishing
from tagship.facts.publishing import local
from tagship_suite.repo import git

if TYPE_CHECKING:
    from tagship.facts.model import Publishing

FOLDER = ".github/workflows"


def notes(root: Path) -> list[str]:
    """Return a sentence for each other workflow that publishes or did so before the adoption."""
    also = [
        f"{each.file}{f', job {each.job}' if each.job else ''}: also publishes; remove it, or one tag starts both"
        if each.triggers
        else f"{each.file}{f', {each.within}' if each.within else ''}: also publishes, without any checks; remove it"
        for each in publishing.find(root)
        if each.index in {"pypi", "testpypi"}
    ]
    return also + [f"{each.file} published before: {_left(each)}" for each in published_before(root)]


def published_before(root: Path) -> list[Publishing]:
    """Return what published in the commit before the suite was added and no longer does, if there is such a commit."""
    if git.query(root, "rev-parse", "--quiet", "--verify", "HEAD") is None:
        return []
    brought = git.query(root, "log", "--diff-filter=A", "--format=%H", "-1", "--", suite.SUMS.as_posix())
    if not brought or git.query(root, "rev-parse", "--quiet", "--verify", f"{brought}^") is None:
        return []
    names = git.lines(root, "ls-tree", "-r", "--name-only", f"{brought}^", "--", ".github/")
    # A job may run a target or a script that uploads.
    scripts = (*local.FILES, *(f"{folder}/" for folder in local.FOLDERS if folder))
    rows = git.lines(root, "ls-tree", f"{brought}^", "--", *scripts)
    names += [name for head, _, name in (row.partition("\t") for row in rows) if " blob " in head]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            text = git.query(root, "show", f"{brought}^:{name}") or ""
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{text}\n".encode("utf-8", "surrogateescape"))
        found = publishing.find(Path(folder))
    now = {(each.file, each.job) for each in publishing.find(root)}
    return [each for each in found if each.file.startswith(f"{FOLDER}/") and (each.file, each.job) not in now]


def _left(found: Publishing) -> str:
    if found.auth == "oidc":
        return "remove its publisher at the index after the first release"
    several = "s" * bool(found.secrets[1:])
    named = f"the secret{several} {', '.join(found.secrets)}" if found.secrets else "its credentials"
    return f"delete {named} and revoke the token after the first release"
