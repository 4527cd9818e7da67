"""If act is missing, tests are skipped with the reason, but CI fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, try_run

pytestmark = pytest.mark.slow

TEST = "tests/act/test_release.py::test_a_push_to_another_branch_starts_nothing"


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_act_the_tests_are_skipped_and_ci_fails(ci: str, status: int, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\n")
    go.chmod(0o755)
    options = ("-q", "-rs", "-p", "no:xdist", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}")
    done = try_run(sys.executable, "-m", "pytest", *options, TEST, cwd=ROOT, CI=ci, PATH=f"{tmp_path}:/usr/bin:/bin")
    words = "act is not on the path: go install github.com/nektos/act@v0.2.87"
    assert done.returncode == status, done.stdout
    assert words in done.stdout
    assert ("1 skipped" in done.stdout) == (status == 0)
