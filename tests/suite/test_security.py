"""Every claim of docs/security.md has a test."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs/security.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named - set(re.findall(r"^def (test_\w+)\(", code, re.MULTILINE)) == set()
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_every_row_of_the_threat_model_names_its_tests() -> None:
    section = PAGE.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    assert [row for row in rows if not re.search(r"(`test|tests/act|setting)[^|]*\|\Z", row)] == []
