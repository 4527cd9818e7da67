"""The virtual environments of the publish sessions and of the installation, made in the background."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from tagship import suite
from tagship.rehearsal import signer
from tagship.rehearsal.jobs import PUBLISHING

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from tagship.rehearsal.jobs import Jobs
    from tagship.rehearsal.process import Done

#: The environment into which the release is installed from the index.
INSTALL = "install-back"


class Environments:
    """The environments, in the order in which they are needed; all are made without the servers' proxy."""

    def __init__(self, jobs: Jobs) -> None:
        self.folder = jobs.folder / "environments"
        self._jobs = jobs
        self._made: dict[str, Future[Done]] = {}

    @property
    def python(self) -> Path:
        """The interpreter of the environment for the installation."""
        return self.folder / INSTALL / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def options(self) -> tuple[object, ...]:
        """The options by which nox uses an environment as it was made here."""
        return ("--reuse-venv=always", "--no-install", "--envdir", self.folder)

    def prepare(self) -> None:
        """Begin to make them."""
        jobs, plain = self._jobs, self._jobs.environment("prepare")
        later = jobs.processes.background.submit
        for session in PUBLISHING:
            nox = ["nox", *suite.nox_options(jobs.clone), "-s", session, "--install-only", "--envdir", self.folder]
            self._made[session] = later(jobs.run, nox, jobs.clone, plain, session)
        venv = ["uv", "venv", "--clear", "--python", sys.executable, self.python.parents[1]]
        pip = ["uv", "pip", "install", "--compile-bytecode", "--python", self.python, "pip"]
        self._made[INSTALL] = later(jobs.run_all, (venv, plain), (pip, plain), cwd=jobs.folder, log=INSTALL)

    def made(self, name: str) -> Done:
        """Wait for the environment of this name; return how making it ended."""
        done = self._made[name].result()
        # Sigstore must not be asked to sign for an identity that does not exist.
        for package in (self.folder / name).glob("**/site-packages/pypi_attestations"):
            shutil.rmtree(package)
            package.mkdir()
            shutil.copy(signer.__file__, package / "__main__.py")
        return done
