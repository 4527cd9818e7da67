"""One suite, the same bytes everywhere; nothing in it is rendered."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from dev.sync import workflows

from tagship import suite
from tests.conftest import ROOT

TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"


def tracked() -> list[Path]:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in files.split("\0") if name]


def test_the_templates_copies_are_the_roots_bytes() -> None:
    paths = [path for path in suite.managed(ROOT) if path != suite.WORKFLOW]
    assert Path("noxfile.py") in paths
    drifted = suite.drift(TEMPLATE, ROOT, paths)
    assert not drifted, f"{', '.join(map(str, drifted))} differ in the template; run: python3 dev sync"
    assert paths == [
        path.relative_to(TEMPLATE) for path in sorted(TEMPLATE.rglob("*")) if path.relative_to(TEMPLATE) in paths
    ]


def test_the_templates_workflows_are_the_roots_behind_a_name_that_chooses() -> None:
    found = {path: path.read_bytes().decode() for path in (TEMPLATE / suite.WORKFLOW.parent).iterdir()}
    assert found == workflows(), "run: python3 dev sync"


def test_there_is_a_workflow_for_each_way_of_publishing() -> None:
    choices = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))["publish_with"]
    assert list(suite.WORKFLOWS) == choices
    assert {path.stem for path in (ROOT / "templates/workflows").iterdir()} == set(choices[1:])


def test_nothing_but_the_suite_is_in_the_templates_folder_for_github() -> None:
    paths = {*workflows(), *(TEMPLATE / path for path in suite.managed(ROOT))}
    there = {path for path in (TEMPLATE / ".github").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert there <= paths, "run: python3 dev sync"


def test_drift_names_what_is_missing_and_what_differs(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text("other")
    assert suite.drift(tmp_path, ROOT, [Path("noxfile.py"), Path("tasks.py")]) == [
        Path("noxfile.py"),
        Path("tasks.py"),
    ]
    assert suite.drift(ROOT, ROOT, [Path("noxfile.py"), suite.WORKFLOW]) == []
    assert suite.drift(ROOT, ROOT, [Path("noxfile.py"), suite.WORKFLOW], "gh-action-pypi-publish") == [suite.WORKFLOW]


def test_no_code_and_no_workflow_holds_jinja() -> None:
    code = [path for path in tracked() if path.suffix in {".py", ".yml", ".yaml"}]
    assert code
    # A hook gets the answers in the one way that cookiecutter has; see hooks/pre_gen_project.py.
    ours = {"tests", "benchmarks", "dev", "hooks"}
    inside = {path for path in code if not ours & set(path.relative_to(ROOT).parts)}
    assert not [
        path
        for path in inside
        if re.search(r"{%|{{\s*cookiecutter\.", path.read_text(encoding="utf-8").replace(TEMPLATE.name, ""))
    ]


def test_nobody_is_told_to_trust_a_name_that_anybody_could_take() -> None:
    """The name is free at the index, and so is the account of that name: whoever takes it would be installed."""
    told = re.compile(
        r"(pip|pipx|uv|uv tool) (install|run) ['\"]?tagship\b|uvx tagship|gh:tagship/|github\.com/tagship/"
    )
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in tracked() if path.is_file()}
    assert len(texts) > 200
    found = {path.relative_to(ROOT).as_posix() for path, text in texts.items() if told.search(text)}
    assert found <= {"tests/test_suite.py"}, "which has the pattern itself"
    assert told.search("run: pip " + "install tagship")


def test_the_managed_files_have_unix_line_ends() -> None:
    assert not [path for path in suite.managed(ROOT) if b"\r" in (ROOT / path).read_bytes()]


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_code_is_clean(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
