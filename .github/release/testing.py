"""How a project runs its own tests: the command, and what it needs, read from the project's files."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from . import tox
from .config import load, load_toml, parse_cfg, subtable
from .dists import read_dist
from .errors import Problem, ReleaseError
from .source import passed_keys, read_text

if TYPE_CHECKING:
    from collections.abc import Collection

GROUPS = ("test", "tests", "testing", "dev")
#: The project itself in a file of requirements, with its extras.
OWN = re.compile(r"(?:-e|--editable)?[ =]*\.(?:\[([\w, -]*)\])?(?:\s+#.*)?")
FOLDERS = ("tests", "test", "testing")
PYTEST_CONFIGS = ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


@dataclass(frozen=True)
class Plan:
    """What `nox -s test` does: arguments of an installer, extras of the project, the command ([]: no tests), where.

    `locked` is the command that writes the locked requirements, to be installed first ([]: nothing is locked),
    `package` what is tested, and `reason` why there is no command.
    """

    requires: list[str]
    extras: list[str]
    command: list[str]
    folder: str = "."
    locked: list[str] = field(default_factory=list)
    package: str = "."
    reason: str = ""


def plan(root: Path, wheel: str = "", top: Path | None = None, beside: Collection[str] = ()) -> Plan:
    """Return how the project at `root` runs its tests; `[tool.tagship]` counts before what its files show.

    Where `wheel` is tested, and the package lies beside its tests, they run in a copy that lacks the package. Paths
    are relative to the `top` of the repository that `root` is a part of, `beside` others of these names.
    """
    top = top or root
    config, pyproject = load(root, top), load_toml(root / "pyproject.toml")
    requires, extras = list(config.test_requires), list[str]()
    if not requires:
        requires, extras = _requires(root, pyproject, top)
    if not requires and not extras and root != top:
        shared = _requires(top, load_toml(top / "pyproject.toml"), top)[0]
        requires = [line for line in shared if canonicalize_name(_name(line)) not in beside]
    command = list(config.test_command) or _command(root, pyproject, [*requires, *_behind(root, pyproject, extras)])
    lacking = ["pytest"] if command and command[0] == "pytest" and not _names(requires, "pytest") else []
    locked = [] if config.test_requires else _locked(root, pyproject, top)
    folder = _folder(root, wheel, top) if command and wheel.endswith(".whl") else root
    shown = folder.relative_to(top).as_posix()
    return Plan(([] if locked else requires) + lacking, extras, command, shown, locked)


def _folder(root: Path, wheel: str, top: Path) -> Path:
    """Return where to run the tests of `wheel` so that they cannot import the package from the checkout."""
    members = read_dist(Path(wheel)).members
    shipped = {name.split("/")[0] for name in members if ".dist-info/" not in name and ".data/" not in name}
    beside = sorted(name for name in shipped if (root / name).exists())
    outside = [path for path in _test_files(root) if path.relative_to(root).parts[0] not in beside]
    outside = [path for path in outside if path.parent == root or path.relative_to(root).parts[0] in FOLDERS]
    if not beside or not outside:
        return root
    copy = top / ".nox" / "-".join(["checkout", *root.relative_to(top).parts])
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, symlinks=True, ignore=_left_out)
    for name in beside:
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return copy


def _left_out(_: str, names: list[str]) -> set[str]:
    other = {name for name in names if name.endswith(".egg-info") or name in {"__pycache__", "venv"}}
    return other | {name for name in names if name in {".git", ".nox", ".venv", "build", "bundle", "dist"}}


def _behind(root: Path, pyproject: dict[str, Any], extras: list[str]) -> list[str]:
    """Return the requirements that stand behind the `extras`."""
    optional = _extras(root, pyproject)
    found = [optional.get(extra, []) for extra in extras]
    return [line for item in found for line in (item.split() if isinstance(item, str) else item)]


def _locked(root: Path, pyproject: dict[str, Any], top: Path) -> list[str]:
    """Return the command by which the project's own Poetry (`requires-poetry`) tells what poetry.lock says.

    It knows every version of that file, and refuses one that is older than pyproject.toml.
    """
    poetry = subtable(pyproject, "tool", "poetry")
    if not (root / "poetry.lock").is_file() or not (poetry or "poetry" in str(pyproject.get("build-system", ""))):
        return []
    version = _poetry_specifier(poetry.get("requires-poetry", "*"))
    groups = {**subtable(pyproject, "dependency-groups"), **_poetry_groups(poetry)}
    extras = {**subtable(pyproject, "project", "optional-dependencies"), **subtable(poetry, "extras")}
    name = next((name for name in GROUPS if name in groups or name in extras), "")
    more = [f"--with={name}"] if name in groups else [f"--extras={name}"] if name else []
    uv = ["uv", "tool", "run", "--quiet", "--python", sys.executable]
    tool = [*uv, "--from", f"poetry{version}", "--with", "poetry-plugin-export", "poetry"]
    tool += [] if root == top else [f"--directory={root.relative_to(top)}"]
    return [*tool, "export", "--no-interaction", "--format=requirements.txt", "--with-credentials", *more]


def _requires(root: Path, pyproject: dict[str, Any], top: Path) -> tuple[list[str], list[str]]:
    """Return the first that is there: what is named for tests, what tox installs, what is named for development.

    Each of them a dependency group, an extra, a Poetry group or a requirements file.
    """
    *tests, dev = GROUPS
    plain = root / "requirements.txt"
    named = plain.is_file() and re.search(r"(?m)^pytest\b", read_text(plain))
    return (
        _named(root, pyproject, top, tests)
        or _by_tox(root, pyproject, top)
        or _named(root, pyproject, top, [dev])
        or (_requirements_file(root, plain.name, top) if named else ([], []))
    )


def _named(root: Path, pyproject: dict[str, Any], top: Path, names: list[str]) -> tuple[list[str], list[str]] | None:
    groups = subtable(pyproject, "dependency-groups")
    extras = _extras(root, pyproject)
    poetry = _poetry_groups(subtable(pyproject, "tool", "poetry"))
    for name in names:
        if name in groups:
            return _dependency_group(groups, name), []
        if name in extras:
            return [], [name]
        if name in poetry:
            return [line for key, value in poetry[name].items() for line in poetry_requirement(key, value)], []
    files = [path.relative_to(root) for pattern in ("*.txt", "*/*.txt") for path in sorted(root.glob(pattern))]
    for name in names:
        for file in files:  # dev-requirements.txt, requirements/dev.txt, dev.requirements.txt, ...
            if sorted(re.split(r"[-_./]", file.as_posix())) == sorted((name, "requirements", "txt")):
                return _requirements_file(root, file.as_posix(), top)
    return None


def _by_tox(root: Path, pyproject: dict[str, Any], top: Path) -> tuple[list[str], list[str]] | None:
    """Return what tox's environment says, where that is about tests: tox may as well just run something else."""
    lines, extras, groups = tox.environment(root)
    files = [line[3:] for line in lines if line.startswith("-r ")]
    others = [line for line in lines if not line.startswith("-r ")]
    found = [_requirements_file(root, file, top) for file in files] + [_arguments(others, root.relative_to(top))]
    known = subtable(pyproject, "dependency-groups")
    requires = [line for group in groups for line in _dependency_group(known, group)]
    requires += [word for words, _ in found for word in words]
    extras = [*extras, *(extra for _, names in found for extra in names)]
    return (requires, extras) if _names(requires, "pytest") or extras or groups or files else None


