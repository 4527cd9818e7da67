"""Unmodified clients publish to the local index and install from it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.rehearsal.client import Client
from tests.rehearsal.conftest import PUSH, REGISTERED
from tests.rehearsal.dists import Dist, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagship.rehearsal.servers import Servers
    from tests.rehearsal.conftest import Run

UV_PUBLISH = ("publish", "--trusted-publishing", "always", "--publish-url", "https://upload.pypi.org/legacy/")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir")


def test_twine_publishes_with_nothing_but_the_variables_of_a_job(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    files = [Dist().write_wheel(folder), Dist().write_sdist(folder)]
    done = twine(registered.job(PUSH, "pypi"), *files)
    assert done.returncode == 0, done.stdout
    assert "https://pypi.org/project/tiny/1.0/" in done.stdout
    stored = {file.filename: file.sha256 for file in registered.index.files("tiny")}
    assert stored == {path.name: sha256(path) for path in files}
    assert {each.way for each in registered.proxy.seen} == {"index"}


def test_twine_publishes_to_testpypi_and_pypi_stays_empty(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    registered.index.register(replace(REGISTERED, environment="testpypi"), "testpypi")
    job = registered.job(PUSH, "testpypi")
    done = twine(job, Dist().write_wheel(folder), options=("--repository", "testpypi"))
    assert done.returncode == 0, done.stdout
    assert len(registered.index.files("tiny", "testpypi")) == 1
    assert registered.index.files("tiny") == []


def test_twine_shows_why_a_token_was_refused(registered: Servers, folder: Path, twine: Callable[..., Run]) -> None:
    done = twine(registered.job(PUSH, "staging"), Dist().write_wheel(folder))
    assert done.returncode == 1
    reason = "`invalid-publisher`: valid token, but no corresponding publisher (Publisher with matching claims"
    assert reason in done.stdout


def test_twine_shows_why_an_upload_was_refused(registered: Servers, folder: Path, twine: Callable[..., Run]) -> None:
    done = twine(registered.job(PUSH, "pypi"), Dist(tag="py3-none-linux_x86_64").write_wheel(folder))
    assert done.returncode == 1
    assert "400 Binary wheel 'tiny-1.0-py3-none-linux_x86_64.whl' has an unsupported" in done.stdout


def test_twine_skips_what_exists_by_asking_the_retired_host(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    path = Dist().write_wheel(folder)
    registered.index.put_release("tiny", "1.0", files={path.name: b"other bytes"})
    done = twine(registered.job(PUSH, "pypi"), path, options=("--skip-existing",))
    assert done.returncode == 0, done.stdout
    assert "Skipping tiny-1.0-py3-none-any.whl because it appears to already exist" in done.stdout
    assert registered.index.uploads() == []


def test_without_a_job_there_is_no_token(registered: Servers, folder: Path, twine: Callable[..., Run]) -> None:
    done = twine(registered.environment(), Dist().write_wheel(folder))
    assert done.returncode == 1
    assert "Credential not found for API token" in done.stdout
    assert registered.index.mints() == []


def test_what_the_surroundings_say_about_publishing_does_not_reach_a_client(servers: Servers) -> None:
    around = {"TWINE_PASSWORD": "", "UV_PUBLISH_TOKEN": "x", "PIP_FIND_LINKS": "/x", "KEPT": "1"}
    environment = servers.environment(around)
    assert environment["KEPT"] == "1"
    assert not {"TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "PIP_FIND_LINKS"} & environment.keys()


def test_uv_publishes_with_nothing_but_the_variables_of_a_job(
    registered: Servers, folder: Path, uv: Callable[..., Run]
) -> None:
    files = [Dist().write_wheel(folder), Dist().write_sdist(folder)]
    done = uv(registered.job(PUSH, "pypi"), *UV_PUBLISH, *map(str, files))
    assert done.returncode == 0, done.stdout
    stored = {file.filename: file.sha256 for file in registered.index.files("tiny")}
    assert stored == {path.name: sha256(path) for path in files}
    assert "warning" not in done.stdout, "the token is burnt afterwards"


def test_uv_asks_its_check_url_before_it_uploads(registered: Servers, folder: Path, uv: Callable[..., Run]) -> None:
    path = Dist().write_wheel(folder)
    command = (*UV_PUBLISH, "--check-url", "https://pypi.org/simple/", str(path))
    assert uv(registered.job(PUSH, "pypi"), *command).returncode == 0
    again = uv(registered.job(PUSH, "pypi"), *command)
    assert again.returncode == 0, again.stdout
    assert "already exists" in again.stdout
    assert len(registered.index.uploads()) == 1


def test_uv_shows_why_a_token_was_refused(registered: Servers, folder: Path, uv: Callable[..., Run]) -> None:
    done = uv(registered.job(PUSH, "staging"), *UV_PUBLISH, str(Dist().write_wheel(folder)))
    assert done.returncode == 2
    assert "invalid-publisher" in done.stdout
    assert 'job_workflow_ref: "Octo/tiny/.github/workflows/release.yml@refs/tags/v1.0"' in done.stdout


def test_uv_shows_why_an_upload_was_refused(registered: Servers, folder: Path, uv: Callable[..., Run]) -> None:
    wheel = Dist(tag="py3-none-linux_x86_64").write_wheel(folder)
    done = uv(registered.job(PUSH, "pypi"), *UV_PUBLISH, str(wheel))
    assert done.returncode == 2
    assert "has an unsupported platform tag 'linux_x86_64'" in done.stdout


def test_pip_installs_back_what_was_published(
    registered: Servers, folder: Path, tmp_path: Path, run: Callable[..., Run]
) -> None:
    client, path = Client(registered), Dist().write_wheel(folder)
    assert client.upload(path, client.mint(), Dist().metadata).status_code == 200
    target = tmp_path / "target"
    install = ("install", "--index-url", registered.index_url(), "--no-deps", "--target", str(target))
    done = run([*PIP, *install, "tiny==1.0"], registered.environment())
    assert done.returncode == 0, done.stdout
    assert (target / "tiny.py").read_text() == "answer = 42\n"


def test_uv_installs_back_what_was_published(
    registered: Servers, folder: Path, tmp_path: Path, uv: Callable[..., Run]
) -> None:
    client, path = Client(registered), Dist().write_wheel(folder)
    assert client.upload(path, client.mint(), Dist().metadata).status_code == 200
    options = ("pip", "install", "--no-cache", "--no-config", "--no-deps", "--python", sys.executable)
    target = ("--index-url", registered.index_url(), "--target", str(tmp_path / "target"))
    done = uv(registered.environment(), *options, *target, "tiny==1.0")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "target" / "tiny.py").exists()


def test_pip_finds_only_what_was_published(registered: Servers, run: Callable[..., Run]) -> None:
    command = [*PIP, "download", "--index-url", registered.index_url(), "--no-deps", "packaging"]
    done = run(command, registered.environment())
    assert done.returncode == 1
    assert "No matching distribution found for packaging" in done.stdout


def test_pip_downloads_a_published_sdist(
    registered: Servers, folder: Path, tmp_path: Path, run: Callable[..., Run]
) -> None:
    client, path = Client(registered), Dist().write_sdist(folder)
    assert client.upload(path, client.mint(), Dist().metadata).status_code == 200
    options = ("--no-deps", "--no-binary", ":all:", "--dest", str(tmp_path))
    command = [*PIP, "download", "--index-url", registered.index_url(), *options, "tiny"]
    done = run(command, registered.environment())
    assert done.returncode == 0, done.stdout
    assert sha256(tmp_path / path.name) == sha256(path)
