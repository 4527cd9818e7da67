"""Registries that are not PyPI, real ones with passwords: publish, publish again, install back.

And where no variable names one: Trusted Publishing, to the local index that behaves as PyPI does.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from tagship.publisher import Registration
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.servers import running
from tests.archives import write_release, write_wheel
from tests.conftest import copy_suite, release, run, try_release
from tests.servers import Devpi, Pypiserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
REGISTRIES: dict[str, Callable[[Path], AbstractContextManager[Pypiserver | Devpi]]] = {
    "pypiserver": lambda folder: Pypiserver(folder, authenticate=["list", "download", "update"]),
    "devpi": Devpi,
}


@pytest.fixture(params=list(REGISTRIES))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pypiserver | Devpi]:
    with REGISTRIES[request.param](tmp_path / "registry") as server:
        yield server


def bundle(folder: Path, body: str) -> Path:
    """Return a bundle that the gate let through; another `body` gives other bytes."""
    copy_suite(folder)
    write_release(folder / "dist", body=body)
    release(folder, "verify", **TAG)
    return folder / "bundle"


def test_a_registry_takes_a_release_once_and_gives_it_back(registry: Pypiserver | Devpi, tmp_path: Path) -> None:
    ours, other = bundle(tmp_path / "ours", ""), bundle(tmp_path / "other", "other = True\n")
    wrong = try_release(ours, "publish", "pypi", **TAG, **{**registry.twine, "TWINE_PASSWORD": "wrong"})
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stdout
    first = release(ours, "publish", "pypi", **TAG, **registry.twine)
    assert first.stdout.count("  uploaded  ") == 2
    second = release(ours, "publish", "pypi", **TAG, **registry.twine)
    assert second.stdout.count("skipped, the index has it with the same SHA-256") == 2
    refused = try_release(other, "publish", "pypi", **TAG, **registry.twine)
    assert refused.returncode == 1
    assert refused.stdout.count("a file name can be used only once: release a new version") == 2
    target = tmp_path / "target"
    run("uv", "pip", "install", "-q", "--default-index", registry.simple, "--target", target, "ship==1.0", cwd=tmp_path)
    assert (target / "ship/__init__.py").read_text() == ""


def test_what_is_not_for_pypi_skips_its_rules_and_is_never_published_there(
    pypiserver: Pypiserver, tmp_path: Path
) -> None:
    suite = copy_suite(tmp_path / "ship")
    only_pypi_refuses = ("Home-page: ssh://git.example.org", "Requires-Dist: x @ https://example.org/x.whl")
    write_wheel(suite / "dist", tag="py3-none-linux_x86_64", extra=("Classifier: Private :: Ours", *only_pypi_refuses))
    release(suite, "verify", **TAG)
    refused = try_release(suite, "publish", "pypi", **TAG, **{**pypiserver.twine, "TWINE_REPOSITORY_URL": ""})
    assert refused.returncode == 1
    for words in ("classifier", "'linux_x86_64'", "Home-page 'ssh:", "dependency 'x @", "'Private :: Ours'"):
        assert words in refused.stdout
    assert release(suite, "publish", "pypi", **TAG, **pypiserver.twine).stdout.count("  uploaded  ") == 1


#: How the workflow passes variables and secrets that are not set.
UNSET = {"TWINE_REPOSITORY_URL": "", "TWINE_USERNAME": "", "TWINE_PASSWORD": ""}


def test_variables_and_secrets_that_are_not_set_do_not_affect_trusted_publishing(tmp_path: Path) -> None:
    ours = bundle(tmp_path / "ours", "")
    push = TagPush(owner="Octo", repository="ship", tag="v1.0", sha="a" * 40, owner_id="77")
    registration = Registration("ship", "Octo", "ship", "release.yml", "pypi", "77")
    with running(tmp_path / "state") as servers:
        servers.index.register(registration)
        job = {**servers.job(push, "pypi"), **TAG, **UNSET}
        done = release(ours, "publish", "pypi", "--no-attestations", **job)
        assert done.stdout.count("  uploaded  ") == 2
        assert len(servers.index.mints()) == 1
        assert len(servers.index.files("ship")) == 2


def test_a_registry_whose_password_is_not_set_gets_no_upload(pypiserver: Pypiserver, tmp_path: Path) -> None:
    ours = bundle(tmp_path / "ours", "")
    done = try_release(ours, "publish", "pypi", **TAG, **{**pypiserver.twine, "TWINE_PASSWORD": ""})
    assert done.returncode == 1
    assert "error: twine: Credential not found for password" in done.stdout
    assert pypiserver.requests("POST") == 0
