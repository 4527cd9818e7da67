"""What an adoption leaves to do by hand, in an order that interrupts no release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagship.adopt.plan import plan
from tests.adopt.repositories import SETUP_CFG, make
from tests.conftest import git, run

if TYPE_CHECKING:
    from pathlib import Path

ON_TAGS = 'on:\n  push:\n    tags: ["v*"]\n'
UPLOAD = """\
      - uses: pypa/gh-action-pypi-publish@release/v1
"""
PUBLISH = f"""\
name: publish
{ON_TAGS}jobs:
  publish:
    runs-on: ubuntu-latest
    permissions: {{ id-token: write }}
    steps:
      - run: python -m build
{UPLOAD}"""
TAGGING = """\
name: tag
on: workflow_dispatch
jobs:
  tag:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: git tag "v1.0" && git push origin "v1.0"
"""


def left_to_do(folder: Path, **workflows: str) -> list[str]:
    files = {f".github/workflows/{name}.yml": text for name, text in workflows.items()}
    return plan(make(folder, {**SETUP_CFG, **files})).todo


def test_what_is_edited_by_hand_comes_before_the_commit_and_what_is_removed_after_the_release(tmp_path: Path) -> None:
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH, tag=TAGGING)
    assert "GITHUB_TOKEN" in todo[0]
    commits = next(number for number, line in enumerate(todo) if "commit them" in line)
    merges = next(number for number, line in enumerate(todo) if "merge the branch" in line)
    assert 0 < commits < merges
    assert todo[-1] == "then remove the old publishers at PyPI, those of .github/workflows/publish.yml"


def test_the_steps_are_the_same_in_a_pull_request_from_the_current_folder(tmp_path: Path) -> None:
    folder, body = (
        make(tmp_path / "thing", {**SETUP_CFG, ".github/workflows/publish.yml": PUBLISH}),
        tmp_path / "body.md",
    )
    run("tagship", "adopt", "--yes", "--no-rehearse", "--pull-request", body, cwd=folder)
    steps = [line.removeprefix("- [ ] ") for line in body.read_text().splitlines() if line.startswith("- [ ] ")]
    assert steps[-1] == "then remove the old publishers at PyPI, those of .github/workflows/publish.yml"
    assert "rehearse the release: tagship rehearse" in steps


def test_a_job_whose_tag_would_start_no_release_is_named(tmp_path: Path) -> None:
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH, tag=TAGGING)
    assert todo[0].startswith(
        ".github/workflows/tag.yml:8, job tag: creates a tag or release with GITHUB_TOKEN, and so starts no"
    )
    assert "GITHUB_TOKEN" not in " ".join(left_to_do(tmp_path / "other", publish=PUBLISH))


@pytest.mark.parametrize(
    ("run", "named"), [("npx semantic-release@23", True), ("npx semantic-release --dryRun", False)]
)
def test_a_program_that_makes_the_tag_is_named_behind_what_runs_it(run: str, named: bool, tmp_path: Path) -> None:
    tagging = TAGGING.replace('git tag "v1.0" && git push origin "v1.0"', run)
    assert ("GITHUB_TOKEN" in left_to_do(tmp_path / "thing", publish=PUBLISH, tag=tagging)[0]) is named


def test_only_the_secrets_that_publish_to_pypi_are_to_be_deleted(tmp_path: Path) -> None:
    def with_token(url: str, name: str) -> str:
        return PUBLISH + f"        with: {{ repository-url: '{url}', password: '${{{{ secrets.{name} }}}}' }}\n"

    own, other = with_token("https://upload.pypi.org/legacy/", "PYPI"), with_token("https://pkgs.example.org/", "OTHER")
    last = left_to_do(tmp_path / "thing", publish=own, other=other)[-1]
    assert last == "then delete the secret PYPI, and revoke the token or password in it"


@pytest.mark.parametrize("run", ["gh release create v1", "npx changelogithub --no-group"])
def test_a_job_that_stays_and_makes_the_release_is_named(run: str, tmp_path: Path) -> None:
    notes = f"on: {{push: {{tags: ['v*']}}}}\njobs:\n  notes:\n    runs-on: x\n    steps:\n      - run: {run}\n"
    notes += "      - uses: softprops/action-gh-release@v2\n"
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH, notes=notes)
    assert todo[0].startswith(".github/workflows/notes.yml:6, job notes: creates the GitHub Release, and so does")
    assert "GitHub Release" not in todo[1]
    assert "GitHub Release" not in " ".join(left_to_do(tmp_path / "other", publish=PUBLISH))


CHECK = """\
      - name: Look it up
        run: |
          {}
          exit 1
