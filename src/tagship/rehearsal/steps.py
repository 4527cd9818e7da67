"""The steps of a rehearsal, in the workflow's order, up to the first failure."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from tagship.rehearsal import environments, failures, install, notes, registration
from tagship.rehearsal.environments import Environments
from tagship.rehearsal.jobs import GITHUB_RELEASE, PUBLISHING
from tagship.rehearsal.report import File, Report, Step
from tagship_suite.dists.reading import read_dists
from tagship_suite.publish import attest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagship.project import Project
    from tagship.rehearsal.index import StoredFile
    from tagship.rehearsal.jobs import Jobs
    from tagship.rehearsal.process import Done
    from tagship.rehearsal.run import Listener, Options
    from tagship.rehearsal.servers import Servers
    from tagship_suite.dists.reading import Dist

#: Shortens simulated failures.
SHORT = {"TAGSHIP_TIMEOUT": "12"}
INSTALL = "pip install, from the index"


class Rehearsal:
    """One rehearsal: its jobs, and the report, which the steps complete."""

    def __init__(
        self, projects: list[Project], options: Options, jobs: Jobs, report: Report, listener: Listener
    ) -> None:
        self.projects, self.options, self.jobs, self.report, self.listener = projects, options, jobs, report, listener
        found = projects[0]
        self.started = time.monotonic()
        self.environments = Environments(jobs, kept=options.quick)
        #: The steps after publishing.
        self.after = () if options.quick else ("install back",)
        self.wanted = registration.wanted(projects, jobs.push)
        self.elsewhere = "" if found.known else notes.host(found.path)
        #: The sessions after the gate.
        on_github = found.provider == "github" and not self.elsewhere
        self.sessions = [*PUBLISHING, GITHUB_RELEASE] if on_github and not options.quick else list(PUBLISHING)

    def perform(self) -> Report:
        """Run every step, stop at the first that fails, and fill in the report."""
        # Both take a while, during which the first session runs.
        self.jobs.processes.background.submit(import_module, "tagship.rehearsal.servers")
        noted = self.jobs.processes.background.submit(
            notes.before, self.projects[0], self.jobs.clone, self.elsewhere, quick=self.options.quick
        )
        self.report.publishers = [] if self.elsewhere else registration.forms(self.wanted)
        if self._gate():
            self.environments.prepare()
            self.report.bundle = [File(dist.path.name, dist.size, dist.sha256) for dist in self._bundle()]
            if self._private():
                self._leave_out()
            else:
                self._publish_both()
        self.report.notes += noted.result()
        return self.report

    def _gate(self) -> bool:
        """Run the sessions that need no index, in the workflow's order; return whether all passed."""
        if self.options.quick:
            return self._session("verify-version") or self._skip(*self.sessions)
        if not self._session("build"):
            return self._skip("test", "verify-version", *self.sessions, *self.after)
        if not self._tests():
            return self._skip("verify-version", *self.sessions, *self.after)
        return self._session("verify-version") or self._skip(*self.sessions, *self.after)

    def _session(self, name: str) -> bool:
        self.listener.started(f"nox -s {name}")
        done = self.jobs.nox(name, self.jobs.clone, self.jobs.environment(name))
        return self._ended(f"nox -s {name}", done)

    def _tests(self) -> bool:
        passed = [self._test(python) for python in json.loads(self.jobs.outputs("build").get("pythons", "[]"))]
        if len(passed) == len(self.report.untested):
            wanted = ", ".join(self.report.untested)
            why = f"error: found none of the project's Pythons on this machine, expected one of: {wanted}; install one"
            self._end(Step("nox -s test", 0.0, "failed", (why,)))
            return False
        return all(passed)

    def _test(self, python: str) -> bool:
        name = f"nox -s test -P {python}"
        self.listener.started(name)
        arguments = ("-P", python, "--", "--installpkg", "dist")
        done = self.jobs.nox("test", self.jobs.clone, self.jobs.environment("test"), *arguments)
        if done.status and f"interpreter {python} not found" in done.output:
            self.report.untested.append(python)
            self._end(Step(name, done.seconds, "missing", (f"Python {python} is not on this machine",)))
            return True
        return self._ended(name, done)

    def _bundle(self) -> list[Dist]:
        return read_dists(self.jobs.clone / "bundle/dist")

    def _private(self) -> bool:
        """Return whether a classifier bars the release from PyPI: it is for a registry that is not simulated here."""
        classifiers = self._bundle()[0].metadata.get_all("Classifier", [])
        return any(text.startswith("Private ::") for text in classifiers)

    def _leave_out(self) -> None:
        why = "the classifier 'Private ::' bars it from PyPI; it goes to the registry in TWINE_REPOSITORY_URL"
        for session in PUBLISHING:
            self._end(Step(f"nox -s {session}", 0.0, "left out", (why,)))
        self.report.publishers = []
        if self.after:
            self._install("pip install, from the bundle", install.from_bundle)

    def _publish_both(self) -> None:
        """Run the publish sessions and install the release, against the local indexes; record the result."""
        from tagship.rehearsal.servers import running

        with running(self.jobs.folder / "state", alone=True) as servers:
            servers.index.grant(max(each.package.settings.file_limit for each in self.projects))
            failures.simulate(servers.faults, self.options.failures)
            registration.register(self.wanted, servers.index, self.options.failures)
            try:
                self._publishing(servers)
            finally:
                self.report.files = self._stored(servers)
                if self.report.publishers:
                    self.report.publishers = registration.seen(self.wanted, servers.index)
                self.report.notes += servers.errors

    def _publishing(self, servers: Servers) -> None:
        if self.jobs.outputs("verify-version").get("github_release") == "off":
            self.sessions = list(PUBLISHING)
        for done, session in enumerate(self.sessions, 1):
            passed = self._publish(servers, session) if session in PUBLISHING else self._github_release(servers)
            if not passed:
                self._skip(*self.sessions[done:], *self.after)
                return
        if self.after:
            self._install(INSTALL, partial(install.from_index, servers=servers))

    def _publish(self, servers: Servers, session: str) -> bool:
        """Run a publish session that can get an OIDC token."""
        suffix = self.jobs.outputs("verify-version").get("suffix", "") if self.projects[0].provider == "github" else ""
        identity = servers.issuer.job(self.jobs.push, PUBLISHING[session] + suffix)
        return self._from_bundle(session, servers.environment(self.jobs.environment(session), identity))

    def _github_release(self, servers: Servers) -> bool:
        push, github = self.jobs.push, servers.github
        github.push(push.slug, push.tag, push.sha)
        environment = servers.environment(self.jobs.environment(GITHUB_RELEASE))
        return self._from_bundle(GITHUB_RELEASE, {**environment, **github.variables()})

    def _from_bundle(self, session: str, environment: dict[str, str]) -> bool:
        """Run a session with only the bundle, in an empty folder."""
        self.listener.started(f"nox -s {session}")
        if prepared := self.environments.failed(session):
            return self._ended(f"nox -s {session}", prepared)
        folder = self.jobs.folder / session
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.jobs.clone / "bundle", folder)
        environment |= SHORT if self.options.failures else {}
        return self._ended(f"nox -s {session}", self.jobs.nox(session, folder, environment, *self.environments.options))

    def _install(self, name: str, installing: Callable[[Jobs, Path, list[Dist]], Done]) -> bool:
        self.listener.started(name)
        done = self.environments.failed(environments.INSTALL)
        if done is None:
            done = installing(self.jobs, self.environments.python, self._bundle())
        return self._ended(name, done)

    def _stored(self, servers: Servers) -> list[File]:
        """Return the files at the indexes, in the order of publishing."""
        return [
            _file(file, name)
            for name in PUBLISHING.values()
            for each in self.projects
            for file in servers.index.files(each.name, name)
        ]

    def _ended(self, name: str, done: Done) -> bool:
        self._end(Step(name, done.seconds, "failed" if done.status else "passed", done.said if done.status else ()))
        if done.status:
            keep = "" if self.options.keep else "run this with --keep FOLDER, and read "
            log = f"{self.options.keep or 'FOLDER'}/logs/{done.log.name}"
            self.report.notes.append(f"for the whole output of {name}: {keep}{log}")
        return done.status == 0

    def _end(self, step: Step) -> None:
        step = replace(step, began=max(0.0, time.monotonic() - self.started - step.seconds))
        self.report.steps.append(step)
        self.listener.ended(step)

    def _skip(self, *sessions: str) -> bool:
        for session in sessions:
            self._end(Step(session if " " in session else f"nox -s {session}", 0.0, "not run"))
        return False


def _file(stored: StoredFile, index: str) -> File:
    found = attest.publishers(json.loads(stored.provenance or "null"), stored.sha256)
    return File(stored.filename, stored.size, stored.sha256, index, " and ".join(map(attest.shown, found)))
