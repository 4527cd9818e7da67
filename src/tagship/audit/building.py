"""Which commands and actions of a job build dists, and which write the version of these."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from tagship.facts.publishing.shell import base

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagship.facts.model import Evidence
    from tagship.facts.publishing.shell import Command
    from tagship.facts.publishing.walk import Walk

BUILD_VERBS = {
    "poetry": {"build"},
    "flit": {"build", "publish"},  # it builds and publishes
    "hatch": {"build"},
    "uv": {"build"},
    "pdm": {"build", "publish"},
    "maturin": {"build", "publish", "develop"},
    "rye": {"build"},
    "setup.py": {"sdist", "bdist_wheel", "bdist", "build"},
    "pip": {"wheel"},
    "cibuildwheel": set(),
    "pyproject-build": set(),
}
BUILD_ACTIONS = (
    "pypa/cibuildwheel",
    "hynek/build-and-inspect-python-package",
    "jrubics/poetry-publish",
    "pyo3/maturin-action",
)
INTERPRETERS = re.compile(r"python[\d.]*|bash|sh|node")
TASK_RUNNERS = frozenset({"make", "just", "task", "tox", "nox", "invoke", "inv", "npm", "yarn", "pnpm"})
TESTS = frozenset({"pytest", "py.test", "unittest", "nosetests", "stestr", "zope-testrunner", "zope.testrunner"})
VARIABLE = re.compile(r"\$|%\w+%")
VERSION_OF_TOOL = {"poetry": {"version"}, "hatch": {"version"}, "uv": {"version"}, "pdm": {"bump"}, "npm": {"version"}}
PRETENDED = re.compile(
    r"(?:SETUPTOOLS_SCM|HATCH_VCS|PDM_SCM|VERSIONINGIT|DUNAMAI|POETRY_DYNAMIC_VERSIONING)\w*(?:PRETEND|BYPASS|OVERRIDE)\w*|PBR_VERSION",
    re.IGNORECASE,
)


def built(walk: Walk) -> Evidence | None:
    """Return the line in a job that builds dists; None if it builds none."""
    for line, command in walk.ran:
        if is_build(command):
            return line
    for line, action, inputs in walk.used:
        name = action.partition("@")[0].lower()
        if name in BUILD_ACTIONS and inputs.get("command", "build") not in {"upload", "sdist-upload"}:
            return line
    return None


def is_build(command: Command) -> bool:
    """Return whether a command builds dists."""
    words = command.words
    for at, word in enumerate(words):
        name = base(word)
        if name == "build" and (words[at - 1 : at] == ("-m",) or words[:at] == ("pipx", "run")):
            return True
        if name in BUILD_VERBS:
            rest = [each for each in words[at + 1 :] if not each.startswith("-")]
            if not BUILD_VERBS[name]:
                return at == 0 or words[at - 1] in {"-m", "run"} or (words[0] == "uvx" and words[at - 1] != "--from")
            if "--no-build" not in words and (
                (rest[:1] and rest[0] in BUILD_VERBS[name])
                or (name == "setup.py" and BUILD_VERBS[name].intersection(rest))
            ):
                return True
            if name == "poetry" and rest[:1] == ["publish"] and "--build" in words:
                return True
    return False


def runs_code(command: Command, is_file: Callable[[str], bool]) -> bool:
    """Return whether a command runs a script of the repository, or a tool whose tasks its files define."""
    name, given = base(command.words[0]) if command.words else "", [w for w in command.words if w[:1] != "-"]
    script = "".join(given[1:2] if INTERPRETERS.fullmatch(name) else given[:1])
    if name in TASK_RUNNERS:
        return not {"-g", "--global", "global", "--version"}.intersection(command.words)
    return ("/" in script or "." in script) and is_file(script.removeprefix("./"))


def is_test(command: Command) -> bool:
    """Return whether a command runs tests; of tox and nox, only the named environments and sessions count."""
    words = command.words
    if {"install", "add", "sync", "echo"}.intersection(words[:4]):
        return False
    names = {base(word) for word in words}
    if TESTS & names or words[:2] == ("hatch", "test"):
        return True
    chosen = [word for option, word in pairwise(words) if option in {"-e", "-s", "--session", "--sessions"}]
    return bool({"tox", "nox"} & names) and (not chosen or any(re.search(r"test|^py|\$", each) for each in chosen))


def makes_version(command: Command) -> bool:
    """Return whether a command writes a version that it gets from a variable."""
    words, name = command.words, command.name
    if any(PRETENDED.fullmatch(key) and VARIABLE.search(value) for key, value in command.assigned):
        return True
    for at, word in enumerate(words[:-1]):
        tool = word.rpartition("/")[2]
        if words[at + 1] in VERSION_OF_TOOL.get(tool, ()):
            return any(VARIABLE.search(each) and not each.startswith("-") for each in words[at + 2 :])
    if name in {"bump2version", "bumpversion", "bump-my-version"}:
        return any("new-version" in each and VARIABLE.search(" ".join(words)) for each in words)
    text = " ".join(words)
    if name in {"sed", "perl", "gsed"} and re.search(r"version", text, re.IGNORECASE):
        edits = name == "perl" or any(
            word.startswith(("-i", "--in-place")) or re.fullmatch(r"-\w*i\w*", word) for word in words
        )
        return edits and bool(VARIABLE.search(re.sub(r"\$(?=[/|'\"]|$)", "", text)))
    if name in {"echo", "printf"} and ">" in text:
        target = text.rpartition(">")[2]
        return (
            bool(re.search(r"version", target, re.IGNORECASE))
            and "GITHUB_" not in target
            and bool(VARIABLE.search(text.partition(">")[0]))
        )
    return False
