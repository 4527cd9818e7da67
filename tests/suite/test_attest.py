"""Attestations, with a stand-in for the command that signs: Sigstore is not on this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tagship.rehearsal.signer as signing
import tagship_suite.publish.attest as attest
from tagship.publisher import Registration
from tagship.rehearsal.faults import Fault
from tagship.rehearsal.gitlab import GitLabPush
from tagship_suite.errors import ReleaseError
from tagship_suite.publish.index import Index
from tagship_suite.publish.retry import RetryPolicy
from tests.conftest import RELEASE, try_run
from tests.suite.publishing import PUSH, TAG, serving, write_bundle

if TYPE_CHECKING:
    from tagship.rehearsal.servers import Servers

PYPI = Index("https://upload.example/legacy/", ("https://example/simple/",), "https://example/")
OWN = Index("https://own.example/", ("https://own.example/simple/",))
GITHUB = {"GITHUB_ACTIONS": "true"}
BRIEF = RetryPolicy(1.5)
SIGNER = """#!/bin/sh
here="$(dirname "$0")"
echo "$@" >> "$here/asked"
shift 4
for file in "$@"; do
  echo {} > "$file.publish.attestation"
  if [ -s "$here/fail" ]; then head -1 "$here/fail"; sed -i 1d "$here/fail"; exit 1; fi
done
"""


@pytest.fixture
def signer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command in Python's place that records its arguments, and signs.

    Where a file `fail` lies beside it, it signs one file, takes a line from `fail`, says it, and exits 1.
    """
    command = tmp_path / "python"
    command.write_text(SIGNER)
    command.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(command))
    return command


