"""The locked release tools as wheels in a folder, so that a job in a test needs no index for them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.act.pythons import find
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def locked(cache: Path, version: str) -> Path:
    """Return a folder in `cache` with the tools for a Python of this version, kept until they change."""
    requirements = [ROOT / ".github/release/requirements" / name for name in ("nox.txt", "tools.txt")]
    python = find(version)
    text = python.encode() + b"".join(path.read_bytes() for path in requirements)
    folder = cache / hashlib.sha256(text).hexdigest()[:16]
    if not folder.is_dir():
        downloaded = folder.with_name(f"{folder.name}-{os.getpid()}")
        _download(downloaded, python, requirements)
        with suppress(OSError):  # another worker was first
            downloaded.rename(folder)
        shutil.rmtree(downloaded, ignore_errors=True)
    return folder


def _download(folder: Path, python: str, requirements: list[Path]) -> None:
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", "--python", python, venv], check=True)
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", f"--dest={folder}"]
    files = [f"--requirement={path}" for path in requirements]
    subprocess.run([venv / "bin/python", "-m", "pip", "download", *options, *files], check=True)
    shutil.rmtree(venv)
