"""How a project runs its own tests: the command, and what it needs, read from the project's files."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .config import load, load_toml, parse_cfg, subtable
from .dists import read_dist
from .errors import Problem, ReleaseError
from .source import read_text

if TYPE_CHECKING:
    from collections.abc import Collection

GROUPS = ("test", "tests", "testing", "dev")
REQUIREMENT_FILES = (
    "requirements-test.txt", "requirements-tests.txt", "requirements-testing.txt", "requirements-dev.txt",
    "test-requirements.txt", "tests-requirements.txt", "dev-requirements.txt", "test_requirements.txt",
    "requirements_test.txt", "requirements_dev.txt", "requirements/test.txt", "requirements/tests.txt",
    "requirements/testing.txt", "requirements/dev.txt", "tests/requirements.txt", "test/requirements.txt",
)  # fmt: skip


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
    optional = {**_setup_cfg_extras(root), **subtable(pyproject, "project", "optional-dependencies")}
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
    """Return the first that is there: a dependency group, an extra, a Poetry group, a requirements file."""
    groups = subtable(pyproject, "dependency-groups")
    extras = {**subtable(pyproject, "project", "optional-dependencies"), **_setup_cfg_extras(root)}
    poetry = _poetry_groups(subtable(pyproject, "tool", "poetry"))
    for name in GROUPS:
        if name in groups:
            return _dependency_group(groups, name), []
        if name in extras:
            return [], [name]
        if name in poetry:
            return [
                requirement for key, value in poetry[name].items() for requirement in poetry_requirement(key, value)
            ], []
    file = next((name for name in REQUIREMENT_FILES if (root / name).is_file()), None)
    return _requirements_file(root, file, top) if file else [], []


def _requirements_file(root: Path, file: str, top: Path) -> list[str]:
    """Return the arguments for a requirements file; the project itself, often in there, is what is tested anyway."""
    folder = root.relative_to(top)
    lines = [line.strip() for line in read_text(root / file).splitlines()]
    own = re.compile(r"(?:-e|--editable)?[ =]*\.(?:\[[\w,-]*\])?")
    if not any(own.fullmatch(line) for line in lines):
        return ["-r", (folder / file).as_posix()]
    kept = [re.sub(r"\s+#.*", "", line) for line in lines if line and line[0] != "#" and not own.fullmatch(line)]
    return [word for line in kept for word in (line.split(maxsplit=1) if line.startswith("-") else [line])]


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


def _setup_cfg_extras(root: Path) -> dict[str, Any]:
    parser = parse_cfg(root / "setup.cfg")
    section = "options.extras_require"
    return dict(parser.items(section)) if parser.has_section(section) else {}


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
    if not files:
        return []
    by_pytest = _names(requires, "pytest") or _configures_pytest(root, pyproject) or any(map(_imports_pytest, files))
    if by_pytest or not any(map(_imports_unittest, files)):
        return ["pytest"]
    folder = next((name for name in ("tests", "test") if (root / name).is_dir()), ".")
    top = ["-t", "."] if (root / folder / "__init__.py").is_file() else []
    # Isolated: the checkout must not stand in for the package that was installed.
    return ["python", "-I", "-m", "unittest", "discover", "-s", folder, *top]


def _test_files(root: Path) -> list[Path]:
    patterns = (
        "test*.py",
        "*_test.py",
        "tests/**/*.py",
        "test/**/*.py",
        "src/*/tests/**/*.py",
        "*/tests/**/*.py",
    )
    found = {path for pattern in patterns for path in root.glob(pattern)}
    return sorted(path for path in found if not any(map(_is_other, path.relative_to(root).parts)))


def _is_other(part: str) -> bool:
    return part.startswith(".") or part in {"build", "bundle", "dist", "node_modules", "site-packages"}


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
