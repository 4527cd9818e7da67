"""Transient errors are retried, a partial release is completed, and nothing is uploaded twice."""

from __future__ import annotations

import hashlib
import random
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tagship.publisher import Registration
from tagship.rehearsal.faults import Fault, Faults
from tagship.rehearsal.index.refusal import Refusal
from tagship_suite.dists.reading import read_dists
from tests.conftest import RELEASE, parts, try_run
from tests.relay import Relay
from tests.servers import Pypiserver
from tests.suite.publishing import PUSH, TAG, hashes, publish, served, serving, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.wrappers import Response

    from tagship.indexes import PackageIndex
    from tagship.rehearsal.servers import Servers


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.UPLOAD_503,
        pytest.param(Fault.UPLOAD_RESET, marks=pytest.mark.slow),
        pytest.param(Fault.TOO_MANY_REQUESTS, marks=pytest.mark.slow),
    ],
)
def test_transient_errors_are_retried_and_each_delay_is_printed(bundle: Path, servers: Servers, fault: Fault) -> None:
    servers.faults.tell(fault, times=2)
    done = publish(bundle, servers)
    assert done.returncode == 0, done.stdout
    assert served(servers) == hashes(bundle)
    first, second = (3, 3) if fault is Fault.TOO_MANY_REQUESTS else (1, 2)
    waits = re.findall(r"(\S.*)\nretrying in (\S+) s", done.stdout)
    assert [wait for _, wait in waits] == [f"{first}", f"{second}"]
    words = {Fault.UPLOAD_503: "503", Fault.UPLOAD_RESET: "onnection", Fault.TOO_MANY_REQUESTS: "429"}
    assert all(words[fault] in why for why, _ in waits)


@pytest.mark.slow
def test_a_release_that_breaks_off_after_its_first_file_is_completed_in_the_same_run(
    bundle: Path, servers: Servers
) -> None:
    servers.faults.tell(Fault.PARTIAL, times=1)
    done = publish(bundle, servers)
    assert done.returncode == 0, done.stdout
    assert served(servers) == hashes(bundle)
    assert [entry.status for entry in servers.index.uploads()] == [200, 503, 200]  # the first file went once


@pytest.mark.slow
def test_retries_end_with_the_timeout_and_say_what_happened_why_and_what_to_do(bundle: Path, servers: Servers) -> None:
    servers.faults.tell(Fault.UPLOAD_503)
    began = time.monotonic()
    done = publish(bundle, servers, TAGSHIP_TIMEOUT="3")
    assert done.returncode == 1
    assert 3 <= time.monotonic() - began < 30
    (error,) = re.findall(r"^error: .*(?:\n  .*)*", done.stdout, re.MULTILINE)
    assert "503 Server Error: Service Unavailable" in error
    assert "gave up after 3 s without progress" in error
    assert error.count("\n") == 4
    # The delays grow, and there are no attempts between them.
    assert [entry.status for entry in servers.index.uploads()] == [503] * 3


def test_a_delay_longer_than_the_timeout_is_not_waited_for(bundle: Path, servers: Servers) -> None:
    servers.faults.tell(Fault.TOO_MANY_REQUESTS, seconds=3600)
    began = time.monotonic()
    done = publish(bundle, servers)
    assert done.returncode == 1
    assert "the server asked to wait 3600 s" in done.stdout
    assert time.monotonic() - began < 60


@pytest.mark.slow
def test_a_connection_that_says_nothing_ends_with_the_time_for_everything(bundle: Path, servers: Servers) -> None:
    servers.faults.tell(Fault.SLOW, seconds=6)
    began = time.monotonic()
    done = publish(bundle, servers, TAGSHIP_TIMEOUT="0.5")
    assert done.returncode == 1
    assert "gave up after 2.5 s in all; run this again" in done.stdout
    assert time.monotonic() - began < 30
    servers.faults.clear()


@pytest.mark.parametrize("timeout", ["", "soon", "-1", "1e3", "inf", "0"])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(bundle: Path, servers: Servers, timeout: str) -> None:
    done = publish(bundle, servers, TAGSHIP_TIMEOUT=timeout)
    assert done.returncode == 1
    assert f"TAGSHIP_TIMEOUT: found {timeout!r}, expected a number of seconds" in done.stdout


