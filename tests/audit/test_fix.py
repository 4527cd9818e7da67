"""`tagship audit --fix`: the finding is gone, and only the necessary lines are changed."""

from __future__ import annotations

import difflib
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tagship import suite
from tagship.audit import fix, run
from tagship.audit.rules import RULES
from tagship.cli import main
from tagship.facts import workflow
from tests.audit.test_rules import BAD, BUILD, GOOD, PUBLISH, SCM, TRIGGER, UPLOAD, with_suite
from tests.conftest import commit
from tests.facts.test_publishing import write

UPLOADS = "      - uses: pypa/gh-action-pypi-publish@release/v1\n"
TESTS = "  tests:\n    runs-on: x\n    steps:\n      - run: pytest\n"
DISPATCHED = GOOD.replace("  push:\n", "  workflow_dispatch:\n  push:\n")
ALWAYS = GOOD.replace(TRIGGER, "on: push\n")
SKIPPING = GOOD.replace("release/v1\n", "release/v1\n        with:\n          skip-existing: true\n")

#: The rule, whether its fix is safe, the workflow, and the lines that the fix removes and adds.
FIXES = {
    "an input in braces": (
        "shallow-checkout",
        True,
        DISPATCHED.replace("{fetch-depth: 0}", "{persist-credentials: false}  # no token"),
        [
            "-        with: {persist-credentials: false}  # no token",
            "+        with: {fetch-depth: 0, persist-credentials: false}  # no token",
        ],
    ),
    "a step without inputs": (
        "shallow-checkout",
        True,
        DISPATCHED.replace("        with: {fetch-depth: 0}\n", ""),
        ["+        with:", "+          fetch-depth: 0"],
    ),
    "inputs below a comment": (
        "shallow-checkout",
        True,
        DISPATCHED.replace(" {fetch-depth: 0}\n", "\n          # no token\n          persist-credentials: false\n"),
        ["+          fetch-depth: 0"],
    ),
    "another value": (
        "shallow-checkout",
        True,
        DISPATCHED.replace("{fetch-depth: 0}", "{fetch-depth: 1}"),
        ["-        with: {fetch-depth: 1}", "+        with: {fetch-depth: 0}"],
    ),
    "the only permission": (
        "wide-identity",
        True,
        GOOD.replace("jobs:\n", "permissions:  # few\n  id-token: write  # for PyPI\njobs:\n", 1).replace(
            "    permissions: {id-token: write}\n", ""
        ),
        [
            "-permissions:  # few",
            "-  id-token: write  # for PyPI",
            "+permissions: {}  # few",
            "+    permissions:",
            "+      id-token: write  # for PyPI",
        ],
    ),
    "one permission of two, for a job that has its own": (
        "wide-identity",
        True,
        GOOD.replace("jobs:\n", "permissions:\n  contents: read\n  # for PyPI\n  id-token: write\n\njobs:\n", 1),
        ["-  # for PyPI", "-  id-token: write"],
    ),
    "permissions in braces": (
        "wide-identity",
        True,
        GOOD.replace("jobs:\n", "permissions: {contents: read, id-token: write}  # both\njobs:\n", 1).replace(
            "    permissions: {id-token: write}\n", ""
        ),
        [
            "-permissions: {contents: read, id-token: write}  # both",
            "+permissions: {contents: read}  # both",
            "+    permissions: {contents: read, id-token: write}",
        ],
    ),
    "a permission that another job may use": (
        "wide-identity",
        False,
        GOOD.replace("jobs:\n", "permissions: {id-token: write}\njobs:\n", 1).replace(
            "python -m build\n", "python -m build && cosign sign-blob dist/*\n"
        ),
        ["-permissions: {id-token: write}", "+permissions: {}"],
    ),
    "needs that is one name": (
        "needs-incomplete",
        False,
        GOOD.replace("needs: build\n", "needs: build  # the dists\n") + TESTS,
        ["-    needs: build  # the dists", "+    needs: [build, tests]  # the dists"],
    ),
    "needs that is a list of lines": (
        "needs-incomplete",
        False,
        GOOD.replace("needs: build\n", "needs:\n      - build  # the dists\n") + TESTS,
        ["+      - tests"],
    ),
    "needs that is missing, for an artifact": (
        "needs-incomplete",
        True,
        GOOD.replace("    needs: build\n", ""),
        ["+    needs: [build]"],
    ),
    "needs of a job that may be skipped": (
        "needs-incomplete",
        False,
        GOOD.replace("    needs: build\n", "").replace("  build:\n", "  build:\n    if: vars.BUILD == '1'\n"),
        ["+    needs: [build]"],
    ),
    "a condition that is missing": (
        "publish-without-tag",
        False,
        ALWAYS,
        ["+    if: github.ref_type == 'tag'"],
    ),
    "a condition with an or": (
        "publish-without-tag",
        False,
        ALWAYS.replace("    needs: build\n", "    needs: build\n    if: github.actor == 'me' || true  # mine\n"),
        [
            "-    if: github.actor == 'me' || true  # mine",
            "+    if: (github.actor == 'me' || true) && github.ref_type == 'tag'  # mine",
        ],
    ),
    "a condition in marks": (
        "publish-without-tag",
        False,
        ALWAYS.replace("    needs: build\n", "    needs: build\n    if: ${{ true }}\n"),
        ["-    if: ${{ true }}", "+    if: ${{ true && github.ref_type == 'tag' }}"],
    ),
    "a job that does more than upload": (
        "publish-without-tag",
        False,
        ALWAYS.replace("      - uses: pypa/gh", "      - run: make site\n      - uses: pypa/gh"),
        ["+        if: github.ref_type == 'tag'"],
    ),
    "the only input": (
        "blind-skip-existing",
        False,
        SKIPPING,
        ["-        with:", "-          skip-existing: true"],
    ),
    "one input of two": (
        "blind-skip-existing",
        False,
        SKIPPING.replace("true\n", "true\n          print-hash: true\n"),
        ["-          skip-existing: true"],
    ),
    "an option of twine": (
        "blind-skip-existing",
        False,
        GOOD.replace("uses: pypa/gh-action-pypi-publish@release/v1", "run: twine upload --skip-existing dist/*"),
        ["-      - run: twine upload --skip-existing dist/*", "+      - run: twine upload dist/*"],
    ),
}