def _requirements_file(root: Path, file: str, top: Path) -> tuple[list[str], list[str]]:
    """Return the arguments for a requirements file; of the project itself, which is tested anyway, its extras."""
    lines = [line.strip() for line in read_text(root / file).splitlines()]
    path = root.relative_to(top) / file
    return _arguments(lines, path.parent) if any(map(OWN.fullmatch, lines)) else (["-r", path.as_posix()], [])


def _arguments(lines: list[str], folder: Path) -> tuple[list[str], list[str]]:
    """Return `lines` of requirements as arguments, without the project itself, and its extras.

    Files that they name lie in `folder`.
    """
    extras = [extra for line in lines if (own := OWN.fullmatch(line)) for extra in re.findall(r"[\w-]+", own[1] or "")]
    kept = [re.sub(r"\s+#.*", "", line) for line in lines if line and line[0] != "#" and not OWN.fullmatch(line)]
    arguments = []
    for line in kept:
        option, _, value = re.sub(r"^(-[rc])\s*", r"\1 ", line).partition(" ") if line[0] == "-" else ("", "", line)
        value = (folder / value).as_posix() if option in {"-r", "-c"} else value.strip()
        arguments += [word for word in (option, value) if word]
    return arguments, extras


def _dependency_group(groups: dict[str, Any], name: str) -> list[str]:
    """Return the requirements of a dependency group, see https://peps.python.org/pep-0735/."""
    known = {str(canonicalize_name(key)): value for key, value in groups.items()}

    def expand(group: str, above: tuple[str, ...]) -> list[str]:
        if group in above or group not in known:
            problem = Problem("pyproject.toml", f"dependency group {group!r}", "one that exists, no circle", "mend it")
            raise ReleaseError(problem)
        found = []
        for item in known[group] if isinstance(known[group], list) else [known[group]]:
            included = item.get("include-group") if isinstance(item, dict) else None
            if not isinstance(item, str) and not isinstance(included, str):
                raise ReleaseError(
                    Problem("pyproject.toml", f"{item!r}", "a requirement or an include-group", "mend it")
                )
            found += [item] if isinstance(item, str) else expand(canonicalize_name(str(included)), (*above, group))
        return found

    return expand(canonicalize_name(name), ())


def _extras(root: Path, pyproject: dict[str, Any]) -> dict[str, Any]:
    """Return what stands behind each extra; of those in setup.py, which is not run, only the names."""
    setup, parser, section = root / "setup.py", parse_cfg(root / "setup.cfg"), "options.extras_require"
    found: dict[str, Any] = dict.fromkeys(
        passed_keys(read_text(setup), "extras_require") if setup.is_file() else [], ()
    )
    found |= dict(parser.items(section)) if parser.has_section(section) else {}
    return found | subtable(pyproject, "project", "optional-dependencies")


