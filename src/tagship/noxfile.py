"""Whether a project's own noxfile.py and tasks.py have the release sessions and tasks; neither is run."""

from __future__ import annotations

import ast
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagship_suite.errors import Problem, ReleaseError, refusal
from tagship_suite.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The release's sessions, in order.
SESSIONS = ("build", "test", "verify-version", "publish-test", "publish", "github-release")
SESSIONS_MODULE = "tagship_suite.sessions"
TASKS_MODULE = "tagship_suite.tasks"


@dataclass(frozen=True)
class Module:
    """A noxfile or tasks file: its `imported` modules, and the lines of its own sessions or tasks by name."""

    imported: frozenset[str] = frozenset()
    sessions: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)


def read(path: Path) -> Module:
    """Return the content of the file at `path`; raise `ReleaseError` if it is not readable Python."""
    tree = _parse(path)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    sessions = {name: node.lineno for node in functions for name in names(node, "session")}
    tasks = {name: node.lineno for node in functions for name in names(node, "task")}
    return Module(frozenset(_imported(tree)), sessions, tasks)


def another_version(folder: Path, argument: str = "") -> str:
    """Return how to release another version of the project in `folder`: by its own tasks.py or that of the suite."""
    files = [path for path in (folder / "tasks.py", folder / "tasks/__init__.py") if path.is_file()]
    with suppress(ReleaseError):
        if any(TASKS_MODULE in each.imported and "release" not in each.tasks for each in map(read, files)):
            return f"run: inv release {argument}".rstrip()
    return f"run: inv -r .github/release release {argument}".rstrip()  # `inv release` may be the project's own


def problem(folder: Path, remedy: str) -> Problem | None:
    """Return why the project in `folder` lacks one of the release's sessions, None if it has them all."""
    path = folder / "noxfile.py"
    if (folder / "release_noxfile.py").is_file():
        return None
    if not path.is_file():
        return Problem("noxfile", "noxfile.py", "no such file", "one with the release's sessions", remedy)
    try:
        module = read(path)
    except ReleaseError:
        return Problem("noxfile", "noxfile.py", "invalid Python", "the release's sessions", "fix the file")
    if SESSIONS_MODULE not in module.imported:
        return Problem("noxfile", "noxfile.py", f"no import of {SESSIONS_MODULE}", "the release's sessions", remedy)
    return next(iter(own(module)), None)


def own(module: Module) -> list[Problem]:
    """Return a problem for each session of a noxfile with the name of a release session."""
    return [
        Problem(
            "noxfile",
            f"noxfile.py:{line}",
            f"a session {name!r} of the project's own",
            "no session with the name of a release session",
            f"rename it, to {name + 's'!r} for example",
        )
        for name, line in module.sessions.items()
        if name in SESSIONS
    ]


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(read_text(path).removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = str(getattr(error, "msg", error))
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise refusal("unreadable-file", f"{path.name}{line}", reason, "valid Python", "fix the file") from error


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def names(node: ast.FunctionDef, decorator: str) -> Iterator[str]:
    """Yield the name that a function, decorated as a session or a task, has in nox or invoke."""
    for each in node.decorator_list:
        call = each if isinstance(each, ast.Call) else None
        if ast.unparse(call.func if call else each).rpartition(".")[2] == decorator:
            given = [keyword.value for keyword in call.keywords if keyword.arg == "name"] if call else []
            yield str(given[0].value) if given and isinstance(given[0], ast.Constant) else node.name