def test_every_rule_with_a_fix_has_an_example_and_only_those() -> None:
    assert {rule.name for rule in RULES if rule.fixes} == {"managed-file", *(rule for rule, *_ in FIXES.values())}


def rules(root: Path) -> list[str]:
    return [each.rule for each in run.audit(root)[0]]


@pytest.mark.parametrize("kind", FIXES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_fix_changes_the_lines_that_it_must_and_the_finding_is_gone(tmp_path: Path, kind: str, end: str) -> None:
    rule, safe, text, expected = FIXES[kind]
    before = text.replace("\n", end).encode()
    write(tmp_path, {PUBLISH: "", **(SCM if rule == "shallow-checkout" else {})})
    (tmp_path / PUBLISH).write_bytes(before)
    found = rules(tmp_path)
    assert rule in found
    if not safe:
        assert fix.changes(tmp_path, unsafe=False, with_zizmor=False) == {}
    made = fix.changes(tmp_path, unsafe=not safe, with_zizmor=False)
    after = made[Path(PUBLISH)]
    assert after is not None
    old, new = (content.decode().split(end) for content in (before, after))
    changed = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert sorted(line[0] + line[2:] for line in changed) == sorted(expected)
    (tmp_path / PUBLISH).write_bytes(after)
    workflow.read(tmp_path / PUBLISH, tmp_path)
    assert rule not in rules(tmp_path)
    assert {*rules(tmp_path)} < {*found}
    assert fix.changes(tmp_path, unsafe=True, with_zizmor=False) == {}


@pytest.mark.parametrize("rule", BAD)
def test_whatever_is_fixed_a_bad_example_gets_no_new_finding(tmp_path: Path, rule: str) -> None:
    write(tmp_path, BAD[rule])
    before = rules(tmp_path)
    for path, content in fix.changes(tmp_path, unsafe=True, with_zizmor=False).items():
        (tmp_path / path).write_bytes(content or b"")
    assert not set(rules(tmp_path)) - set(before)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("    needs: build\n", '    "needs": ["build"]\n').replace("jobs:\n", f"jobs:\n{TESTS}"),
        GOOD.replace(UPLOADS, "      - {uses: pypa/gh-action-pypi-publish@v1, with: {skip-existing: true}}\n"),
        ALWAYS.replace("    needs: build\n", "    needs: build\n    if: ${{ true }} && ${{ true }}\n"),
        f"{TRIGGER}x: &with\n  persist-credentials: false\njobs:\n{BUILD}{UPLOAD}".replace("{fetch-depth: 0}", "*with"),
    ],
)
def test_what_is_written_in_an_unusual_way_is_fixed_or_left_alone(tmp_path: Path, text: str) -> None:
    write(tmp_path, {PUBLISH: text.replace("  push:\n", "  workflow_dispatch:\n  push:\n"), **SCM})
    before = workflow.read(tmp_path / PUBLISH, tmp_path)
    made = fix.changes(tmp_path, unsafe=True, with_zizmor=False).get(Path(PUBLISH))
    after = workflow.parse(made, PUBLISH) if made else before
    assert [*after.jobs] == [*before.jobs]
    assert after.jobs["publish"].condition == before.jobs["publish"].condition
    assert [len(job.steps) for job in after.jobs.values()] == [len(job.steps) for job in before.jobs.values()]


