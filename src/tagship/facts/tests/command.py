"""The test command as the session runs it: without coverage, reports, and values that only a CI run has."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from . import files
from .tox import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .declared import Project
    from .model import Command

#: Options of pytest that measure, report or distribute the tests, or also lint; some take the next word.
DROPPED = re.compile(
    r"--(no-)?cov(-\w+)*(=.*)?|--junit-?xml(=.*)?|--(self-contained-)?html(=.*)?|--durations(-min)?(=.*)?"
    r"|--colou?r(=.*)?|-[vqxl]+|--verbose"
    r"|--quiet|-r\w*|--tb(=.*)?|-x|--exitfirst|--maxfail(=.*)?|-n\d*|-nauto|-nlogical|--numprocesses(=.*)?|--dist(=.*)?"
    r"|--(mypy|flake8|black|isort|ruff|pylint|pycodestyle|pydocstyle|codestyle|docstyle)(-\S+)?"
    r"|--benchmark-\S+|--report-log(=.*)?|--codeblocks|--ff|--failed-first|--lf|--nf|--sw|--md(=.*)?|--github-\S+|--showlocals|-l"
)
TAKES = {
    "--cov-report", "--cov-config", "--cov-context", "--cov-fail-under", "--junitxml", "--junit-xml", "--html",
    "--durations", "--durations-min",
    "--color", "-r", "--tb", "--maxfail", "-n", "--numprocesses", "--dist", "--report-log",
}  # fmt: skip
#: Environment variables that do not affect the tests.
NOT_SET = re.compile(
    r"(COV|CODECOV|COVERALLS|PIP_|UV_|PY_COLORS|FORCE_COLOR|NO_COLOR|TERM|CI|GITHUB_|GH_|VIRTUALENV|TOX|PREFIX|PATH"
    r"|PYTHON(HASHSEED|DONTWRITE|UNBUFFERED)).*"
)
#: Options whose value is the next word, which must be removed with them.
VALUED = {
    "-k",
    "-m",
    "-p",
    "-c",
    "-W",
    "-o",
    "--ignore",
    "--deselect",
    "--rootdir",
    "--timeout",
    "--import-mode",
    "--ds",
}


def settled(found: Command, project: Project) -> list[str]:
    """Return the command of `found` with arguments that are valid anywhere; `pytest` instead of its other forms."""
    program, *rest = found.argv
    program = program.rpartition("/")[2]
    folder = found.folder if _is_there(found.folder, project.root) else ""
    if program == "python" and rest[:1] == ["setup.py"]:
        return []
    if program in {"nosetests", "nose2", "green", "ward"}:
        return [] if program == "nosetests" else [program, *_known(rest)]
    if program in {"pytest", "py.test"}:
        command = ["pytest", *_of_pytest(rest, project, folder)]
    elif rest[:2] == ["-m", "pytest"]:
        command = ["python", "-m", "pytest", *_of_pytest(rest[2:], project, folder)]
    else:
        command = [program, *_by_packages(_known(rest), project)]
        if folder:
            command = ["sh", "-c", f"cd {folder} && {' '.join(command)}"]
    env = [each for each in found.env if not re.search(r"\$|=$", each) and not NOT_SET.match(each)]
    env = [kept for each in env if (kept := _off_the_checkout(each, project, found.folder))]
    return [*(["env", *env] if env else []), *command]


def _by_packages(words: list[str], project: Project) -> list[str]:
    """Return arguments for `unittest discover` with which tests inside of packages are found by their full names.

    Given a package's folder alone, unittest would import the package as a top-level one, from the checkout.
    """
    at = words.index("-s") + 1 if "-s" in words and "-t" not in words else len(words)
    if words[:3] != ["-m", "unittest", "discover"] or at == len(words):
        return words
    folder = PurePosixPath(words[at])
    top = next((each for each in folder.parents if project.holds_its_modules(str(each))), None)
    place = project.root / folder
    inside = [path.parent.name for path in place.glob("*/__init__.py")]
    if top is None or not (inside or (place / "__init__.py").is_file()):
        return words
    if not (place / "__init__.py").is_file() and len(inside) == 1:  # a namespace package, unknown to unittest
        folder /= inside[0]
    return [*words[:at], str(folder), "-t", str(top), *words[at + 1 :]]


def _off_the_checkout(variable: str, project: Project, folder: str) -> str:
    """Return a variable and its value; PYTHONPATH is without the folders of modules that are in the wheel."""
    name, _, value = variable.partition("=")
    if name != "PYTHONPATH":
        return variable
    folders = [posixpath.normpath(posixpath.join(folder, each)) for each in value.split(":") if each]
    kept = [each for each in folders if _is_there(each, project.root) and not project.holds_its_modules(each)]
    return f"{name}={':'.join(kept)}" if kept else ""


def _known(words: list[str]) -> list[str]:
    """Return the words that are the same in every run."""
    return [word for word in words if "$" not in word and word not in {"-v", "--verbose", "-q"}]


def _of_pytest(words: list[str], project: Project, folder: str) -> list[str]:
    place = project.root / folder
    modules = [word.partition(f"{INSTALLED}/")[2].removesuffix(".py").replace("/", ".") for word in words]
    if any(modules):  # pytest finds what is installed by its name, too
        words = ["--pyargs", *(module or word for module, word in zip(modules, words, strict=True))]
    kept = [*_options(words, place)]
    if any(modules) and not {*modules} & {*kept} - {""}:  # such as that of `--cov`
        kept.remove("--pyargs")
    kept = [word for at, word in enumerate(kept) if word not in kept[:at] or not _is_there(word, place)]
    paths = [word for word in kept if _is_there(word, place)]
    if folder:
        kept = [folder if word == "." else f"{folder}/{word}" if word in paths else word for word in kept]
        kept += [] if paths else [folder]
    extra = files.ignored(project)
    return [*kept, *(word for word in extra if word not in kept)]


def _options(words: list[str], folder: Path) -> Iterator[str]:
    waiting, skipped = "", False
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        if skipped:
            skipped = False
        elif waiting:
            if "$" not in word:
                yield waiting
                yield word
            waiting = ""
        elif word in VALUED or _takes(word, following, folder):
            waiting = word
        elif DROPPED.fullmatch(word):
            # `--cov NAME` is like `--cov=NAME`, unless it is followed by a folder of tests.
            optional = word == "--cov" and following and not following.startswith("-") and "test" not in following
            skipped = word in TAKES or bool(optional)
        elif (
            "$" not in word
            and "{" not in word
            and (word.startswith("-") or _is_there(word, folder) or "--pyargs" in words)
        ):
            yield word.removeprefix("./") or "."


def _takes(word: str, following: str, folder: Path) -> bool:
    """Return whether `following` can only be the value of the option `word`: no option and no path."""
    if not word.startswith("--") or "=" in word or DROPPED.fullmatch(word) or not following:
        return False
    return not re.match(r"-|.*[${/]|.*\.py", following) and not _is_there(following, folder)


def _is_there(word: str, folder: Path) -> bool:
    path = word.partition("::")[0]
    try:
        return (folder / path).exists() and not path.startswith(("/", ".."))
    except (OSError, ValueError):
        return False
