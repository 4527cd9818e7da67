"""`tagship verify`, run as a person does; the index is a table of answers on loopback.

`provenance.json` is the real record of an upload, the sdist of gcb-attestation-test 0.0.0: Sigstore signed it, and
nothing that is made here would verify.
"""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tagship.cli import main
from tagship.verify import unverified
from tests.conftest import commit, git
from tests.doctor.api import listing, provenance, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doctor.api import GitHub

REAL = json.loads((Path(__file__).parent / "provenance.json").read_text(encoding="utf-8"))
SDIST = ("gcb_attestation_test-0.0.0.tar.gz", "461317362419124b6012e855423a9078d6de8aed3e74fa78cc74d669b23dc6cf")
CONTENT = b"the sdist"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "ship-1.0.tar.gz"


@pytest.fixture
def index() -> Iterator[GitHub]:
    """An index that has an sdist without provenance."""
    with serving() as found:
        publish(found)
        yield found


def publish(index: GitHub, **fields: Any) -> None:
    index.answers["/simple/ship/"] = listing(NAME, **{"hashes": {"sha256": SHA256}, **fields})
    index.answers[f"/simple/ship/{NAME}"] = (200, {}, CONTENT)


def attest(index: GitHub) -> None:
    publish(index, provenance=f"{index.address}/provenance")
    index.answers["/provenance"] = provenance("octo/ship", "release.yml", "pypi", SHA256)


def verify(index: GitHub, *options: object, release: str = "ship==1.0", **env: str) -> tuple[int, str]:
    command = ["verify", release, f"--index={index.address}/simple/", "--offline", *map(str, options)]
    done = CliRunner().invoke(main, command, env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_an_attestation_that_sigstore_signed_verifies() -> None:
    assert unverified(REAL, *SDIST) == []


@pytest.mark.parametrize("forged", ["another file", "another publisher", "another signature", "no certificate"])
def test_an_attestation_of_anything_else_does_not(forged: str) -> None:
    record, (name, sha256) = copy.deepcopy(REAL), SDIST
    (bundle,) = record["attestation_bundles"]
    (attestation,) = bundle["attestations"]
    if forged == "another file":
        sha256 = SHA256
    elif forged == "another publisher":
        bundle["publisher"] = {"kind": "GitHub", "repository": "octo/ship", "workflow": "release.yml"}
    elif forged == "another signature":
        attestation["envelope"]["signature"] = attestation["envelope"]["statement"]
    else:
        attestation["verification_material"]["certificate"] = ""
    (problem,) = unverified(record, name, sha256)
    assert problem.startswith("attestation: found one that does not verify (")


def test_the_bytes_are_compared_with_the_index_and_with_sums(index: GitHub, tmp_path: Path) -> None:
    status, text = verify(index)
    assert status == 0, text
    assert f"right   {NAME}  SHA-256 {SHA256}\n" in text
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{SHA256}  dist/{NAME}\n{'b' * 64}  dist/other-1.0.tar.gz\n{'b' * 64}  pyproject.toml\n")
    assert verify(index, f"--sha256sums={sums}")[0] == 0
    sums.write_text(f"{'b' * 64}  dist/{NAME}\n{'b' * 64}  dist/ship-1.0-py3-none-any.whl\n")
    status, text = verify(index, f"--sha256sums={sums}")
    assert status == 1
    assert f"SHA-256: found {SHA256}, expected {'b' * 64} as SHA256SUMS has it" in text
    assert "found nothing at the index, expected this file of SHA256SUMS" in text
    publish(index, hashes={"sha256": "c" * 64})
    status, text = verify(index)
    assert status == 1
    assert f"SHA-256: found {SHA256}, expected {'c' * 64} as the index has it" in text


def test_a_publisher_that_is_not_the_expected_one_is_reported(index: GitHub) -> None:
    status, text = verify(index, "--source=octo/ship")
    assert status == 1
    assert "found no provenance, expected one" in text
    attest(index)
    status, text = verify(index, "--source=https://github.com/Octo/ship.git", "--environment=PyPI")
    assert status == 1, "what the index shows is not signed"
    assert "attested by GitHub octo/ship release.yml pypi" in text
    assert "publisher:" not in text
    assert text.count("attestation: found one that does not verify") == 1
    for option in ("--source=octo/other", "--source=https://gitlab.com/octo/ship", "--environment=testpypi"):
        assert "publisher: found GitHub octo/ship release.yml pypi, expected" in verify(index, option)[1]


def test_the_project_at_hand_is_expected_if_it_has_the_name(index: GitHub, tmp_path: Path) -> None:
    attest(index)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "Ship"\nversion = "1.0"\n')
    commit(tmp_path)
    git(tmp_path, "remote", "add", "origin", "git@github.com:octo/ship.git")
    own = json.loads(verify(index, f"--project={tmp_path}", "--format=json")[1])
    publisher = {"kind": "GitHub", "repository": "octo/ship", "workflow": "release.yml", "environment": "pypi"}
    assert own["expected"] == publisher
    assert own["files"][0]["publishers"] == [publisher]
    assert own["verified"] is False
    git(tmp_path, "remote", "set-url", "origin", "git@gitlab.com:octo/ship.git")
    expected = "GitLab octo/ship .gitlab-ci.yml testpypi"
    assert f"expected {expected}" in verify(index, f"--project={tmp_path}", "--repository=testpypi")[1]
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "1.0"\n')
    assert "note: any publisher is accepted" in verify(index, f"--project={tmp_path}")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["ship"], "found 'ship', expected NAME==VERSION"),
        (["ship==1.*"], "found 'ship==1.*', expected NAME==VERSION"),
        (["ship==2.0"], "found no file of ship 2.0, expected at least one"),
        (["ship==1.0", "--source=ship"], "found 'ship', expected OWNER/REPOSITORY"),
        (["ship==1.0", f"--sha256sums={__file__}"], "found no dist, expected lines in the format of sha256sum"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_one_line_with_a_link(
    index: GitHub, options: list[str], said: str
) -> None:
    release, *others = options
    status, text = verify(index, *others, release=release)
    assert (status, len(text.splitlines())) == (2, 2), text  # with the link
    assert said in text


def test_an_index_or_a_trust_root_out_of_reach_is_no_finding(index: GitHub) -> None:
    done = CliRunner().invoke(
        main,
        ["verify", "ship==1.0", f"--index={index.address}/simple/"],
        env={"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )
    assert done.exit_code == 2
    assert "use the one that is bundled with sigstore: --offline" in done.output
    index.answers["/simple/ship/"] = (503, {}, {})
    assert verify(index)[0] == 2


@pytest.mark.parametrize("field", ["filename", "url", "hashes", "upload-time", "provenance"])
@pytest.mark.parametrize("value", [5, None, [1]])
def test_a_listing_with_other_values_than_pep_691_has_is_no_traceback(index: GitHub, field: str, value: object) -> None:
    index.answers["/simple/ship/"]["files"][0][field] = value
    assert verify(index)[0] in {0, 1, 2}
