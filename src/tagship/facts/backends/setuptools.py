"""setuptools, and the tools that plug into it: pyproject.toml, setup.cfg and setup.py."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from tagship.facts.project import Project, Version
from tagship.facts.python.values import NotPlain, Unknown, Value, plain
from tagship_suite.gate.history import OFF

from . import texts
from .setuptools_modules import package_dir

SCM = re.compile(r"(?i)(setuptools[-_.]scm|vcs[-_.]versioning)\b")
SIMPLE = re.compile(r"setuptools[-_.]scm\s*\[[^]]*\bsimple\b", re.IGNORECASE)
#: Stands for what `tag_date` appends.
DAY = "-DAY"
#: How setup.py can take it from another file, the most specific way first.
MEANS = (("ast", "ast"), ("regex", "regex"), ("exec", "exec"), ("import", "import"), ("lines", "line-parse"))


def name(project: Project) -> str | None:
    """Return the name of the distribution, not normalised."""
    found = project.table("project").get("name") or project.passed("name")
    return found if isinstance(found, str) else project.cfg.get("metadata", "name", fallback=None)


def version(project: Project) -> Version:
    """Return the version as setuptools finds it, with what `tag_build` appends to it."""
    found, tag = bare_version(project), appended(project)
    if found.text is None or not tag:
        return found
    if tag == DAY:
        return replace(found, text=None, unknown="setuptools appends the day of the build to it: tag_date")
    return found if found.text.endswith(tag) else replace(found, text=f"{found.text}{tag}")


def appended(project: Project) -> str:
    """Return what setuptools appends to each version, `DAY` if that differs from day to day, "" for nothing."""
    section = "egg_info"
    in_cfg = dict(project.cfg.items(section)) if project.cfg.has_section(section) else {}
    keys = {**project.table("tool", "distutils", section), **in_cfg}
    found = {key.replace("-", "_"): str(value) for key, value in keys.items() if str(value).lower() not in OFF}
    return DAY if "tag_date" in found else found.get("tag_build", "")


def bare_version(project: Project) -> Version:
    """Return the version in pyproject.toml, else in setup.py, else in setup.cfg."""
    table = project.table("project")
    if isinstance(static := table.get("version"), str):
        return Version(static, "pyproject:static", "pyproject.toml")
    if table and "version" not in project.dynamic:
        return Version(unknown="[project] in pyproject.toml has no version, and does not list it as dynamic")
    looks = (_by_scm, _by_dynamic, _by_pbr, _by_setup_py, _by_setup_cfg, _by_new_scm)
    return next((found for look in looks if (found := look(project))), _nowhere(project))


def _nowhere(project: Project) -> Version:
    reason = project.setup[1] if project.has_setup_py else "neither pyproject.toml nor setup.cfg has one"
    return Version(unknown=reason or "neither setup.py nor setup.cfg passes one")


def _by_scm(project: Project) -> Version | None:
    """Return what setuptools-scm and similar tools derive from git's tags."""
    tool = project.table("tool")
    tables = ("setuptools_scm", "setuptools-scm")
    if any(key in tool for key in tables):
        return Version(None, "setuptools_scm:pyproject", "pyproject.toml")
    if any(map(SIMPLE.match, project.requires)):
        return Version(None, "setuptools_scm:simple", "pyproject.toml")
    if "versioningit" in tool:
        return Version(None, "versioningit", "pyproject.toml")
    plugin = project.table("tool", "setuptools-git-versioning")
    if plugin.get("enabled", "setuptools-git-versioning" in tool):
        if file := plugin.get("version_file"):
            return texts.whole(project, "setuptools-git-versioning", str(file))
        return Version(None, "setuptools-git-versioning", "pyproject.toml")
    if "incremental" in tool or "use_incremental" in project.setup[0]:
        return texts.incremental(project)
    if "use_scm_version" in project.setup[0]:
        return _use_scm_version(project)
    return None


def _by_new_scm(project: Project) -> Version | None:
    """Return what newer releases of setuptools-scm derive without a table, if there is no other version."""
    required = any(map(SCM.match, project.requires)) and "version" in project.dynamic
    return Version(None, "setuptools_scm:pyproject", "pyproject.toml") if required else None


def _use_scm_version(project: Project) -> Version | None:
    value = project.setup[0]["use_scm_version"]
    if value.known and not value.data:
        return None
    options = value.data if isinstance(value.data, dict) else {}
    written = next((options[key].data for key in ("write_to", "version_file") if key in options), "setup.py")
    return Version(None, "setuptools_scm:use_scm_version", written if isinstance(written, str) else "setup.py")


def _by_dynamic(project: Project) -> Version | None:
    found = project.table("tool", "setuptools", "dynamic").get("version")
    if not project.table("project") or not isinstance(found, dict):
        return None
    if isinstance(attr := found.get("attr"), str):
        return _attr(project, "pyproject:setuptools-attr", attr)
    files = found.get("file")
    first = files[0] if isinstance(files, list) and files else files
    return texts.whole(project, "pyproject:setuptools-file", first) if isinstance(first, str) else None


def _by_pbr(project: Project) -> Version | None:
    value = project.setup[0].get("pbr")
    uses = project.backend == "pbr.build" or bool(value and (not value.known or value.data))
    return Version(None, "pbr", "setup.cfg") if uses else None


