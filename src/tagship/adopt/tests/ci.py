"""The commands that a project's CI runs, job by job: GitHub's workflows, and the files of other services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tagship.facts import marked, workflow

from . import shell
from .model import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHERS = (
    ".travis.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "appveyor.yml",
    ".appveyor.yml",
)
#: The keys whose texts are commands, in the order in which Travis and GitLab run them.
KEYS = ("before_install", "before_script", "install", "script", "run", "command", "bash", "test_script")
#: Jobs by what their file and name say: the first are about tests, the last are about something else.
TESTS = re.compile(r"tests?|pytest|unit|\bci\b|build", re.IGNORECASE)
MAIN = re.compile(r"(run-|unit-?|python-?)?(tests?|pytest|ci|main|build)(-suite|-package)?", re.IGNORECASE)
OTHER = re.compile(
    r"lint|doc|cov|bench|publish|release|deploy|nightly|integration|e2e|typ|wheel|windows|macos|min|downstream|pypy|upstream"
    r"|codeql|pre-commit|schedule|cron|canary|old|dev|32|emul|qemu|arm|distro|conda|fuzz|example|slow|perf|mutation|extra",
    re.IGNORECASE,
)


def jobs(top: Path) -> list[list[Command]]:
    """Return the commands of each job of the repository at `top`, those of the likeliest test job first."""
    found = list[tuple[tuple[bool, ...], list[Command]]]()
    workflows = workflow.files(top)
    for path in [*workflows, *(top / name for name in OTHERS if (top / name).is_file())]:
        root = compose(path)
        file = path.relative_to(top).as_posix()
        of_github = path in workflows
        each = child(root, "jobs") if of_github else None
        for name, node in pairs(each) if of_github else [("", root)]:
            label = f"{path.stem} {name} {text(child(node, 'name'))}"
            usual = MAIN.fullmatch(path.stem) or MAIN.fullmatch(name)
            rank = (not of_github, bool(OTHER.search(label)), not TESTS.search(label), not usual)
            steps = [*(_steps(node, file, top) if of_github else _others(node, file))]
            always = [step for step in steps if not step.conditional]
            found += [((*rank, False), always), ((*rank, True), steps)]
    # A job whose test depends on its matrix counts after all that run always.
    return [commands for _, commands in sorted(found, key=lambda entry: entry[0])]


def compose(path: Path) -> Node | None:
    """Return the root node of a YAML file; None if it is empty, large, or no YAML."""
    try:
        return marked.compose(marked.read_bytes(path, path.name), path.name)
    except marked.Unreadable:
        return None


def pairs(node: Node | None) -> list[tuple[str, Any]]:
    """Return the keys and value nodes of a mapping; none of anything else."""
    entries = node.value if isinstance(node, MappingNode) else []
    return [(str(key.value), value) for key, value in entries if isinstance(key, ScalarNode)]


def child(node: Node | None, name: str) -> Node | None:
    """Return the value of the key `name` of a mapping."""
    return next((value for key, value in pairs(node) if key == name), None)


def text(node: Node | None) -> str:
    """Return the text of a scalar, "" for anything else."""
    return str(node.value) if isinstance(node, ScalarNode) else ""


def items(node: Node | None) -> list[Any]:
    """Return the nodes in a sequence."""
    return list(node.value) if isinstance(node, SequenceNode) else []


def _steps(job: Node | None, file: str, top: Path, depth: int = 0) -> Iterator[Command]:
    for step in items(child(job, "steps")):
        condition, folder = text(child(step, "if")), text(child(step, "working-directory"))
        if re.search(r"(?i)==\s*'?(windows|macos)|startsWith\([^)]*(windows|macos)", condition):
            continue
        uses = text(child(step, "uses"))
        if uses.startswith("./") and depth < 3:
            for name in ("action.yml", "action.yaml"):
                path = top / uses / name
                if path.is_file() and path.resolve().is_relative_to(top.resolve()):
                    action = child(compose(path), "runs")
                    yield from _steps(action, path.relative_to(top).as_posix(), top, depth + 1) if action else ()
        for command in _texts(child(step, "run"), file):
            folder = command.folder or folder
            yield Command(command.argv, command.where, command.env, folder, conditional="matrix." in condition)


def _texts(node: Node | None, file: str, depth: int = 0) -> Iterator[Command]:
    if isinstance(node, ScalarNode):
        block = node.style in {"|", ">"}
        yield from shell.commands(str(node.value), file, node.start_mark.line + 1 + block)
    for inner in items(node) if depth < 2 else []:
        yield from _texts(inner, file, depth + 1)


def _others(node: Node | None, file: str, seen: set[int] | None = None) -> Iterator[Command]:
    """Yield the commands of a file of another service: what it runs stands behind a few keys, at any depth."""
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:  # an anchor may be used in many places
        return
    seen.add(id(node))
    entries = sorted(pairs(node), key=lambda pair: KEYS.index(pair[0]) if pair[0] in KEYS else len(KEYS))
    for key, value in entries:
        if key in KEYS and not isinstance(value, MappingNode):
            yield from _texts(value, file)
    for inner in [*(value for _, value in entries), *items(node)]:
        yield from _others(inner, file, seen)
