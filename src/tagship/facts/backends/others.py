"""Poetry, flit, PDM, uv, and the backends of compiled projects: their versions and their modules."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from typing import Any

from tagship.facts.packages import tops
from tagship.facts.project import Modules, Project, Version

from . import texts

#: pdm-backend's own expression for `source = "file"`.
PDM = r"^__version__\s*=\s*[\"'](.+?)[\"']\s*(?:#.*)?$"
#: poetry-dynamic-versioning's for `from-file`, by default the whole file.


def static(project: Project) -> Version | None:
    """Return the version in `[project]`."""
    found = project.table("project").get("version")
    return Version(found, "pyproject:static", "pyproject.toml") if isinstance(found, str) else None


# Poetry


def poetry_version(project: Project) -> Version:
    """Return Poetry's version, unless a plugin derives it from git's tags."""
    dynamic = project.table("tool", "poetry-dynamic-versioning")
    if dynamic.get("enable") or project.backend.startswith("poetry_dynamic_versioning"):
        file = project.table("tool", "poetry-dynamic-versioning", "from-file")
        if isinstance(source := file.get("source"), str):
            kind, pattern = "poetry-dynamic-versioning:from-file", file.get("pattern")
            return (
                texts.by_pattern(project, kind, source, pattern)
                if isinstance(pattern, str)
                else texts.whole(project, kind, source)
            )
        return Version(None, "poetry-dynamic-versioning", "pyproject.toml")
    table = project.table("tool", "poetry").get("version")
    if isinstance(table, str) and "version" not in project.table("project"):
        return Version(table, "poetry:static", "pyproject.toml")
    return static(project) or Version(unknown="neither [project] nor [tool.poetry] has a version")


def poetry_modules(project: Project) -> Modules:
    """Return the packages that `[tool.poetry]` lists, else the one that has the project's name."""
    listed = project.table("tool", "poetry").get("packages")
    name = project.table("project").get("name") or project.table("tool", "poetry").get("name")
    if isinstance(listed, list) and listed:
        return _listed_by_poetry(project, [each for each in listed if isinstance(each, dict)])
    return _by_name(project, str(name or ""), ("", "src"))


def _listed_by_poetry(project: Project, listed: list[dict[str, Any]]) -> Modules:
    packages, modules, folder = list[str](), list[str](), ""
    for each in listed:
        include, source, target = str(each.get("include", "")), str(each.get("from", "")), each.get("to")
        formats = each.get("format", [])
        if "sdist" in formats and "wheel" not in formats:
            continue
        folder = folder or source
        first = str(target or include).strip("/").partition("/")[0]
        if first.endswith(".py"):
            modules.append(first[:-3])
        elif "*" in first:
            folders, _ = project.files.entries(project.at(source))
            packages += [name for name in folders if project.files.is_file(project.at(source, name, "__init__.py"))]
        elif first:
            packages.append(first)
    return Modules(tops(packages), tops(modules), folder)


def _by_name(project: Project, name: str, folders: tuple[str, ...]) -> Modules:
    found = re.sub(r"[-.\s]+", "_", name)
    for candidate in dict.fromkeys((found, found.lower(), re.sub(r"[-.]+", "_", name))):
        for folder in folders:
            if project.files.is_file(project.at(folder, candidate, "__init__.py")) or project.files.is_dir(
                project.at(folder, candidate)
            ):
                return Modules((candidate,), (), folder)
            if project.files.is_file(project.at(folder, f"{candidate}.py")):
                return Modules((), (candidate,), folder)
    return Modules(unknown=f"there is no package or module {found}")


# flit


