"""Which Pythons are on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def installed(version: str) -> str | None:
    """Return an interpreter of this machine for a version such as 3.13, if there is one."""
    if version == HERE:
        return sys.executable
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [shutil.which(name), *map(str, sorted(pyenv.glob(f"{version}.*/bin/{name}")))]
    return next((path for path in candidates if path and _runs(path)), None)


def find(version: str) -> str:
    """Return an interpreter for `version`; the one that runs the tests where this machine has none."""
    return installed(version) or sys.executable


def _runs(path: str) -> bool:
    return subprocess.run([path, "-V"], capture_output=True, check=False).returncode == 0
