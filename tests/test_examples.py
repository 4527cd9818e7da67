"""The commands and settings in the docs exist, and those that need neither GitHub nor an index run in a new project."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import click
import pytest
from invoke.tasks import Task

from tagship.cli import main
from tagship_suite import sessions, tasks
from tagship_suite.config import load
from tests.conftest import commit, git, try_run

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))}
#: The noxfile of a project has `lint` too, and that of this repository `sync` and `docs`.
SESSIONS = {str(getattr(each, "name", "")) for each in vars(sessions).values()} | {"lint", "sync", "docs"}
TASKS = {name for name, each in vars(tasks).items() if isinstance(each, Task)}


#: Words of commands that need GitHub, an index, several distributions or a file; the rest runs offline.
ELSEWHERE = re.compile(r"doctor|verify|publish(-test)?|github-release|a/.*|FILE")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """Return the commands in the console blocks of a page, as arguments, without their environment."""
    lines = [line.removeprefix("$ ") for block in blocks(text, "console") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines if re.match(r"(\w+=\S* )*(tagship|inv|nox)\b", line)]
    return [[word for word in each if not re.match(r"[A-Z_]+=", word)] for each in words]


def complaint(words: list[str]) -> str:
    """Return what is wrong with a command, by the parser of the program itself where it has one."""
    program, *rest = words
    if program == "nox":
        named = takewhile(lambda word: not word.startswith("-"), rest[1:] if rest[:1] == ["-s"] else [])
        return ", ".join(f"no session {name}" for name in named if re.sub(r"-3\.\d+$", "", name) not in SESSIONS)
    if program == "inv":
        return "" if rest[0].startswith("-") or rest[0] in TASKS else f"no task {rest[0]}"
    if rest[0].startswith("-"):
        return ""
    if rest[0] not in main.commands:
        return f"no command {rest[0]}"
    command = main.commands[rest[0]]
    try:
        command.make_parser(click.Context(command)).parse_args(rest[1:])
    except click.UsageError as error:
        return error.message
    return ""


@pytest.mark.parametrize("name", PAGES)
def test_each_command_in_the_docs_exists_with_its_options(name: str) -> None:
    assert [(" ".join(words), said) for words in commands(PAGES[name]) if (said := complaint(words))] == []


@pytest.mark.parametrize("name", PAGES)
def test_each_setting_in_the_docs_is_valid(name: str, tmp_path: Path) -> None:
    for block in blocks(PAGES[name], "toml"):
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        load(tmp_path)


def offline(words: list[str]) -> list[str]:
    """Return the form of a command that runs in a new project without a network; [] if there is none."""
    if len(words) == 1 or any(map(ELSEWHERE.fullmatch, words[1:])):
        return []
    words = ["." if word.startswith("PATH") else word for word in takewhile(lambda word: word != ">", words)]
    more = {"plan": ["--offline"], "rehearse": ["--quick"]}
    return words + [option for option in more.get(words[1], []) if option not in words]


def expected(words: list[str]) -> set[int]:
    """Return the exit statuses of an example: some show a failure, and a plan may find problems in a new project."""
    return {0, 1} if words[1] == "plan" else {1} if "--fail" in words and "list" not in words else {0}


RUN = {name: found for name, text in PAGES.items() if (found := list(filter(None, map(offline, commands(text)))))}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_the_commands_of_a_page_run_one_after_the_other(name: str, project: Path) -> None:
    (project / "CHANGELOG.md").unlink()  # else each release needs a change that it can name
    (project / "repositories.txt").write_text(".\n")
    commit(project)
    git(project, "clone", "-q", "--bare", ".", "../remote.git")
    git(project, "remote", "add", "origin", "../remote.git")
    if any("--quick" in words for words in RUN[name]):
        assert try_run("nox", "-s", "build", cwd=project).returncode == 0
    for words in RUN[name]:
        done = try_run(*words, cwd=project)
        assert done.returncode in expected(words), f"{' '.join(words)} exited {done.returncode}:\n{done.stdout}"