def audit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["audit", "--no-zizmor", *map(str, arguments)])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    commit(write(tmp_path, {PUBLISH: SKIPPING.replace("    needs: build\n", "")}))
    return tmp_path


def test_safe_fixes_are_made_and_unsafe_ones_on_request_and_a_second_run_changes_nothing(repository: Path) -> None:
    first = audit("--fix", repository)
    assert first.exit_code == 1
    assert first.stdout.startswith(f"fixed: {PUBLISH}: A publish job does not wait")
    assert "1 finding, 2 fixed, 1 with --fix --unsafe-fixes" in first.stdout
    assert "skip-existing" in (repository / PUBLISH).read_text()
    commit(repository)
    assert audit("--fix", "--unsafe-fixes", repository).exit_code == 0
    commit(repository)
    after = (repository / PUBLISH).read_bytes()
    assert audit("--fix", "--unsafe-fixes", repository).stdout == f"{repository}: no findings\n"
    assert (repository / PUBLISH).read_bytes() == after


def test_a_diff_is_shown_and_nothing_is_written(repository: Path) -> None:
    before = (repository / PUBLISH).read_bytes()
    shown = audit("--diff", repository).stdout
    assert f"--- a/{PUBLISH}\n+++ b/{PUBLISH}\n" in shown
    assert "+    needs: [build]\n" in shown
    assert (repository / PUBLISH).read_bytes() == before
    assert "\n" in json.loads(audit("--diff", "--format", "json", repository).stdout)["diff"]


@pytest.mark.parametrize("why", ["uncommitted changes (README.md)", "no git repository"])
def test_what_could_not_be_undone_is_not_fixed(repository: Path, why: str) -> None:
    if "README" in why:
        (repository / "README.md").write_text("mine")
    else:
        (repository / ".git").rename(repository / "git")
    before = (repository / PUBLISH).read_bytes()
    result = audit("--fix", repository)
    assert result.exit_code == 1
    assert f"error: nothing was fixed: {repository}: found {why}, expected " in result.stdout
    assert (repository / PUBLISH).read_bytes() == before


def test_a_managed_file_that_was_edited_is_restored_only_on_request(tmp_path: Path) -> None:
    path = with_suite(tmp_path) / suite.WORKFLOW
    original = path.read_text()
    path.write_text(original.replace("\n  publish-test:\n", "\n  other:\n"))
    commit(tmp_path)
    assert audit("--fix", tmp_path).exit_code == 1
    assert audit("--fix", "--unsafe-fixes", tmp_path).exit_code == 0
    assert path.read_text() == original


def test_fixes_of_zizmor_are_made_with_ours(tmp_path: Path) -> None:
    text = GOOD.replace(CHECKED, "")
    commit(write(tmp_path, {PUBLISH: text.replace("    needs: build\n", "")}))
    done = subprocess.run(
        ["tagship", "audit", "--fix", "--unsafe-fixes", tmp_path], capture_output=True, text=True, check=False
    )
    assert "[artipacked]" in next(line for line in done.stdout.splitlines() if "artipacked" in line)
    after = workflow.read(tmp_path / PUBLISH, tmp_path)
    assert after.jobs["publish"].needs == ("build",)
    assert after.jobs["build"].steps[0].inputs["persist-credentials"] == "false"


PUSHING = """\
on: push
permissions: {}
jobs:
  tag:
    runs-on: ubuntu-latest
    steps:
      - uses: "actions/checkout@v7" # to push
      - PUSH
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - run: pytest
"""


@pytest.mark.parametrize("push", ["run: git push origin v1", "uses: stefanzweifel/git-auto-commit-action@v7"])
def test_a_job_that_pushes_keeps_the_credentials_of_its_checkout(push: str, tmp_path: Path) -> None:
    text = PUSHING.replace("PUSH", push)
    commit(write(tmp_path, {PUBLISH: text}))
    done = subprocess.run(
        ["tagship", "audit", "--fix", "--unsafe-fixes", tmp_path], capture_output=True, text=True, check=False
    )
    assert "1 fixed" in done.stdout
    checkout = "      - uses: actions/checkout@v7\n"
    fixed = f"{checkout}        with:\n          persist-credentials: false\n"
    assert (tmp_path / PUBLISH).read_text() == text.replace(checkout, fixed)


CHECKED = '      - run: test "v$(cat VERSION)" = "$GITHUB_REF_NAME"\n'
