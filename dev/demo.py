"""The main job, from nothing to an installed package: what a maintainer does, in one run, with the times."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers import Pypiserver

ROOT = Path(__file__).resolve().parent.parent
IDENTITY = {
    "GIT_AUTHOR_NAME": "A Maintainer",
    "GIT_AUTHOR_EMAIL": "maintainer@example.com",
    "GIT_COMMITTER_NAME": "A Maintainer",
    "GIT_COMMITTER_EMAIL": "maintainer@example.com",
}


def main() -> None:
    """Generate, build, test, verify, publish and install; end with exit status 1 at the first step that fails."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Pypiserver(Path(folder, "index")) as index:
        project = Path(folder, "my-package")
        python = [sys.executable, "-m"]
        nox = [*python, "nox", "-s"]
        step(
            "cookiecutter . --no-input",
            [*python, "cookiecutter", str(ROOT), "--no-input", "-o", folder],
            ROOT,
        )
        for arguments in ("init -q", "add -A", "commit -qm first", "tag v0.1.0"):  # no shell: there may be none
            step(f"git {arguments}", ["git", *arguments.split()], project)
        step("nox -s build", [*nox, "build"], project)
        test = f"test-{sys.version_info.major}.{sys.version_info.minor}"
        step(f"nox -s {test} -- --installpkg dist", [*nox, test, "--", "--installpkg", "dist"], project)
        step("nox -s verify-version", [*nox, "verify-version"], project)
        said = step("nox -s publish", [*nox, "publish"], project, index.twine)
        venv = Path(folder, "venv")
        step(
            "a fresh environment",
            [*python, "uv", "venv", "-q", "--python", sys.executable, str(venv)],
            project,
        )
        there = next(path for path in (venv / "bin/python", venv / "Scripts/python.exe") if path.exists())
        install = [
            "uv",
            "pip",
            "install",
            "-q",
            "--python",
            str(there),
            "--index-url",
            f"{index.url}simple/",
            "my-package==0.1.0",
        ]
        step("pip install my-package==0.1.0", [*python, *install], project)
        step('python -c "import my_package"', [str(there), "-I", "-c", "import my_package"], project)
        print(f"\n{'all':42} {time.perf_counter() - started:6.1f} s\n\nThe index at {index.url} now serves:")
        for path in sorted((project / "bundle/dist").iterdir()):
            line = next(line for line in said.splitlines() if line.startswith(f"{path.name}  "))
            print(f"  {line}  {path.stat().st_size} bytes")


def step(name: str, command: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run one step and print its time in seconds; if it fails, print its output and exit."""
    print(f"{name:42} ", end="", flush=True)
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**environment(), **(env or {})},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    print(f"{time.perf_counter() - started:6.1f} s  {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print(done.stdout)
        sys.exit(1)
    return done.stdout


def environment() -> dict[str, str]:
    """Return this environment without what would make a local run look like CI, and with an identity for git."""
    hidden = ("GITHUB_", "ACTIONS_", "TWINE_", "NOX")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {
        **kept,
        **IDENTITY,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }


if __name__ == "__main__":
    main()