def test_permanent_errors_are_not_retried(bundle: Path, servers: Servers, tmp_path: Path) -> None:
    with serving(tmp_path / "other", Registration("ship", "Octo", "ship", "publish.yml", "pypi", "77")) as other:
        done = publish(bundle, other)
        assert "invalid-publisher" in done.stdout
        assert len(other.index.mints()) == 1
    servers.faults.tell(Fault.EXPIRED_TOKEN)
    done = publish(bundle, servers)
    assert "token is expired" in done.stdout
    assert len(servers.index.mints()) == 2  # one more, for a token that did expire
    assert "retrying in" not in done.stdout


def test_a_token_that_expires_between_two_files_is_replaced(bundle: Path, tmp_path: Path) -> None:
    stored = tmp_path / "index/state/files"

    def clock() -> float:
        """The index's time jumps by more than a token's life when it has stored a file."""
        return time.time() + 901 * any(stored.rglob("*"))

    with serving(tmp_path / "index", clock=clock) as servers:
        done = publish(bundle, servers)
        assert done.returncode == 0, done.stdout
        assert "token is expired" in done.stdout
        assert "retrying with a new token" in done.stdout
        assert served(servers) == hashes(bundle)


def test_a_token_that_expires_after_each_file_costs_no_file_a_second_upload(tmp_path: Path) -> None:
    bundle, stored = write_bundle(tmp_path, wheels=3), tmp_path / "index/state/files"
    with serving(tmp_path / "index", clock=lambda: time.time() + 901 * len(stored_in(stored))) as servers:
        done = publish(bundle, servers)
        assert done.returncode == 0, done.stdout
        assert served(servers) == hashes(bundle)
        accepted = [entry.filename for entry in servers.index.uploads() if entry.status == 200]
        assert sorted(accepted) == sorted(hashes(bundle))


def test_an_upload_that_takes_longer_than_a_token_is_valid_ends_and_names_the_file(tmp_path: Path) -> None:
    bundle, stored = write_bundle(tmp_path, wheels=2), tmp_path / "index/state/files"
    told: list[Faults] = []

    def clock() -> float:
        """Once the first file is stored, its token has expired, and so has each further one by the upload's end."""
        if late := bool(stored_in(stored)):
            told[0].tell(Fault.EXPIRED_TOKEN)
        return time.time() + 901 * late

    with serving(tmp_path / "index", clock=clock) as servers:
        told.append(servers.faults)
        done = publish(bundle, servers)
        assert done.returncode == 1
        (error,) = re.findall(r"^error: .*(?:\n  .*)*", done.stdout, re.MULTILINE)
        first, *rest = [path for path in sorted(hashes(bundle)) if path.endswith(".whl")]
        assert list(served(servers)) == [first]
        assert error.startswith(f"error: {rest[0]}: ")
        assert "token is expired" in error
        assert "the upload takes longer, or a clock is wrong" in error


def stored_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, Fault.UPLOAD_503, Fault.EXPIRED_TOKEN])
def test_every_token_that_was_minted_is_burned(bundle: Path, servers: Servers, fault: Fault | None) -> None:
    if fault:
        servers.faults.tell(fault, times=1)
    assert publish(bundle, servers).returncode == 0
    assert len(servers.index.mints()) == (2 if fault == Fault.EXPIRED_TOKEN else 1)
    assert servers.index.tokens() == 0


