"""github-release, with a simulation of GitHub's documented API."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Response

from tagship.rehearsal.github import GitHub
from tagship_suite.errors import ReleaseError
from tagship_suite.gate import bundle as bundles
from tagship_suite.gate.verify import verify
from tagship_suite.github import release as releases
from tests import conftest
from tests.archives import write_release, write_sdist
from tests.conftest import RELEASE, commit, git, release
from tests.suite.publishing import TAG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.rehearsal.web import Form

FILES = ["SHA256SUMS", "ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"]
CHANGELOG = (
    "# Changelog\n\n## [1.0] - 2026-01-02\n\n- The first one, see [#1].\n\n## 0.9\n\n- Old.\n\n[#1]: https://x.test/1\n"
)


@pytest.fixture
def repository(suite: Path) -> Path:
    """A tagged commit whose dists are built, with a changelog."""
    (suite / "CHANGELOG.md").write_text(CHANGELOG)
    (suite / "pyproject.toml").write_text('[project]\nname = "ship"\nversion = "1.0"\n')
    (suite / ".gitignore").write_text("dist/\nbundle/\n")
    commit(suite)
    git(suite, "tag", "v1.0")
    git(suite, "remote", "add", "origin", "git@github.com:octo/ship.git")
    write_release(suite / "dist")
    return suite


@pytest.fixture
def bundle(repository: Path) -> Path:
    """The bundle that the gate let through, as the job gets it: in a folder without git."""
    verify(repository, TAG)
    return (repository / "bundle").rename(repository.parent / "bundle")


@pytest.fixture
def github(repository: Path) -> Iterator[GitHub]:
    """GitHub, which has the tag at the commit, and no release."""
    github = GitHub("octo/ship")
    github.tags["v1.0"] = git(repository, "rev-parse", "HEAD")
    with github.running():
        yield github
    assert github.server.errors == []


def run(folder: Path, github: GitHub, **env: str) -> None:
    releases.release(folder, {**TAG, **github.variables(), **env})


def refusals(folder: Path, github: GitHub, **env: str) -> list[str]:
    with pytest.raises(ReleaseError) as refused:
        run(folder, github, **env)
    return str(refused.value).splitlines()


def refusal(folder: Path, github: GitHub, **env: str) -> str:
    (told,) = refusals(folder, github, **env)
    return told


def test_a_draft_gets_notes_and_files_and_is_then_published_and_a_second_run_changes_nothing(
    bundle: Path, github: GitHub, tmp_path: Path
) -> None:
    github.immutable = True
    env = {**TAG, **github.variables(), "GITHUB_OUTPUT": str(tmp_path / "output")}
    said = conftest.run(*RELEASE, "github-release", cwd=bundle, **env).stdout
    (made,) = github.releases.values()
    assert (made["tag_name"], made["draft"], made["prerelease"], made["immutable"]) == ("v1.0", False, False, True)
    assert made["make_latest"] == "legacy"
    assert made["body"] == "- The first one, see [#1].\n\n[#1]: https://x.test/1"
    assert github.names(made) == FILES
    contents = {asset["name"]: github.contents[number] for number, asset in github.files.items()}
    listed = sorted(contents.pop("SHA256SUMS").decode().splitlines())
    assert listed == sorted(f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in contents.items())
    assert all((bundle / "dist" / name).read_bytes() == content for name, content in contents.items())
    assert [line.split()[0] for line in github.log] == ["POST", "POST", "POST", "POST", "PATCH"], "published last"
    assert (tmp_path / "output").read_text() == f"url={made['html_url']}\n"
    assert github.token not in said
    github.log.clear()
    run(bundle, github)
    assert github.log == []


@pytest.mark.slow
def test_an_upload_that_breaks_off_is_repeated_and_what_it_left_is_removed(bundle: Path, github: GitHub) -> None:
    github.broken = 2
    run(bundle, github)
    (made,) = github.releases.values()
    assert github.names(made) == FILES
    assert not made["draft"]
    assert {asset["state"] for asset in github.files.values()} == {"uploaded"}


def test_a_run_that_was_cut_off_is_completed(bundle: Path, github: GitHub) -> None:
    draft = github.add("v1.0", draft=True)
    wheel, sdist = sorted((bundle / "dist").iterdir())
    github.attach(draft, wheel.name, wheel.read_bytes())
    github.attach(draft, sdist.name, b"of an earlier attempt, which was not published")
    run(bundle, github)
    assert list(github.releases) == [draft["id"]]
    assert github.names(draft) == FILES
    assert not draft["draft"]
    assert sum(line.startswith("POST /uploads") for line in github.log) == 2, "the wheel is there"


@pytest.mark.parametrize("draft", [False, True])
def test_a_release_made_by_hand_is_taken_over_with_its_title_and_notes(
    bundle: Path, github: GitHub, draft: bool
) -> None:
    made = github.add("v1.0", body="By hand.", name="One point zero", draft=draft)
    other = github.attach(made, "ship-docs.pdf", b"%PDF")
    coming = github.attach(made, "ship.exe", b"MZ", state="starter")
    for number in range(150):  # it is on the second page
        github.add(f"v0.{number}")
    run(bundle, github)
    assert len(github.releases) == 151
    assert (made["name"], made["body"], made["draft"]) == ("One point zero", "By hand.", False)
    assert github.names(made) == [*FILES, other["name"]]
    assert coming["id"] in github.files, "another workflow is uploading it"


def test_a_published_release_with_other_files_of_these_names_is_left_alone(bundle: Path, github: GitHub) -> None:
    made = github.add("v1.0")
    github.attach(made, FILES[2], b"older than digests")["digest"] = None
    github.attach(made, "SHA256SUMS", b"older than digests")["digest"] = None
    told = refusals(bundle, github)
    assert [line.partition(" of ")[0] for line in told] == [FILES[2], "SHA256SUMS"]
    github.files.clear()
    github.attach(made, FILES[1], b"of another workflow")
    assert refusal(bundle, github) == (
        f"{FILES[1]} of the GitHub Release: found other bytes, expected those that were published; delete that file on "
        "the release's page, and run this again; something else has uploaded it [github-release]"
    )
    assert github.log == []


def test_an_immutable_release_without_the_files_cannot_be_completed(bundle: Path, github: GitHub) -> None:
    github.immutable = True
    github.add("v1.0")
    assert "found an immutable one without the files, expected a draft; next time push the tag alone" in refusal(
        bundle, github
    )
    assert github.log == []


def test_a_tag_that_github_lacks_or_has_elsewhere_is_never_made_or_moved(bundle: Path, github: GitHub) -> None:
    commit = github.tags.pop("v1.0")
    assert refusal(bundle, github) == (
        f"tag 'v1.0' on GitHub: found no such tag, expected commit {commit}, which the bundle was made from; "
        "run: git push origin v1.0 [no-tag]"
    )
    github.tags["v1.0"] = "f" * 40
    assert f"found commit {'f' * 40}, expected commit {commit}, which the bundle was made from" in refusal(
        bundle, github
    )
    assert github.log == []


def test_a_file_that_git_calls_changed_in_a_fresh_checkout_stops_no_release(repository: Path, github: GitHub) -> None:
    (repository / "CHANGELOG.md").write_bytes(CHANGELOG.replace("\n", "\r\n").encode())
    commit(repository)
    (repository / ".gitattributes").write_text("*.md text eol=lf\n")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-q", "-m", "line ends")
    git(repository, "tag", "-f", "v1.0")
    github.tags["v1.0"] = git(repository, "rev-parse", "HEAD")
    (repository / "CHANGELOG.md").touch()
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == "M CHANGELOG.md"
    verify(repository, TAG)
    run((repository / "bundle").rename(repository.parent / "bundle"), github)
    assert github.names(*github.releases.values()) == FILES


def test_what_github_refuses_is_reported_in_one_line_without_the_token(bundle: Path, github: GitHub) -> None:
    said = refusal(bundle, github, GITHUB_TOKEN="ghs_wrong")
    assert "found 401 Bad credentials" in said
    assert "run gh auth login, or set GITHUB_TOKEN" in said
    assert "ghs_wrong" not in said
    assert "found 404 Not Found" in refusal(bundle, github, GITHUB_REPOSITORY="octo/other")
    assert refusal(bundle, github, GITHUB_TOKEN="").startswith("GITHUB_TOKEN: found none, expected a token")
    assert "only a tag is published" in refusal(bundle, github, GITHUB_REF_TYPE="branch", GITHUB_REF_NAME="main")
    assert github.log == []


class Failing(GitHub):
    """GitHub, which gives these answers first."""

    def __init__(self, *answers: Response) -> None:
        super().__init__("octo/ship")
        self.answers = list(answers)

    def answer(self, request: Form) -> Response:
        return self.answers.pop(0) if self.answers else super().answer(request)


@pytest.mark.slow
def test_an_answer_that_is_cut_off_and_a_rate_limit_pass(bundle: Path, github: GitHub) -> None:
    limited = Response('{"message": "secondary rate limit"}', 403, {"Retry-After": "1"})
    failing = Failing(Response('{"sha": "01'), limited)
    failing.tags = github.tags
    with failing.running():
        run(bundle, failing)
    (made,) = failing.releases.values()
    assert failing.names(made) == FILES


@pytest.mark.parametrize("content", ["{}", "[]", "null", "[1]", '"x"'])
def test_a_response_with_other_content_than_documented_is_reported(bundle: Path, content: str) -> None:
    with Failing(*[Response(content)] * 99).running() as proxy:
        assert (
            "GitHub: found a response with other content than documented"
            in refusals(bundle, proxy, TAGSHIP_TIMEOUT="0.5")[0]
        )
    assert proxy.log == []


def test_without_the_network_or_with_a_long_rate_limit_it_gives_up_at_once(bundle: Path, github: GitHub) -> None:
    with Failing(Response('{"message": "secondary rate limit"}', 403, {"Retry-After": "4000"})).running() as limited:
        with pytest.raises(ReleaseError, match=r"secondary rate limit.*\n.*the server asked to wait 4000 s"):
            run(bundle, limited)
        assert limited.log == []
    nobody = limited.address
    assert f"{nobody}/repos/octo/ship/commits/tags/v1.0: found no response (ConnectionError)" in refusal(
        bundle, github, GITHUB_API_URL=nobody
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for gh is a shell script")
def test_a_laptop_needs_the_tag_the_remote_and_gh(
    repository: Path, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(repository, {})
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\ntest "$*" = "auth token" && echo {github.token}\n')
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gh.parent}{os.pathsep}{os.environ['PATH']}")
    releases.release(repository, {"GITHUB_API_URL": github.address})
    (made,) = github.releases.values()
    assert github.names(made) == FILES


def test_a_pre_release_by_pep_440_is_marked_as_one(suite: Path, github: GitHub) -> None:
    for path in (suite / "dist").iterdir():
        path.unlink()
    write_sdist(suite / "dist", version="1.0rc1")
    git(suite, "tag", "v1.0rc1")
    github.tags["v1.0rc1"] = github.tags["v1.0"]
    tag = {**TAG, "GITHUB_REF_NAME": "v1.0rc1"}
    verify(suite, tag)
    run(suite, github, **tag)
    (made,) = github.releases.values()
    assert made["prerelease"] is True
    assert github.names(made) == ["SHA256SUMS", "ship-1.0rc1.tar.gz"]


def test_the_sbom_of_the_bundle_is_a_file_of_the_release(repository: Path, github: GitHub) -> None:
    verify(repository, TAG)
    bundles.add_sbom(repository, "{}")
    run(repository, github)
    (made,) = github.releases.values()
    assert github.names(made) == ["SHA256SUMS", "sbom.cdx.json", *FILES[1:]]
    contents = {asset["name"]: github.contents[number] for number, asset in github.files.items()}
    assert hashlib.sha256(b"{}\n").hexdigest() + "  sbom.cdx.json" in contents["SHA256SUMS"].decode()


def test_distributions_in_lockstep_have_one_release_with_the_notes_of_the_repository(
    repository: Path, github: GitHub
) -> None:
    (repository / "pyproject.toml").write_text("[tool.tagship]\nlockstep = true\n")
    for name in ("a", "b"):
        (repository / "packages" / name).mkdir(parents=True)
        (repository / "packages" / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
        write_sdist(repository / "dist", name)
    for path in (repository / "dist").glob("ship-*"):
        path.unlink()
    commit(repository)
    git(repository, "tag", "-f", "v1.0")
    github.tags["v1.0"] = git(repository, "rev-parse", "HEAD")
    verify(repository, TAG)
    run(repository, github)
    (made,) = github.releases.values()
    assert made["body"] == "- The first one, see [#1].\n\n[#1]: https://x.test/1"
    assert github.names(made) == ["SHA256SUMS", "a-1.0.tar.gz", "b-1.0.tar.gz"]
    for name in ("a", "b"):
        (repository / "packages" / name / "CHANGELOG.md").write_text(f"## 1.0\n\n{name * 70_000}\n")
    verify(repository, TAG)
    assert len((repository / "bundle" / bundles.NOTES).read_text()) < 125_000, "GitHub takes no more"


def test_verify_version_outputs_whether_the_job_is_switched_off(repository: Path, tmp_path: Path) -> None:
    found = []
    for number, setting in enumerate(["", "[tool.tagship]\ngithub-release = false\n"]):
        (repository / "pyproject.toml").write_text(f'[project]\nname = "ship"\nversion = "1.0"\n{setting}')
        output = tmp_path / f"output-{number}"
        release(repository, "verify", **TAG, GITHUB_OUTPUT=str(output))
        found += [line for line in output.read_text().splitlines() if line.startswith("github_release=")]
    assert found == ["github_release=on", "github_release=off"]
