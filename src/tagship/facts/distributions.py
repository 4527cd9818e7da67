"""Which distributions are in a repository, and what do their files show?"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version as Parsed

from tagship_suite.errors import ReleaseError
from tagship_suite.files import subtable

from . import pythons
from .backends import hatch, others, setuptools, setuptools_modules
from .files import Files
from .folders import folders
from .model import Distribution, VersionSource
from .project import Modules, Project, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

#: What builds a module of compiled code, in Meson, setuptools and Cython.
BUILDS_CODE = re.compile(r"\b(?:extension_module|Extension|cythonize)\s*\(")
#: By the first part of a backend's name: the functions that read the version and the modules.
BACKENDS: dict[str, tuple[Callable[[Project], Version], Callable[[Project], Modules]]] = {
    "setuptools": (setuptools.version, setuptools_modules.modules),
    "pbr": (setuptools.version, setuptools_modules.modules),
    "hatchling": (hatch.version, hatch.modules),
    "poetry": (others.poetry_version, others.poetry_modules),
    "poetry_dynamic_versioning": (others.poetry_version, others.poetry_modules),
    "flit_core": (others.flit_version, others.flit_modules),
    "flit": (others.flit_version, others.flit_modules),
    "flit_scm": (others.flit_version, others.flit_modules),
    "pdm": (others.pdm_version, others.pdm_modules),
    "uv_build": (others.pdm_version, others.uv_modules),
    "maturin": (others.cargo_version, others.cargo_modules),
    "mesonpy": (others.meson_version, others.named_modules),
    "scikit_build_core": (others.scikit_version, others.named_modules),
}

#: The backend that a project's own backend wraps, by what that requires.
REQUIRED = {
    "hatchling": "hatchling",
    "poetry-core": "poetry",
    "flit-core": "flit_core",
    "flit_core": "flit_core",
    "pdm-backend": "pdm",
    "maturin": "maturin",
    "meson-python": "mesonpy",
    "scikit-build-core": "scikit_build_core",
    "setuptools": "setuptools",
}


def find(root: Path, named: Iterable[str] = ()) -> Iterator[Distribution]:
    """Yield the distributions of the repository at `root`; raises `ReleaseError` if a file cannot be read.

    `named` are the paths that the publish jobs build from.
    """
    files = Files(root)
    for folder in folders(files, named):
        yield _read(Project(files, folder))


def of(folder: Path, top: Path) -> Distribution:
    """Return what the files show of the distribution in `folder` of the repository at `top`."""
    return _read(Project(Files(top), os.path.realpath(folder)))


def version(folder: Path, top: Path) -> Version:
    """Return what the files show of the version of the distribution in `folder` of the repository at `top`."""
    project = Project(Files(top), os.path.realpath(folder))
    read_version, _ = BACKENDS[_family(project)]
    return _normalised(read_version(project))


def has_extensions(folder: Path, top: Path) -> bool:
    """Return whether the wheels of the distribution in `folder` hold compiled code, as far as its files show."""
    project = Project(Files(top), os.path.realpath(folder))
    if _family(project) in {"maturin", "scikit_build_core"}:
        return True
    if any(BUILDS_CODE.search(project.files.text(project.at(name)) or "") for name in _scripts(project)):
        return True
    tables = project.table("tool", "setuptools").get("ext-modules"), project.table("tool", "setuptools-rust")
    passed = (project.setup[0].get(name) for name in ("ext_modules", "rust_extensions", "cffi_modules"))
    return any(tables) or any(value is not None and value.data not in (None, [], ()) for value in passed)


def _scripts(project: Project) -> Iterator[str]:
    """Yield the files with which backends without a table for compiled code build it."""
    if _family(project) == "mesonpy":
        yield "meson.build"
    given = project.table("tool", "poetry").get("build")
    if isinstance(name := given.get("script") if isinstance(given, dict) else given, str):
        yield name


def _read(project: Project) -> Distribution:
    """Return what is known of a project; `version` is as its backend normalises it."""
    read_version, read_modules = BACKENDS[_family(project)]
    version, modules, name = _normalised(read_version(project)), read_modules(project), name_of(project)
    unprintable = f"{name!r} is not a name: it must be on one line" if name and not name.isprintable() else ""
    name = None if unprintable else name
    reasons = (
        unprintable or ("" if name else "no file has its name as a literal"),
        version.unknown,
        "" if modules.names else modules.unknown or "no package or module was found",
    )
    return Distribution(
        os.path.relpath(project.folder, project.files.root).replace(os.sep, "/"),
        name,
        version.text,
        VersionSource(version.kind, version.file),
        project.backend,
        modules.layout,
        modules.names,
        tuple(pythons.declared(project)),
        tuple(filter(None, reasons)),
    )


def _family(project: Project) -> str:
    """Return the first part of the backend's name; for a project's own backend, that of the one that it requires."""
    family = project.backend.partition(".")[0].partition(":")[0]
    if family in BACKENDS:
        return family
    required = (REQUIRED.get(re.split(r"[^\w-]", text.strip(), maxsplit=1)[0].lower()) for text in project.requires)
    return next(filter(None, required), "setuptools")


def _normalised(version: Version) -> Version:
    if version.text is None:
        return version
    try:
        return replace(version, text=str(Parsed(version.text)))
    except ValueError:  # also for thousands of digits
        reason = f"{version.text!r} in {version.file} is not a version by PEP 440"
        return replace(version, text=None, unknown=reason, absent=True)


def name_of(project: Project) -> str | None:
    """Return the name of the distribution, not normalised; None if no file has it."""
    tables = (("project",), ("tool", "poetry"), ("tool", "flit", "metadata"))
    found = (subtable(project.pyproject, *keys) for keys in tables)
    for table in found:
        name = table.get("name", table.get("dist-name", table.get("module")))
        if isinstance(name, str):
            return name
    try:
        return setuptools.name(project)
    except ReleaseError:
        return None
