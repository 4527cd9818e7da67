"""One suite, the same bytes everywhere; nothing in it is rendered."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tagship import suite
from tests.conftest import ROOT

TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"


def tracked() -> list[Path]:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in files.split("\0") if name]


def test_the_templates_copies_are_the_roots_bytes() -> None:
    paths = suite.managed(ROOT)
    assert Path("noxfile.py") in paths
    drifted = suite.drift(TEMPLATE, ROOT, paths)
    assert not drifted, f"{', '.join(map(str, drifted))} differ in the template; run: python3 dev sync"
    assert suite.managed(ROOT) == [
        path.relative_to(TEMPLATE) for path in sorted(TEMPLATE.rglob("*")) if path.relative_to(TEMPLATE) in paths
    ]


def test_nothing_but_the_suite_is_in_the_templates_folder_for_github() -> None:
    paths = {TEMPLATE / path for path in suite.managed(ROOT)}
    there = {path for path in (TEMPLATE / ".github").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert there <= paths, "run: python3 dev sync"


def test_drift_names_what_is_missing_and_what_differs(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text("other")
    assert suite.drift(tmp_path, ROOT, [Path("noxfile.py"), Path("tasks.py")]) == [
        Path("noxfile.py"),
        Path("tasks.py"),
    ]
    assert suite.drift(ROOT, ROOT, [Path("noxfile.py")]) == []


def test_no_code_and_no_workflow_holds_jinja() -> None:
    code = [path for path in tracked() if path.suffix in {".py", ".yml", ".yaml"}]
    assert code
    # A hook gets the answers in the one way that cookiecutter has; see hooks/pre_gen_project.py.
    inside = {path for path in code if path.parent.name not in {"hooks", "tests"} and not {"tests", "benchmarks"} & set(path.parts)}
    assert not [
        path
        for path in inside
        if re.search(r"{%|{{\s*cookiecutter\.", path.read_text(encoding="utf-8").replace(TEMPLATE.name, ""))
    ]


def test_the_managed_files_have_unix_line_ends() -> None:
    assert not [path for path in suite.managed(ROOT) if b"\r" in (ROOT / path).read_bytes()]


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_code_is_clean(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
