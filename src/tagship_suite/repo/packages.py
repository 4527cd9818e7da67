"""Which distributions does this repository contain, and which of them does this run release?"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from ..config import Config, is_folder, load, table
from ..errors import Problem, ReleaseError, refusal, refuse
from ..files import load_toml, parse_cfg, read_text, subtable
from . import git
from .literals import passed
from .versions import Ref, Tag, as_before, current, like, names, releases

#: The variable that names the distribution of a run without a tag.
VARIABLE = "TAGSHIP_PACKAGE"


@dataclass(frozen=True)
class Package:
    """A distribution of the repository `root`: its name if there are several, and whether they share a tag."""

    root: Path
    folder: Path
    name: str = ""
    lockstep: bool = False

    @property
    def label(self) -> str:
        """Its name as in tags and environments; "" for the only one, the one in the root, and those in lockstep."""
        return "" if self.lockstep or self.folder == self.root else self.name

    @property
    def path(self) -> str:
        """The path of its folder in the repository, in the form that installers and builders recognise as a path."""
        return f"./{self.folder.relative_to(self.root).as_posix()}".removesuffix("/.")

    @property
    def suffix(self) -> str:
        """What follows `pypi` and `testpypi` in the names of its environments."""
        return f"-{self.label}" if self.label else ""

    @property
    def settings(self) -> Config:
        """Its own `[tool.tagship]`, with the root's as defaults; raises `ReleaseError` for everything wrong in them."""
        return load(self.folder, self.root)

    def tag(self, version: object) -> str:
        """Return the tag that releases this `version` of it."""
        return f"{self.label}/v{version}" if self.label else f"v{version}"

    def owns(self, tag: str) -> bool:
        """Return whether `tag` belongs to it, and not to another distribution."""
        # A tag that names one of several distributions in lockstep would release that one alone.
        return not self.name or names(tag, "" if self.lockstep else self.name, bare=not self.label)

    def on(self, ref: Ref) -> Ref:
        """Return `ref` with only those of its tags that belong to it."""
        return replace(ref, tags=tuple(filter(self.owns, ref.tags)))


def is_compiled(folder: Path) -> bool:
    """Return whether cibuildwheel builds the wheels of the project in `folder`."""
    return "cibuildwheel" in subtable(load_toml(folder / "pyproject.toml"), "tool")


def every(root: Path) -> list[Package]:
    """Return the distributions of the repository at `root`: most have one, in the root.

    Others are looked for in the folders of `packages` in `[tool.tagship]`; by default, if the root is not one itself,
    in the members of uv's workspace, else in `packages/*`. Raises `ReleaseError` for files that cannot be read.
    """
    try:
        pyproject = load_toml(root / "pyproject.toml")
        built = not is_private(pyproject) and _is_distribution(root, in_workspace=bool(_workspace(pyproject)))
        own = [root] if built else []
    except ReleaseError:
        own, pyproject = [root], {}  # reported where the file is needed
    folders = own + _below(root, pyproject, alone=not own)
    if len(folders) < 2:
        return [Package(root, folders[0] if folders else root)]
    named = {folder: canonicalize_name(distribution_name(folder)) for folder in folders}
    together = [folder for folder in folders if (table(root) | table(folder)).get("lockstep") is True]
    return [Package(root, folder, name, folder in together) for folder, name in named.items()]


def is_private(pyproject: dict[str, Any]) -> bool:
    """Return whether a project is marked as one that is never uploaded."""
    project = subtable(pyproject, "project")
    marks = [str(each).startswith("Private ::") for each in project.get("classifiers", ())]
    return any(marks) or str(project.get("version", "")).endswith("+private")


def distribution_name(folder: Path) -> str:
    """Return the literal name of the distribution in `folder`, or ""; raise `ReleaseError` for one with line breaks."""
    pyproject, setup = load_toml(folder / "pyproject.toml"), folder / "setup.py"
    tables = (subtable(pyproject, "project"), subtable(pyproject, "tool", "poetry"))
    name = next((table["name"] for table in tables if isinstance(table.get("name"), str)), "")
    name = name or parse_cfg(folder / "setup.cfg").get("metadata", "name", fallback="")
    if not name and setup.is_file():
        name = passed(read_text(setup), "name")
    if not name.isprintable():
        raise refusal("no-name", str(folder), f"the name {name!r}", "a name on one line", "correct it")
    return name


def left_out(root: Path) -> list[str]:
    """Return the folders of uv's workspace that are never released, as the root is a distribution that names none."""
    pyproject = load_toml(root / "pyproject.toml")
    if len(every(root)) > 1 or not _is_distribution(root, in_workspace=True) or not _workspace(pyproject):
        return []
    return [folder.relative_to(root).as_posix() for folder in _below(root, pyproject, alone=True) if folder != root]


def chosen(root: Path, environ: Mapping[str, str]) -> list[Package]:
    """Return the distributions that this run releases: the tag's, the one that $TAGSHIP_PACKAGE names, or all.

    Raises `ReleaseError` for a tag that names none of several, or if two have the same name or one has none.
    """
    packages = every(root)
    refuse(_misplaced(root, packages))
    if len(packages) == 1:
        return packages
    refuse(_unclear(packages))
    ref, wanted = current(root, environ), environ.get(VARIABLE, "")
    found = [package for package in packages if package.on(ref).tags]
    if not found and ref.is_given:
        forms = " or ".join(dict.fromkeys(repr(package.tag("X.Y.Z")) for package in packages))
        remedy = "this tag releases nothing; to release one of them, push such a tag"
        none = "no name of a distribution here"
        refuse([Problem("no-such-package", f"tag {tag!r}", none, forms, remedy) for tag in ref.tags])
    return [one(packages, wanted, VARIABLE)] if wanted else found or packages


