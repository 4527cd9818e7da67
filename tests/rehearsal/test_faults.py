"""The servers simulate faults, and clients react as they would to the real ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from tagship.errors import TagshipError
from tagship.rehearsal.faults import Fault, Faults, fault
from tests.rehearsal.client import Client
from tests.rehearsal.conftest import PUSH
from tests.rehearsal.dists import Dist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagship.rehearsal.servers import Servers
    from tests.rehearsal.conftest import Run


def test_an_expired_token_is_refused_at_the_upload(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    registered.faults.tell(Fault.EXPIRED_TOKEN)
    done = twine(registered.job(PUSH, "pypi"), Dist().write_wheel(folder))
    assert done.returncode == 1
    assert "403 Invalid API Token: token is expired" in done.stdout


def test_twine_gives_up_when_every_upload_gets_a_503(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    registered.faults.tell(Fault.UPLOAD_503)
    done = twine(registered.job(PUSH, "pypi"), Dist().write_wheel(folder))
    assert done.returncode == 1
    assert "503 Service Unavailable" in done.stdout
    assert [entry.status for entry in registered.index.uploads()] == [503] * 5


def test_twine_gets_over_a_503_that_passes(registered: Servers, folder: Path, twine: Callable[..., Run]) -> None:
    registered.faults.tell(Fault.UPLOAD_503, times=2)
    done = twine(registered.job(PUSH, "pypi"), Dist().write_wheel(folder))
    assert done.returncode == 0
    assert [entry.status for entry in registered.index.uploads()] == [503, 503, 200]


def test_a_reset_breaks_an_upload_off(registered: Servers, folder: Path, twine: Callable[..., Run]) -> None:
    registered.faults.tell(Fault.UPLOAD_RESET, times=1)
    wheel = Dist(readme="word\n" * 50_000).write_wheel(folder)
    done = twine(registered.job(PUSH, "pypi"), wheel)
    assert done.returncode == 1
    assert "ConnectionError" in done.stdout
    assert registered.index.files("tiny") == []
    assert twine(registered.job(PUSH, "pypi"), wheel).returncode == 0


def test_slow_answers_come_late(registered: Servers) -> None:
    registered.faults.tell(Fault.SLOW, seconds=0.3)
    before = time.monotonic()
    assert Client(registered).get("/simple/").status_code == 200
    assert time.monotonic() - before >= 0.3


def test_a_partial_release_has_its_first_file_only(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    registered.faults.tell(Fault.PARTIAL)
    files = [Dist().write_wheel(folder), Dist().write_sdist(folder)]
    assert twine(registered.job(PUSH, "pypi"), *files).returncode == 1
    assert [file.filename for file in registered.index.files("tiny")] == [files[0].name]
    registered.faults.clear()
    assert twine(registered.job(PUSH, "pypi"), *files).returncode == 0
    assert len(registered.index.files("tiny")) == 2


def test_a_lagging_index_lists_a_file_later(registered: Servers, folder: Path) -> None:
    client, path = Client(registered), Dist().write_wheel(folder)
    registered.faults.tell(Fault.INDEX_LAG, seconds=0.5)
    assert client.upload(path, client.mint(), Dist().metadata).status_code == 200
    assert path.name not in client.get("/simple/tiny/").text
    assert client.get("/pypi/tiny/json").status_code == 404
    time.sleep(0.6)
    assert path.name in client.get("/simple/tiny/").text
    assert client.get("/pypi/tiny/json").status_code == 200


def test_a_clock_that_is_ahead_makes_tokens_invalid(registered: Servers) -> None:
    registered.faults.tell(Fault.CLOCK_SKEW)
    assert Client(registered).refusal() == ("invalid-token", "malformed or invalid token")


def test_a_reset_reaches_the_client_as_a_reset(registered: Servers, folder: Path) -> None:
    client = Client(registered)
    token = client.mint()
    registered.faults.tell(Fault.UPLOAD_RESET)
    with pytest.raises(requests.ConnectionError):
        client.upload(Dist().write_wheel(folder), token, Dist().metadata)


def test_an_unknown_fault_is_refused_with_all_names() -> None:
    assert fault("index-lag") is Fault.INDEX_LAG
    with pytest.raises(TagshipError, match="found 'fire', expected one of expired-token, upload-503"):
        fault("fire")


def test_a_fault_ends_after_its_times() -> None:
    faults = Faults()
    faults.tell(Fault.SLOW, times=2, seconds=1)
    assert [faults.seconds(Fault.SLOW) for _ in range(3)] == [1, 1, 0]
