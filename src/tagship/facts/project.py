"""The folder of one distribution: its files, its build backend, and what its setup.py passes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tagship_suite.files import subtable

from .python.values import NotPlain, Value, plain

if TYPE_CHECKING:
    import configparser

    from .files import Files

LEGACY = "setuptools.build_meta:__legacy__"  # the default of PEP 517


@dataclass(frozen=True)
class Version:
    """What is known of a version: its text, and the kind and file of its source; or why it is unknown.

    `absent` is true if no file has it and no code computes it, so that no build can succeed.
    """

    text: str | None = None
    kind: str = ""
    file: str = ""
    unknown: str = ""
    absent: bool = False


@dataclass(frozen=True)
class Modules:
    """The top-level names that are installed, and their layout in the repository; else why they are not known."""

    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    source: str = ""  # the folder that holds them, relative to the distribution's
    unknown: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self.packages, *self.modules}))

    @property
    def layout(self) -> str:
        if len(self.modules) == 1 and not self.packages:
            return "single-module"
        if self.modules:
            return "multi-module"
        return "" if not self.packages else "src-package" if self.source else "flat-package"


@dataclass(frozen=True)
class Project:
    """The distribution in `folder`, an absolute path."""

    files: Files
    folder: str

    def at(self, *parts: str) -> str:
        """Return the absolute path of a file in the folder."""
        return os.path.normpath(os.path.join(self.folder, *parts))

    def shown(self, path: str) -> str:
        """Return a path relative to the folder, as `file` of a version source."""
        return os.path.relpath(self.at(path), self.folder).replace(os.sep, "/")

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        return self.files.toml(self.at("pyproject.toml"))

    @cached_property
    def cfg(self) -> configparser.RawConfigParser:
        return self.files.cfg(self.at("setup.cfg"))

    def table(self, *keys: str) -> dict[str, Any]:
        """Return a table of pyproject.toml, {} if there is none."""
        return subtable(self.pyproject, *keys)

    @property
    def has_setup_py(self) -> bool:
        return self.files.is_file(self.at("setup.py"))

    @property
    def backend(self) -> str:
        found = self.table("build-system").get("build-backend")
        return found if isinstance(found, str) else LEGACY

    @property
    def requires(self) -> list[str]:
        found = self.table("build-system").get("requires")
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    @property
    def dynamic(self) -> list[str]:
        found = self.table("project").get("dynamic")
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    @cached_property
    def setup(self) -> tuple[dict[str, Value], str]:
        """Return what setup.py passes to `setup()`, and why that is not known, "" if it is."""
        from .python.code import setup_arguments

        return setup_arguments(self.files, self.folder) if self.has_setup_py else ({}, "there is no setup.py")

    def passed(self, name: str) -> Any:
        """Return what setup.py passes as `name`, None if it passes none or that is unknown."""
        try:
            return plain(self.setup[0].get(name) or Value(None))
        except NotPlain:
            return None

    def passed_texts(self, name: str) -> list[str]:
        """Return the known items of the list, or the lines of the string, that setup.py passes as `name`."""
        found = self.setup[0].get(name) or Value(None)
        if isinstance(found.data, str):
            return found.data.splitlines()
        items = found.data if isinstance(found.data, list | tuple) else []
        return [item.data for item in items if isinstance(item.data, str)]

    def passed_lists(self, name: str) -> dict[str, tuple[str, ...] | None]:
        """Return the lists of strings in the dict that setup.py passes as `name`, None for one that is not known."""
        found = self.setup[0].get(name) or Value(None)
        return {str(key): _texts(value) for key, value in found.data.items()} if isinstance(found.data, dict) else {}

    def lines(self, section: str, option: str) -> list[str]:
        """Return the lines, or items between commas, of an option in setup.cfg."""
        text = self.cfg.get(section, option, fallback="") or ""
        parts = text.splitlines() if "\n" in text else text.split(",")
        return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


def _texts(value: Value) -> tuple[str, ...] | None:
    try:
        found = plain(value)
    except NotPlain:
        return None
    return tuple(found.split("\n")) if isinstance(found, str) else tuple(map(str, found or ()))