"""


@pytest.mark.parametrize(
    ("check", "named"),
    [
        ("grep -q $GITHUB_REF_NAME CHANGES.md ||", True),
        ("test v$(python setup.py --version) = $GITHUB_REF_NAME ||", False),
        ("echo found=1 >> $GITHUB_OUTPUT ||", False),
    ],
)
def test_a_check_before_the_upload_is_named_unless_a_session_makes_it(check: str, named: bool, tmp_path: Path) -> None:
    step = CHECK.format(check)
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH.replace(UPLOAD, f"{step}{UPLOAD}{step}"))
    said = [line for line in todo if "could stop the upload" in line]
    assert [line.partition(" could")[0] for line in said] == [".github/workflows/publish.yml:11: 'Look it up'"] * named


def test_jobs_that_the_upload_waited_for_are_named_unless_they_build_or_test(tmp_path: Path) -> None:
    names = {"lint": "ruff check", "types": "mypy .", "test": "pytest", "build": "python -m build", "set": "./set.sh"}
    text = PUBLISH.replace("    permissions:", f"    needs: [{', '.join(names)}]\n    permissions:")
    for name, command in names.items():
        text += f"  {name}:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {command}\n"
    text += "    outputs: { a: b }\n"
    said = [line for line in left_to_do(tmp_path / "thing", publish=text) if "waited" in line]
    remedy = "push a tag only after they have passed"
    waited = f"the upload waited for the jobs lint and types, but the release does not: {remedy}"
    assert said == [f".github/workflows/publish.yml: {waited}"]


def test_what_the_own_ci_fetches_besides_the_commit_is_named_with_the_variable_for_it(tmp_path: Path) -> None:
    checkout = "      - uses: Actions/checkout@v4\n        with: {{{}}}\n"
    jobs = "on: push\njobs:\n  {0}:\n    runs-on: ubuntu-latest\n    steps:\n"
    docs = jobs.format("docs") + checkout.format("submodules: true, lfs: false")
    ci = jobs.format("test") + checkout.format("submodules: Recursive") + checkout.format("lfs: true")
    gone = PUBLISH.replace("    steps:\n", f"    steps:\n{checkout.format('submodules: recursive')}")
    said = [line for line in left_to_do(tmp_path, docs=docs, ci=ci, a=gone, more=docs) if "variable" in line]
    remedy = "which the release does not: if the build or the tests need them, set the repository variable"
    assert said == [
        f".github/workflows/ci.yml:6: fetches submodules, {remedy} SUBMODULES to recursive on GitHub",
        f".github/workflows/ci.yml:8: fetches Git LFS files, {remedy} LFS to true on GitHub",
    ]


def test_a_workflow_that_waits_for_a_release_is_named(tmp_path: Path) -> None:
    docs = "on: {release: {types: [published]}}\njobs:\n  docs:\n    runs-on: x\n    steps:\n      - run: make docs\n"
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH, docs=docs)
    assert todo[0].startswith(".github/workflows/docs.yml: change its trigger from `release` to a pushed tag")
    both = docs.replace("{release:", "{push: , release:")
    todo = left_to_do(tmp_path / "other", publish=PUBLISH, docs=both)
    assert todo[0].startswith(".github/workflows/docs.yml: remove its trigger `release`, because the release that")


def test_a_workflow_that_made_room_for_the_releases_has_its_new_name_and_its_publisher_may_be_the_new_one(
    tmp_path: Path,
) -> None:
    docs = "  docs:\n    runs-on: x\n    steps:\n      - run: mkdocs gh-deploy\n"
    todo = left_to_do(
        tmp_path / "thing", release=PUBLISH.replace(ON_TAGS, "on: {release: {types: [published]}}\n") + docs
    )
    assert any(line.startswith(".github/workflows/release-extras.yml: change its trigger") for line in todo)
    assert todo[-1].endswith(", those of .github/workflows/release.yml with another environment")


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ("scripts/generate-translations.sh", True),
        ("npm ci && npm run build", True),
        ("python setup.py compile_catalog", True),
        ("pybabel compile -d locale", True),
        ("make import-data", True),
        ("./scripts/download_data.sh", True),
        ("make test", False),
        ("make html", False),
        ("pip install babel", False),
        ("pytest --pyargs nibabel", False),
        ("python -m compileall src", False),
        ("scripts/generate-release-notes.sh", False),
        ("make -j4 assets", True),
        ("make -j 4 LANG=C assets", True),
        ("make -j4 test", False),
        ("make LANG=C test", False),
    ],
)
def test_what_ci_makes_before_the_build_is_named(step: str, named: bool, tmp_path: Path) -> None:
    prepared = PUBLISH.replace("      - run: python -m build", f"      - run: {step}\n      - run: python -m build")
    todo = left_to_do(tmp_path / "thing", publish=prepared)
    assert any(line.startswith(f".github/workflows/publish.yml:10: `{step}` ran") for line in todo) is named


@pytest.mark.parametrize(
    ("build", "named"),
    [
        ("python -m build\n        env: {NO_EXTENSIONS: 1}", True),
        ("NO_EXTENSIONS=1 uv build", True),
        ("pip install build\n        env: {NO_EXTENSIONS: 1}", False),
        ("python -m build\n        env: {PIP_NO_CACHE_DIR: 1, PYTHONUTF8: 1, SCM_PRETEND_VERSION: '1.0'}", False),
        ("python -m build\n        env: {KEY: '${{ secrets.KEY }}'}", False),
    ],
)
def test_a_variable_that_ci_sets_for_the_build_is_named(build: str, named: bool, tmp_path: Path) -> None:
    assert "      - run: python -m build" in PUBLISH
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH.replace("python -m build", build))
    said = ".github/workflows/publish.yml:10: the build ran with NO_EXTENSIONS=1, which no session sets: if a release"
    assert any(line.startswith(said) for line in todo) is named
    assert any("the build ran with" in line for line in todo) is named


def test_commands_on_one_line_are_read_one_by_one_and_a_variable_is_named_once(tmp_path: Path) -> None:
    build = "make assets && uv build --sdist && uv build --wheel\n        env: {FLAGS: '-D \"x\"'}"
    todo = left_to_do(tmp_path / "thing", publish=PUBLISH.replace("python -m build", build))
    assert any("`make assets && " in line and " ran before the build" in line for line in todo)
    (line,) = (line for line in todo if "the build ran with" in line)
    assert line.endswith('add os.environ["FLAGS"] = "-D \\"x\\"" to noxfile.py')


@pytest.mark.parametrize(("tag", "named"), [("rel_1_2_0", False), ("release-1.2.0", False), ("build-1.2.0", True)])
def test_only_a_form_of_tags_that_the_gate_does_not_read_has_to_change(tag: str, named: bool, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SETUP_CFG)
    git(folder, "tag", tag)
    assert any("tag releases vX.Y.Z" in step for step in plan(folder).todo) == named


def test_what_a_job_makes_that_builds_nothing_is_not_named(tmp_path: Path) -> None:
    tests = "  tests:\n    runs-on: x\n    steps:\n      - run: python generate.py\n"
    needed = PUBLISH.replace("jobs:\n", f"jobs:\n{tests}").replace("  publish:\n", "  publish:\n    needs: tests\n")
    assert "generate.py" not in " ".join(left_to_do(tmp_path / "thing", publish=needed))


def test_a_finding_in_a_workflow_that_is_moved_names_its_new_file(tmp_path: Path) -> None:
    release = PUBLISH + "  notes:\n    runs-on: x\n    steps:\n      - run: gh release create v1\n"
    todo = " ".join(left_to_do(tmp_path / "thing", release=release))
    lines = release.splitlines()
    left = len(lines) - lines.index("  notes:") + lines.index("  publish:")  # without the lines of the job that goes
    assert f".github/workflows/release-extras.yml:{left}, job notes: creates the GitHub Release" in todo


def test_pages_that_tell_how_to_release_are_named(tmp_path: Path) -> None:
    pages = {
        "RELEASING.rst": "Releasing\n=========\n\n.. code::\n\n    twine upload dist/*\n",
        "docs/release_guide.md": "Merge everything, and wait.\n",
        "docs/own.md": "Run `make ship`.\n",
        "docs/release-notes.md": "The command is `flit publish` now.\n",
        "docs/other.md": "Make releases, twine, uploads and published papers.\n",
        "Makefile": "ship:\n\ttwine upload dist/*\n",
    }
    todo = plan(make(tmp_path / "thing", {**SETUP_CFG, **pages})).todo
    shown = "RELEASING.rst:6, docs/own.md:1, docs/release_guide.md"
    assert f"update the release instructions in {shown}: now pushing a tag makes a release" in todo
    assert "instructions" not in " ".join(plan(make(tmp_path / "other", SETUP_CFG)).todo)


@pytest.mark.parametrize(("push", "named"), [("{branches: [main]}", True), ("{tags: ['v*']}", False)])
def test_what_went_to_testpypi_with_each_push_can_still_do_so(push: str, named: bool, tmp_path: Path) -> None:
    daily = PUBLISH.replace(ON_TAGS, f"on: {{push: {push}}}\n")
    daily += "        with: { repository-url: 'https://test.pypi.org/legacy/' }\n"
    folder = tmp_path / "thing"
    said = (
        ".github/workflows/daily.yml, job publish: published each push to main to TestPyPI; to continue that, set "
        f'dev-builds = "main" in [tool.tagship], and run: tagship sync {folder}'
    )
    assert (said in left_to_do(folder, daily=daily)) is named


def test_a_target_that_only_a_removed_job_ran_is_named(tmp_path: Path) -> None:
    by_tox = PUBLISH.replace(UPLOAD, "      - run: tox -e ship\n")
    tox = "[testenv:ship]\ndeps = twine\ncommands =\n    python -m build\n    twine upload dist/*\n"
    todo = plan(make(tmp_path / "thing", {**SETUP_CFG, ".github/workflows/out.yml": by_tox, "tox.ini": tox})).todo
    assert "remove the upload in tox.ini:5, which no job runs any longer" in todo


TESTED = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    services: { db: { image: postgres }, cache: { image: redis } }
    steps:
      - run: sudo apt-get update && sudo apt-get install -y libpq-dev
      - run: pip install pytest
      - run: pytest
      - run: sudo apt-get install -y graphviz
"""


