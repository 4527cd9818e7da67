"""What `tagship audit` prints, in each format, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dev import sync

from tagship.audit import zizmor
from tagship.cli import main
from tests.audit.test_rules import BAD, GOOD, PUBLISH
from tests.conftest import check_schema
from tests.facts.test_publishing import write

SCHEMA = Path(__file__).with_name("sarif-2.1.0.json")  # the parts of the standard's that a log uses
BROKEN = {PUBLISH: "jobs: [\n"}


def audit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


@pytest.fixture
def repositories(tmp_path: Path) -> dict[str, Path]:
    kinds = {"good": {PUBLISH: GOOD}, "bad": BAD["long-lived-credential"], "broken": BROKEN}
    return {name: write(tmp_path / name, files) for name, files in kinds.items()}


@pytest.mark.parametrize(("name", "status"), [("good", 0), ("bad", 1), ("broken", 2), ("missing", 2)])
def test_the_exit_status_says_what_was_found(repositories: dict[str, Path], name: str, status: int) -> None:
    path = repositories.get(name, Path("no such folder"))
    assert audit("--no-zizmor", path).exit_code == status


def test_text_names_the_line_the_job_why_it_matters_and_what_to_do(repositories: dict[str, Path]) -> None:
    lines = audit("--no-zizmor", repositories["bad"]).stdout.splitlines()
    assert lines[0].startswith(f"error: {PUBLISH}:22 (job publish): A long-lived credential publishes: the token PYPI")
    assert lines[1].startswith("  why: Anyone who gets hold of a stored token or password")
    assert lines[2].startswith("  do:  register a trusted publisher")
    assert lines[-1].endswith("bad: 1 finding")


def test_a_file_that_cannot_be_read_is_one_line_without_a_traceback(repositories: dict[str, Path]) -> None:
    result = audit("--no-zizmor", repositories["broken"], repositories["bad"])
    assert f"error: {PUBLISH}:2: no valid YAML" in result.stdout
    assert "A long-lived credential publishes" in result.stdout
    assert "Traceback" not in result.output


UNREADABLE: dict[str, tuple[dict[str, bytes], str]] = {
    "broken TOML": ({"pyproject.toml": b"a = [\n"}, "error: pyproject.toml: found Invalid value"),
    "a broken setup.cfg": ({"setup.cfg": b"a\n"}, "error: setup.cfg: found File contains no section headers"),
    "a binary setup.py": ({"setup.py": bytes(range(256))}, "error: setup.py: found not Python"),
    "nothing": ({}, ": found no workflow and no distribution, expected "),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_named_and_the_other_findings_are_reported(tmp_path: Path, kind: str) -> None:
    files, expected = UNREADABLE[kind]
    bad = tmp_path / "a\nb"
    bad.mkdir()
    for name, content in files.items():
        (bad / name).write_bytes(content)
    result = audit("--no-zizmor", bad, write(tmp_path / "good", {PUBLISH: GOOD}))
    assert result.exit_code == 2
    first, second, third = result.stdout.splitlines()
    assert expected in first
    assert second == f"{tmp_path}/a\\nb: no findings, 1 not read"
    assert third.endswith("good: no findings")


def test_json_is_one_line_a_repository_in_their_order(repositories: dict[str, Path]) -> None:
    lines = audit("--no-zizmor", "--format", "json", *repositories.values()).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [(answer["path"], answer["status"]) for answer in answers] == [
        (str(path), status)
        for path, status in zip(repositories.values(), ("clean", "findings", "unreadable"), strict=True)
    ]
    (finding,) = answers[1]["findings"]
    assert (finding["rule"], finding["file"], finding["line"], finding["job"]) == (
        "long-lived-credential",
        PUBLISH,
        22,
        "publish",
    )


def test_sarif_is_valid_by_the_schema_of_the_standard(repositories: dict[str, Path], tmp_path: Path) -> None:
    log = tmp_path / "log.sarif"
    log.write_text(audit("--format", "sarif", *repositories.values()).stdout, encoding="utf-8")
    check_schema("--schemafile", SCHEMA, log)
    runs = json.loads(log.read_text(encoding="utf-8"))["runs"]
    results = [(run["tool"]["driver"]["name"], result["ruleId"]) for run in runs for result in run["results"]]
    assert ("tagship", "long-lived-credential") in results
    assert ("zizmor", "unpinned-uses") in results


def test_findings_of_zizmor_are_merged_each_once_under_their_names(repositories: dict[str, Path]) -> None:
    answer = json.loads(audit("--format", "json", repositories["bad"]).stdout)
    theirs = [(each["rule"], each["line"]) for each in answer["findings"] if each["source"] == "zizmor"]
    assert theirs.count(("unpinned-uses", 8)) == 1
    assert len(theirs) == len(set(theirs))
    ours = {each["rule"] for each in answer["findings"] if each["source"] == "tagship"}
    assert ours == {"long-lived-credential"}


def test_without_zizmor_a_note_says_so_and_our_rules_are_used(
    repositories: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zizmor, "executable", lambda: None)
    result = audit(repositories["good"])
    assert result.exit_code == 0
    assert "zizmor is not installed" in result.stderr


def test_the_page_of_the_rules_is_made_from_them() -> None:
    assert (sync.ROOT / "docs/audit.md").read_text(encoding="utf-8") == sync.audit()


def test_findings_that_say_the_same_are_one_with_all_their_places(tmp_path: Path) -> None:
    steps = "      - uses: actions/setup-python@v6\n      - uses: actions/cache@v5\n"
    said = audit(write(tmp_path / "thing", {PUBLISH: f"{GOOD}{steps}"})).stdout.splitlines()
    (at,) = (number for number, line in enumerate(said) if line.endswith("[unpinned-uses]"))
    places = [line.removeprefix("  also: ").count(PUBLISH) for line in said if line.startswith("  also: ")]
    assert said[at].startswith(f"error: {PUBLISH}:")
    assert said[at + 1].startswith(f"  also: {PUBLISH}:")
    findings = json.loads(audit("--format", "json", tmp_path / "thing").stdout)["findings"]
    assert said[-1].startswith(f"{tmp_path / 'thing'}: {len(findings)} findings")
    assert sum(places) + sum(line.startswith(("error: ", "warning: ", "note: ")) for line in said) == len(findings)
