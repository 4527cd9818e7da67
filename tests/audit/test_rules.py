"""Each rule finds its bad example, and nothing in a good one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagship import suite
from tagship.audit import run
from tagship.audit.rules import RULES
from tests.facts.test_publishing import write

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.audit.model import Finding

PUBLISH = ".github/workflows/publish.yml"
#: A well-made workflow, in parts that the examples replace.
TRIGGER = "on:\n  push:\n    tags: ['v*']\n"
CHECK = '      - run: test "v$(cat VERSION)" = "$GITHUB_REF_NAME"\n'
CHECKOUT = "      - uses: actions/checkout@v6\n        with: {fetch-depth: 0}\n"
BUILD = f"""\
  build:
    runs-on: ubuntu-latest
    steps:
{CHECKOUT}{CHECK}      - run: python -m build
      - uses: actions/upload-artifact@v6
        with: {{name: dist, path: dist/}}
"""
UPLOAD = """\
  publish:
    runs-on: ubuntu-latest
    needs: build
    environment: pypi
    permissions: {id-token: write}
    steps:
      - uses: actions/download-artifact@v6
        with: {name: dist, path: dist/}
      - uses: pypa/gh-action-pypi-publish@release/v1
"""
GOOD = f"{TRIGGER}jobs:\n{BUILD}{UPLOAD}"
SCM = {"pyproject.toml": "[build-system]\nrequires = ['hatchling', 'hatch-vcs']\n"}


def found(root: Path, files: dict[str, str]) -> list[Finding]:
    findings, errors = run.audit(write(root, files))
    assert errors == []
    return findings


def changed(old: str, new: str) -> dict[str, str]:
    assert old in GOOD
    return {PUBLISH: GOOD.replace(old, new)}


TEST_UPLOAD = (
    UPLOAD.replace("  publish:", "  try:")
    .replace("environment: pypi", "environment: testpypi")
    .replace("v1\n", "v1\n        with: {repository-url: https://test.pypi.org/legacy/}\n")
)
INSPECT = "hynek/build-and-inspect-python-package@v2"
OWN_BUILD = "    steps:\n      - run: python -m build\n"
BAD = {
    "long-lived-credential": changed("release/v1\n", "release/v1\n        with: {password: '${{ secrets.PYPI }}'}\n"),
    "trusted-publishing-in-called-workflow": {
        PUBLISH: f"on: workflow_call\njobs:\n{BUILD}{UPLOAD}",
        ".github/workflows/tag.yml": f"{TRIGGER}jobs:\n  call:\n    uses: ./{PUBLISH}\n"
        "    permissions: {id-token: write}\n",
    },
    "wide-identity": changed("jobs:\n", "permissions: {id-token: write}\njobs:\n"),
    "no-environment": changed("    environment: pypi\n", ""),
    "publish-without-tag": changed(TRIGGER, "on:\n  push:\n    branches: [main]\n"),
    "tag-not-compared": changed(CHECK, ""),
    "cannot-trigger": {
        PUBLISH: GOOD,
        ".github/workflows/bump.yml": "on: workflow_dispatch\njobs:\n  bump:\n    runs-on: x\n    steps:\n"
        "      - uses: actions/checkout@v6\n      - run: git tag v1 && git push origin --tags\n",
    },
    "two-publishers": {PUBLISH: GOOD, ".github/workflows/old.yml": GOOD.replace("'v*'", "'v1*'")},
    "needs-incomplete": changed(BUILD, BUILD + "  tests:\n    runs-on: x\n    steps:\n      - run: pytest\n"),
    "changes-published-release": {
        PUBLISH: GOOD.replace(TRIGGER, "on:\n  release:\n    types: [published]\n")
        + "  assets:\n    runs-on: x\n    steps:\n      - run: gh release upload v1 dist/*\n"
    },
    "builds-and-publishes": changed(
        "    steps:\n      - uses: actions/download-artifact@v6\n",
        OWN_BUILD + "      - uses: actions/download-artifact@v6\n",
    ),
    "runs-project-code": changed("release/v1\n", "release/v1\n      - run: python3 -u tools/notes.py\n")
    | {"tools/notes.py": "print()\n"},
    "shallow-checkout": {
        PUBLISH: GOOD.replace("        with: {fetch-depth: 0}\n", "").replace(
            "  push:\n", "  workflow_dispatch:\n  push:\n"
        ),
        **SCM,
    },
    "version-made-in-ci": changed(CHECK, CHECK + '      - run: poetry version "${GITHUB_REF_NAME#v}"\n'),
    "blind-skip-existing": changed("release/v1\n", "release/v1\n        with: {skip-existing: true}\n"),
    "different-builds": {
        PUBLISH: GOOD.replace(
            "    steps:\n      - uses: actions/download", OWN_BUILD + "      - uses: actions/download"
        )
        + TEST_UPLOAD.replace("    steps:\n", OWN_BUILD)
    },
}


def test_every_rule_has_an_example_and_a_page() -> None:
    managed = {"session-without-job", "job-without-session", "two-releases", "managed-file"}
    assert {rule.name for rule in RULES} == {*BAD, *managed}
    assert all(rule.message() and rule.why() and rule.remedy for rule in RULES)


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_example_breaks_its_rule(tmp_path: Path, rule: str) -> None:
    broken = [each for each in found(tmp_path, BAD[rule]) if each.rule == rule]
    assert len(broken) == 1, broken
    (finding,) = broken
    text = (tmp_path / finding.file).read_text().splitlines()
    assert text[finding.line - 1].strip()
    assert finding.job or rule == "wide-identity"


@pytest.mark.parametrize("command", ["pipx run build", "uvx --from build pyproject-build", "uv build", "flit build"])
def test_a_build_in_the_publish_job_is_found_whatever_builds(tmp_path: Path, command: str) -> None:
    files = changed(
        "    steps:\n      - uses: actions/download",
        f"    steps:\n      - run: {command}\n      - uses: actions/download",
    )
    assert [each.rule for each in found(tmp_path, files)] == ["builds-and-publishes"]


@pytest.mark.parametrize(
    ("command", "is_code"),
    [
        ("./tools/notes.sh", True),
        ("bash tools/notes.sh v1", True),
        ("make notes", True),
        ("npm run notes", True),
        ("npm install --global json", False),
        ("./tools/missing.sh", False),
        ("python -m pip install twine", False),
        ("gh release upload v1 dist/*", False),
        ("cat tools/notes.sh", False),
    ],
)
def test_a_publish_job_that_runs_a_script_of_the_project_is_found(command: str, is_code: bool, tmp_path: Path) -> None:
    files = changed("release/v1\n", f"release/v1\n      - run: {command}\n") | {"tools/notes.sh": "echo\n"}
    rules = [each.rule for each in found(tmp_path, files)]
    assert ("runs-project-code" in rules) is is_code


def test_a_job_with_two_uploads_or_two_ways_to_start_has_one_finding(tmp_path: Path) -> None:
    upload = "      - uses: pypa/gh-action-pypi-publish@release/v1\n"
    called = f"on: [workflow_call, workflow_dispatch]\njobs:\n{BUILD}{UPLOAD}"
    caller = {".github/workflows/tag.yml": BAD["trusted-publishing-in-called-workflow"][".github/workflows/tag.yml"]}
    twice = GOOD.replace(CHECK, "").replace(upload, f"{upload}{upload}        with: {{packages-dir: more}}\n")
    assert [each.rule for each in found(tmp_path / "b", {PUBLISH: twice})] == ["tag-not-compared"]
    (finding,) = found(tmp_path / "c", {PUBLISH: called, **caller})
    assert finding.message.endswith("started by .github/workflows/tag.yml")


HANDED_ON = {
    "a pattern": ("with: {name: dist, path: dist/}\n      - uses: pypa", "with: {pattern: 'di*'}\n      - uses: pypa"),
    "a matrix": ("with: {name: dist, path: dist/}\n  publish", "with: {name: 'di${{ matrix.a }}'}\n  publish"),
    "an id": (
        "with: {name: dist, path: dist/}\n      - uses: pypa",
        "with: {artifact-ids: '${{ needs.build.outputs.id }}'}\n      - uses: pypa",
    ),
    "an action": ("name: dist, path: dist/}\n      - uses: pypa", "name: Packages, path: dist/}\n      - uses: pypa"),
}


@pytest.mark.parametrize("how", HANDED_ON)
def test_needs_are_missed_however_the_dists_are_handed_on(tmp_path: Path, how: str) -> None:
    files = changed(*HANDED_ON[how])
    files[PUBLISH] = files[PUBLISH].replace("      - run: python -m build\n", f"      - uses: {INSPECT}\n")
    assert found(tmp_path / "good", files) == []
    files[PUBLISH] = files[PUBLISH].replace("    needs: build\n", "")
    broken = [each for each in found(tmp_path / "bad", files) if each.rule == "needs-incomplete"]
    assert [each.fixable for each in broken] == ["safe"]


BENCHMARK = "  benchmark:\n    runs-on: x\n    steps:\n      - run: pytest --benchmark-only\n"
COMBINED = """\
  combine:
    runs-on: x
    needs: build
    steps:
      - uses: actions/download-artifact@v6
        with: {pattern: 'dist-*', path: dist/}
      - uses: actions/upload-artifact@v6
        with: {name: dist-all, path: dist/}