def one(packages: list[Package], name: str, where: str) -> Package:
    """Return the one of `packages` with this `name`; raise `ReleaseError`, located at `where`, if none has it."""
    for package in packages:
        if package.name == canonicalize_name(name):
            return package
    known = " or ".join(repr(package.name) for package in packages)
    raise refusal("no-such-package", where, repr(name), known, "name one of them")


def of(root: Path, name: str) -> Package:
    """Return the distribution at `root` with this normalised name if there are several, else the only one."""
    return next((package for package in every(root) if package.name in {"", name}), Package(root, root))


def _workspace(pyproject: dict[str, Any]) -> dict[str, Any]:
    return subtable(pyproject, "tool", "uv", "workspace")


def _below(root: Path, pyproject: dict[str, Any], *, alone: bool) -> list[Path]:
    """Return the folders of the distributions below `root`; without settings, only if they are `alone`."""
    if listed := subtable(pyproject, "tool", "tagship").get("packages"):
        return _built_in(_matching(root, listed))
    workspace = _workspace(pyproject)
    folders = _matching(root, workspace.get("members", ["packages/*"])) if alone else []
    excluded = _matching(root, workspace.get("exclude"))
    return [each for each in folders if each not in excluded and _is_distribution(each, in_workspace=bool(workspace))]


def _matching(root: Path, patterns: object) -> list[Path]:
    found = [folder for text in _folders(patterns) for folder in sorted(root.glob(text)) if folder.is_dir()]
    return list(dict.fromkeys(found))


def _folders(patterns: object) -> list[str]:
    return [text for text in patterns if is_folder(text)] if isinstance(patterns, list) else []


def _is_distribution(folder: Path, *, in_workspace: bool = False) -> bool:
    """Return whether a distribution is built from `folder`; in uv's workspaces, only one with a build system."""
    pyproject = load_toml(folder / "pyproject.toml")
    uv, poetry = subtable(pyproject, "tool", "uv"), subtable(pyproject, "tool", "poetry")
    built = "build-system" in pyproject
    if not uv.get("package", built or not in_workspace) or poetry.get("package-mode") is False:
        return False
    # setuptools, the default backend, needs the name in one of these; without it the file only configures tools.
    system = subtable(pyproject, "build-system")
    other = built and "setuptools" not in str(system.get("build-backend", "setuptools"))
    written = other or "project" in pyproject or "name" in poetry or (folder / "setup.py").is_file()
    return written or parse_cfg(folder / "setup.cfg").has_option("metadata", "name")


def _misplaced(root: Path, packages: list[Package]) -> list[Problem]:
    """Return why there is nothing to release: `packages` names no distribution, or does not name the folder of one."""
    where, expected = "pyproject.toml [tool.tagship] packages", "folders with a pyproject.toml or setup.py"
    if named := _folders(table(root).get("packages")):
        empty = [text for text in named if not _built_in(_matching(root, [text]))]
        remedy = "correct it, or commit what is missing there"
        return [Problem("packages", where, repr(text), expected, remedy) for text in empty]
    if packages != [Package(root, root)] or _built_in([root]):
        return []
    below = [folder.relative_to(root).as_posix() for folder in _built_in(_matching(root, ["*", "*/*"]))]
    shown = json.dumps([path for path in below if "/." not in f"/{path}"])
    remedy = f"write those to release, such as packages = {shown}, in [tool.tagship] of ./pyproject.toml"
    none = Problem("packages", where, "none, and no distribution at the top", expected, remedy)
    return [none] if shown != "[]" else []


def _built_in(folders: Iterable[Path]) -> list[Path]:
    return list(filter(_is_distribution, folders))


def _unclear(packages: list[Package]) -> list[Problem]:
    """Return a problem for each distribution without a name, or with that of an earlier one."""
    found, seen = [], dict[str, str]()
    remedy = "name it there, or only the folders to release as packages in [tool.tagship] of ./pyproject.toml"
    for package in packages:
        where = package.folder.relative_to(package.root).as_posix()
        if not package.name:
            found.append(Problem("no-name", where, "no name", "one in pyproject.toml, setup.cfg or setup.py", remedy))
        elif package.name in seen:
            expected = f"another name than {seen[package.name]} has"
            found.append(Problem("no-name", where, repr(package.name), expected, remedy))
        seen[package.name] = where
    return found


def history(root: Path, package: Package, name: str) -> tuple[list[Tag], list[Tag]]:
    """Return the tags of the distribution `name`, the greatest version first: those before HEAD, and all."""
    before, every = git.lines(root, "tag", "--merged", "HEAD"), git.lines(root, "tag")
    return releases(filter(package.owns, before), name), releases(filter(package.owns, every), name)


def form(package: Package, version: Version, before: list[Tag], *written: str) -> tuple[str, str]:
    """Return the tag of `version`, in the form of the tags `before` it, and the version as it is `written` in files."""
    text = as_before(version, [*written, *(tag.text.replace("_", ".") for tag in before)])
    return (f"{before[0].prefix}{like(text, before[0].text)}" if before else package.tag(text)), text
