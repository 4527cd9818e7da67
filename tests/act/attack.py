"""What code that runs in a job could try; self-contained, as it is copied into the project under test.

It goes no further than a job on GitHub could reach: its environment, its ancestors', its disk, its artifacts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

SECRETS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ghs_")
SPOILED = (
    "noxfile.py",
    ".github/release/requirements/nox.txt",
    ".github/release/requirements/tools.txt",
    "SHA256SUMS",
    "bundle/SHA256SUMS",
)
PROGRAMS = ("git", "nox", "python", "twine", "uv")


def attack(who: str) -> None:
    """Try everything that goes unnoticed, once; leave a report for the test."""
    stand_ins, job = Path(os.environ["STAND_INS"]), os.environ["GITHUB_JOB"]
    path = stand_ins / f"attack-{who}.json"
    if not path.exists():
        wrote = [*spoil(), *plant(stand_ins), *steer(stand_ins)]
        path.write_text(json.dumps({"job": job, "secrets": secrets(), "wrote": wrote}))


def leave(name: str) -> None:
    """Leave a process behind that runs a file of the workspace, with the process of nox as its argument."""
    build = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]
    command = [sys.executable, str(Path(os.environ["GITHUB_WORKSPACE"], name)), build]
    closed = subprocess.DEVNULL
    subprocess.Popen(command, start_new_session=True, stdin=closed, stdout=closed, stderr=closed)


def secrets() -> list[str]:
    """Return the secrets in git's configuration, and in the environments of this process and of its ancestors."""
    git = ["git", "-C", os.environ["GITHUB_WORKSPACE"], "config", "--local", "--includes", "--list"]
    settings = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    found, process = ["extraheader"] if "extraheader" in settings else [], "self"
    while process != "0":
        try:
            environ = Path(f"/proc/{process}/environ").read_bytes().decode("utf-8", "replace")
            process = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            break
        found += [secret for secret in SECRETS if secret in environ]
    return found


def spoil() -> list[str]:
    """Change what the publish jobs would run, in this job's checkout."""
    workspace = Path(os.environ["GITHUB_WORKSPACE"])
    for name in SPOILED:
        (workspace / name).parent.mkdir(exist_ok=True)
        with (workspace / name).open("a") as file:
            file.write("\n# spoiled\n")
    return list(SPOILED)


def plant(stand_ins: Path) -> list[str]:
    """Leave credentials and settings where later jobs on the same machine would look."""
    home, workspace = Path.home(), Path(os.environ["GITHUB_WORKSPACE"])
    settings = {
        home / ".pypirc": "[pypi]\nusername = __token__\npassword = pypi-stolen\n",
        home / ".config/pip/pip.conf": "[global]\nindex-url = http://127.0.0.1:9/\nno-index = no\n",
        home / ".config/uv/uv.toml": 'no-index = true\nfind-links = ["/nowhere"]\n',
        workspace.parent / "noxfile.py": "raise SystemExit('spoiled')\n",
        **{folder / "noxfile.py": "raise SystemExit('spoiled')\n" for folder in stand_ins.glob("act/*/hostexecutor")},
    }
    for path, text in settings.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != workspace:
            path.write_text(text)
    return list(map(str, settings))


def steer(stand_ins: Path) -> list[str]:
    """Set variables and put programs on the path, as any step can for the following ones."""
    programs = Path.home() / "programs"
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name} in $GITHUB_JOB" >> {stand_ins}/reached\nexit 1\n')
        (programs / name).chmod(0o755)
    variables = {"GITHUB_ENV": "TWINE_PASSWORD=pypi-stolen\n", "GITHUB_PATH": f"{programs}\n"}
    for variable, line in variables.items():
        with Path(os.environ[variable]).open("a") as file:
            file.write(line)
    return list(variables)


def poison(folder: str) -> None:
    """Add a module to the wheels in a folder of the workspace."""
    for wheel in Path(os.environ["GITHUB_WORKSPACE"], folder).glob("*.whl"):
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("my_package/evil.py", "")


def upload(name: str, path: str, *, overwrite: bool = False) -> None:
    """Upload an artifact, as somebody with a stolen runner token can."""
    inputs = {"name": name, "path": path, "include-hidden-files": "true", "if-no-files-found": "error"}
    inputs["overwrite"] = str(overwrite).lower()
    env = {**os.environ, "INPUTS": json.dumps(inputs), "GITHUB_OUTPUT": os.devnull}
    subprocess.run([os.environ["STAND_IN"], "upload-artifact"], env=env, check=True)