def flit_version(project: Project) -> Version:
    """Return the version that flit reads from the module: from its syntax tree, else by importing it."""
    if found := static(project):
        return found
    if project.backend.startswith("flit_scm"):
        return Version(None, "flit:scm", "pyproject.toml")
    file = _flit_file(project)
    if not file:
        return Version(None, "flit:module", "", "flit finds no module with the project's name", absent=True)
    text = project.files.code(project.at(file)) or ""
    literal = texts.assigned(text, "__version__")
    if literal is not None:
        return Version(literal, "flit:module", file)
    from tagship.facts.python import code

    return texts.from_value(
        project, "flit:module", file, code.of_file(project.files, project.folder, file, "__version__")
    )


def _flit_name(project: Project) -> str:
    old = project.table("tool", "flit", "metadata").get("module")
    new = project.table("tool", "flit", "module").get("name") or project.table("project").get("name")
    return str(old or new or "").replace("-", "_")


def _flit_file(project: Project) -> str:
    path = _flit_name(project).replace(".", "/")
    places = [f"{folder}{path}{end}" for end in ("/__init__.py", ".py") for folder in ("", "src/")]
    return next((place for place in places if path and project.files.is_file(project.at(place))), "")


def flit_modules(project: Project) -> Modules:
    """Return the one package or module of flit."""
    file = _flit_file(project)
    folder = "src" if file.startswith("src/") else ""
    name = _flit_name(project).partition(".")[0]
    if not file:
        return Modules(unknown="flit finds no module with the project's name")
    return (
        Modules((name,), (), folder)
        if file.endswith("__init__.py") or "." in _flit_name(project)
        else Modules((), (name,), folder)
    )


# PDM


def pdm_version(project: Project) -> Version:
    """Return the version: static, or from the source that `[tool.pdm.version]` names, in its old forms as well."""
    if found := static(project):
        return found
    table = project.table("tool", "pdm", "version")
    source, path = table.get("source"), table.get("path", table.get("from"))
    if source == "scm" or table.get("use_scm"):
        return Version(None, "pdm:scm", "pyproject.toml")
    if source == "call" and isinstance(getter := table.get("getter"), str):
        return _pdm_call(project, getter)
    if isinstance(path, str):
        return texts.by_pattern(project, "pdm:file", path, PDM)
    return Version(unknown="[tool.pdm.version] names no source")


def _pdm_call(project: Project, getter: str) -> Version:
    from tagship.facts.python import code

    module, _, function = getter.partition(":")
    file = f"{module.replace('.', '/')}.py"
    value = code.called(project.files, project.folder, file, function.partition("(")[0].strip())
    return texts.from_value(project, "pdm:call", file, value)


def pdm_modules(project: Project) -> Modules:
    """Return the top packages in the source folder, else its modules, or what `includes` lists."""
    build = {**project.table("tool", "pdm"), **project.table("tool", "pdm", "build")}
    folder = build.get("package-dir", "src" if project.files.is_dir(project.at("src")) else "")
    folder = folder if isinstance(folder, str) and folder != "." else ""
    if includes := _list(build.get("includes")):
        names = [str(each).removeprefix(f"{folder}/" if folder else "").partition("/")[0] for each in includes]
        names = [name for name in names if name.endswith(".py") or project.files.is_dir(project.at(folder, name))]
        if names:
            return Modules(
                tops(name for name in names if not name.endswith(".py")),
                tops(name[:-3] for name in names if name.endswith(".py")),
                folder,
            )
    folders, files = project.files.entries(project.at(folder))
    packages = [each for each in folders if project.files.is_file(project.at(folder, each, "__init__.py"))]
    left_out = [*_list(build.get("excludes")), *(_list(build.get("source-includes")) or ["tests"])]  # of wheels
    paths = {each: f"{folder}/{each}" if folder else each for each in packages}
    packages = [
        each for each in packages if not any(fnmatchcase(paths[each], str(out).rstrip("/*")) for out in left_out)
    ]
    modules = (
        []
        if packages
        else [
            each[:-3]
            for each in files
            if each.endswith(".py") and each not in {"setup.py", "noxfile.py", "tasks.py", "conftest.py"}
        ]
    )
    return Modules(tops(packages), tops(modules), folder)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


# uv


