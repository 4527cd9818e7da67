"""The virtual environments of the sessions after the gate and of the installation, created in the background."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from tagship import suite
from tagship.rehearsal import signer
from tagship.rehearsal.jobs import GITHUB_RELEASE, PUBLISHING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tagship.rehearsal.jobs import Jobs
    from tagship.rehearsal.process import Done

#: The environment into which the release is installed from the index.
INSTALL = "install-back"
#: Seconds for which unused environments are kept.
KEPT = 30 * 24 * 3600


class Environments:
    """The environments, in the order in which they are needed; all are created without the servers' proxy.

    With `kept`, those of the publish sessions come from the user's cache, and stay there for the next rehearsal.
    """

    def __init__(self, jobs: Jobs, *, kept: bool = False) -> None:
        self._jobs = jobs
        self._cache = _cache(jobs.clone / suite.REQUIREMENTS / "tools.txt") if kept else None
        self.folder = self._cache or jobs.folder / "environments"
        self._made: dict[str, Future[Done]] = {}

    @property
    def python(self) -> Path:
        """The interpreter of the environment for the installation."""
        return self.folder / INSTALL / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def options(self) -> tuple[object, ...]:
        """The options with which nox uses an environment that was created here."""
        return ("--reuse-venv=always", "--no-install", "--envdir", self.folder)

    def prepare(self) -> None:
        """Start creating them."""
        later = self._jobs.processes.background.submit
        if self._cache and self._cache.is_dir():
            with suppress(OSError):
                os.utime(self._cache)
        elif self._cache:
            self._made = dict.fromkeys(PUBLISHING, later(self._keep, self._cache))
        else:
            self._made = {
                session: later(self._publishing, session, self.folder) for session in (*PUBLISHING, GITHUB_RELEASE)
            }
            self._made[INSTALL] = later(self._installing)

    def failed(self, name: str) -> Done | None:
        """Wait for the environment of this name; return the failed command if it could not be created."""
        done = self._made[name].result() if name in self._made else None
        return done if done and done.status else None

    def _keep(self, cache: Path) -> Done:
        """Create those of the publish sessions and move them to `cache`, completely or not at all."""
        # nox shortens the names of environments depending on the length of the path, so this one has the same length.
        partial = cache.with_name(secrets.token_hex(len(cache.name) // 2))
        try:
            for session in PUBLISHING:
                done = self._publishing(session, partial)
                if done.status:
                    return done
            with suppress(OSError):  # another rehearsal has created it meanwhile
                partial.rename(cache)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return done

    def _publishing(self, session: str, folder: Path) -> Done:
        nox = ("--install-only", "--envdir", folder)
        done = self._jobs.nox(session, self._jobs.clone, self._jobs.environment("prepare"), *nox)
        # Sigstore must get no request to sign for an identity that does not exist.
        for package in folder.glob("*/**/site-packages/pypi_attestations"):
            shutil.rmtree(package)
            package.mkdir()
            shutil.copy(signer.__file__, package / "__main__.py")
        return done

    def _installing(self) -> Done:
        plain = self._jobs.environment("prepare")
        venv = ["uv", "venv", "--clear", "--python", sys.executable, self.python.parents[1]]
        pip = ["uv", "pip", "install", "--compile-bytecode", "--python", self.python, "pip"]
        return self._jobs.run_all((venv, plain), (pip, plain), cwd=self._jobs.folder, log=INSTALL)


def _cache(lock: Path) -> Path | None:
    """Return the cache folder of the environments for this Python and the tools in `lock`, None if there is none.

    Removes those that have not been used for a long time.
    """
    content = b"".join(path.read_bytes() for path in (lock, Path(signer.__file__)) if path.is_file())
    key = hashlib.sha256(content + f"{sys.executable} {sys.version}".encode()).hexdigest()[:16]
    parent = user_cache_path("tagship") / "rehearsal"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for each in parent.iterdir():
            if each.name != key and each.stat().st_mtime < time.time() - KEPT:
                shutil.rmtree(each, ignore_errors=True)
    except OSError:
        return None
    return parent / key if os.access(parent, os.W_OK) else None
