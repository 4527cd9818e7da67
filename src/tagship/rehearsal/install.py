"""Installs the release as its users will, and imports it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.rehearsal.environments import INSTALL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagship.rehearsal.jobs import Jobs
    from tagship.rehearsal.process import Done
    from tagship.rehearsal.servers import Servers
    from tagship_suite.dists.reading import Dist


def from_index(jobs: Jobs, python: Path, dists: list[Dist], servers: Servers) -> Done:
    """Install `dists` from the local PyPI with pip, which checks their hashes; import what is in the wheels."""
    plain = jobs.environment(INSTALL)
    source = ["-i", servers.index_url("pypi"), "-r", _requirements(jobs, dists)]
    # Its dependencies are not on the local index.
    dependencies = ["uv", "pip", "install", "--python", python, *_wanted(dists)]
    return jobs.run_all(
        (_pip(python, source), servers.environment(plain)),
        (dependencies, plain),
        (_imports(python, dists), plain),
        cwd=jobs.folder,
        log=INSTALL,
    )


def from_bundle(jobs: Jobs, python: Path, dists: list[Dist]) -> Done:
    """Install `dists`, which are at no local index, from the bundle; import what is in the wheels."""
    plain = jobs.environment(INSTALL)
    source = ["--no-index", "--find-links", jobs.clone / "bundle/dist", "-r", _requirements(jobs, dists)]
    steps = [(_pip(python, source), plain), (_imports(python, dists), plain)]
    return jobs.run_all(*steps, cwd=jobs.folder, log=INSTALL)


def _pip(python: Path, source: Sequence[object]) -> list[object]:
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "install"]
    return [*pip, "--no-deps", "--no-cache-dir", *source]


def _wanted(dists: list[Dist]) -> dict[str, list[str]]:
    """Return the requirement of each distribution, with the hashes of its dists."""
    found: dict[str, list[str]] = {}
    for dist in dists:
        found.setdefault(f"{dist.name}=={dist.version}", []).append(f"--hash=sha256:{dist.sha256}")
    return found


def _requirements(jobs: Jobs, dists: list[Dist]) -> Path:
    path = jobs.folder / "install-back.txt"
    path.write_text("".join(f"{wanted} {' '.join(hashes)}\n" for wanted, hashes in _wanted(dists).items()))
    return path


def _imports(python: Path, dists: list[Dist]) -> list[object]:
    """Return the command that imports the top-level modules of the wheels."""
    found = [re.fullmatch(r"(\w+)(?:/__init__)?\.py", name) for dist in dists for name in dist.members]
    return [python, "-I", "-c", "\n".join(sorted({f"import {match[1]}" for match in found if match}))]
