"""Where a project's version is written: in its metadata, a module, another file, or only in git's tags."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import Problem, ReleaseError, refusal, refuse
from ..files import load_toml, parse_cfg, read_text, subtable
from .elsewhere import cargo
from .literals import BY_HAND, Written, find, keyed, keywords, parse_python, strings
from .packages import distribution_name
from .versions import same

#: Plugins for git's tags that can read a file instead.
PLUGINS = ("poetry-dynamic-versioning", "uv-dynamic-versioning")
#: Tools that derive the version from git's tags, by the names of their tables.
BY_TAGS = ("setuptools_scm", "setuptools-scm", "setuptools-git-versioning", "versioneer", "versioningit", *PLUGINS)
#: This alone enables setuptools-scm, see https://setuptools-scm.readthedocs.io/en/latest/usage/
SIMPLE = re.compile(r"setuptools[-_.]scm\s*\[[^]]*\bsimple\b", re.IGNORECASE)
#: Modules that may hold an importable version, see `_module_versions`.
MODULES = ("__init__.py", "_version.py", "version.py", "__version__.py", "__about__.py")


def locate(root: Path, config: Config) -> Written | None:
    """Return where the version of the project at `root` is written; None if git's tags are the source.

    Looks at `version-file`, pyproject.toml (static, or the file that the build backend reads), setup.cfg and
    setup.py, in this order. Raises `ReleaseError` if none of them has it.
    """
    if config.version_file:
        return find(root / config.version_file, config.version_pattern)
    return _in_metadata(root)


def places(root: Path, config: Config) -> list[Written]:
    """Return every place of the version, none if git's tags are its source; raise `ReleaseError` if they differ."""
    found = [find(root / config.version_file, config.version_pattern)] if config.version_file else []
    try:
        found = [*filter(None, [_in_metadata(root)]), *found]
    except ReleaseError:
        if not found:
            raise
    refuse_other(found)
    return found + [place for place in _module_versions(root) if found and same(place.text, found[0].text)]


def refuse_other(found: list[Written]) -> None:
    """Raise `ReleaseError` for each place that names another version than the first one."""
    for main in found[:1]:
        expected = f"{main.text!r} as in {main.path}"
        other = [(str(place.path), repr(place.text)) for place in found if not same(place.text, main.text)]
        refuse([Problem("version-mismatch", *each, expected, "write one version") for each in other])


def _in_metadata(root: Path) -> Written | None:
    pyproject = load_toml(root / "pyproject.toml")
    if found := _static(root, pyproject):
        return found
    if _is_derived(root, pyproject):
        return None
    for look in (_from_backend, _from_setup_cfg, _from_setup_py):
        if found := look(root, pyproject):
            return found
    expected = "one in pyproject.toml, setup.cfg or setup.py"
    raise refusal("no-version", str(root), "no version", expected, _named_by_hand(root))


def _named_by_hand(root: Path) -> str:
    """Return the setting to write if the version was not found, with a file that holds one, if there is any."""
    requires = subtable(load_toml(root / "pyproject.toml"), "build-system").get("requires", [])
    if any(re.match(r"setuptools[-_.]scm\b", str(each)) for each in requires):
        return "add an empty table [tool.setuptools_scm] to pyproject.toml: without it, setuptools-scm does nothing"
    found = next((written.path.relative_to(root).as_posix() for written in _module_versions(root)), "FILE")
    setting = f'write version-file = "{found}" in [tool.tagship] of pyproject.toml'
    return f"{setting}; {BY_HAND}"


def is_from_git(root: Path, config: Config) -> bool:
    """Return whether the version of the project at `root` is derived from git's tags."""
    try:
        return locate(root, config) is None
    except ReleaseError:
        return False


def _static(root: Path, pyproject: dict[str, Any]) -> Written | None:
    # With a plugin the static version is a placeholder; see `_is_derived` and `_from_backend`.
    if not pyproject or _tool(pyproject, "poetry-dynamic-versioning").get("enable"):
        return None
    path = root / "pyproject.toml"
    return keyed(path, "project.version") or keyed(path, "tool.poetry.version")


def _tool(pyproject: dict[str, Any], *keys: str) -> dict[str, Any]:
    return subtable(pyproject, "tool", *keys)


def _is_derived(root: Path, pyproject: dict[str, Any]) -> bool:
    """Return whether a tool derives the version from git's tags."""
    tool, setup = subtable(pyproject, "tool"), root / "setup.py"
    return not _from_file(pyproject) and (
        any(key in tool for key in BY_TAGS)
        or any(map(SIMPLE.match, map(str, subtable(pyproject, "build-system").get("requires", []))))
        or _tool(pyproject, "hatch", "version").get("source") in ("vcs", *BY_TAGS)
        or _tool(pyproject, "pdm", "version").get("source") == "scm"
        or "setuptools_scm" in str(_tool(pyproject, "scikit-build", "metadata", "version").get("provider"))
        or (setup.is_file() and _derives(read_text(setup)))
    )


