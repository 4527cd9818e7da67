"""How a job of the workflow runs on this machine: its variables, its outputs, and nox."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tagship import suite
from tagship.rehearsal import gitlab
from tagship.rehearsal.push import variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tagship.rehearsal.process import Done, Processes
    from tagship.rehearsal.push import TagPush

#: Each publish session, with its index, whose name plus a suffix is its environment on GitHub.
PUBLISHING = {"publish-test": "testpypi", "publish": "pypi"}
GITHUB_RELEASE = "github-release"
#: Variables that would make a session behave differently than on GitHub, or expose a secret to it.
FOREIGN = (
    *("GITHUB_", "ACTIONS_", "RUNNER_", "TWINE_", "UV_PUBLISH_", "NOX", "SOURCE_DATE_EPOCH"),
    *("CI_", "GITLAB_", "PYPI_ID_TOKEN", "TESTPYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN"),
    *("GIT_DIR", "GIT_WORK", "TAGSHIP_PACKAGE", "PYTHONDONTWRITEBYTECODE"),
)


@dataclass(frozen=True)
class Jobs:
    """The jobs of one tag push; all their files are in `folder`."""

    folder: Path
    push: TagPush
    processes: Processes

    @property
    def clone(self) -> Path:
        """The clone of the repository."""
        return self.folder / "repository"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files, so that those of a killed command are removed with `folder`."""
        return self.folder / "temporary"

    def environment(self, session: str) -> dict[str, str]:
        """Return this machine's environment with the variables of the job `session`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        folder = self.folder / "github" / session
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.push, gitlab.GitLabPush):
            return {**kept, **gitlab.variables_of(self.push, session, folder)}
        return {**kept, **variables_of(self.push, session, folder)}

    def outputs(self, session: str) -> dict[str, str]:
        """Return the outputs that the job `session` has written."""
        path = self.folder / "github" / session / "output"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def nox(self, session: str, cwd: Path, environment: Mapping[str, str], *arguments: object) -> Done:
        """Run one session of the noxfile in `cwd`."""
        return self.run(["nox", *suite.nox_options(cwd), "-s", session, *arguments], cwd, environment, session)

    def run(self, command: Sequence[object], cwd: Path, environment: Mapping[str, str], log: str) -> Done:
        """Run a command, with this interpreter's `nox` and `uv`. Its output goes to the log of this name."""
        tool = [sys.executable, "-m"] if command[0] in {"nox", "uv"} else []
        inside = {**environment, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.temporary))}
        return self.processes.run([*tool, *command], cwd, inside, self.folder / "logs" / f"{log}.log")

    def run_all(self, *steps: tuple[Sequence[object], Mapping[str, str]], cwd: Path, log: str) -> Done:
        """Run commands, each with its environment, until one fails; return the last one with the total time."""
        seconds = 0.0
        for command, environment in steps:
            done = self.run(command, cwd, environment, log)
            seconds += done.seconds
            if done.status:
                break
        return replace(done, seconds=seconds)
