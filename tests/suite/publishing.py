"""A bundle made by hand, and the rehearsal's index to publish it to."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import tagship_suite.gate.bundle as bundles
from tagship.publisher import Registration
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.servers import Servers, running
from tagship_suite.dists.reading import read_dists
from tests.archives import write_sdist, write_wheel
from tests.conftest import RELEASE, copy_suite, try_run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUSH = TagPush(owner="Octo", repository="ship", tag="v1.0", sha="a" * 40, owner_id="77")
REGISTERED = Registration("ship", "Octo", "ship", "release.yml", "pypi", "77")
TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
PLATFORMS = ("win_amd64", "win32", "win_arm64", "macosx_11_0_arm64", "macosx_11_0_x86_64")


def write_bundle(folder: Path, wheels: int = 1) -> Path:
    """Write what a publish job gets, for an sdist and some wheels, the first of them pure."""
    suite = copy_suite(folder / "ship")
    tags = [f"cp3{minor}-cp3{minor}-{platform}" for minor in (12, 13, 14) for platform in PLATFORMS]
    for tag in ["py3-none-any", *tags][:wheels]:
        write_wheel(suite / "dist", tag=tag, files={"ship/__init__.py": f"# {tag}\n" * 3000})
    write_sdist(suite / "dist")
    written: Path = bundles.write(suite, read_dists(suite / "dist"))
    return written.rename(folder / "bundle")


@contextmanager
def serving(
    folder: Path, registration: Registration = REGISTERED, *, clock: Callable[[], float] = time.time
) -> Iterator[Servers]:
    """Run an index that knows the publisher, and forgets all when it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    none = folder / "none.pem"
    none.write_text("# loading the system's authorities takes most of a request's time\n")
    with running(folder / "state", environ={"REQUESTS_CA_BUNDLE": str(none)}, clock=clock) as servers:
        servers.index.register(registration)
        yield servers
        assert servers.errors == []


def publish(bundle: Path, servers: Servers, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    job = servers.job(PUSH, "pypi")
    return try_run(*RELEASE, "publish", "pypi", "--no-attestations", *arguments, cwd=bundle, **{**job, **TAG, **env})


def hashes(bundle: Path) -> dict[str, str]:
    return {dist.path.name: dist.sha256 for dist in read_dists(bundle / "dist")}


def served(servers: Servers) -> dict[str, str]:
    return {file.filename: file.sha256 for file in servers.index.files("ship")}
