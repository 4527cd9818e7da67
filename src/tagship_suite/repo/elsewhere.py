"""Where other tools and people have the project's version too: settings, manifests, locks, documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import git
from .files import load_toml, read_text, subtable
from .literals import Written, keyed, matches, strings
from .versions import same, semver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.version import Version

DATA = ("pyproject.toml", ".bumpversion.toml", "bumpver.toml", "cz.toml", ".cz.toml", ".cz.json", "codemeta.json")
NPM = ("package.json", "package-lock.json")
BY_KEY = ("project", "tool.poetry", "tool.commitizen", "commitizen", "packages.")
KEYS = ("version", *(f"{table}.version" for table in BY_KEY))
KEYS += tuple(f"{table}.current_version" for table in ("tool.bumpversion", "tool.bumpver", "bumpver"))
CURRENT = r"^current_version[ \t]*=[ \t]*(\S+)"
TEXTS = {"CITATION.cff": r"^version:[ \t]*[\"']?([^\s\"'#]+)", ".bumpversion.cfg": CURRENT, "setup.cfg": CURRENT}
CONFS = ("docs/conf.py", "docs/source/conf.py", "doc/conf.py", "doc/source/conf.py")
#: What names many versions, none of which is to be changed.
EXCLUDED = ("*.lock", "*requirements*", "changelog*", "changes*", "history*", "news*", "release*notes*", *NPM)


def spelled(path: Path, version: Version, text: str) -> str:
    """Return `version` as the file at `path` has it: uv normalises it, Cargo and npm have a syntax of their own.

    Raises `ReleaseError` where theirs has no such version; elsewhere it is `text`.
    """
    if path.name == "uv.lock":
        return str(version)
    return semver(version, path.name) if path.name in {*NPM, "Cargo.toml", "Cargo.lock"} else text


def cargo(root: Path, pyproject: dict[str, Any]) -> Written | None:
    """Return where the Cargo.toml of the project at `root`, or its workspace's, has the version, if there is one."""
    path = root / str(subtable(pyproject, "tool", "maturin").get("manifest-path", "Cargo.toml"))
    if not path.is_file():
        return None
    if not subtable(load_toml(path), "package", "version").get("workspace"):
        return keyed(path, "package.version")
    manifests = [folder / "Cargo.toml" for folder in path.resolve().parents[:3]]
    found = (keyed(each, "workspace.package.version") for each in manifests if each.is_file())
    return next(filter(None, found), None)


def certain(root: Path, folder: Path, name: str, now: Version) -> list[Written]:
    """Return where tools have the version `now` of the distribution `name` in `folder` of the repository `root`."""
    found = [*_in_settings(folder), *_in_locks(root, folder, name), cargo(folder, load_toml(folder / "pyproject.toml"))]
    return [written for written in found if written and same(written.text, str(now))]


def _in_settings(folder: Path) -> Iterator[Written | None]:
    for path in (folder / name for name in (*DATA, *NPM) if (folder / name).is_file()):
        yield from (keyed(path, keys) for keys in KEYS)
    for name, pattern in TEXTS.items():
        if (path := folder / name).is_file():
            yield from matches(path, read_text(path), pattern)
    for path in (folder / name for name in CONFS if (folder / name).is_file()):
        found = strings(read_text(path), "release", "version")
        yield from (Written(path, string.text, string.start, string.end) for string in found)


def _in_locks(root: Path, folder: Path, name: str) -> Iterator[Written]:
    """Yield the entries of what lies here, which has no index, repository or address as its source."""
    manifest = cargo(folder, load_toml(folder / "pyproject.toml"))
    crate = subtable(load_toml(folder / "Cargo.toml"), "package").get("name", name)
    crate = '[^"]+' if manifest and keyed(manifest.path, "workspace.package.version") else re.escape(str(crate))
    for lock, own in (("uv.lock", re.sub(r"[-_.]+", "-", name).lower()), ("Cargo.lock", crate)):
        elsewhere = r"(?!source = (?:\"|\{ (?:registry|git|url)\b))"
        pattern = rf"^name = \"{own}\"\r?\nversion = \"([^\"]+)\"\r?\n{elsewhere}"
        for path in {(root / lock).resolve(), (folder / lock).resolve()}:
            if path.is_file():
                yield from matches(path, read_text(path), pattern)


def mentions(folder: Path, name: str, texts: set[str], known: list[Written], others: list[Path]) -> list[str]:
    """Return a note about what else may name the version of `name`, one of `texts`, in a committed file of `folder`.

    That is not in the folders of `others`, nor one of the places that are `known`.
    """
    named = {(written.path.resolve(), read_text(written.path).count("\n", 0, written.start) + 1) for written in known}
    exact = re.compile(rf"(?<![0-9A-Za-z.])v?(?:{'|'.join(map(re.escape, texts))})(?!\w|\.\d)")
    word = re.sub(r"[-_.]+", "[-_.]", name) or "version"
    about = re.compile(rf"(?<!cff-)version(?!added|changed|removed)|release|\brev:|{word}", re.IGNORECASE)
    skipped = [f":(exclude,icase,glob)**/{glob}" for glob in EXCLUDED] + [":(exclude).github/release"]
    skipped += [f":(exclude){other.relative_to(folder).as_posix()}" for other in others if folder in other.parents]
    options = [option for text in texts for option in ("-e", text)]
    found = git.lines(folder, "-c", "core.quotepath=off", "grep", "-nIF", *options, "--", ".", *skipped)
    split = [parts for line in found if (parts := re.fullmatch(r"(.+?):(\d+):(.*)", line))]
    lines = [
        (path, number)
        for path, number, text in map(re.Match.groups, split)
        if exact.search(text) and about.search(text)
    ]
    stale = [f"{path}:{number}" for path, number in lines if ((folder / path).resolve(), int(number)) not in named]
    shown = ", ".join(stale[:9]) + f" and {len(stale) - 9} more" * (len(stale) > 9)
    return [f"{shown}: may name {min(texts)} as the version of this project; change what does"] if stale else []