def test_what_ci_sets_up_for_the_tests_is_named(tmp_path: Path) -> None:
    todo = left_to_do(tmp_path / "thing", test=TESTED)
    assert todo[0].startswith(
        ".github/workflows/test.yml:5, job test: runs the tests with the services db, cache, the release without"
    )
    assert todo[1].startswith(".github/workflows/test.yml:7: `sudo apt-get install -y libpq-dev` runs before the tests")
    assert "apt-get" not in " ".join(todo[2:])
    lint = TESTED.replace("pytest", "ruff")
    assert "services" not in " ".join(left_to_do(tmp_path / "other", lint=lint))


def test_further_commands_that_run_tests_are_named(tmp_path: Path) -> None:
    first, second = "pytest -v --cov thing", "pytest --cov-append --doctest-modules"
    job = "jobs:\n  test:\n    steps:\n      - run: pip install pytest\n      - run: |\n"
    once = f"{ON_TAGS}{job}          {first}\n          {first} --cov-append\n          python -m {first}\n"
    assert "also runs tests" not in " ".join(left_to_do(tmp_path / "once", test=once))
    (todo,) = (step for step in left_to_do(tmp_path / "twice", test=f"{once}          {second}\n") if "tests" in step)
    where = ".github/workflows/test.yml:12"
    assert todo.startswith(f"{where}: `pytest --doctest-modules` also runs tests, and test-command does not")


def test_of_two_uploads_in_one_job_the_trusted_one_has_a_publisher(tmp_path: Path) -> None:
    token = f"{UPLOAD}        with: {{ password: '${{{{ secrets.PYPI }}}}' }}\n"
    test = f"{UPLOAD}        with: {{ repository-url: 'https://test.pypi.org/legacy/' }}\n"
    last = left_to_do(tmp_path / "thing", publish=f"{PUBLISH.removesuffix(UPLOAD)}{test}{token}")[-2:]
    assert last[0] == "then delete the secret PYPI, and revoke the token or password in it"
    assert last[1] == "then remove the old publishers at TestPyPI, those of .github/workflows/publish.yml"
