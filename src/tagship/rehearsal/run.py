"""A rehearsal from the first step to the last: what GitHub would do with the tag, on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import project, suite
from tagship.rehearsal import notes
from tagship.rehearsal.checkout import check_own, clone, commit_of, make_own, tag_of
from tagship.rehearsal.faults import Fault
from tagship.rehearsal.process import Processes, closing_undisturbed
from tagship.rehearsal.push import TagPush, variables_of
from tagship.rehearsal.report import File, Publisher, Report, Step
from tagship_suite.dists.reading import read_dists
from tagship_suite.repo import git, packages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from tagship.project import Project
    from tagship.publisher import Registration
    from tagship.rehearsal.process import Done
    from tagship.rehearsal.servers import Servers
    from tagship_suite.dists.reading import Dist

#: Each publish session, with the index that it publishes to: with a suffix, its environment on GitHub.
PUBLISHING = {"publish-test": "testpypi", "publish": "pypi"}
#: What `--fail` can do to the registration; every other name is a fault of the servers.
MISREGISTERED: dict[str, Callable[[Registration], Registration | None]] = {
    "invalid-publisher": lambda _: None,
    "wrong-environment": lambda registration: replace(registration, environment="release"),
    "wrong-workflow-file": lambda registration: replace(registration, workflow="publish.yml"),
}
#: What is told to fail does not pass: nobody wants to wait for it.
SHORT = {"TAGSHIP_TIMEOUT": "12"}
FAILURES = (*MISREGISTERED, *(fault.value for fault in Fault))
INSTALL = "pip install, from the index"
#: What would make a session here another one than on GitHub, or show it a secret.
FOREIGN = (
    "GITHUB_",
    "ACTIONS_",
    "RUNNER_",
    "TWINE_",
    "UV_PUBLISH_",
    "NOX",
    "SOURCE_DATE_EPOCH",
    "GIT_DIR",
    "GIT_WORK",
    "TAGSHIP_PACKAGE",
)


@dataclass(frozen=True)
class Options:
    """The options: the tag (else the version's own), what is to fail, and a folder to keep it all in."""

    tag: str = ""
    failures: tuple[str, ...] = ()
    keep: Path | None = None


def rehearse(
    path: Path,
    options: Options,
    tell: Callable[[Step], None] = lambda _: None,
    begun: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Rehearse the release of the repository at `path`, at HEAD.

    `begun` hears what is rehearsed before the first step, `tell` of each step as it ends. Nothing of the user's is
    changed, and unless `options.keep` nothing is left. Raises `TagshipError` if there is nothing to rehearse (no
    repository, no suite, no version) or where `options.keep` is not a folder that a rehearsal may write to.
    """
    with closing_undisturbed() as stack:
        if options.keep:
            check_own(options.keep)
        found = project.read(path.resolve(), options.tag)
        commit = commit_of(path.resolve())
        if options.keep:
            make_own(options.keep)
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tagship-rehearsal-")))
        processes = stack.enter_context(Processes())
        stage = _Stage(found, commit, folder.resolve(), options, tell, processes)
        begun(stage.report)
        return stage.perform()


class _Stage:
    """One rehearsal: the clone, its folders and the report that grows."""

    def __init__(
        self,
        found: Project,
        commit: str,
        folder: Path,
        options: Options,
        tell: Callable[[Step], None],
        processes: Processes,
    ) -> None:
        self.folder, self.options, self.tell, self.processes = folder, options, tell, processes
        self.environments = folder / "environments"
        self.python = _python(self.environments / "install-back")
        self.prepared: dict[str, Future[Done]] = {}
        self.clone = folder / "repository"
        self.temporary = folder / "temporary"
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.project = found
        submodules = clone(found.path, commit, self.clone)
        tag = options.tag or tag_of(self.clone, self.project)
        git.run(
            self.clone, "-c", "user.name=tagship", "-c", "user.email=rehearsal@localhost", "tag", "-f", "--no-sign", tag
        )
        self.report = Report(self.project.name, tag, commit, str(folder) if options.keep else None)
        self.elsewhere = "" if self.project.known else notes.host(found.path)
        self.push = TagPush(self.project.owner, self.project.repository, tag, commit)
        if submodules:
            value = "recursive" if any((self.clone / name / ".gitmodules").is_file() for name in submodules) else "true"
            said = f"{', '.join(submodules)}: checked out here as in your repository; on GitHub"
            self.report.notes.append(f"{said}, that takes the repository variable SUBMODULES={value}")

    def perform(self) -> Report:
        """Run every step, stop at the first that fails, and fill in the report."""
        # What the servers are made of takes a second to import: time that the first session has.
        self.processes.background.submit(import_module, "tagship.rehearsal.servers")
        self.report.notes += notes.before(self.project, self.clone, self.elsewhere)
        let_through = self._gate()
        from tagship.rehearsal.servers import running

        with running(self.folder / "state") as servers:
            servers.index.grant(packages.of(self.clone, self.project.name).settings.file_limit)
            self._misbehave(servers)
            registered = self._register(servers)
            try:
                if let_through and (self._leave_out() if self._private() else self._publishing(servers)):
                    self._install_back(servers)
            finally:
                self._conclude(servers, registered)
        return self.report

    def _prepare(self) -> None:
        """Begin to make the environments of the publish sessions, then the one of the install, as they are needed.

        Their tools come from the real index, so this is done without the proxy that leads to the local one.
        """
        plain = self._environment("prepare")
        later = self.processes.background.submit
        for session in PUBLISHING:
            nox = [
                "nox",
                *suite.nox_options(self.clone),
                "-s",
                session,
                "--install-only",
                "--envdir",
                self.environments,
            ]
            self.prepared[session] = later(self._run, nox, self.clone, plain, session)
        venv = ["uv", "venv", "--clear", "--python", sys.executable, self.python.parents[1]]
        pip = ["uv", "pip", "install", "--compile-bytecode", "--python", self.python, "pip"]
        self.prepared[INSTALL] = later(self._all, (venv, plain), (pip, plain), cwd=self.folder, log="install-back")

    def _gate(self) -> bool:
        """Run the sessions that need no index, in the workflow's order; return whether all passed."""
        if not self._nox("build", self.clone, self._environment("build")):
            return self._skip("test", "verify-version", *PUBLISHING, "install back")
        if not self._tests():
            return self._skip("verify-version", *PUBLISHING, "install back")
        if not self._nox("verify-version", self.clone, self._environment("verify-version")):
            return self._skip(*PUBLISHING, "install back")
        self._prepare()
        return True

    def _publishing(self, servers: Servers) -> bool:
        """Run the publish sessions in the workflow's order; return whether both passed."""
        for done, session in enumerate(PUBLISHING, 1):
            if not self._publish(servers, session):
                return self._skip(*list(PUBLISHING)[done:], "install back")
        return True

    def _private(self) -> bool:
        """Return whether a classifier keeps the release from PyPI: it is for a registry that has no stand-in here."""
        classifiers = read_dists(self.clone / "bundle/dist")[0].metadata.get_all("Classifier", [])
        return any(text.startswith("Private ::") for text in classifiers)

    def _leave_out(self) -> bool:
        why = "the classifier 'Private ::' keeps it from PyPI; it goes to the registry of TWINE_REPOSITORY_URL"
        for session in PUBLISHING:
            self._end(Step(f"nox -s {session}", 0.0, "left out", (why,)))
        return True

    def _tests(self) -> bool:
        passed = []
        for python in json.loads(self._outputs("build").get("pythons", "[]")):
            arguments = ["-P", python, "--", "--installpkg", "dist"]
            passed.append(self._nox("test", self.clone, self._environment("test"), *arguments, python=python))
        if len(passed) == len(self.report.untested):
            wanted = ", ".join(self.report.untested)
            why = f"error: found none of the project's Pythons on this machine, expected one of: {wanted}; install one"
            self._end(Step("nox -s test", 0.0, "failed", (why,)))
            return False
        return all(passed)

    def _publish(self, servers: Servers, session: str) -> bool:
        """Run a publish session from nothing but the bundle, in an empty folder, with an identity."""
        folder = self.folder / session
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.clone / "bundle", folder)
        if (prepared := self.prepared[session].result()).status:
            return self._ended(f"nox -s {session}", prepared)
        job = servers.issuer.job(self.push, PUBLISHING[session] + self._outputs("verify-version").get("suffix", ""))
        timeout = SHORT if self.options.failures else {}
        environment = {**servers.environment(self._environment(session), job), **timeout}
        # Sigstore has no stand-in here, and must not be asked to sign for an identity that does not exist.
        options = ("--reuse-venv=always", "--no-install", "--envdir", str(self.environments), "--", "--no-attestations")
        return self._nox(session, folder, environment, *options)

    def _install_back(self, servers: Servers) -> bool:
        """Install the release from the local index with pip, which checks the hashes of the bundle; import it."""
        if (prepared := self.prepared[INSTALL].result()).status:
            return self._ended(INSTALL, prepared)
        dists = read_dists(self.clone / "bundle/dist")
        wanted = f"{dists[0].name}=={dists[0].version}"
        requirements = self.folder / "install-back.txt"
        requirements.write_text(" ".join([wanted, *(f"--hash=sha256:{dist.sha256}" for dist in dists)]))
        index = ["-i", servers.index_url("pypi")]
        if self.report.left_out:
            index = ["--no-index", "--find-links", str(self.clone / "bundle/dist")]
        source = ["--no-deps", "--no-cache-dir", *index, "-r", requirements]
        pip = [self.python, "-I", "-m", "pip", "--disable-pip-version-check", "install", *source]
        plain = self._environment("install-back")
        done = self._all(
            (pip, servers.environment(plain)),
            # What it depends on is not on the local index; of a private one, not at PyPI either.
            *([] if self.report.left_out else [(["uv", "pip", "install", "--python", self.python, wanted], plain)]),
            ([self.python, "-I", "-c", _imports(dists)], plain),
            cwd=self.folder,
            log="install-back",
        )
        return self._ended("pip install, from the bundle" if self.report.left_out else INSTALL, done)

    def _all(self, *steps: tuple[Sequence[object], Mapping[str, str]], cwd: Path, log: str) -> Done:
        """Run commands one after the other until one fails; return the last one with the time of all."""
        seconds = 0.0
        for command, environment in steps:
            done = self._run(command, cwd, environment, log)
            seconds += done.seconds
            if done.status:
                break
        return replace(done, seconds=seconds)

    def _nox(
        self,
        session: str,
        cwd: Path,
        environment: Mapping[str, str],
        *arguments: str,
        python: str = "",
    ) -> bool:
        """Run one session with nox and note the step."""
        done = self._run(["nox", *suite.nox_options(cwd), "-s", session, *arguments], cwd, environment, session)
        name = f"nox -s {session}" + (f" -P {python}" if python else "")
        if python and done.status and f"interpreter {python} not found" in done.output:
            self.report.untested.append(python)
            self._end(Step(name, done.seconds, "missing", (f"Python {python} is not on this machine",)))
            return True
        return self._ended(name, done)

    def _run(self, command: Sequence[object], cwd: Path, environment: Mapping[str, str], log: str) -> Done:
        tool = [sys.executable, "-m"] if command[0] in {"nox", "uv"} else []
        # Whatever a command leaves behind when it is cut off lies in our folder, and goes with it.
        inside = {**environment, "TMPDIR": str(self.temporary), "TEMP": str(self.temporary), "TMP": str(self.temporary)}
        return self.processes.run([*tool, *command], cwd, inside, self.folder / "logs" / f"{log}.log")

    def _ended(self, name: str, done: Done) -> bool:
        self._end(Step(name, done.seconds, "failed" if done.status else "passed", done.said if done.status else ()))
        if done.status:
            keep = "" if self.options.keep else "run this with --keep FOLDER, and read "
            log = f"{self.options.keep or 'FOLDER'}/logs/{done.log.name}"
            self.report.notes.append(f"for all that {name} printed: {keep}{log}")
        return done.status == 0

    def _end(self, step: Step) -> None:
        self.report.steps.append(step)
        self.tell(step)

    def _skip(self, *sessions: str) -> bool:
        for session in sessions:
            self._end(Step(session if " " in session else f"nox -s {session}", 0.0, "not run"))
        return False

    def _environment(self, session: str) -> dict[str, str]:
        """Return what GitHub gives a job of a tag push, on top of this machine's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        folder = self.folder / "github" / session
        folder.mkdir(parents=True, exist_ok=True)
        return {**kept, **variables_of(self.push, session, folder)}

    def _outputs(self, session: str) -> dict[str, str]:
        path = self.folder / "github" / session / "output"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def _misbehave(self, servers: Servers) -> None:
        for name in self.options.failures:
            if name not in MISREGISTERED:
                servers.faults.tell(Fault(name))

    def _register(self, servers: Servers) -> dict[str, Registration]:
        """Register at both indexes what the person will, unless something is to fail; return what should be."""
        from tagship import publisher

        wanted = {}
        for index in PUBLISHING.values():
            right = publisher.Registration(
                self.project.name,
                self.push.owner,
                self.push.repository,
                self.push.workflow,
                f"{index}{self.project.package.suffix}",
                self.push.owner_id,
            )
            wanted[index] = right
            there = {each.project for each in servers.index.registrations(index)}
            registration: Registration | None = right
            for name in self.options.failures:
                if name in MISREGISTERED and registration is not None:
                    registration = MISREGISTERED[name](registration)
            if registration is not None and right.project not in there:
                servers.index.register_pending(registration, index)
        return wanted

    def _conclude(self, servers: Servers, wanted: Mapping[str, Registration]) -> None:
        """Fill in what the index has and what it saw."""
        from tagship import publisher
        from tagship.indexes import INDEXES

        for name in PUBLISHING.values():
            stored = servers.index.files(self.project.name, name)
            if stored:
                self.report.files = [File(file.filename, file.size, file.sha256, name) for file in stored]
        if self.elsewhere or self.report.left_out:
            wanted = {}
        for name in reversed(list(wanted)):
            form = publisher.form(wanted[name], INDEXES[name], exists=False)
            mints = servers.index.mints(name)
            claims = mints[-1].claims if mints else {}
            refused = bool(mints) and bool(mints[-1].code)
            found = publisher.explain(claims, servers.index.registrations(name)) if refused and claims else []
            seen = {key: str(claims[key]) for key in SEEN if key in claims}
            differences = tuple(difference.sentence for difference in found)
            self.report.publishers.append(Publisher(name, form.link, form.prefilled, form.values, seen, differences))
        self.report.notes += servers.errors


#: The claims by which an index finds the publisher.
SEEN = ("repository", "repository_owner", "job_workflow_ref", "environment", "ref", "event_name")


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _imports(dists: list[Dist]) -> str:
    """Return a program that imports what is at the top of the wheels."""
    found = [re.fullmatch(r"(\w+)(?:/__init__)?\.py", name) for dist in dists for name in dist.members]
    return "\n".join(sorted({f"import {match[1]}" for match in found if match}))
