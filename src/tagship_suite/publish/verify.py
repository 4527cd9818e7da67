"""Checks that the index serves what was published: the same files with the same bytes, also to pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..dists import rules
from ..errors import Problem, refuse
from .retry import TransientError

if TYPE_CHECKING:
    from packaging.tags import Tag

    from ..dists.reading import Dist
    from .index import Index
    from .retry import RetryPolicy

TIMEOUT = 120  # seconds
INITIAL_DELAY = 0.25  # seconds before the next request for a file that the index just accepted


def wait(index: Index, dists: list[Dist], retry: RetryPolicy) -> None:
    """Wait until the index serves every dist with the same bytes, also to pip; raise `ReleaseError` on timeout."""
    retry.reset(INITIAL_DELAY)
    retry.call(lambda: _served(index, dists))
    retry.call(lambda: _download(index, dists))


def missing(index: Index, dists: list[Dist]) -> list[Dist]:
    """Return the dists that the index does not serve.

    Raises `ReleaseError` if it serves other bytes, or accepts no more files for this release.
    """
    files = index.files(dists[0].name)
    hashes = {dist: index.sha256(files[dist.path.name]) for dist in dists if dist.path.name in files}
    other = {f"{dist.path.name} at {index.upload_url}": (dist, found) for dist, found in hashes.items()}
    remedy = "a file name can be used only once: release a new version"
    refuse(
        [
            Problem("file-exists", where, f"SHA-256 {found}", f"SHA-256 {dist.sha256}", remedy)
            for where, (dist, found) in other.items()
            if found != dist.sha256
        ]
    )
    absent = [dist for dist in dists if dist not in hashes]
    if index.site:
        refuse(rules.too_old({name: file.uploaded for name, file in files.items()}, absent))
    return absent


def _served(index: Index, dists: list[Dist]) -> None:
    if absent := missing(index, dists):
        names = ", ".join(dist.path.name for dist in absent)
        raise TransientError(
            f"{names}: accepted, but not served yet; a later run of this job checks again [not-served]"
        )


def _download(index: Index, dists: list[Dist]) -> None:
    """Download one of the wheels among `dists` with pip; raise `TransientError` if that fails.

    pip compares the hash. Nothing is installed, and no code of the project runs.
    """
    wheels = [dist for dist in dists if dist.is_wheel]
    if not wheels:
        return
    wheel = wheels[0]
    hashes = " ".join(f"--hash=sha256:{each.sha256}" for each in wheels)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{wheel.name}=={wheel.version} {hashes}\n", encoding="utf-8")
        options = ["--require-hashes", "-r", str(requirements), "-d", folder, *_target(min(wheel.tags, key=str))]
        try:
            done = _pip("download", "--quiet", "--no-deps", "--no-cache-dir", *options, index=index)
        except subprocess.TimeoutExpired as error:
            raise TransientError(
                f"{wheel.path.name}: pip did not download it within {TIMEOUT} s [not-served]"
            ) from error
    if done.returncode:
        lines = done.stdout.splitlines()
        message = next((line for line in lines if line.startswith("ERROR")), "".join(lines[:1]))
        failed = f"the index serves every file, but pip cannot download {wheel.path.name}: {message}"
        raise TransientError(f"{failed} [not-served]")


def _target(tag: Tag) -> list[str]:
    """Return pip's options that select a wheel of this tag, whatever Python and machine run this."""
    version = "".join(filter(str.isdigit, tag.interpreter))
    options = {"platform": tag.platform, "abi": tag.abi, "implementation": tag.interpreter.rstrip("0123456789")}
    python = f"{version[0]}.{version[1:]}" if len(version) > 1 else version
    given = [f"--{name}={value}" for name, value in {**options, "python-version": python}.items()]
    return ["--only-binary=:all:", "--ignore-requires-python", *given]


def _pip(*arguments: str, index: Index) -> subprocess.CompletedProcess[str]:
    # In variables, because other users can read a command line: the addresses may contain the index's password.
    first, *others = [_with(index.auth, url) for url in index.simple_urls]
    options = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": first,
        "PIP_EXTRA_INDEX_URL": " ".join(others),
        "PIP_CERT": index.ca_file,
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    if index.upload_url.startswith("http:"):  # the password was already sent there
        options["PIP_TRUSTED_HOST"] = urlsplit(index.upload_url).netloc.rpartition("@")[2]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, "-I", "-m", "pip", *arguments],
        env={**inherited, **{name: value for name, value in options.items() if value}},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
    )


def _with(auth: tuple[str, str], url: str) -> str:
    parts = urlsplit(url)
    userinfo = ":".join(quote(each, safe="") for each in auth)
    return parts._replace(netloc=f"{userinfo}@{parts.netloc}").geturl() if auth[1] else url
