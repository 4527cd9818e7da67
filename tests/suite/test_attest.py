"""Attestations, with a stand-in for the command that signs: Sigstore is not on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tagship.release.attest as attest
from tagship.release.errors import ReleaseError
from tagship.release.index import Index

if TYPE_CHECKING:
    from pathlib import Path

PYPI = Index("https://upload.example/legacy/", ("https://example/simple/",), "https://example/")
OWN = Index("https://own.example/", ("https://own.example/simple/",))
GITHUB = {"GITHUB_ACTIONS": "true"}


@pytest.fixture
def signer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command in Python's place that notes what it is asked, signs, or fails where a file `fail` lies beside it."""
    command = tmp_path / "python"
    command.write_text(
        '#!/bin/sh\necho "$@" >> "$(dirname "$0")/asked"\n[ -e "$(dirname "$0")/fail" ] && exit 1\n'
        'shift 4\nfor file in "$@"; do echo {} > "$file.publish.attestation"; done\n'
    )
    command.chmod(0o755)
    monkeypatch.setattr(attest.sys, "executable", str(command))
    return command


def test_each_file_is_signed_once_in_one_call(signer: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.whl", tmp_path / "a.tar.gz"]
    assert attest.sign(files, "required", PYPI, GITHUB)
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
    assert not attest.sign([tmp_path / "a.whl"], mode, index, environ)
    assert not (signer.parent / "asked").exists()


def test_an_outage_stops_the_release_unless_they_are_optional(
    signer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (signer.parent / "fail").touch()
    with pytest.raises(ReleaseError, match="nothing was uploaded"):
        attest.sign([tmp_path / "a.whl"], "required", PYPI, GITHUB)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert not attest.sign([tmp_path / "a.whl"], "optional", PYPI, GITHUB)
    assert "No attestations were made" in (tmp_path / "summary").read_text()
