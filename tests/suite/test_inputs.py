"""Each input of gh-action-pypi-publish has its counterpart in `nox -s publish`."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from tagship_suite.__main__ import ELSEWHERE
from tests.archives import write_release
from tests.conftest import ROOT, release, try_release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Pypiserver

#: Those of the pinned version, without the old spelling of some with `_`.
INPUTS = {
    "user",
    "password",
    "repository-url",
    "packages-dir",
    "verify-metadata",
    "skip-existing",
    "verbose",
    "print-hash",
    "attestations",
}
TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}


@pytest.fixture
def bundle(suite: Path) -> Path:
    write_release(suite / "dist")
    release(suite, "verify", **TAG)
    return suite / "bundle"


def test_each_input_is_an_option_or_is_explained_and_in_the_table() -> None:
    assert set(ELSEWHERE) | {"verbose", "attestations"} == INPUTS
    table = (ROOT / "docs/from-gh-action.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == INPUTS


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_input_that_is_no_option_is_refused_with_what_to_do_instead(suite: Path, name: str) -> None:
    done = try_release(suite, "publish", "pypi", f"--{name}=hunter2", **TAG)
    assert done.returncode == 1
    assert f"error: --{name}: found an input of gh-action-pypi-publish, expected none; {ELSEWHERE[name]}" in done.stdout
    assert "hunter2" not in done.stdout
    assert try_release(suite, "publish", "pypi", f"--{name}", **TAG).returncode == 1


def test_the_counterparts_publish_to_a_registry_by_its_address_user_and_password(
    bundle: Path, pypiserver: Pypiserver
) -> None:
    done = release(bundle, "publish", "pypi", "--verbose", "--attestations", **TAG, **pypiserver.twine)
    assert f"Response from {pypiserver.url}" in done.stdout, "twine's own words"
    for path in (bundle / "dist").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() in done.stdout
    (pypiserver.folder / "ship-1.0.tar.gz").unlink()
    quiet = release(bundle, "publish", "pypi", "--no-attestations", **TAG, **pypiserver.twine)
    assert "ship-1.0-py3-none-any.whl: skipped, the index has it with the same SHA-256" in quiet.stdout
    assert "Response from" not in quiet.stdout


def test_dists_from_another_folder_are_published_by_way_of_the_gate(suite: Path, pypiserver: Pypiserver) -> None:
    write_release(suite / "wheelhouse")
    (suite / "wheelhouse").rename(suite / "dist")
    release(suite, "verify", **TAG)
    release(suite, "publish", "pypi", **TAG, **pypiserver.twine)
    assert pypiserver.files() == ["ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"]
