"""What a person at a terminal sees of `tagship rehearse`."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tagship.rehearsal.failures import FAILURES
from tests.conftest import ROOT, git, run, try_run
from tests.rehearse.command import TAGSHIP
from tests.terminal import on_terminal

RED, YELLOW = "\x1b[31m", "\x1b[33m"


@pytest.mark.slow
def test_it_shows_what_runs_and_colours_what_failed_except_for_no_color_and_ci(built: Path) -> None:
    wrong = (*TAGSHIP, "rehearse", "--quick", "--tag", "v9.9.9")
    status, got = on_terminal(*wrong, cwd=built)
    assert status == 1
    first, second, *_ = got.splitlines()
    assert first == f"rehearsing my-package at {git(built, 'rev-parse', 'HEAD')[:12]}"
    assert second == "as if v9.9.9 were pushed"
    assert re.search(r"nox -s verify-version {20,} \d\.\d s  …", got)  # while it runs
    assert f"{RED}failed\x1b[0m" in got
    assert f"{RED}error:\x1b[0m tag 'v9.9.9'" in got
    assert f"{YELLOW}not run\x1b[0m" in got
    assert got.endswith("\x1b[0m\r\n")
    for variable in ("NO_COLOR", "CI"):
        status, got = on_terminal(*wrong, cwd=built, **{variable: "1"})
        assert (status, "\x1b[3" in got) == (1, False), got
    assert "\x1b" not in got, "in CI, there is no progress"
    assert RED in try_run(*wrong, cwd=built, FORCE_COLOR="1").stdout


def test_fail_list_names_each_failure_and_what_it_shows(tmp_path: Path) -> None:
    lines = run(*TAGSHIP, "rehearse", "--fail", "list", cwd=tmp_path).stdout.splitlines()
    assert dict(re.split(r"  +", line, maxsplit=1) for line in lines) == FAILURES


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (["rehearse", "--fail", "wrong-enviroment"], "did you mean 'wrong-environment'?"),
        (["rehearse", "--quik"], "Did you mean '--quick'?"),
        (["reherse"], "Did you mean 'rehearse'?"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(tmp_path: Path, wrong: list[str], meant: str) -> None:
    done = try_run(*TAGSHIP, *wrong, cwd=tmp_path)
    assert (done.returncode, meant in done.stdout) == (2, True), done.stdout


COMPLETIONS = pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rehearse --fail wrong-", {"wrong-environment", "wrong-workflow-file"}),
        ("rehearse --format ", {"text", "json"}),
        ("audit --format s", {"sarif"}),
        ("rehea", {"rehearse"}),
    ],
)


@COMPLETIONS
def test_bash_completes_commands_and_the_values_of_options(tmp_path: Path, typed: str, completed: set[str]) -> None:
    tagship = Path(sys.executable).with_name("tagship")
    words = ["tagship", *typed.split(" ")]
    script = f'''
        source <(_TAGSHIP_COMPLETE=bash_source {tagship})
        COMP_WORDS=({" ".join(words[:-1])} "{words[-1]}") COMP_CWORD={len(words) - 1}
        _tagship_completion {tagship}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    '''
    assert set(run("bash", "-c", script, cwd=tmp_path).stdout.split()) == completed


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@COMPLETIONS
def test_fish_completes_the_same_with_the_line_in_the_docs(tmp_path: Path, typed: str, completed: set[str]) -> None:
    page = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    file = tmp_path / "fish/completions/tagship.fish"
    file.parent.mkdir(parents=True)
    file.write_text(page.partition("```fish\n")[2].partition("```")[0])
    done = run("fish", "-c", f"complete -C 'tagship {typed}'", cwd=tmp_path, XDG_CONFIG_HOME=str(tmp_path))
    assert {each.partition("\t")[0] for each in done.stdout.splitlines()} == completed