def _poetry_groups(poetry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    groups = {name: subtable(table, "dependencies") for name, table in subtable(poetry, "group").items()}
    if old := subtable(poetry, "dev-dependencies"):
        groups.setdefault("dev", old)
    return groups


def poetry_requirement(name: str, value: Any) -> list[str]:
    """Return a Poetry dependency as PEP 508 requirements, none for `python` and for paths and repositories.

    Source of the rule: https://python-poetry.org/docs/dependency-specification/
    """
    table = value if isinstance(value, dict) else {"version": value}
    if name == "python" or not isinstance(table.get("version"), str):
        return []
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    marker = f"; {table['markers']}" if table.get("markers") else ""
    return [f"{name}{extras}{_poetry_specifier(table['version'])}{marker}"]


def _poetry_specifier(text: str) -> str:
    # Alternatives (`^1 || ^2`) have no form in PEP 508: the last of them is the newest.
    parts = [part.strip() for part in re.split(r"\|\|?", text)[-1].split(",")]
    return ",".join(_poetry_clause(part) for part in parts if part not in {"", "*"})


def _poetry_clause(text: str) -> str:
    operator, version = re.fullmatch(r"([\^~<>=!]*)\s*(.*)", text).groups()  # type: ignore[union-attr]
    numbers = [int(number) for number in re.findall(r"\d+", re.match(r"[\d.]*", version)[0])]  # type: ignore[index]
    if operator == "^":
        first = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={version},<{'.'.join(map(str, [*numbers[:first], numbers[first] + 1]))}"
    if operator == "~":
        kept = numbers[:2]
        return f">={version},<{'.'.join(map(str, [*kept[:-1], kept[-1] + 1]))}"
    return text.replace(" ", "") if operator else f"=={version}"


def _names(requires: list[str], name: str) -> bool:
    return any(canonicalize_name(_name(text)) == name for text in requires)


def _name(text: str) -> str:
    try:
        return Requirement(text).name
    except InvalidRequirement:
        return text


def _command(root: Path, pyproject: dict[str, Any], requires: list[str]) -> list[str]:
    files = _test_files(root)
    by_pytest = _names(requires, "pytest") or _configures_pytest(root, pyproject) or any(map(_imports_pytest, files))
    if not files:
        return []
    folder = next((name for name in ("tests", "test") if (root / name).is_dir()), ".")
    found = folder != "." or any(_is_in(path.parent, root) for path in files)
    if by_pytest or not found or not any(map(_imports_unittest, files)):
        return ["pytest", *_ignored(root)]
    top = ["-t", "."] if (root / folder / "__init__.py").is_file() else []
    # Isolated: the checkout must not stand in for the package that was installed.
    return ["python", "-I", "-m", "unittest", "discover", "-s", folder, *top]


def _is_in(folder: Path, root: Path) -> bool:
    """Tell whether unittest gets from `root` down to `folder`: only by packages."""
    return folder == root or ((folder / "__init__.py").is_file() and _is_in(folder.parent, root))


def _ignored(root: Path) -> list[str]:
    """Keep the suite's own modules from a pytest that is told to collect every module, as doctests are."""
    files = [root / name for name in PYTEST_CONFIGS if (root / name).is_file()]
    collects = any(re.search(rb"doctest-modules|python_files", path.read_bytes()) for path in files)
    return ["--ignore=noxfile.py", "--ignore=tasks.py"] if collects else []


def _test_files(root: Path) -> list[Path]:
    """Return the modules of tests, wherever they lie; those at the top may be called `tests.py` too."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_other(Path(folder, name)))
        inside = {"tests", "test", "_tests"} & {*Path(folder).relative_to(root).parts}
        pattern = (
            r".*\.py" if inside else r"test.*\.py|.*_test\.py" if folder == str(root) else r"test_.*\.py|.*_test\.py"
        )
        found += [Path(folder, name) for name in sorted(files) if re.fullmatch(pattern, name)]
    return found


def _is_other(folder: Path) -> bool:
    other = {"build", "bundle", "dist", "node_modules", "site-packages"}
    return folder.name.startswith(".") or folder.name in other or (folder / "pyvenv.cfg").is_file()


def _imports_pytest(path: Path) -> bool:
    text = path.read_bytes()
    return re.search(rb"(?m)^\s*(?:import|from)\s+pytest\b", text) is not None or path.name == "conftest.py"


def _imports_unittest(path: Path) -> bool:
    return re.search(rb"(?m)^\s*(?:import|from)\s+unittest\b", path.read_bytes()) is not None


def _configures_pytest(root: Path, pyproject: dict[str, Any]) -> bool:
    if "pytest" in subtable(pyproject, "tool") or (root / "pytest.ini").is_file():
        return True
    sections = (("setup.cfg", b"[tool:pytest]"), ("tox.ini", b"[pytest]"))
    return any((root / name).is_file() and section in (root / name).read_bytes() for name, section in sections)