def uv_modules(project: Project) -> Modules:
    """Return the module of uv's own backend: the one that is configured, else the one with the project's name."""
    table = project.table("tool", "uv", "build-backend")
    names, root = table.get("module-name", project.table("project").get("name", "")), table.get("module-root", "src")
    found = [str(each).replace("-", "_") for each in (names if isinstance(names, list) else [names])]
    found = found if "module-name" in table else [re.sub(r"[-_.]+", "_", each).lower() for each in found]
    root = root if isinstance(root, str) and root not in {".", ""} else ""
    return Modules(tops(found), (), root)


# compiled projects


def cargo_version(project: Project) -> Version:
    """Return the version in Cargo.toml, if pyproject.toml leaves it to maturin."""
    if found := static(project):
        return found
    manifest = project.table("tool", "maturin").get("manifest-path", "Cargo.toml")
    file = str(manifest)
    found_version = project.files.toml(project.at(file)).get("package", {})
    version = found_version.get("version") if isinstance(found_version, dict) else None
    if isinstance(version, dict):  # `version.workspace = true`
        file = _workspace(project, file)
        version = (project.files.toml(project.at(file)).get("workspace", {}).get("package", {}) or {}).get("version")
    if isinstance(version, str):
        return Version(version, "maturin:cargo", file)
    return Version(None, "maturin:cargo", file, f"{file} has no version", absent=True)


def _workspace(project: Project, file: str) -> str:
    folder = os.path.dirname(project.at(file))
    while folder.startswith(project.files.root):
        place = os.path.join(folder, "Cargo.toml")
        if "workspace" in project.files.toml(place):
            return project.shown(place)
        folder = os.path.dirname(folder)
    return file


def cargo_modules(project: Project) -> Modules:
    """Return the module of maturin: the one that is configured, else the one with the project's or the crate's name."""
    table = project.table("tool", "maturin")
    name = str(table.get("module-name") or project.table("project").get("name") or "")
    source = table.get("python-source", "")
    return Modules(tops([re.sub(r"[-]+", "_", name)]), (), str(source))


def meson_version(project: Project) -> Version:
    """Return the version in `project()` of meson.build."""
    if found := static(project):
        return found
    text = re.sub(r"(?m)#.*$", "", project.files.text(project.at("meson.build")) or "")
    call = re.search(r"project\s*\((.*?)\)\s*$", text, re.DOTALL | re.MULTILINE)
    literal = re.search(r"\bversion\s*:\s*'([^']*)'", call[1]) if call else None
    if literal:
        return Version(literal[1], "meson:project", "meson.build")
    return Version(None, "meson:project", "meson.build", "project() in meson.build computes it")


def scikit_version(project: Project) -> Version:
    """Return the version that scikit-build-core gets from a provider."""
    if found := static(project):
        return found
    table = project.table("tool", "scikit-build", "metadata", "version")
    provider, file = str(table.get("provider", "")), table.get("input")
    if provider.endswith("regex") and isinstance(file, str):
        default = r"(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *(['\"])v?(?P<value>.+?)\2"
        pattern, result = str(table.get("regex", default)), str(table.get("result", "{value}"))
        return texts.by_pattern(project, "scikit-build:regex", file, pattern, result=result)
    if provider.endswith("setuptools_scm"):
        return Version(None, "scikit-build:setuptools_scm", "pyproject.toml")
    return Version(None, "scikit-build", "pyproject.toml", f"it comes from the provider {provider or 'none'}")


def named_modules(project: Project) -> Modules:
    """Return the package with the project's name, in the folders that backends search."""
    listed = project.table("tool", "scikit-build", "wheel").get("packages")
    if isinstance(listed, list) and listed:
        paths = [str(each).strip("/") for each in listed]
        return Modules(tops(os.path.basename(path) for path in paths), (), os.path.dirname(paths[0]))
    return _by_name(project, str(project.table("project").get("name", "")), ("", "src", "python", "lib"))
