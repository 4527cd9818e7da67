"""Where other tools and people have the project's version too: settings, manifests, locks, documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import git
from .files import load_toml, read_text, subtable
from .literals import WHOLE, Written, keyed, keywords, matches, strings
from .versions import same, semver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.version import Version

#: TOML and JSON, and the keys that are the project's version in one of them.
DATA = ("pyproject.toml", ".bumpversion.toml", "bumpver.toml", "cz.toml", ".cz.toml", ".cz.json", "codemeta.json")
NPM = ("package.json", "package-lock.json")
KEYS = ["version", "packages..version"]
KEYS += [f"{table}.version" for table in ("project", "tool.poetry", "tool.commitizen", "commitizen")]
KEYS += [f"{table}.current_version" for table in ("tool.bumpversion", "tool.bumpver", "bumpver")]
CFG = r"^(?:current_)?version[ \t]*=[ \t]*(\S+)"
TEXTS = {
    "CITATION.cff": r"^version:[ \t]*[\"']?([^\s\"'#]+)",
    ".bumpversion.cfg": CFG,
    "setup.cfg": CFG,
    "VERSION": WHOLE,
}
TEXTS |= {"VERSION.txt": WHOLE, "version.txt": WHOLE}
#: The entry of what lies here, and comes from no index, repository or address.
LOCKED = r"^name = \"%s\"\r?\nversion = \"([^\"]+)\"\r?\n(?!source = (?:\"|\{ (?:registry|git|url)\b))"
CODE = {"setup.py": (), "docs/conf.py": ("release", "version"), "docs/source/conf.py": ("release", "version")}
CODE |= {"doc/conf.py": ("release", "version"), "doc/source/conf.py": ("release", "version")}
#: What names many versions, none of which is to be changed.
EXCLUDED = ("*.lock", "*requirements*", "changelog*", "changes*", "history*", "news*", "release*notes*", *NPM)


def spelled(place: Written, version: Version, text: str) -> str:
    """Return `version`, elsewhere `text`, as the file of `place` has it: uv, Cargo, npm and Sphinx have their own ways.

    Raises `ReleaseError` if theirs has no such version.
    """
    name = place.path.name
    if name == "uv.lock":
        return str(version)
    if name == "conf.py" and place.text.count(".") == 1:
        return ".".join(text.split(".")[:2])
    return semver(version, name) if name in {*NPM, "Cargo.toml", "Cargo.lock"} else text


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
    short = ".".join(map(str, now.release[:2]))  # Sphinx has a short version too
    found = [*_in_data(folder), *_in_code(folder), *_in_texts(root, folder, name)]
    return [
        place for place in found if same(place.text, str(now)) or (place.path.name, place.text) == ("conf.py", short)
    ]


def _in_data(folder: Path) -> Iterator[Written]:
    paths = [folder / name for name in (*DATA, *NPM) if (folder / name).is_file()]
    yield from filter(None, (keyed(path, keys) for path in paths for keys in KEYS))


def _in_code(folder: Path) -> Iterator[Written]:
    for path, names in ((folder / name, names) for name, names in CODE.items() if (folder / name).is_file()):
        found = strings(read_text(path), *names) if names else keywords(read_text(path), "version")
        yield from (Written(path, string.text, string.start, string.end) for string in found)


def _in_texts(root: Path, folder: Path, name: str) -> Iterator[Written]:
    manifest, crate, folders = cargo(folder, load_toml(folder / "pyproject.toml")), '[^"]+', [folder, root]
    if manifest:
        yield manifest
        folders.append(manifest.path.parent)
        package = subtable(load_toml(manifest.path), "package")
        crate = re.escape(str(package["name"])) if "version" in package else crate
    texts = TEXTS | {"uv.lock": LOCKED % re.sub(r"[-_.]+", "-", name).lower(), "Cargo.lock": LOCKED % crate}
    for at in {path.resolve() for path in folders}:
        for path in (at / name for name in texts if at == folder.resolve() or name.endswith(".lock")):
            yield from matches(path, read_text(path), texts[path.name]) if path.is_file() else ()


def mentions(folder: Path, name: str, now: Version, known: list[Written], others: list[Path]) -> list[str]:
    """Return a note about what else may name `now`, the version of `name`, in a committed file of `folder`.

    That is not in the folders of `others`, nor one of the places that are `known`.
    """
    named = {(written.path.resolve(), read_text(written.path).count("\n", 0, written.start) + 1) for written in known}
    texts = {str(now), *(written.text for written in known if same(written.text, str(now)))}
    exact = re.compile(rf"(?<![0-9A-Za-z.])v?(?:{'|'.join(map(re.escape, texts))})(?!\w|\.\d)")
    word = re.sub(r"[-_.]+", "[-_.]", name) or "version"
    about = re.compile(rf"(?<!cff-)version(?!added|changed|removed)|release|\brev:|{word}", re.IGNORECASE)
    skipped = [f":(exclude,icase,glob)**/{glob}" for glob in EXCLUDED] + [":(exclude).github"]
    skipped += [f":(exclude){other.relative_to(folder).as_posix()}" for other in others if folder in other.parents]
    options = [option for text in texts for option in ("-e", text)]
    stale = []
    for line in git.lines(folder, "-c", "core.quotepath=off", "grep", "-nIF", *options, "--", ".", *skipped):
        path, number, text = line.split(":", 2)
        place, file = ((folder / path).resolve(), int(number)), path.rpartition("/")[2]
        if place not in named and exact.search(text) and about.search(f"{file}: {text}"):
            stale.append(f"{path}:{number}")
    shown = ", ".join(stale[:9]) + f" and {len(stale) - 9} more" * (len(stale) > 9)
    return [f"{shown}: may name {now} as the version of this project; change what does"] if stale else []
