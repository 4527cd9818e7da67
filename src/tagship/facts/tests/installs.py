"""What a command installs: pip, uv, Poetry, PDM and Pipenv, as CI services, tox and nox call them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .model import Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .declared import Project
    from .model import Command

#: Packages that run the tests from outside, report, or build, which the tests do not import.
TOOLS = re.compile(
    r"(pip|setuptools|wheel|build|twine|tox(-.*)?|nox|uv|hatch|poetry|pdm|pipenv|virtualenv|coveralls|codecov|flake8"
    r"|black|yapf|isort|ruff|mypy|(based)?pyright|pre-commit|pylint|cibuildwheel|auditwheel|prek"
    r"|pytest-github-actions-annotate-failures)(\[.*\])?([<>=!~ ].*)?"
)
VALUED = {
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--python", "-p", "--prefix", "-t", "--target",
    "--root", "--no-binary", "--only-binary", "--upgrade-strategy", "--platform", "--progress-bar", "--index",
    "--no-build-isolation-package", "--directory", "--project", "--timeout", "--retries", "--cache-dir", "-C",
    "--config-settings", "--link-mode", "--resolution", "--prerelease", "--index-strategy", "--src", "--log",
}  # fmt: skip

#: Short options without a value that come before another one in the same word: `-Ur FILE`.
FLAGS = re.compile(r"^-[UIqv]+(?=[A-Za-z])")


def installed(command: Command, project: Project) -> Needs:
    """Return what `command` installs for the tests; nothing if it does something else."""
    argv = list(command.argv)
    if argv[:2] == ["python", "-m"]:
        argv = argv[2:]
    program, *rest = argv or [""]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    if re.fullmatch(r"pip[\d.]*", program) and rest[:1] == ["install"]:
        return pip(rest[1:], project, command.where)
    if program == "uv" and rest[:1] == ["sync"]:
        return uv(rest[1:], project, command.where)
    if program in {"poetry", "pdm", "pipenv"} and rest[:1] and rest[0] in {"install", "sync"}:
        return {"poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv}[program](rest[1:], project, command.where)
    return Needs()


def pip(arguments: list[str], project: Project, where: str) -> Needs:
    """Return the requirements in these arguments of `pip install`."""
    found = Needs()
    for option, value in _options(
        arguments, {"-r", "--requirement", "-c", "--constraint", "-e", "--editable", "--group"}
    ):
        if "$" in value or "{" in value:
            continue
        if option in {"-r", "--requirement"}:
            path = value.removeprefix("./")
            inside = (project.root / path).is_file()
            found += project.requirements_file(path, where) if inside else Needs()
        elif option in {"-c", "--constraint"}:
            found += Needs((f"-c {value}",), source=where) if (project.top / value).is_file() else Needs()
        elif option == "--group":
            found += project.group(value, where) or Needs()
        elif not option and TOOLS.fullmatch(value):
            continue
        elif option or not _is_path(value):
            found += project.arguments([f"-e {value}" if option else value], "", where) if _is_kept(value) else Needs()
    return found


def _is_path(value: str) -> bool:
    """Return whether it is a dist or another project in a folder, not the project itself."""
    return value != "./" and bool(re.match(r"(\.{1,2}|~)?/|\.\.|dist\b|.*\.(whl|tar\.gz)$", value))


def _is_kept(value: str) -> bool:
    return bool(re.match(r"[A-Za-z0-9.]", value)) and not re.match(r"\.\.|git\+", value)


def uv(arguments: list[str], project: Project, where: str) -> Needs:
    """Return what `uv sync` or `uv run` installs with these arguments."""
    given = [
        *_options(arguments, {"--group", "--extra", "--only-group", "--no-group", "--with", "--with-requirements"})
    ]
    flags = {option for option, value in given if not value} | {value for option, value in given if not option}
    only = [value for option, value in given if option == "--only-group"]
    without = {value for option, value in given if option == "--no-group"}
    default = project.tool.get("uv", {}).get("default-groups", ["dev"])
    names = [*only, *(value for option, value in given if option == "--group")]
    if "--all-groups" in flags or (default == "all" and not only):
        names += project.groups
    elif not only and not flags & {"--no-dev", "--no-default-groups"} and isinstance(default, list):
        names += default
    found = Needs()
    for name in names:
        found += (project.group(name, where) if name not in without else None) or Needs()
    extras = [*project.extras] if "--all-extras" in flags else [v for option, v in given if option == "--extra"]
    for name in extras:
        found += project.extra(name, where)
    more = [v for option, value in given if option == "--with" for v in value.split(",") if _is_kept(v)]
    return found + project.arguments(more, "", where)


def _poetry(arguments: list[str], project: Project, where: str) -> Needs:
    given = [*_options(arguments, {"--with", "--without", "--only", "-E", "--extras"})]
    flags = {option for option, value in given if not value} | {value for option, value in given if not option}
    named = {key: {n for o, v in given if o == key for n in v.split(",")} for key in ("--with", "--without", "--only")}
    tables = project.tool.get("poetry", {}).get("group", {})
    every = [*project.tools["poetry"], *project.groups]
    names = [name for name in every if not tables.get(name, {}).get("optional") or name in named["--with"]]
    names = [name for name in names if name in named["--only"]] if named["--only"] else names
    found = Needs()
    for name in () if "--no-dev" in flags else names:
        found += (project.group(name, where) if name not in named["--without"] else None) or Needs()
    wanted = [n for option, value in given if option in {"-E", "--extras"} for n in re.split(r"[\s,]+", value)]
    for name in [*project.extras] if "--all-extras" in flags else wanted:
        found += project.extra(name, where)
    return found


def _pdm(arguments: list[str], project: Project, where: str) -> Needs:
    given = [*_options(arguments, {"-G", "--group", "--with", "--without"})]
    flags = {option for option, value in given if not value} | {value for option, value in given if not option}
    named = [n for option, value in given if option in {"-G", "--group", "--with"} for n in value.split(",")]
    dev = [*project.tools["pdm"], *project.groups]
    names = [] if flags & {"--prod", "--production", "--no-default"} else dev
    names = [*names, *named] if ":all" not in named else [*dev, *project.extras]
    names = names if not named or not {*named} & {*dev} else [n for n in names if n in named or n in project.extras]
    found = Needs()
    for name in names:
        found += project.group(name, where) or project.extra(name, where)
    return found


def _pipenv(arguments: list[str], project: Project, where: str) -> Needs:
    from tagship_suite.files import load_toml

    if not {"--dev", "-d"} & {*arguments}:
        return Needs()
    table = load_toml(project.root / "Pipfile").get("dev-packages", {})
    lines = [
        f"{name}{'' if version == '*' else version}" for name, version in table.items() if isinstance(version, str)
    ]
    return Needs(tuple(lines), source=where)


def _options(arguments: list[str], valued: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the option ("" for none) and the value of each argument; values of other options are left out."""
    waiting = ""
    for argument in (FLAGS.sub("-", each) for each in arguments):
        option, _, value = argument.partition("=")
        short = next((each for each in valued if len(each) == 2 and argument.startswith(each) and argument != each), "")
        if waiting:
            if waiting in valued:
                yield waiting, argument
            waiting = ""
        elif argument.startswith("--") and value and option in valued:
            yield option, value
        elif argument in valued or argument in VALUED:
            waiting = argument
        elif short and not argument.startswith("--"):
            yield short, argument[2:].lstrip("=")
        elif argument.startswith("-"):
            yield argument, ""
        else:
            yield "", argument
