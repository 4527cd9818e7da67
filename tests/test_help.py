"""`--help` of each command: with valid examples, and nothing truncated."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from tagship.cli import main
from tests.conftest import run

COMMANDS = sorted(main.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_s_help_has_examples_that_are_valid_and_nothing_is_cut_off(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"], terminal_width=80)
    assert done.exit_code == 0
    shown, examples = done.output.split("  Examples:\n")
    assert max(map(len, done.output.splitlines())) <= 80
    # Those in the line of usage mean that there may be more than one.
    assert "..." not in shown.partition("\n")[2]
    for line in examples.splitlines():
        program, command, *arguments = shlex.split(re.split(" {2,}| >", line.strip())[0])
        assert (program, command) == ("tagship", name)
        with Context(main) as context:
            main.commands[name].make_context(name, arguments, context)  # refuses unknown options


def test_the_list_of_commands_says_what_each_does_in_one_line() -> None:
    done = CliRunner().invoke(main, ["--help"], terminal_width=80)
    lines = re.findall(r"^  (\w+) +(\S.*)$", done.output.partition("Commands:\n")[2], re.MULTILINE)
    assert [name for name, _ in lines] == COMMANDS
    assert all(said.endswith(".") and "..." not in said for _, said in lines)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_inv_release_help_is_that_of_the_task(suite: Path, option: str) -> None:
    said = run(sys.executable, "-m", "invoke", "release", option, cwd=suite).stdout
    assert said.startswith("Usage: inv")
    assert all(word in said for word in ("--dry-run", "--push", "major, minor, patch"))