def test_a_token_that_cannot_be_burned_does_not_fail_the_release(
    bundle: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refusal("no", status=503)

    monkeypatch.setattr(servers.index.mint, "burn", refuse)
    assert publish(bundle, servers).returncode == 0
    assert servers.index.tokens() == 1


def test_a_token_that_grows_old_is_renewed_before_it_expires(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, wheels=3)
    with serving(tmp_path / "index", clock=lambda: time.time() - 700) as servers:
        done = publish(bundle, servers)
        assert done.returncode == 0, done.stdout
        assert served(servers) == hashes(bundle)
        assert len(servers.index.mints()) > 1


@pytest.mark.slow
def test_an_index_that_lags_is_waited_for(bundle: Path, servers: Servers) -> None:
    servers.faults.tell(Fault.INDEX_LAG, seconds=1.5)
    done = publish(bundle, servers)
    assert done.returncode == 0, done.stdout
    assert "accepted, but not served yet" in done.stdout
    assert [entry.status for entry in servers.index.uploads()] == [200, 200]


def test_what_the_index_delivers_is_compared_too(bundle: Path, servers: Servers) -> None:
    assert publish(bundle, servers).returncode == 0
    # The index lists the right hash, and delivers other bytes: only a download shows that.
    (wheel,) = [file for file in servers.index.files("ship") if file.filename.endswith(".whl")]
    servers.index._state.path(wheel.blake2_256).write_bytes(b"other")
    done = publish(bundle, servers, TAGSHIP_TIMEOUT="1")
    assert done.returncode == 1
    found = f"found SHA-256 {hashlib.sha256(b'other').hexdigest()}, expected SHA-256 {wheel.sha256}"
    assert f"{wheel.filename} as the index delivers it: {found} [not-served]" in done.stdout


def test_a_download_that_fails_is_repeated_alone(
    bundle: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish(bundle, servers).returncode == 0
    serving, downloaded = servers.index._serving, list[str]()
    download = serving.download

    def counted(index: PackageIndex, path: str) -> Response:
        downloaded.append(path.rpartition("/")[2])
        return download(index, path)

    monkeypatch.setattr(serving, "download", counted)
    (sdist,) = [file for file in servers.index.files("ship") if file.filename.endswith(".tar.gz")]
    servers.index._state.path(sdist.blake2_256).write_bytes(b"other")  # the last of the two
    assert publish(bundle, servers, TAGSHIP_TIMEOUT="1").returncode == 1
    assert len([name for name in downloaded if name.endswith(".whl")]) == 1
    assert len([name for name in downloaded if name.endswith(".tar.gz")]) > 1


@pytest.mark.slow
@pytest.mark.parametrize("part", parts(10, pushed=2))
def test_a_run_killed_at_any_moment_is_completed_by_the_next(tmp_path: Path, part: int) -> None:
    """20 kills in each part, over a release of 12 files: 40 with each push, 200 in the night."""
    bundle, chance = write_bundle(tmp_path, wheels=11), random.Random(part)
    wanted = hashes(bundle)
    assert len(wanted) == 12
    with serving(tmp_path / "whole") as servers:
        whole = kill_after(None, bundle, servers)
        assert served(servers) == wanted
    cut_off = 0
    for number in range(20):
        with serving(tmp_path / f"index{number}") as servers:
            kill_after(chance.randrange(whole * 99 // 100), bundle, servers)  # two runs differ by some bytes
            before = served(servers)
            cut_off += 0 < len(before) < len(wanted)
            done = publish(bundle, servers)
            assert done.returncode == 0, done.stdout
            assert served(servers) == wanted
            assert all(f"{name}: skipped" in done.stdout for name in before)
            assert {entry.status for entry in servers.index.uploads()} == {200}
    assert cut_off  # else no kill came amid the uploads


def kill_after(count: int | None, bundle: Path, servers: Servers) -> int:
    """Kill a run when so many bytes went between it and the index; return how many went."""
    with Relay(servers.proxy.server.port) as relay:
        address = f"http://127.0.0.1:{relay.port}"
        env = {**servers.job(PUSH, "pypi"), **TAG, "HTTPS_PROXY": address, "https_proxy": address}
        command = [*map(str, RELEASE), "publish", "pypi", "--no-attestations"]
        process = subprocess.Popen(command, cwd=bundle, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if count is not None:
            relay.cut_after(count, process.kill)
        assert process.wait() == (0 if count is None else -signal.SIGKILL)
        return relay.passed


@pytest.mark.slow
@pytest.mark.parametrize("part", parts(2, pushed=1))
def test_a_connection_cut_after_any_byte_is_got_over(tmp_path: Path, part: int) -> None:
    """25 cuts in each part: the run itself tries again, and the index ends with each file once."""
    bundle, chance = write_bundle(tmp_path, wheels=2), random.Random(part)
    wanted = hashes(bundle)
    with Pypiserver(tmp_path / "index") as server, Relay(server.port) as relay:
        env = {**TAG, **server.twine, "TWINE_REPOSITORY_URL": f"http://127.0.0.1:{relay.port}/"}
        assert try_run(*RELEASE, "publish", "pypi", cwd=bundle, **env).returncode == 0
        whole = relay.passed
        for _ in range(25):
            for path in server.folder.iterdir():
                path.unlink()
            relay.cut_after(chance.randrange(whole))
            done = try_run(*RELEASE, "publish", "pypi", cwd=bundle, **env)
            assert done.returncode == 0, done.stdout
            assert server.files() == sorted(wanted)
            assert hashes_of(server.folder) == wanted


def hashes_of(folder: Path) -> dict[str, str]:
    return {dist.path.name: dist.sha256 for dist in read_dists(folder)}
