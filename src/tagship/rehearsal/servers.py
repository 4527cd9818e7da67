"""The servers of a rehearsal, started together and always stopped together."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship.indexes import INDEXES
from tagship.rehearsal import gitlab
from tagship.rehearsal.faults import Faults
from tagship.rehearsal.github import GitHub
from tagship.rehearsal.index import LocalIndex
from tagship.rehearsal.issuer import DISCOVERY, ISSUER, Issuer
from tagship.rehearsal.process import interrupts_held
from tagship.rehearsal.proxy import Proxy, Upstream
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.trust import BUNDLE_VARIABLES, Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOCAL = "127.0.0.1,localhost"
_STEERING = (
    *("TWINE_", "UV_PUBLISH_", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "ACTIONS_"),
    *("GITHUB_ACTIONS", "GITLAB_CI"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"),
)
"""Prefixes of variables that would redirect a client, or give it credentials."""


@dataclass(frozen=True)
class Servers:
    """The running servers: the index, GitHub's API, the issuer and the proxy; `home` is an empty folder for clients."""

    index: LocalIndex
    github: GitHub
    issuer: Issuer
    proxy: Proxy
    faults: Faults
    bundle: Path
    home: Path

    def variables(self) -> dict[str, str]:
        """Return the variables with which an unmodified client uses these servers."""
        ways = {"HTTPS_PROXY": self.proxy.address, "NO_PROXY": _LOCAL}
        return {
            **ways,
            **{name.lower(): value for name, value in ways.items()},
            **dict.fromkeys(BUNDLE_VARIABLES, str(self.bundle)),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def environment(
        self, environ: Mapping[str, str] | None = None, job: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return a complete environment for a client: the given one (default: the process's) without such variables.

        `job` are the variables from `Issuer.job`; without them the client runs outside of CI.
        """
        given = os.environ if environ is None else environ
        kept = {name: value for name, value in given.items() if not name.startswith(_STEERING)}
        homes = {"HOME": str(self.home), "USERPROFILE": str(self.home)}
        homes |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
        return {**kept, **homes, **self.variables(), **(job or {})}

    def job(self, push: TagPush, environment: str | None = None, **claims: Any) -> dict[str, str]:
        """Return `environment()` for a job of a tag push; further arguments override claims."""
        return self.environment(job=self.issuer.job(push, environment, **claims))

    def index_url(self, index: str = "pypi") -> str:
        """Return the URL for `pip install --index-url`."""
        return INDEXES[index].simple_url

    @property
    def errors(self) -> list[str]:
        """Tracebacks from the servers themselves."""
        servers = (self.index.server, self.github.server, self.issuer.server, self.proxy.server)
        return [error for server in servers for error in server.errors]


@contextmanager
def running(
    directory: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
    alone: bool = False,
) -> Iterator[Servers]:
    """Run the servers on 127.0.0.1, with the index's state in a directory (default: a temporary one).

    If `alone`, clients trust no other host.

    At the end of the block, however it ends, no thread, port or temporary folder is left. Raises
    TagshipError if the environment has a proxy that cannot be used for tunnels.
    """
    stack = ExitStack()
    try:
        try:
            with interrupts_held():
                servers = _start(stack, directory, os.environ if environ is None else environ, clock, alone=alone)
            yield servers
        finally:
            _close(stack)
    finally:
        # An interrupt between `finally` and the block above leads here; closing twice is harmless.
        _close(stack)


def _start(
    stack: ExitStack, directory: Path | None, environ: Mapping[str, str], clock: Callable[[], float], *, alone: bool
) -> Servers:
    upstream = Upstream.of(environ)
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tagship-rehearsal-")))
    faults, authority = Faults(), Authority()
    authority.write_bundle(scratch / "authorities.pem", None if alone else environ)
    (scratch / "home").mkdir()
    issuer = Issuer(faults, clock)
    stack.callback(issuer.server.stop)
    github = GitHub()
    stack.callback(github.server.stop)
    hosts = {host for each in INDEXES.values() for host in each.hosts}
    index = LocalIndex(
        directory or scratch / "state",
        dict.fromkeys((ISSUER, gitlab.ISSUER), f"{issuer.address}{DISCOVERY}"),
        tls=authority.context(hosts),
        faults=faults,
        clock=clock,
    )
    stack.callback(index.server.stop)
    proxy = Proxy(index.server.port, upstream)
    stack.callback(proxy.server.stop)
    for server in (issuer.server, github.server, index.server, proxy.server):
        server.start()
    return Servers(index, github, issuer, proxy, faults, scratch / "authorities.pem", scratch / "home")


def _close(stack: ExitStack) -> None:
    with interrupts_held():
        stack.close()
