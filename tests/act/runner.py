"""Runs a repository's workflow with act, as GitHub would for an event, and returns the result of each job."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tagship.rehearsal.push import TagPush
from tests.act.artifacts import Store
from tests.act.events import starts
from tests.act.stand_ins import environment_variable
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tagship.rehearsal.servers import Servers
    from tests.act.events import Event

ACTIONS = Path(__file__).with_name("actions")
WORKFLOW = ".github/workflows/release.yml"
#: Replaces the token of the run, which must never be printed.
TOKEN = "ghs_ThisRunsOwnTokenThatNobodyMaySee"
#: Variables of the tests or the machine's user, which a GitHub runner does not have.
FOREIGN = (
    "PYTHON",
    "PYTEST",
    "VIRTUAL_ENV",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "XDG_",
    "HOME",
    "PATH",
    "TMPDIR",
    "COV_",
)
WRAPPER = """#!{python} -I
import sys
sys.path.insert(0, {root!r})
from tests.act.stand_ins import main
main()
"""


@dataclass
class Run:
    """The result of a run: each job's result (`skipped` if it did not start), output and artifacts.

    Also the outputs of each job that another one has read.
    """

    jobs: dict[str, str]
    artifacts: Store
    printed: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    matrix: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    status: int = 0

    def artifact(self, name: str, to: Path) -> Path:
        """Unpack the artifact of that name, the only one."""
        (artifact,) = [each for each in self.artifacts.all() if each.name == name]
        artifact.unpack(to)
        return to


def workflow_of(repository: Path) -> dict[str, Any]:
    """Return the workflow of the repository."""
    return dict(YAML(typ="safe", pure=True).load(repository / WORKFLOW))


def environment_of(job: Mapping[str, Any]) -> str:
    """Return the name of a job's environment in the workflow, which may be an expression; "" without one."""
    environment = job.get("environment", "")
    return str(environment["name"] if isinstance(environment, dict) else environment)


