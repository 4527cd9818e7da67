"""The existing publish jobs are removed from the workflows, and everything else is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagship import suite
from tagship.adopt.publishing.retire import MOVED, Retired, retire
from tagship.facts import publishing
from tagship.facts.model import Publishing

if TYPE_CHECKING:
    from pathlib import Path

TAGS = 'on:\n  push:\n    tags: ["v*"]\n'
PUSH = "on: [push, pull_request]\n"
TEST = """\
  # The tests.
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pytest  # all of them
"""
BUILD = """\
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python -m build
      - uses: actions/upload-artifact@v4
"""
PUBLISH = """\
  # To PyPI.
  publish:
    needs: [test, build]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
      - uses: pypa/gh-action-pypi-publish@release/v1
        with:
          password: ${{ secrets.PYPI_TOKEN }}
"""
ANNOUNCE = """\
  announce:
    needs: publish # first
    runs-on: ubuntu-latest
    steps:
      - run: gh release create
        env: { GH_TOKEN: "${{ github.token }}" }
"""
CI = ".github/workflows/ci.yml"


def done(root: Path, **files: str) -> Retired:
    """Return what is taken out of the workflows `files`, by their names without the ending."""
    for name, text in files.items():
        path = root / f".github/workflows/{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return retire(root, publishing.find(root))


def after(found: Retired, name: str = CI) -> str | None:
    content = {path.as_posix(): content for path, content in found.changes.items()}.get(name)
    return content.decode() if content is not None else None


def test_a_job_that_publishes_goes_with_its_comment_and_every_other_line_stays(tmp_path: Path) -> None:
    before = f"name: CI  # mine\n{PUSH}jobs:\n{TEST}\n{PUBLISH}"
    assert after(done(tmp_path, ci=before)) == f"name: CI  # mine\n{PUSH}jobs:\n{TEST}"


def test_two_jobs_at_the_end_go_with_the_blank_lines_before_them(tmp_path: Path) -> None:
    second = PUBLISH.replace("publish:", "again:")
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}\n{second}")
    assert after(found) == f"{PUSH}jobs:\n{TEST}\n{BUILD}"


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("    needs: publish # first\n", "    needs: [test, build] # first\n"),
        ("    needs: [publish, test]\n", "    needs: [test, build]\n"),
        ("    needs:\n      - test  # a\n      - publish\n", "    needs:\n      - test  # a\n      - build\n"),
    ],
)
def test_a_job_that_needed_it_now_needs_what_it_needed(needs: str, expected: str, tmp_path: Path) -> None:
    rest = ANNOUNCE.replace("    needs: publish # first\n", needs)
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}\n{rest}")
    assert after(found) == f"{PUSH}jobs:\n{TEST}\n{BUILD}\n" + ANNOUNCE.replace(
        "    needs: publish # first\n", expected
    )
    assert found.todo[0].startswith(f"{CI}: the job announce ran after the upload, and no longer waits for it: remove")


def test_what_an_expression_reads_of_a_job_that_is_gone_is_left_to_a_person(tmp_path: Path) -> None:
    rest = ANNOUNCE.replace("    runs-on", "    if: needs.publish.result == 'success'\n    runs-on")
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}\n{rest}")
    assert (
        f"{CI}: the job announce reads needs.publish, which was removed: remove that from its expressions" in found.todo
    )


@pytest.mark.parametrize("jobs", [PUBLISH, f"{BUILD}\n{PUBLISH}"])
@pytest.mark.parametrize(("name", "how"), [("ci", "deleted"), ("release", "replaced")])
def test_a_workflow_that_only_publishes_is_deleted(jobs: str, name: str, how: str, tmp_path: Path) -> None:
    text = f"{TAGS}jobs:\n{jobs}".replace("needs: [test, build]", "needs: []")
    found = done(tmp_path, **{name: text})
    assert [*found.changes.values()] == [None]
    assert found.done == [f".github/workflows/{name}.yml: {how}, because it only published"]


def test_a_build_that_is_also_a_check_of_pull_requests_stays(tmp_path: Path) -> None:
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{BUILD}\n{PUBLISH.replace('[test, build]', 'build')}")
    assert after(found) == f"{PUSH}jobs:\n{BUILD}"


def test_of_a_job_that_does_more_only_the_upload_goes(tmp_path: Path) -> None:
    upload = "      - run: twine upload dist/*\n        env: { TWINE_PASSWORD: '${{ secrets.T }}' }\n"
    last = "      - run: git push origin main\n"
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}{upload}{last}")
    assert after(found) == f"{PUSH}jobs:\n{TEST}{last}"


ATTEST = """\
  attest:
    needs: publish
    runs-on: ubuntu-latest
    permissions: { id-token: write, attestations: write }
    steps:
      - uses: actions/download-artifact@v4
      - uses: actions/attest-build-provenance@v2
        with: { subject-path: dist/* }
"""


def test_a_job_that_only_signed_what_was_published_goes_with_it(tmp_path: Path) -> None:
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}\n{ATTEST}")
    assert after(found) == f"{PUSH}jobs:\n{TEST}\n{BUILD}"
    assert found.todo == []


def test_a_job_that_signs_what_another_one_hands_out_stays(tmp_path: Path) -> None:
    attest, announce = (text.replace("needs: publish", "needs: build") for text in (ATTEST, ANNOUNCE))
    announce = announce.replace("needs: build", "needs: [attest, publish]")
    found = done(tmp_path, ci=f"{TAGS}jobs:\n{TEST}\n{BUILD}\n{attest}\n{PUBLISH}\n{announce}")
    kept = announce.replace("[attest, publish]", "[attest, test, build]")
    assert after(found) == f"{TAGS}jobs:\n{TEST}\n{BUILD}\n{attest}\n{kept}"


def test_a_build_for_the_release_alone_goes_although_other_jobs_stay(tmp_path: Path) -> None:
    other = ANNOUNCE.replace("    needs: publish # first\n", "")
    found = done(tmp_path, ci=f"{TAGS}jobs:\n{BUILD}\n{PUBLISH.replace('[test, build]', 'build')}\n{other}")
    assert after(found) == f"{TAGS}jobs:\n{other}"


def test_of_a_build_that_stays_the_step_that_signs_goes(tmp_path: Path) -> None:
    sign = "      - uses: actions/attest@v2\n        with: { subject-path: dist/* }\n"
    build = BUILD.replace("    steps:\n", "    permissions: { id-token: write }\n    steps:\n")
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{build}{sign}\n{PUBLISH.replace('[test, build]', 'build')}")
    assert after(found) == f"{PUSH}jobs:\n{build}"
    assert found.todo == [f"{CI}, job build: remove its `id-token: write`, if nothing else needs it"]


def test_the_identity_that_the_workflow_gives_to_all_jobs_is_left_to_a_person(tmp_path: Path) -> None:
    given = f"{PUSH}permissions: {{ id-token: write }}\njobs:\n{TEST}\n"
    found = done(tmp_path, ci=f"{given}{PUBLISH.replace('[test, build]', 'test')}")
    assert found.todo == [f"{CI}: remove `id-token: write` from its permissions, if nothing else needs it"]


def test_what_an_expression_reads_of_a_step_that_is_gone_is_left_to_a_person(tmp_path: Path) -> None:
    steps = "      - id: up\n        uses: casperdcl/deploy-pypi@v3\n      - run: gh release upload ${{ steps.up.x }}\n"
    found = done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}{steps}")
    assert found.todo == [f"{CI}: the job test reads steps.up, which was removed: remove that from its expressions"]


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    before = f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}\n{ANNOUNCE}".replace("\n", "\r\n")
    text = after(done(tmp_path, ci=before))
    assert text is not None
    assert text.replace("\r\n", "").count("\n") == 0


@pytest.mark.parametrize("own", ["./", "$/"])
def test_an_own_release_yml_is_renamed_and_its_callers_follow(own: str, tmp_path: Path) -> None:
    call = f"{PUSH}jobs:\n  all:\n    uses: {own}.github/workflows/release.yml\n"
    found = done(tmp_path, release=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{PUBLISH}", other=call)
    assert after(found, MOVED.as_posix()) == f"{PUSH}jobs:\n{TEST}\n{BUILD}"
    assert found.changes[suite.WORKFLOW] is None
    assert after(found, ".github/workflows/other.yml") == call.replace("release.yml", "release-extras.yml")


def test_a_reusable_workflow_that_nothing_calls_any_more_is_deleted(tmp_path: Path) -> None:
    called = f"on: workflow_call\njobs:\n{PUBLISH.replace('    needs: [test, build]', '    needs: []')}"
    caller = f"{TAGS}jobs:\n  out:\n    uses: ./.github/workflows/up.yml\n    secrets: inherit\n"
    found = done(tmp_path, ci=caller, up=called)
    assert {path.as_posix(): content for path, content in found.changes.items()} == {
        CI: None,
        ".github/workflows/up.yml": None,
    }


UPLOAD = """\
      - run: twine upload dist/*
        env: { TWINE_PASSWORD: "${{ secrets.T }}" }
      - run: gh pr list
"""
SIGN = """\
  sign:
    needs: publish
    permissions: { contents: write, id-token: write }
    steps:
      - uses: sigstore/x@v3
"""


def test_what_is_to_do_in_a_file_that_moves_names_its_new_name(tmp_path: Path) -> None:
    test = TEST.replace("    steps:", "    environment: pypi\n    steps:")
    found = done(tmp_path, release=f"{PUSH}jobs:\n{test}{UPLOAD}")
    assert found.todo[0].startswith(f"{MOVED.as_posix()}, job test: remove its `environment`")


def test_a_job_that_adds_signatures_to_a_release_stays(tmp_path: Path) -> None:
    found = done(tmp_path, ci=f"{TAGS}jobs:\n{PUBLISH.replace('[test, build]', '[]')}\n{SIGN}")
    assert after(found) == f"{TAGS}jobs:\n{SIGN}".replace("    needs: publish\n", "")


@pytest.mark.parametrize("run", ["scripts/out", "|\n          twine upload dist/*\n          mkdocs gh-deploy --force"])
def test_a_step_that_deploys_more_than_the_dists_is_left_to_a_person(run: str, tmp_path: Path) -> None:
    script = tmp_path / "scripts/out"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n# curl first\ntwine upload dist/*\nmkdocs gh-deploy --force\n")
    steps = f"      - run: {run}\n        env: {{ TWINE_PASSWORD: '${{{{ secrets.TOKEN }}}}' }}\n"
    found = done(tmp_path, ci=f"{TAGS}jobs:\n  out:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
    assert found.changes == {}
    assert found.todo[0].startswith(f"{CI}, job out: remove the upload in ")
    assert "but not `mkdocs gh-deploy --force` (" in found.todo[0]


def test_of_a_job_whose_steps_another_one_repeats_only_the_upload_goes(tmp_path: Path) -> None:
    get = "      - &get\n        uses: actions/download-artifact@v4\n"
    up = "      - uses: pypa/gh-action-pypi-publish@release/v1\n"
    head = "  {}:\n    runs-on: ubuntu-latest\n    steps:\n"
    attach = "      - *get\n      - run: gh release upload v1 *.whl\n"
    jobs = f"{head.format('publish')}{get}{{}}{head.format('attach')}{attach}"
    found = done(tmp_path, release=TAGS + "jobs:\n" + jobs.format(up))
    assert after(found, MOVED.as_posix()) == TAGS + "jobs:\n" + jobs.format("")
    assert not any("remove the upload" in line for line in found.todo)


@pytest.mark.parametrize("is_of_release", [True, False])
def test_a_job_that_builds_in_a_virtual_environment_only_publishes(is_of_release: bool, tmp_path: Path) -> None:
    steps = "      - run: python3 -m venv .venv && .venv/bin/pip install build && .venv/bin/python -m build\n"
    steps += "      - run: find dist -name '*-any*' -delete || true\n"
    steps += "      - run: git ls-remote https://github.com/acme/thing\n" if is_of_release else ""
    found = done(tmp_path, ci=f"{TAGS if is_of_release else PUSH}jobs:\n{PUBLISH}{steps}")
    assert [*found.changes.values()] == [None]


def test_other_services_are_left_to_a_person(tmp_path: Path) -> None:
    private = [Publishing("Makefile", "up", "none", index=index) for index in ("thing", "https://pypi.example.org/")]
    others = [("Makefile", ""), ("setup.py", "setup.py"), ("bin/up", "up")]
    found = retire(
        tmp_path,
        [Publishing(".travis.yml", "deploy", "password"), *(Publishing(*each, "none") for each in others), *private],
    )
    assert found.changes == {}
    assert found.todo == [
        "remove the upload in Makefile (up), if 'thing' in your .pypirc is PyPI",
        "remove the upload in .travis.yml (deploy)",
        "remove the upload in Makefile",
        "remove the upload in setup.py",
        "remove the upload in bin/up",
    ]


def test_uploads_to_another_index_stay(tmp_path: Path) -> None:
    text = PUBLISH.replace("        with:\n", "        with:\n          repository-url: https://pkgs.example.org/\n")
    assert done(tmp_path, ci=f"{PUSH}jobs:\n{TEST}\n{BUILD}\n{text}").changes == {}