def test_each_file_is_signed_once_in_one_call(signer: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.whl", tmp_path / "a.tar.gz"]
    assert attest.sign(files, "required", BRIEF)
    assert (signer.parent / "asked").read_text() == f"-I -m pypi_attestations sign {files[0]} {files[1]}\n"
    assert all((tmp_path / f"{file.name}{attest.SUFFIX}").is_file() for file in files)


@pytest.mark.parametrize(
    ("mode", "index", "environ"),
    [
        ("off", PYPI, GITHUB),
        ("required", OWN, GITHUB),
        ("required", PYPI, {}),
        ("required", PYPI, {**GITHUB, "TWINE_PASSWORD": "pypi-token"}),
    ],
)
def test_nothing_is_signed_for_an_index_that_does_not_accept_it(
    signer: Path, tmp_path: Path, mode: str, index: Index, environ: dict[str, str]
) -> None:
    assert not attest.sign([tmp_path / "a.whl"], attest.mode(mode, index, environ), BRIEF)
    assert not (signer.parent / "asked").exists()
    assert attest.mode("required", PYPI, GITHUB) == "required"


def test_an_outage_that_passes_is_waited_for_and_no_file_is_signed_twice(
    signer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (signer.parent / "fail").write_text("Failed to sign: Rekor answered 503\n")
    files = [tmp_path / "a.whl", tmp_path / "a.tar.gz"]
    assert attest.sign(files, "required", RetryPolicy(5))
    assert [line.split()[4:] for line in (signer.parent / "asked").read_text().splitlines()] == [
        [str(files[0]), str(files[1])],
        [str(files[1])],
    ]
    said = capsys.readouterr().out
    assert "nothing was uploaded: Failed to sign: Rekor answered 503 [attestations]\nretrying in 1 s" in said


def test_an_outage_that_lasts_stops_the_release_unless_they_are_optional(
    signer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = "Failed to sign: Rekor answered 503\n" * 9
    (signer.parent / "fail").write_text(outage)
    files = [tmp_path / f"{number}.whl" for number in range(9)]
    with pytest.raises(ReleaseError, match="nothing was uploaded") as refused:
        attest.sign(files, "required", RetryPolicy(1.5))
    assert 'attestations = "optional"' in str(refused.value)
    assert "gave up after 1.5 s" in str(refused.value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert not attest.sign(files, "optional", RetryPolicy(0))
    assert "**No attestations**: signing failed" in (tmp_path / "summary").read_text()


def test_without_an_identity_nothing_is_tried_again(signer: Path, tmp_path: Path) -> None:
    unset = "GitHub: missing or insufficient OIDC token permissions, the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment"
    (signer.parent / "fail").write_text(f"Failed to detect identity: {unset} variable was unset\n" * 2)
    with pytest.raises(ReleaseError, match="permissions: id-token: write"):
        attest.sign([tmp_path / "a.whl"], "required", RetryPolicy(60))
    assert len((signer.parent / "asked").read_text().splitlines()) == 1


def test_nothing_is_signed_for_a_password_in_pypirc(tmp_path: Path) -> None:
    """PyPI takes attestations from Trusted Publishing only; this one gets as far as to be told that it is bad."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".pypirc").write_text("[pypi]\nusername = __token__\npassword = pypi-old\n")
    with serving(tmp_path / "index") as servers:
        job = {**servers.job(PUSH, "pypi"), "HOME": str(home), "TAGSHIP_TIMEOUT": "1"}
        done = try_run(*RELEASE, "publish", "pypi", cwd=write_bundle(tmp_path), **job, **TAG)
    assert "error: the index answered 403" in done.stdout
    assert "attestations" not in done.stdout


#: In Python's place: the rehearsal's signer, then Python for everything else.
STAND_IN = """#!/bin/sh
if [ "$4" = sign ]; then shift 3; exec "{python}" "{signer}" "$@"; fi
exec "{python}" "$@"
"""
RUN = """
import runpy, sys
sys.executable, *sys.argv = sys.argv[1:]
sys.path.insert(0, ".github/release")
runpy.run_module("tagship_suite", run_name="__main__")
"""
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"


def publish(folder: Path, servers: Servers, setting: str = "required", predicate: str = PUBLISH, **env: str) -> str:
    """Publish a bundle with attestations; return the exit status, and below it what was printed."""
    signer, stand_in = folder / "signer.py", folder / "python"
    signer.write_text(Path(signing.__file__).read_text().replace(PUBLISH, predicate))
    stand_in.write_text(STAND_IN.format(python=sys.executable, signer=signer))
    stand_in.chmod(0o755)
    bundle = folder / "bundle" if (folder / "bundle").exists() else write_bundle(folder)
    (bundle / "pyproject.toml").write_text(f'[project]\nname = "ship"\n[tool.tagship]\nattestations = "{setting}"\n')
    command = [sys.executable, "-c", RUN, str(stand_in), ".github/release", "publish", "pypi"]
    done = try_run(*command, cwd=bundle, **{**servers.job(PUSH, "pypi"), **TAG, **env})
    return f"{done.returncode}\n{done.stdout}"


@pytest.mark.slow
def test_the_index_must_show_each_file_as_this_job_s(tmp_path: Path) -> None:
    with serving(tmp_path / "index") as servers:
        servers.faults.tell(Fault.INDEX_LAG, seconds=0.5)
        said = publish(tmp_path, servers)
        files = servers.index.files("ship")
    assert said.startswith("0\n"), said
    assert "attested by GitHub Octo/ship release.yml pypi, as https://pypi.org/ shows for each file" in said
    assert len(files) == 2
    for file in files:
        (publisher,) = attest.publishers(json.loads(file.provenance or ""), file.sha256)
        assert publisher == {
            "kind": "GitHub",
            "repository": "Octo/ship",
            "workflow": "release.yml",
            "environment": "pypi",
        }


@pytest.mark.slow
def test_provenance_that_the_index_does_not_show_fails_the_release_unless_it_is_optional(tmp_path: Path) -> None:
    with serving(tmp_path / "index") as servers:
        servers.faults.tell(Fault.NO_PROVENANCE)
        said = publish(tmp_path, servers, TAGSHIP_TIMEOUT="6")
        assert said.startswith("1\n"), said
        names = "ship-1.0-py3-none-any.whl, ship-1.0.tar.gz"
        assert f"provenance of {names}: found none, expected GitHub Octo/ship release.yml pypi" in said
        assert "gave up after 6 s without progress" in said
        again = publish(tmp_path, servers, "optional")
        assert again.startswith("0\n"), again
        assert "warning: NO ATTESTATIONS: the index does not show them" in again


@pytest.mark.slow
def test_a_publisher_that_is_not_this_job_s_fails_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "index") as servers:
        assert publish(tmp_path, servers).startswith("0\n")
        job = servers.job(replace(PUSH, workflow="other.yml"), "PyPI")
        said = publish(tmp_path, servers, **job)
    assert said.startswith("1\n"), said
    found = "provenance of ship-1.0.tar.gz: found GitHub Octo/ship release.yml pypi"
    assert f"{found}, expected GitHub Octo/ship other.yml PyPI; attestations cannot be added later" in said


@pytest.mark.slow
def test_on_gitlab_a_publisher_without_an_environment_accepts_any(tmp_path: Path) -> None:
    registered = Registration("ship", "group/sub", "ship", ".gitlab-ci.yml", provider="gitlab")
    with serving(tmp_path / "index", registered) as servers:
        push = GitLabPush(owner="group/sub", repository="ship", tag="v1.0", sha="a" * 40)
        job = {**servers.job(push, "pypi"), "CI_COMMIT_TAG": "v1.0", "GITHUB_ACTIONS": "", "GITHUB_REF_TYPE": ""}
        said = publish(tmp_path, servers, **job)
        (first, _) = servers.index.files("ship")
    assert said.startswith("0\n"), said
    assert "attested by GitLab group/sub/ship .gitlab-ci.yml pypi" in said
    (publisher,) = attest.publishers(json.loads(first.provenance or ""), first.sha256)
    assert attest.shown(publisher) == "GitLab group/sub/ship .gitlab-ci.yml"


def test_attestations_that_the_index_refuses_are_explained(tmp_path: Path) -> None:
    with serving(tmp_path / "index") as servers:
        said = publish(tmp_path, servers, predicate="https://example.com/other/v1")
    assert said.startswith("1\n")
    assert "Attestation with unsupported predicate type: https://example.com/other/v1" in said
    assert 'set attestations = "off"' in said