"""
GOOD_ONES = {
    "tag": {PUBLISH: GOOD},
    "a version that CI commits": changed(
        CHECK, CHECK + '      - run: poetry version "$NEW"\n      - uses: EndBug/add-and-commit@v9\n'
    ),
    "a benchmark that no release waits for": changed(BUILD, BUILD + BENCHMARK),
    "an artifact of all that the pattern matches anyway": {
        PUBLISH: f"{TRIGGER}jobs:\n"
        + (BUILD + COMBINED + UPLOAD)
        .replace("name: dist, path: dist/}\n  combine", "name: dist-1, path: dist/}\n  combine")
        .replace("{name: dist, path", "{pattern: 'dist-*', path")
    },
    "dispatch": changed(TRIGGER, "on: workflow_dispatch\n"),
    "release": changed(TRIGGER, "on:\n  release:\n    types: [published]\n"),
    "condition": {
        PUBLISH: GOOD.replace(TRIGGER, "on: [push, pull_request]\n").replace(
            "    environment: pypi\n",
            "    environment: pypi\n    if: github.repository == 'a/b' && github.ref_type == 'tag'\n",
        )
    },
    "version from tags at a tag": {
        PUBLISH: GOOD.replace(CHECK, "").replace("        with: {fetch-depth: 0}\n", ""),
        **SCM,
    },
    "test index from every branch": {
        PUBLISH: GOOD.replace("    tags: ['v*']\n", "    tags: ['v*']\n    branches: [main]\n").replace(
            "    environment: pypi\n", "    environment: pypi\n    if: startsWith(github.ref, 'refs/tags/')\n"
        )
        + TEST_UPLOAD
    },
    "semantic release": {
        PUBLISH: f"on:\n  push:\n    branches: [main]\njobs:\n{BUILD}{UPLOAD}".replace(
            CHECK, "      - uses: python-semantic-release/python-semantic-release@v10\n"
        )
    },
    "attestations": {
        PUBLISH: GOOD,
        ".github/workflows/ci.yml": "on: push\njobs:\n  attest:\n    runs-on: x\n"
        "    permissions: {id-token: write}\n    steps:\n      - uses: actions/attest-build-provenance@v3\n",
    },
    "tag with the token of an app": {
        PUBLISH: GOOD,
        ".github/workflows/bump.yml": "on: workflow_dispatch\njobs:\n  bump:\n    runs-on: x\n    steps:\n"
        "      - uses: actions/checkout@v6\n        with: {token: '${{secrets.BOT}}'}\n      - run: git push --tags\n",
    },
    "draft that a person publishes": {
        PUBLISH: GOOD.replace(TRIGGER, "on:\n  release:\n    types: [published]\n"),
        ".github/workflows/draft.yml": f"{TRIGGER}jobs:\n  draft:\n    runs-on: x\n    steps:\n"
        "      - uses: softprops/action-gh-release@v2\n        with: {draft: true}\n",
    },
    "wheels for two systems": {
        PUBLISH: f"{TRIGGER}jobs:\n{BUILD}{UPLOAD}"
        + UPLOAD.replace("  publish:", "  wheels:").replace("needs: build", "needs: [build, publish]")
    },
    "an artifact that another job makes for other events": changed(
        BUILD, BUILD + BUILD.replace("  build:\n", "  nightly:\n    if: github.event_name == 'schedule'\n")
    ),
    "two workflows that a person starts": {
        PUBLISH: GOOD.replace(TRIGGER, "on: workflow_dispatch\n"),
        ".github/workflows/again.yml": GOOD.replace(TRIGGER, "on: workflow_dispatch\n"),
    },
    "another index with a token": changed(
        "release/v1\n",
        "release/v1\n        with: {password: '${{ secrets.X }}', repository-url: https://nexus.example.org/}\n",
    ),
    "version from tags in a job that contains() keeps to tags": {
        PUBLISH: GOOD.replace(CHECK, "")
        .replace("        with: {fetch-depth: 0}\n", "")
        .replace(TRIGGER, "on: push\n")
        .replace("  build:\n", "  build:\n    if: contains(github.ref, 'refs/tags/')\n"),
        **SCM,
    },
    "version that the same run tags": {
        PUBLISH: GOOD.replace(TRIGGER, "on: {workflow_dispatch: {inputs: {version: {}}}}\n").replace(
            "  build:\n", "  build:\n    env: {SETUPTOOLS_SCM_PRETEND_VERSION: '${{ inputs.version }}'}\n"
        )
        + '  tag:\n    runs-on: x\n    needs: publish\n    steps:\n      - run: git push origin "v$VERSION"\n',
        **SCM,
    },
    "documentation that tox builds": changed(
        BUILD, BUILD + "  docs:\n    runs-on: x\n    steps:\n      - run: pip install tox\n      - run: tox -e docs\n"
    ),
    "tag that the release tool makes from the version": {
        PUBLISH: GOOD.replace(CHECK, ""),
        ".bumpversion.cfg": "[bumpversion]\ncurrent_version = 1.0\ntag = True\n",
    },
    "nothing is published": {
        ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    runs-on: x\n    steps: [{run: pytest}]\n"
    },
}


@pytest.mark.parametrize("style", GOOD_ONES)
def test_a_good_workflow_has_no_findings_whatever_its_style(tmp_path: Path, style: str) -> None:
    assert found(tmp_path, GOOD_ONES[style]) == []


@pytest.mark.parametrize("publish_with", suite.WORKFLOWS)
def test_our_own_workflows_have_no_findings(tmp_path: Path, publish_with: str) -> None:
    content = suite.workflow(publish_with).decode()
    assert found(tmp_path, {suite.WORKFLOW.as_posix(): content}) == []


def with_suite(root: Path) -> Path:
    for path, content in suite.files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    noxfile = "from importlib import import_module\nimport sys\nsys.path.insert(0, '.github/release')\n"
    return write(root, {"noxfile.py": noxfile + "import_module('tagship_suite.sessions')\n"})


def names(root: Path) -> set[str]:
    return {finding.rule for finding in run.audit(root)[0]}


def test_a_project_with_the_suite_has_no_findings(tmp_path: Path) -> None:
    assert run.audit(with_suite(tmp_path)) == ([], [])


def test_a_job_of_the_suite_that_is_gone_is_found(tmp_path: Path) -> None:
    path = with_suite(tmp_path) / suite.WORKFLOW
    path.write_text(path.read_text().replace("\n  publish-test:\n", "\n  other:\n"))
    assert {"session-without-job", "managed-file"} <= names(tmp_path)


def test_a_session_that_the_noxfile_lacks_is_found(tmp_path: Path) -> None:
    write(with_suite(tmp_path), {"noxfile.py": "import nox\n"})
    assert "job-without-session" in names(tmp_path)


def test_a_second_release_besides_the_suites_is_found_unless_that_is_switched_off(tmp_path: Path) -> None:
    steps = "    runs-on: x\n    steps:\n      - uses: softprops/action-gh-release@v2\n"
    write(with_suite(tmp_path), {".github/workflows/notes.yml": f"{TRIGGER}jobs:\n  notes:\n{steps}"})
    assert names(tmp_path) == {"two-releases"}
    with (tmp_path / "pyproject.toml").open("a") as file:
        file.write("[tool.tagship]\ngithub-release = false\n")
    assert names(tmp_path) == set()


def test_files_that_are_added_to_the_suites_release_are_found(tmp_path: Path) -> None:
    steps = "    runs-on: x\n    steps:\n      - run: gh release upload v1 docs.pdf\n"
    text = f"on:\n  release:\n    types: [published]\njobs:\n  docs:\n{steps}"
    write(with_suite(tmp_path), {".github/workflows/docs.yml": text})
    assert names(tmp_path) == {"changes-published-release"}


def test_an_old_publisher_besides_the_suite_is_found(tmp_path: Path) -> None:
    write(with_suite(tmp_path), {PUBLISH: GOOD})
    assert names(tmp_path) == {"two-publishers"}


RELEASED = {
    "an action": "      - uses: actions/create-release@v1\n        with: {tag_name: '${{ github.ref }}'}\n",
    "a command": "      - run: gh release create $TAG dist/*\n        env: {TAG: '${{ github.ref_name }}'}\n",
}


@pytest.mark.parametrize("how", RELEASED)
def test_a_release_made_of_the_tag_does_not_compare_it(how: str, tmp_path: Path) -> None:
    files = {PUBLISH: GOOD.replace(CHECK, "") + RELEASED[how]}
    assert "tag-not-compared" in {each.rule for each in found(tmp_path, files)}
    files = {PUBLISH: GOOD + RELEASED[how]}
    assert "tag-not-compared" not in {each.rule for each in found(tmp_path, files)}


SUITE = {suite.WORKFLOW.as_posix(): suite.workflow().decode(), suite.SUMS.as_posix(): ""}
BUMP = BAD["cannot-trigger"][".github/workflows/bump.yml"]


def untriggered(root: Path, bump: str) -> bool:
    return "cannot-trigger" in {each.rule for each in found(root, {**SUITE, ".github/workflows/bump.yml": bump})}


def test_a_tag_that_would_not_start_the_release_s_own_workflow_is_found(tmp_path: Path) -> None:
    assert untriggered(tmp_path, BUMP)


TAGS_TOO = "on: {push: {branches: [main], tags: ['v*']}}\njobs:\n  bump:\n    if: "


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("startsWith(github.ref, 'refs/tags/')", False),
        ("fromJSON(needs.setup.outputs.release)", False),
        ("github.ref_type == 'branch'", True),
        ("true", True),
    ],
)
def test_a_job_that_runs_for_pushed_tags_need_not_make_them(condition: str, expected: bool, tmp_path: Path) -> None:
    head = "on: workflow_dispatch\njobs:\n  bump:\n"
    assert head in BUMP
    assert untriggered(tmp_path, BUMP.replace(head, f"{TAGS_TOO}{condition}\n")) is expected


@pytest.mark.parametrize(("condition", "expected"), [("startsWith(github.ref, 'refs/tags/')", False), ("true", True)])
def test_a_job_runs_for_pushed_tags_if_one_that_it_needs_does(condition: str, expected: bool, tmp_path: Path) -> None:
    first = f"on: push\njobs:\n  first:\n    if: {condition}\n    runs-on: x\n    steps: []\n"
    bump = BUMP.replace("on: workflow_dispatch\njobs:\n", first).replace("  bump:\n", "  bump:\n    needs: first\n")
    assert untriggered(tmp_path, bump) is expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [("tag_name: '${{ steps.v.outputs.version }}'", True), ("token: '${{ steps.app.outputs.key }}'", False)],
)
def test_only_a_token_of_another_step_can_start_a_workflow(inputs: str, expected: bool, tmp_path: Path) -> None:
    released = f"      - uses: softprops/action-gh-release@v2\n        with: {{{inputs}}}\n"
    bump = BUMP.replace("      - run: git tag v1 && git push origin --tags\n", released)
    assert untriggered(tmp_path, bump) is expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--tags\n", "--tags\n      - run: gh workflow run release.yml --ref v1\n"),
        ("    steps:", "    permissions: {contents: read}\n    steps:"),
        ("actions/checkout@v6\n", "actions/checkout@v6\n        with: {token: '${{ secrets.BOT }}'}\n"),
        (
            "      - run: git tag v1 && git push origin --tags\n",
            "      - uses: changesets/action@v1\n        with: {dry_run: true}\n",
        ),
    ],
)
def test_a_job_that_starts_it_or_makes_no_tag_is_fine(old: str, new: str, tmp_path: Path) -> None:
    assert old in BUMP
    assert not untriggered(tmp_path, BUMP.replace(old, new))
