"""The project's settings: `[tool.tagship]` in pyproject.toml."""

from __future__ import annotations

import re
import shlex
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from .errors import Problem, refuse
from .repo.files import load_toml, subtable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
Texts = tuple[str, ...]
ATTESTATIONS = ("required", "optional", "off")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_command(value: object) -> bool:
    try:
        return bool(shlex.split(value)) if isinstance(value, str) else _is_texts(value)
    except ValueError:
        return False


def is_folder(value: object) -> bool:
    """Return whether `value` is the path of a folder below another one; `*` in it stands for any name."""
    return isinstance(value, str) and not set(re.split(r"[/\\]", value)) & {"", ".", ".."}


def _is_folders(value: object) -> bool:
    return isinstance(value, list) and all(map(is_folder, value))


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and value >= 100  # True is an int, and below


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and re.compile(value).groups == 1
    except re.error:
        return False


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def _read(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _split(value: str | list[str]) -> Texts:
    return tuple(shlex.split(value) if isinstance(value, str) else value)


def setting(
    default: T,
    check: Callable[[object], bool],
    expected: str,
    doc: str,
    *,
    read: Callable[[Any], Any] = _read,
    own: bool = False,
) -> T:
    """Declare a setting: its default, a check of its value, what is expected, and its line in the documentation.

    A distribution inherits the settings of the repository's root, except those that are its `own`.
    """
    metadata = {"check": check, "expected": expected, "doc": doc, "read": read, "own": own}
    declared: T = field(default=default, metadata=metadata)
    return declared


def switch(doc: str, *, default: bool = False) -> bool:
    """Declare a setting that is on or off."""
    return setting(default, lambda value: isinstance(value, bool), "true or false", doc)


@dataclass(frozen=True)
class Config:
    """The settings of `[tool.tagship]`, all optional: the field `test_command` is the key `test-command`."""

    pythons: Texts = setting(
        (),
        _is_texts,
        'a list such as ["3.12", "3.13"]',
        "The Python versions to test on, if the classifiers do not name them.",
    )
    test_command: Texts | None = setting(
        None,
        _is_command,
        "a command",
        "The command that runs the tests, a string or a list of arguments. Default: `pytest`. `[]`: no tests.",
        read=_split,
    )
    test_requires: Texts | None = setting(
        None,
        _is_texts,
        "a list of requirements",
        'The requirements of the tests, in pip\'s syntax: `"pytest>=8"`, `"-r requirements/test.txt"`.',
    )
    test_groups: Texts | None = setting(
        None,
        _is_texts,
        "a list of dependency groups",
        "The dependency groups that the tests need. Default: the one called `test` or `tests`.",
    )
    test_extras: Texts | None = setting(
        None,
        _is_texts,
        "a list of extras",
        "The extras that the tests need. Default: the one called `test` or `tests`, if there is no such group.",
    )
    test_in_place: bool = switch(
        "Let the tests import the project from the checkout. Then nothing proves that the wheel was tested."
    )
    version_file: str = setting(
        "",
        _is_text,
        "a path",
        "Another file that holds the version; it is compared too, and `inv release` bumps it.",
        own=True,
    )
    version_pattern: str = setting(
        "",
        _is_pattern,
        "a regular expression with one group around the version",
        "Matches the version in `version-file`. Default: `__version__` in a Python file, else the whole file.",
        own=True,
    )
    release_branches: Texts = setting(
        (),
        _is_texts,
        "a list of branch names",
        "The tagged commit must be on one of these branches. Default: any.",
    )
    require_signed_tag: bool = switch(
        "Refuse a tag that is not signed by a key in `.github/allowed_signers`, see [signed tags](signed-tags.md)."
    )
    sbom: bool = switch(
        "Add an SBOM in CycloneDX to the bundle and the GitHub Release, see [SBOM](sbom.md); then run `tagship sync`."
    )
    packages: Texts = setting(
        (),
        _is_folders,
        'a list of folders such as ["packages/*"]',
        "The folders of the distributions, if the repository has several.",
        own=True,
    )
    lockstep: bool = switch(
        "Release several distributions with one tag, such as `v1.2.0`. `false` in its own table excludes one."
    )
    attestations: str = setting(
        "required",
        lambda value: value in ATTESTATIONS,
        f"one of {', '.join(ATTESTATIONS)}",
        "`required`: fail if the dists cannot be signed (PEP 740), or the index does not show their provenance."
        " `optional`: warn. `off`: never sign.",
    )
    github_release: bool = switch(
        "Make a GitHub Release for each tag, with the dists and `SHA256SUMS`. `false`: the job is skipped.",
        default=True,
    )
    dev_builds: str = setting(
        "",
        _is_text,
        "the name of a branch",
        "Each push to this branch is published to TestPyPI, as `X.Y.Z.devN`. Run `tagship sync` after a change.",
        own=True,
    )
    file_limit: int = setting(
        100,
        _is_limit,
        "a number of MiB, 100 or more",
        "PyPI's file size limit for this project in MiB, if it is higher than 100.",
    )
    index_url: str = setting(
        "",
        _is_url,
        "an http or https URL",
        "The simple index (PEP 503) of your own package index, if its URL differs from the upload URL.",
    )


def key(declared: Field[Any]) -> str:
    """Return the name of a setting as it is written in TOML."""
    return declared.name.replace("_", "-")


SETTINGS: dict[str, Field[Any]] = {key(declared): declared for declared in fields(Config)}


def load(root: Path, top: Path | None = None) -> Config:
    """Return the settings of the project at `root`; raise `ReleaseError` for everything that is wrong in them.

    `top` is the root of the repository, from which a distribution in a folder inherits.
    """
    table = subtable(load_toml(root / "pyproject.toml"), "tool", "tagship")
    problems = _problems(table, _shown(root, top))
    if top is not None and top != root:
        above = subtable(load_toml(top / "pyproject.toml"), "tool", "tagship")
        problems += _problems(above, "pyproject.toml")
        inherited = {name: above[name] for name in above if name in SETTINGS and not SETTINGS[name].metadata["own"]}
        table = {**inherited, **table}
    refuse(problems)
    return Config(**{SETTINGS[name].name: SETTINGS[name].metadata["read"](value) for name, value in table.items()})


def _shown(root: Path, top: Path | None) -> str:
    path = root / "pyproject.toml"
    return path.relative_to(top).as_posix() if top else path.name


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