def _by_setup_cfg(project: Project) -> Version | None:
    text = project.cfg.get("metadata", "version", fallback="").strip()
    if text.startswith("attr:"):
        return _attr(project, "setup.cfg:attr", text.removeprefix("attr:").strip())
    if text.startswith("file:"):
        return texts.whole(project, "setup.cfg:file", text.removeprefix("file:").split(",")[0].strip())
    return Version(text, "setup.cfg:static", "setup.cfg") if text else None


def _attr(project: Project, kind: str, dotted: str) -> Version:
    """Return what setuptools reads for `attr:`: a literal in the syntax tree, else the value in the module."""
    from tagship.facts.python import code

    dotted = dotted if "." in dotted else f"__init__.{dotted}"
    module, _, attribute = dotted.rpartition(".")
    for folder in _sources(project):
        base = os.path.join(project.at(folder), *module.split("."))
        for file in (f"{base}.py", os.path.join(base, "__init__.py")):
            text = project.files.code(file) if project.files.is_file(file) else None
            if text and (literal := texts.assigned(text, attribute)) is not None:
                return Version(literal, kind, project.shown(file))
    value = code.attribute(project.files, project.folder, dotted, [project.at(folder) for folder in _sources(project)])
    return texts.from_value(project, kind, "", value)


def _sources(project: Project) -> list[str]:
    """Return the folders that can hold the top-level packages, the likeliest first."""
    directories = package_dir(project)
    found = [directories[""]] if directories.get("") else []
    where = project.table("tool", "setuptools", "packages", "find").get("where")
    found += [each for each in where if isinstance(each, str)] if isinstance(where, list) else []
    found += project.lines("options.packages.find", "where")
    return list(dict.fromkeys([*found, "src", "."] if not found or "src" in found else [*found, "."]))


def _by_setup_py(project: Project) -> Version | None:
    value = project.setup[0].get("version")
    if value is None or value.data is None:
        return None
    if isinstance(value.data, Unknown):
        return _unknown(project, value.data)
    from tagship.facts.project import Version as Found

    try:
        text = plain(value)
    except NotPlain as error:
        return Found(None, "setup.py:computed", "setup.py", error.unknown.reason)
    if isinstance(text, list | tuple):
        text = ".".join(map(str, text))
    if not isinstance(text, str | int | float):
        return Found(None, "setup.py:computed", "setup.py", "setup.py passes a version that is no string")
    kind, file = _source(project, value)
    return Found(str(text), kind, file)


def _source(project: Project, value: Value) -> tuple[str, str]:
    """Return the kind of source and the file from which setup.py takes the version that it passes."""
    own = os.path.relpath(project.at("setup.py"), project.files.root).replace(os.sep, "/")
    files = list(dict.fromkeys(name for name, _ in value.origins if name != own))
    if not files:
        return ("setup.py:literal" if _is_literal(project) else "setup.py:constant"), "setup.py"
    # Of several, such as the file of the function that reads it, the one that holds the text.
    file = texts.place(project, files, str(value.data))
    means = next((kind for how, kind in MEANS if how in value.how), "read-file")
    return f"setup.py:{means}", project.shown(os.path.join(project.files.root, file))


def _is_literal(project: Project) -> bool:
    import ast

    from tagship.facts.python.machine import Machine, Raised

    try:
        tree = Machine(project.files, project.folder).parse(project.at("setup.py"))
    except Raised:
        return False
    nodes = list(ast.walk(tree))
    pairs = [(word.arg, word.value) for node in nodes if isinstance(node, ast.Call) for word in node.keywords]
    tables = [pair for node in nodes if isinstance(node, ast.Dict) for pair in zip(node.keys, node.values, strict=True)]
    pairs += [
        (key.value, value) for key, value in tables if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]
    return any(name == "version" and isinstance(value, ast.Constant) for name, value in pairs)


#: The kind of source of a version that setup.py computes.
TOOLS = {
    "versioneer": "versioneer",
    "setuptools_scm": "setuptools_scm:get_version",
    "versioningit": "versioningit",
    "environment": "setup.py:environment",
    "command": "setup.py:command",
    "clock": "setup.py:clock",
    "metadata": "setup.py:metadata",
}


def _unknown(project: Project, found: Unknown) -> Version:
    kind = TOOLS.get(found.tool, "setup.py:computed")
    if kind == "versioneer":
        return Version(None, kind, _versioneer_file(project))
    derived = found.tool in {"setuptools_scm", "versioningit"}
    return Version(None, kind, "setup.py", "" if derived else f"setup.py computes it: {found.reason}")


def _versioneer_file(project: Project) -> str:
    """Return the file that versioneer writes: a setting, which old releases take from an assignment in setup.py."""
    found = project.table("tool", "versioneer").get("versionfile_source")
    found = found or project.cfg.get("versioneer", "versionfile_source", fallback="")
    code = project.files.code(project.at("setup.py")) or "" if project.has_setup_py and not found else ""
    assigned = re.search(r"(?m)^versioneer\.versionfile_source\s*=\s*(['\"])([^'\"\n]+)\1", code)
    return found if found and isinstance(found, str) else assigned[2] if assigned else "setup.py"
