"""What an installer gets: `pip download` of the version that was published."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .patience import PassingError

if TYPE_CHECKING:
    from packaging.tags import Tag

    from .dists import Dist
    from .index import Index

TIMEOUT = 120  # seconds


def fetch(index: Index, dists: list[Dist]) -> None:
    """Let pip get one of the wheels among `dists` from the index; raise `PassingError` where it gets no such file.

    pip itself compares the hash. Nothing is installed, and no code of the project runs.
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
            raise PassingError(f"{wheel.path.name}: pip does not get it within {TIMEOUT} s") from error
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.startswith("ERROR")] or done.stdout.splitlines()
        raise PassingError(f"the index serves every file, but pip does not get {wheel.path.name}: {' '.join(said[:1])}")


def _target(tag: Tag) -> list[str]:
    """Return pip's options for a wheel of this tag, whatever Python and machine this is."""
    version = "".join(filter(str.isdigit, tag.interpreter))
    options = {"platform": tag.platform, "abi": tag.abi, "implementation": tag.interpreter.rstrip("0123456789")}
    python = f"{version[0]}.{version[1:]}" if len(version) > 1 else version
    given = [f"--{name}={value}" for name, value in {**options, "python-version": python}.items()]
    return ["--only-binary=:all:", "--ignore-requires-python", *given]


def _pip(*arguments: str, index: Index) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    # By variables: a command line, with the password of an index of one's own, can be read by others.
    addresses = [_with(index.auth, url) for url in index.simple_urls]
    environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": addresses[0], "PIP_CERT": index.ca_file or ""}
    environ |= {
        "PIP_EXTRA_INDEX_URL": " ".join(addresses[1:]),
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    if index.upload_url.startswith("http:"):  # the password went there already
        environ["PIP_TRUSTED_HOST"] = urlsplit(index.upload_url).netloc.rpartition("@")[2]
    return subprocess.run(
        [sys.executable, "-I", "-m", "pip", *arguments],
        env={name: value for name, value in environ.items() if value},
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