def _derives(text: str) -> bool:
    """Return whether setup.py, comments aside, gets the version from setuptools-scm, pbr or versioneer."""
    nodes = list(ast.walk(parse_python(text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if {keyword.arg for call in calls for keyword in call.keywords} & {"use_scm_version", "pbr"}:
        return True
    imported: set[str | None] = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    called = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    return bool(imported & {"setuptools_scm", "versioneer"}) and "get_version" in called


def _from_file(pyproject: dict[str, Any]) -> dict[str, Any]:
    """Return the table by which a plugin for git's tags reads a file instead; {} without one."""
    for name in PLUGINS:
        table = _tool(pyproject, name, "from-file")
        if table.get("source") and _tool(pyproject, name).get("enable", name.startswith("uv")):
            return table
    file = _tool(pyproject, "setuptools-git-versioning").get("version_file")
    return {"source": file} if file else {}


def _from_backend(root: Path, pyproject: dict[str, Any]) -> Written | None:
    """Follow the settings of build backends and their plugins to the source of a dynamic version."""
    backend = str(subtable(pyproject, "build-system").get("build-backend", ""))
    hatch = _tool(pyproject, "hatch", "version")
    if table := _from_file(pyproject):
        return find(root / str(table["source"]), str(table.get("pattern", "")))
    if hatch.get("source") == "nodejs":
        return keyed(root / str(hatch.get("path", "package.json")), "version")
    if hatch.get("source") == "code":
        expression = str(hatch.get("expression", "__version__"))
        named = rf"^{expression} = \"(.*)\"$"
        return find(root / str(hatch.get("path")), named) if expression.isidentifier() else None
    for table in (hatch, _tool(pyproject, "pdm", "version"), _tool(pyproject, "scikit-build", "metadata", "version")):
        if isinstance(path := table.get("path", table.get("input")), str):
            default = r"(?i)^(?:__version__|version)(?:: str)? = \"v?(.*)\"$"
            return find(root / path, table.get("pattern") or table.get("regex") or default)
    dynamic = _tool(pyproject, "setuptools", "dynamic", "version")
    if isinstance(dynamic.get("attr"), str):
        return _attribute(root, dynamic["attr"])
    if isinstance(dynamic.get("file"), str | list):
        return find(root / (dynamic["file"] if isinstance(dynamic["file"], str) else dynamic["file"][0]))
    if "flit" in backend:
        name = _tool(pyproject, "flit", "module").get("name") or _tool(pyproject, "flit", "metadata").get("module")
        name = str(name or subtable(pyproject, "project").get("name", ""))
        return _attribute(root, f"{name.replace('-', '_')}.__version__")
    return cargo(root, pyproject) if "maturin" in backend else None


def _attribute(root: Path, reference: str, imports: int = 5) -> Written:
    """Return where `package.module.NAME` is assigned, in a flat or a src layout, after at most `imports` imports."""
    module, _, name = reference.rpartition(".")
    parts = module.split(".")
    places = [root / folder / Path(*parts) for folder in (".", "src", "lib")]
    for path in [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]:
        if path.is_file() and imports and (other := _reexported(path, module, name)):
            return _attribute(root, other, imports - 1)
        if path.is_file():
            return find(path, rf"^{re.escape(name)} = \"(.*)\"$")
    raise refusal("no-version", str(root), f"no module {module!r}", f"the source of {reference}", _named_by_hand(root))


def _reexported(path: Path, module: str, name: str) -> str:
    """Return which `module.NAME` the file of `module` imports as `name`, as setuptools would, "" if none of its own."""
    text = read_text(path)
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    imports = [node for node in parse_python(text).body if isinstance(node, ast.ImportFrom)]
    for node in [] if strings(text, name) else imports:
        above = package[: len(package) - node.level + 1] if node.level else []
        for alias in node.names:
            found = ".".join([*above, *filter(None, [node.module]), alias.name])
            if (alias.asname or alias.name) == name and found != f"{module}.{name}":
                return found
    return ""


def _from_setup_cfg(root: Path, _: dict[str, Any]) -> Written | None:
    path = root / "setup.cfg"
    value = parse_cfg(path).get("metadata", "version", fallback="")
    if value.startswith("attr:"):
        return _attribute(root, value.removeprefix("attr:").strip())
    if value.startswith("file:"):
        return find(root / value.removeprefix("file:").strip())
    return find(path, rf"(?s)^\[metadata\](?:(?!^\[).)*?^version\s*[=:]\s*({re.escape(value)})\s*$") if value else None


def _from_setup_py(root: Path, _: dict[str, Any]) -> Written | None:
    """Read the `version=` of setup.py if it is a literal or a constant; else the only `__version__` there is."""
    path = root / "setup.py"
    if not path.is_file():
        return None
    text = read_text(path)
    if literal := next(keywords(text, "version"), None):
        return Written(path, *literal)
    found = list(_module_versions(root))
    return found[0] if len({written.text for written in found}) == 1 else None


def _module_versions(root: Path) -> Iterator[Written]:
    nested = "/".join(re.split("[-_.]+", distribution_name(root)))  # in a namespace
    patterns = [f"{folder}/{each}/{name}" for folder in (".", "src") for each in ("*", nested) for name in MODULES]
    for path in (path for pattern in ("*.py", "src/*.py", *patterns) for path in sorted(root.glob(pattern))):
        if path.name not in {"setup.py", "noxfile.py", "tasks.py"}:
            with suppress(ReleaseError):
                yield find(path)
