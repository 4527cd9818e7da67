"""What a person can run in the repository to upload, and no CI service runs."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from tagship.facts.model import Evidence, Publishing

from . import python, tools
from .blocks import Block
from .targets import script
from .values import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .targets import Targets

HINT = re.compile(r"twine|publish|upload", re.IGNORECASE)
#: The import of tasks that upload from a library of them: https://invocations.readthedocs.io
IMPORTED = re.compile(r"^(?:from|import) invocations(?:\.packaging\b| import .*\bpackaging\b).*$", re.MULTILINE)
#: The files that hold the targets of each task runner.
FILES = {
    "Makefile": ("make",),
    "makefile": ("make",),
    "GNUmakefile": ("make",),
    "tox.ini": ("tox",),
    "setup.cfg": ("tox",),
    "noxfile.py": ("nox",),
    "tasks.py": ("invoke",),
    "duties.py": ("duty",),
    "justfile": ("just",),
    "Justfile": ("just",),
    "Taskfile.yml": ("task",),
    "package.json": ("npm",),
    "pyproject.toml": ("hatch", "pdm", "poe", "rye", "taskipy"),
}
FOLDERS = (
    "",
    "scripts",
    "script",
    "bin",
    "tools",
    "tool",
    "ci",
    "release",
    "build",
    "dev",
    "util",
    "utils",
    "contrib",
    "maintainer",
    ".ci",
    ".kokoro",
    ".github/scripts",
)
SUFFIXES = frozenset({"", ".sh", ".bash", ".py", ".bat", ".cmd", ".ps1"})


def publishing(root: Path, targets: Targets, known: set[tuple[str, int]]) -> Iterator[Publishing]:
    """Yield the targets and scripts that upload, without the `known` lines, which a CI service runs."""
    for block in _blocks(root, targets):
        calls = [(each, call) for each in block.commands if (call := tools.match(each.words))]
        lines = [
            Evidence(block.file, each.line, each.text) for each, _ in calls if (block.file, each.line) not in known
        ]
        if lines:
            known.update((line.file, line.line) for line in lines)
            evidence = tuple(lines) if block.name == block.file else (block.evidence, *lines)
            indexes = [tools.index(call, Scope()) for _, call in calls]
            index = "pypi" if "pypi" in indexes else indexes[0]
            yield Publishing(block.file, block.name.rpartition("/")[2], "none", index=index, evidence=evidence)
    yield from _imported(targets)


def _imported(targets: Targets) -> Iterator[Publishing]:
    text = targets.text("tasks.py") if "tasks.py" in targets.names() else None
    if found := IMPORTED.search(text or ""):
        line = Evidence("tasks.py", found.string.count("\n", 0, found.start()) + 1, found[0])
        yield Publishing("tasks.py", "release", "none", evidence=(line,))


def _blocks(root: Path, targets: Targets) -> Iterator[Block]:
    for file, kinds in FILES.items():
        text = targets.text(file) if file in targets.names() else None
        if text is not None and HINT.search(text):
            for kind in kinds:
                yield from (block for name, block in targets.table(kind).items() if name and block.file == file)
    for folder in FOLDERS:
        for name in sorted(targets.names(folder)):
            file = f"{folder}/{name}" if folder else name
            if file in FILES or PurePath(name).suffix not in SUFFIXES or (root / file).is_symlink():
                continue
            text = targets.text(file)
            if text is not None and HINT.search(text):
                yield from _script(text, file)


def _script(text: str, file: str) -> Iterator[Block]:
    if file.endswith(".py"):
        block = python.Module(text, file).all()
        name = "setup.py" if file == "setup.py" else file
        yield Block(file, name, block.line, block.text, block.commands)
    else:
        yield from script(text, file)
