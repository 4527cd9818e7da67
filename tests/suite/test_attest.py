"""Attestations, with a stand-in for the command that signs: Sigstore is not on this machine."""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

import tagship_suite.publish.attest as attest
from tagship_suite.errors import ReleaseError
from tagship_suite.publish.index import Index
from tagship_suite.publish.retry import RetryPolicy
from tests.conftest import RELEASE, try_run
from tests.suite.publishing import PUSH, TAG, hashes, serving, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

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
    """A command in Python's place that notes what it is asked, and signs.

    Where a file `fail` lies beside it, it signs one file, takes a line from `fail`, says it, and exits 1.
    """
    command = tmp_path / "python"
    command.write_text(SIGNER)
    command.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(command))
    return command


def test_each_file_is_signed_once_in_one_call(signer: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.whl", tmp_path / "a.tar.gz"]
    assert attest.sign(files, "required", PYPI, GITHUB, BRIEF)
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
def test_nothing_is_signed_where_nobody_would_take_it(
    signer: Path, tmp_path: Path, mode: str, index: Index, environ: dict[str, str]
) -> None:
    assert not attest.sign([tmp_path / "a.whl"], mode, index, environ, BRIEF)
    assert not (signer.parent / "asked").exists()


def test_an_outage_that_passes_is_waited_for_and_no_file_is_signed_twice(
    signer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (signer.parent / "fail").write_text("Failed to sign: Rekor answered 503\n")
    files = [tmp_path / "a.whl", tmp_path / "a.tar.gz"]
    assert attest.sign(files, "required", PYPI, GITHUB, RetryPolicy(5))
    assert [line.split()[4:] for line in (signer.parent / "asked").read_text().splitlines()] == [
        [str(files[0]), str(files[1])],
        [str(files[1])],
    ]
    said = capsys.readouterr().out
    assert "nothing was uploaded: Failed to sign: Rekor answered 503\nretrying in 1 s" in said


def test_an_outage_that_lasts_stops_the_release_unless_they_are_optional(
    signer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = "Failed to sign: Rekor answered 503\n" * 9
    (signer.parent / "fail").write_text(outage)
    files = [tmp_path / f"{number}.whl" for number in range(9)]
    with pytest.raises(ReleaseError, match="nothing was uploaded") as refused:
        attest.sign(files, "required", PYPI, GITHUB, RetryPolicy(1.5))
    assert 'attestations = "optional"' in str(refused.value)
    assert "gave up after 1.5 s" in str(refused.value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert not attest.sign(files, "optional", PYPI, GITHUB, RetryPolicy(0))
    assert "No attestations were made" in (tmp_path / "summary").read_text()


def test_without_an_identity_nothing_is_tried_again(signer: Path, tmp_path: Path) -> None:
    unset = "GitHub: missing or insufficient OIDC token permissions, the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment"
    (signer.parent / "fail").write_text(f"Failed to detect identity: {unset} variable was unset\n" * 2)
    with pytest.raises(ReleaseError, match="permissions: id-token: write"):
        attest.sign([tmp_path / "a.whl"], "required", PYPI, GITHUB, RetryPolicy(60))
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


#: In Python's place: what signs makes files of pypi_attestations' own models, without a key; all else is Python.
STAND_IN = """#!{python}
import hashlib, json, os, pathlib, sys
if sys.argv[1:5] != ["-I", "-m", "pypi_attestations", "sign"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
from pypi_attestations import Attestation, Envelope, VerificationMaterial
for path in map(pathlib.Path, sys.argv[5:]):
    digest = {{"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}
    statement = {{"_type": "https://in-toto.io/Statement/v1", "subject": [{{"name": path.name, "digest": digest}}],
                 "predicateType": "{predicate}", "predicate": None}}
    envelope = Envelope.model_construct(statement=json.dumps(statement).encode(), signature=b"none")
    material = VerificationMaterial.model_construct(certificate=b"none", transparency_entries=[{{"none": 1}}])
    made = Attestation(version=1, verification_material=material, envelope=envelope)
    pathlib.Path(f"{{path}}.publish.attestation").write_text(made.model_dump_json())
"""
RUN = """
import runpy, sys
sys.executable, *sys.argv = sys.argv[1:]
sys.path.insert(0, ".github/release")
runpy.run_module("tagship_suite", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("predicate", "taken"),
    [("https://docs.pypi.org/attestations/publish/v1", True), ("https://example.com/other/v1", False)],
)
def test_attestations_go_with_their_files_and_a_refusal_is_explained(
    tmp_path: Path, predicate: str, *, taken: bool
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN.format(python=sys.executable, predicate=predicate))
    stand_in.chmod(0o755)
    bundle = write_bundle(tmp_path)
    with serving(tmp_path / "index") as servers:
        command = [sys.executable, "-c", RUN, str(stand_in), ".github/release", "publish", "pypi"]
        done = try_run(*command, cwd=bundle, **servers.job(PUSH, "pypi"), **TAG)
    assert (done.returncode == 0) == taken, done.stdout
    if not taken:
        assert "Attestation with unsupported predicate type: https://example.com/other/v1" in done.stdout
        assert 'set attestations = "off"' in done.stdout
        return
    with sqlite3.connect(next((tmp_path / "index/state").glob("*.sqlite*"))) as state:
        stored = dict(state.execute("SELECT filename, attestations FROM file"))
    assert stored.keys() == hashes(bundle).keys()
    for name, digest in hashes(bundle).items():
        (attestation,) = json.loads(stored[name])
        statement = json.loads(base64.b64decode(attestation["envelope"]["statement"]))
        assert statement["subject"] == [{"name": name, "digest": {"sha256": digest}}]