class Runner:
    """act, with the stand-ins for the actions and the servers of a rehearsal for the indexes and the identity."""

    def __init__(self, act: str, folder: Path, servers: Servers, wheels: Path) -> None:
        self.act, self.folder, self.servers, self.wheels = act, folder, servers, wheels
        #: The environment in the identity of a job, where the workflow computes its name; the stand-ins compare it.
        self.environments: dict[str, str] = {}

    def run(
        self,
        repository: Path,
        event: Event,
        *,
        number: str = "1",
        attempt: str = "1",
        after: Run | None = None,
        **variables: str,
    ) -> Run:
        """Run the workflow of the commit that is checked out in `repository`; `variables` are the repository's.

        A further attempt has the number of the run that it repeats; "re-run failed jobs" is one `after` another.
        """
        workflow = workflow_of(repository)
        folder = self.folder / f"run-{number}"
        run = Run({}, Store(folder / "artifacts"))
        if not starts(workflow["on"], event):
            return run
        run.jobs = dict.fromkeys(workflow["jobs"], "skipped")
        self._prepare(folder, repository, workflow, event, attempt)
        path = str(_remaining(folder, workflow, after)) if after else WORKFLOW
        command = [self.act, event.name, *self._options(folder, workflow), "--directory", str(repository)]
        command += [f"--workflows={path}", "--env=NEEDS=${{ toJSON(needs) }}"]
        about = {**_github(event, number, attempt), "GITHUB_API_URL": self.servers.github.address}
        command += [f"--env={name}={value}" for name, value in about.items()]
        # act evaluates these in each job, with what it needs: so the stand-ins know the name of its environment.
        computed = {environment_variable(job): environment_of(about) for job, about in workflow["jobs"].items()}
        command += [f"--env={name}={value}" for name, value in computed.items()]
        command += [f"--var={name}={value}" for name, value in variables.items()]
        log = folder / f"log-{attempt}.json"
        with log.open("w") as output:
            process = subprocess.run(
                command, env=self._environment(folder), stdout=output, stderr=subprocess.STDOUT, check=False
            )
        run.status = process.returncode
        _read(log, run)
        for read in folder.glob("needs-*.json"):
            run.outputs.update({job: about["outputs"] or {} for job, about in json.loads(read.read_text()).items()})
        return run

    def _prepare(self, folder: Path, repository: Path, workflow: Mapping[str, Any], event: Event, attempt: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "event.json").write_text(json.dumps(event.payload))
        jobs = {} if event.from_a_fork else self._identities(workflow, event, attempt)
        github = self.servers.github
        github.token = TOKEN
        if event.kind == "tag":
            github.push(event.payload["repository"]["full_name"], event.ref_name, event.sha)
        settings = {"repository": str(repository), "token": TOKEN, "jobs": jobs}
        (folder / "settings.json").write_text(json.dumps(settings))
        wrapper = folder / "stand-in"
        wrapper.write_text(WRAPPER.format(python=sys.executable, root=str(ROOT)))
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)

    def _identities(self, workflow: Mapping[str, Any], event: Event, attempt: str) -> dict[str, dict[str, Any]]:
        """Return, for the jobs that may write, the environment that is in their identity, and their variables."""
        owner, _, name = event.payload["repository"]["full_name"].partition("/")
        push = TagPush(owner, name, event.ref_name, event.sha, event_name=event.name, run_attempt=attempt)
        workflow_ref = f"{push.slug}/.github/workflows/{push.workflow}@{event.ref}"
        claims = {"ref": event.ref, "ref_type": event.kind}
        claims |= {"workflow_ref": workflow_ref, "job_workflow_ref": workflow_ref}
        found: dict[str, dict[str, Any]] = {}
        for job, about in workflow["jobs"].items():
            permissions = about.get("permissions", workflow.get("permissions", {}))
            if permissions.get("contents") == "write":
                found[job] = {"environment": "", "variables": self._tools()}
            if permissions.get("id-token") == "write":
                environment = self.environments.get(job, re.sub(r"\$\{\{.*?\}\}", "", environment_of(about)))
                identity = self.servers.issuer.job(push, environment or None, **claims)
                variables = {**self.servers.variables(), **self._tools(), **identity}
                found[job] = {"environment": environment, "variables": variables}
        return found

    def _tools(self) -> dict[str, str]:
        """Where the index's hosts lead to the local one, the release tools come from a folder."""
        return {"UV_FIND_LINKS": str(self.wheels), "UV_OFFLINE": "1"}

    def _options(self, folder: Path, workflow: Mapping[str, Any]) -> list[str]:
        uses = {step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step}
        local = [f"--local-repository={name}={_stand_in(name)}" for name in sorted(uses)]
        return [
            f"--eventpath={folder / 'event.json'}",
            f"--secret=GITHUB_TOKEN={TOKEN}",
            f"--action-cache-path={folder / 'act'}",
            *("--platform=ubuntu-latest=-self-hosted", "--container-daemon-socket=-", "--concurrent-jobs=1"),
            *("--no-skip-checkout", "--action-offline-mode", "--no-cache-server", "--json", "--rm"),
            *local,
        ]

    def _environment(self, folder: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        home = folder / "home"
        home.mkdir(exist_ok=True)
        caches = {"UV_CACHE_DIR": _uv_cache(), "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))}
        tools = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_NO_COMPILE": "1"}
        # An index that a test has broken stays broken: waiting for 30 s shows as much as the usual 300.
        ours = {"STAND_INS": str(folder), "STAND_IN": str(folder / "stand-in"), "TAGSHIP_TIMEOUT": "30"}
        return {**kept, **caches, **tools, **ours, "HOME": str(home), "PATH": _path()}


def _remaining(folder: Path, workflow: Mapping[str, Any], after: Run) -> Path:
    """Write the workflow in which the jobs that succeeded have their outputs and one step that does nothing."""
    jobs = dict(workflow["jobs"])
    for job in [job for job, result in after.jobs.items() if result == "success"]:
        kept = {key: jobs[job][key] for key in ("name", "needs", "if") if key in jobs[job]}
        outputs = {"outputs": after.outputs[job]} if after.outputs.get(job) else {}
        jobs[job] = {**kept, **outputs, "runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}
    path = folder / "remaining.yml"
    path.write_text(json.dumps({**workflow, "jobs": jobs}))
    return path


def _github(event: Event, number: str, attempt: str) -> dict[str, str]:
    """Return the options for what act would otherwise guess from its folder."""
    return {
        "GITHUB_REPOSITORY": event.payload["repository"]["full_name"],
        "GITHUB_REF": event.ref,
        "GITHUB_REF_NAME": event.ref_name,
        "GITHUB_REF_TYPE": event.kind,
        "SHA_REF": event.sha,
        "GITHUB_RUN_ID": number,
        "GITHUB_RUN_ATTEMPT": attempt,
    }


def _stand_in(uses: str) -> Path:
    folder = ACTIONS / uses.partition("@")[0].rpartition("/")[2]
    assert folder.is_dir(), f"{uses}: has no stand-in; write {folder}/action.yml"
    return folder


def _path() -> str:
    """Return a path of the system's programs only: what a job needs beyond them, it must install."""
    found = [str(Path(program).parent) for name in ("git", "bash", "env") if (program := shutil.which(name))]
    return os.pathsep.join(dict.fromkeys([*found, *os.defpath.split(os.pathsep)]))


def _uv_cache() -> str:
    command = [sys.executable, "-m", "uv", "cache", "dir"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _read(log: Path, run: Run) -> None:
    """Fill in the results from act's output."""
    for line in log.read_text("utf-8", "replace").splitlines():
        entry = _entry(line)
        job = entry.get("jobID", "")
        if "jobResult" in entry:
            # The jobs of a matrix count as one in `needs`: a failure is kept.
            run.jobs[job] = entry["jobResult"]
            run.matrix.setdefault(job, []).append(entry.get("matrix") or {})
        run.printed[job] = run.printed.get(job, "") + entry.get("msg", line).rstrip("\n") + "\n"


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
