"""The project's settings: `[tool.tagship]` in pyproject.toml."""

import re
import shlex
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .errors import Problem, refuse
from .files import load_toml, subtable

T = TypeVar("T")
Texts = tuple[str, ...]
ATTESTATIONS = ("required", "optional", "off")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def is_folder(value: object) -> bool:
    """Return whether `value` is the path of a folder below another one; `*` in it stands for any name."""
    return isinstance(value, str) and not set(re.split(r"[/\\]", value)) & {"", ".", ".."}


def _list_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


_is_texts, _is_folders = _list_of(_is_text), _list_of(is_folder)


def _is_command(value: object) -> bool:
    try:
        return bool(shlex.split(value)) if isinstance(value, str) else _is_texts(value)
    except ValueError:
        return False


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and re.compile(value).groups == 1
    except re.error:
        return False


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def setting(default: T, check: Callable[[object], bool], expected: str, *, own: bool = False) -> T:
    """Declare a setting; a distribution inherits those of the repository's root, except its `own`."""
    declared: T = field(default=default, metadata={"check": check, "expected": expected, "own": own})
    return declared


def switch(*, default: bool = False) -> bool:
    """Declare a setting that is on or off."""
    return setting(default, lambda value: isinstance(value, bool), "true or false")


@dataclass(frozen=True)
class Config:
    """The settings of `[tool.tagship]`, all optional, each below its line in the documentation."""

    #: The Python versions to test on, if the classifiers do not name them.
    pythons: Texts = setting((), _is_texts, 'a list such as ["3.12", "3.13"]')
    #: The command that runs the tests, a string or a list of arguments. Default: `pytest`. `[]`: no tests.
    test_command: Texts | None = setting(None, _is_command, "a command")
    #: The requirements of the tests, in pip's syntax: `"pytest>=8"`, `"-r requirements/test.txt"`; a file may have a
    #: marker: `"-r requirements/old.txt; python_version < '3.11'"`.
    test_requires: Texts | None = setting(None, _is_texts, "a list of requirements")
    #: The dependency groups that the tests need. Default: the one called `test` or `tests`.
    test_groups: Texts | None = setting(None, _is_texts, "a list of dependency groups")
    #: The extras that the tests need. Default: the one called `test` or `tests`, if there is no such group.
    test_extras: Texts | None = setting(None, _is_texts, "a list of extras")
    #: Let the tests import the project from the checkout. Then nothing proves that the wheel was tested.
    test_in_place: bool = switch()
    #: Another file that holds the version; it is compared too, and `inv release` bumps it.
    version_file: str = setting("", _is_text, "a path", own=True)
    #: Matches the version in `version-file`. Default: `__version__` in a Python file, else the whole file.
    version_pattern: str = setting("", _is_pattern, "a regular expression with one group around the version", own=True)
    #: The tagged commit must be on one of these branches. Default: any.
    release_branches: Texts = setting((), _is_texts, "a list of branch names")
    #: Refuse a tag that is not signed by a key in `.github/allowed_signers`, see [signed tags](signed-tags.md).
    require_signed_tag: bool = switch()
    #: Add an SBOM in CycloneDX to the bundle and the GitHub Release, see [SBOM](sbom.md); then run `tagship sync`.
    sbom: bool = switch()
    #: The folders of the distributions, if the repository has several.
    packages: Texts = setting((), _is_folders, 'a list of folders such as ["packages/*"]', own=True)
    #: Release several distributions with one tag, such as `v1.2.0`. `false` in its own table excludes one.
    lockstep: bool = switch()
    #: `required`: fail if the dists cannot be signed (PEP 740), or the index does not show their provenance.
    #: `optional`: warn. `off`: never sign.
    attestations: str = setting("required", lambda value: value in ATTESTATIONS, f"one of {', '.join(ATTESTATIONS)}")
    #: Make a GitHub Release for each tag, with the dists and `SHA256SUMS`. `false`: the job is skipped.
    github_release: bool = switch(default=True)
    #: Each push to this branch is published to TestPyPI, as `X.Y.Z.devN`. Run `tagship sync` after a change.
    dev_builds: str = setting("", _is_text, "the name of a branch", own=True)
    #: PyPI's file size limit for this project in MiB, if it is higher than 100.
    file_limit: int = setting(100, lambda mib: isinstance(mib, int) and mib >= 100, "a number of MiB, 100 or more")
    #: The simple index (PEP 503) of your own package index, if its URL differs from the upload URL.
    index_url: str = setting("", _is_url, "an http or https URL")


#: The settings by their keys in TOML.
SETTINGS: dict[str, Field[Any]] = {declared.name.replace("_", "-"): declared for declared in fields(Config)}


def table(root: Path) -> dict[str, Any]:
    """Return `[tool.tagship]` of the project at `root`, unchecked; {} without one."""
    return subtable(load_toml(root / "pyproject.toml"), "tool", "tagship")


def load(root: Path, top: Path | None = None) -> Config:
    """Return the settings at `root`, those at `top` as defaults; raise `ReleaseError` for everything wrong in them."""
    path, given = root / "pyproject.toml", table(root)
    problems = _problems(given, path.relative_to(top).as_posix() if top else path.name)
    if top is not None and top != root:
        above = table(top)
        problems += _problems(above, path.name)
        inherited = {name: above[name] for name in above if name in SETTINGS and not SETTINGS[name].metadata["own"]}
        given = inherited | given
    refuse(problems)
    if isinstance(command := given.get("test-command"), str):
        given["test-command"] = shlex.split(command)
    pairs = ((SETTINGS[name].name, value) for name, value in given.items())
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in pairs}
    return Config(**found)


def _problems(table: dict[str, Any], path: str) -> list[Problem]:
    where = f"{path} [tool.tagship]"
    problems = []
    for name, value in table.items():
        if name not in SETTINGS:
            known = f"one of {', '.join(SETTINGS)}"
            problems.append(Problem("settings", where, f"{name!r}", known, "correct or remove it"))
        elif not SETTINGS[name].metadata["check"](value):
            expected = SETTINGS[name].metadata["expected"]
            problems.append(Problem("settings", f"{where} {name}", f"{value!r}", expected, "correct or remove it"))
    if "version-pattern" in table and "version-file" not in table:
        problems.append(Problem("settings", where, "version-pattern alone", "version-file as well", "name the file"))
    return problems
