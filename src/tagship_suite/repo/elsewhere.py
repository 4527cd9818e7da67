"""Other places that hold the project's version: settings, manifests, lock files, documentation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import Version

from ..errors import some
from ..files import load_toml, read_text, subtable
from . import git
from .changelog import FOLDERS, today
from .literals import WHOLE, Written, keyed, keywords, matches, strings
from .packages import Package, distribution_name, every
from .versions import same, semver

#: TOML and JSON files, and the keys of the project's version in them.
DATA = ("pyproject.toml", ".bumpversion.toml", "bumpver.toml", "cz.toml", ".cz.toml", ".cz.json", "codemeta.json")
NPM = ("package.json", "package-lock.json")
KEYS = ["version", "packages..version"]
KEYS += [f"{table}.version" for table in ("project", "tool.poetry", "tool.commitizen", "commitizen")]
KEYS += [f"{table}.current_version" for table in ("tool.bumpversion", "tool.bumpver", "bumpver")]
CFG = r"^(?:current_)?version[ \t]*=[ \t]*(\S+)"
TEXTS = {"CITATION.cff": r"^version:[ \t]*[\"']?([^\s\"'#]+)", ".bumpversion.cfg": CFG, "setup.cfg": CFG}
TEXTS |= dict.fromkeys(("VERSION", "VERSION.txt", "version.txt"), WHOLE)
#: The lock entry of a local project, which comes from no index, repository or URL.
LOCKED = r"^name = \"%s\"\r?\nversion = \"([^\"]+)\"\r?\n(?!source = (?:\"|\{ (?:registry|git|url)\b))"
CODE: dict[str, tuple[str, ...]] = {"setup.py": ()}
CODE |= dict.fromkeys([f"{folder}/conf.py" for folder in FOLDERS[1:]], ("release", "version"))
#: A line of `git grep -n`.
GREPPED = re.compile(r"(.+?):(\d+):(.*)", re.DOTALL)
#: Files that name many versions, none of which is to be changed.
EXCLUDED = ("*.lock", "*requirements*", "changelog*", "changes*", "*history*", "news*", "release*notes*", *NPM)


def spelled(place: Written, version: Version, text: str) -> str:
    """Return `version` as the file of `place` spells it, by default `text`; raise `ReleaseError` if it cannot."""
    name = place.path.name
    if name == "uv.lock":
        return str(version)
    if name == "conf.py" and place.text.count(".") == 1:
        return ".".join(text.split(".")[:2])
    return semver(version, name) if name in {*NPM, "Cargo.toml", "Cargo.lock"} else text


def cargo(root: Path, pyproject: dict[str, Any]) -> Written | None:
    """Return where the Cargo.toml of the project at `root`, or of its workspace, has the version; None without one."""
    path = root / str(subtable(pyproject, "tool", "maturin").get("manifest-path", "Cargo.toml"))
    inherits = subtable(load_toml(path), "package", "version").get("workspace")
    places, keys = [path], "package.version"
    if inherits:
        places, keys = [folder / "Cargo.toml" for folder in path.resolve().parents[:3]], "workspace.package.version"
    return next(filter(None, (keyed(each, keys) for each in places if each.is_file())), None)


def certain(root: Path, folder: Path, name: str, now: Version) -> list[Written]:
    """Return where tools have the version `now` of the distribution `name` in `folder` of the repository `root`."""
    short = ("conf.py", ".".join(map(str, now.release[:2])))  # Sphinx has a short version too
    data = [folder / file for file in (*DATA, *NPM) if (folder / file).is_file()]
    found = [*filter(None, (keyed(path, keys) for path in data for keys in KEYS)), *_in_code(folder)]
    found += _in_texts(root, folder, name)
    return [place for place in found if same(place.text, str(now)) or (place.path.name, place.text) == short]


def _in_code(folder: Path) -> Iterator[Written]:
    for path, names in ((folder / name, names) for name, names in CODE.items() if (folder / name).is_file()):
        found = strings(read_text(path), *names) if names else keywords(read_text(path), "version")
        yield from (Written(path, *string) for string in found)


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


def pins(folder: Path, together: list[Package], now: Version) -> list[Written]:
    """Return where the metadata in `folder` require exactly the version `now` of a distribution in lockstep."""
    names = "|".join(each.name.replace("-", "[-_.]+") for each in together)
    pattern = rf"(?i)(?<![\w.-])(?:{names})[ \t]*(?:\[[^\]\n]*\])?[ \t]*===?[ \t]*([\w.!]+)(?![.*])"
    paths = [path for name in ("pyproject.toml", "setup.cfg", "setup.py") if (path := folder / name).is_file()]
    return [each for path in paths for each in matches(path, read_text(path), pattern) if same(each.text, str(now))]


def rewritten(places: list[Written], version: Version, text: str) -> dict[Path, str]:
    """Return the new text of each file in which the version changes, by its path."""
    files: dict[Path, str] = {}
    unique = {(place.path.resolve(), place.start): place for place in places}
    # From the end of a file to its beginning, so that each place is still where it was found.
    for (path, start), place in sorted(unique.items(), key=lambda item: -item[1].start):
        before, new = files.get(path) or read_text(path), spelled(place, version, text)
        files[path] = before[:start] + new + before[place.end :]
        if path.name == "CITATION.cff" and new != place.text:
            files[path] = re.sub(r"(?m)^(date-released:[ \t]*[\"']?)[\d-]+", rf"\g<1>{today()}", files[path])
    return {path: after for path, after in files.items() if after != read_text(path)}


def mentions(root: Path, together: list[Package], now: Version, known: list[Written]) -> list[str]:
    """Return a note about lines that may name `now`, the version of the `together` released, and are not `known`."""
    first, others = together[0], [each.folder for each in every(root) if each not in together]
    folder, name = (root, "") if first.lockstep else (first.folder, distribution_name(first.folder))
    named = {(written.path.resolve(), read_text(written.path).count("\n", 0, written.start) + 1) for written in known}
    texts = {str(now), *(written.text for written in known if same(written.text, str(now)))}
    numbers = ", ".join(map(str, now.release))
    exact = re.compile(
        rf"(?<![0-9A-Za-z.])v?(?:{'|'.join(map(re.escape, texts))})(?!\w|\.\d)"
        r"|(?i:version)\w{,40}(?::[^=]{,80})? {,9}= {,9}[(\[]"  # VERSION: Final = (1, 2, 0)
        rf"{numbers}\b"
    )
    word = re.sub(r"[-_.]+", "[-_.]", name) or "version"
    about = re.compile(rf"(?<!cff-)version(?!added|changed|removed)|release|\brev:|{word}", re.IGNORECASE)
    skipped = [f":(exclude,icase,glob)**/{glob}" for glob in EXCLUDED] + [":(exclude).github"]
    skipped += [f":(exclude){other.relative_to(folder).as_posix()}" for other in others if folder in other.parents]
    options = [option for text in (*texts, numbers) for option in ("-e", text)]
    found = git.lines(folder, "-c", "core.quotepath=off", "grep", "-nIF", *options, "--", ".", *skipped)
    stale = []
    # A line may have others in it, whose ends are those of a Mac's.
    for path, number, text in (match.groups() for match in map(GREPPED.fullmatch, found) if match):
        is_known = ((folder / path).resolve(), int(number)) in named
        if not is_known and exact.search(text) and about.search(f"{path.rpartition('/')[2]}: {text}"):
            stale.append(f"{path}:{number}")
    return [f"{some(stale, 9)}: may name {now} as the version of this project; update them if so"] if stale else []
