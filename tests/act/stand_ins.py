"""Stand-ins for the pinned actions, for a runner that cannot download them, and for GitHub's runner itself.

Each is called by the `action.yml` of its name in actions/, with the action's inputs in the variable INPUTS. What
it needs to know of the run is in settings.json, in the folder of the variable STAND_INS.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.act.artifacts import ArtifactError, Store, files
from tests.act.pythons import find

if TYPE_CHECKING:
    from collections.abc import Callable

Inputs = dict[str, str]


def main() -> None:
    """Run the stand-in of the action that the first argument names."""
    _fresh_runner()
    try:
        ACTIONS[sys.argv[1]](json.loads(os.environ["INPUTS"]))
    except ArtifactError as error:
        sys.exit(f"::error::{error}")


def _fresh_runner() -> None:
    """At the first action of a job, give it what GitHub gives: an empty machine, and an identity if it may have one."""
    if os.environ.get("FRESH_RUNNER"):
        return
    for path in workspace().iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    home, temporary = (Path(os.environ["RUNNER_TEMP"], name) for name in ("home", "temporary"))
    home.mkdir()
    temporary.mkdir()
    job = os.environ["GITHUB_JOB"]
    Path(os.environ["STAND_INS"], f"needs-{job}.json").write_text(os.environ["NEEDS"])
    given = _identity(job)
    _set("GITHUB_ENV", HOME=str(home), TMPDIR=str(temporary), FRESH_RUNNER="no more", **given)
    os.environ.update({"HOME": str(home), "TMPDIR": str(temporary), **given})


def _identity(job: str) -> dict[str, str]:
    """Return the variables of a job that may request an OIDC token; none for another."""
    known = settings()["jobs"].get(job)
    if known is None:
        return {}
    environment = os.environ[environment_variable(job)]
    if environment != known["environment"]:
        sys.exit(f"::error::the environment of {job} is {environment!r}, its identity says {known['environment']!r}")
    return dict(known["variables"])


def environment_variable(job: str) -> str:
    """Return the variable with the name of a job's environment."""
    return f"ENVIRONMENT_OF_{job.replace('-', '_')}"


def checkout(inputs: Inputs) -> None:
    """Check out the commit of the event, with as much of the history as is asked for."""
    ref, commit = os.environ["GITHUB_REF"], os.environ["GITHUB_SHA"]
    _git("init", "--quiet")
    _git("remote", "add", "origin", settings()["repository"])
    if inputs["persist-credentials"] != "false":
        # In a file of its own, which the repository's configuration includes: since v6 of the action.
        credentials = str(Path(os.environ["RUNNER_TEMP"], f"git-credentials-{uuid.uuid4()}.config"))
        login = base64.b64encode(f"x-access-token:{settings()['token']}".encode()).decode()
        header = ("http.https://github.com/.extraheader", f"AUTHORIZATION: basic {login}")
        _git("config", "--file", credentials, *header)
        _git("config", f"includeIf.gitdir:{workspace() / '.git'}.path", credentials)
    kind, _, name = ref.removeprefix("refs/").partition("/")
    target = {"heads": f"refs/remotes/origin/{name}", "pull": f"refs/remotes/pull/{name}", "tags": ref}[kind]
    if inputs["fetch-depth"] == "0":
        everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        _fetch(*everything, *([f"+{commit}:{target}"] if kind == "pull" else []))
    else:
        _fetch("--no-tags", f"--depth={inputs['fetch-depth']}", f"+{ref if kind == 'tags' else commit}:{target}")
    if _git("rev-parse", f"{target}^{{commit}}") != commit:
        raise ArtifactError(f"The ref '{ref}' does not point to the expected commit '{commit}'.")
    _git("checkout", "--quiet", "--force", *(["-B", name, target] if kind == "heads" else [target]))


def setup_python(inputs: Inputs) -> None:
    """Put each version on the path, the last one in front; each is an environment of its own, that pip may change."""
    for version in inputs["python-version"].split():
        folder = Path(tempfile.mkdtemp(prefix="python-", dir=os.environ["RUNNER_TEMP"]))
        uv = [
            sys.executable,
            "-m",
            "uv",
            "venv",
            "--quiet",
            "--no-config",
            "--no-project",
            "--seed",
            "--allow-existing",
        ]
        subprocess.run([*uv, "--python", find(version), str(folder)], check=True)
        _append("GITHUB_PATH", str(folder / "bin"))
        _set("GITHUB_OUTPUT", **{"python-version": version})


def upload_artifact(inputs: Inputs) -> None:
    """Keep the files of `path`, and tell the artifact's number."""
    found = files(workspace(), inputs["path"], hidden=inputs["include-hidden-files"] == "true")
    attempt, overwrite = os.environ["GITHUB_RUN_ATTEMPT"], inputs["overwrite"] == "true"
    if found:
        artifact = store().upload(inputs["name"], found, attempt, overwrite=overwrite)
        _set("GITHUB_OUTPUT", **{"artifact-id": str(artifact.id)})
        return
    words = f"No files were found with the provided path: {inputs['path']}. No artifacts will be uploaded."
    if inputs["if-no-files-found"] == "error":
        raise ArtifactError(words)
    print(f"::warning::{words}")


def download_artifact(inputs: Inputs) -> None:
    """Unpack artifacts: one straight into `path`, several each into a folder of its name unless they are merged."""
    selected = store().select(inputs["name"], inputs["artifact-ids"], inputs["pattern"])
    to = workspace() / inputs["path"]
    flat = inputs["name"] or inputs["merge-multiple"] == "true" or len(selected) == 1
    for artifact in selected:
        artifact.unpack(to if flat else to / artifact.name)


def gh_action_pypi_publish(inputs: Inputs) -> None:
    """Check and upload the dists in `packages-dir` with twine; sign nothing, as Sigstore has no stand-in."""
    dists = [str(path) for path in sorted((workspace() / inputs["packages-dir"]).iterdir())]
    twine = [sys.executable, "-m", "twine"]
    if inputs["verify-metadata"] != "false":
        _run(*twine, "check", *dists)
    where = ["--repository-url", inputs["repository-url"]] if inputs["repository-url"] else []  # else PyPI
    skip = ["--skip-existing"] if inputs["skip-existing"] != "false" else []
    upload = ["upload", "--non-interactive", "--disable-progress-bar", "--username=__token__"]
    _run(*twine, *upload, *where, *skip, *dists)


ACTIONS: dict[str, Callable[[Inputs], None]] = {
    "checkout": checkout,
    "setup-python": setup_python,
    "upload-artifact": upload_artifact,
    "download-artifact": download_artifact,
    "gh-action-pypi-publish": gh_action_pypi_publish,
}


def settings() -> dict[str, Any]:
    """Return the settings of this run."""
    return dict(json.loads(Path(os.environ["STAND_INS"], "settings.json").read_text()))


def store() -> Store:
    """Return the artifacts of this run."""
    return Store(Path(os.environ["STAND_INS"], "artifacts"))


def workspace() -> Path:
    """Return the folder in which the job works."""
    return Path(os.environ["GITHUB_WORKSPACE"])


def _fetch(*arguments: str) -> None:
    _git("fetch", "--quiet", "--prune", "origin", *arguments)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=workspace(), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _run(*command: str) -> None:
    if status := subprocess.run(command, cwd=workspace(), check=False).returncode:
        sys.exit(status)


def _set(variable: str, **values: str) -> None:
    for name, value in values.items():
        _append(variable, f"{name}={value}")


def _append(variable: str, line: str) -> None:
    with Path(os.environ[variable]).open("a") as file:
        file.write(f"{line}\n")
