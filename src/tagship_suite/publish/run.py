"""Publishing a bundle: check, sign, upload, wait until the index serves it."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from .. import redact, report
from ..dists import metadata, rules
from ..dists.reading import Dist
from ..errors import Problem, ReleaseError, refuse
from ..gate import bundle, dev, lockstep
from ..gate.lockstep import judge_bundle
from ..repo import packages
from . import attest, claims, upload, verify
from .explain import explained
from .index import Index, resolve
from .retry import RetryPolicy, TransientError, limited
from .upload import TwineSettings

#: The indexes behind twine's names, whatever a .pypirc says.
ADDRESSES = {"pypi": DEFAULT_REPOSITORY, "testpypi": TEST_REPOSITORY}
#: Their other hosts, today's and former ones, which accept no uploads.
HOSTS = re.compile(r"(?:www\.|upload\.)?pypi\.(?:org|io|python\.org)|(?P<test>test\.pypi\.org|testpypi\.python\.org)")
#: An API token begins with the host that issued it.
TOKENS = {"pypi-AgEIcHlwaS5vcmc": "pypi.org", "pypi-AgENdGVzdC5weXBpLm9yZw": "test.pypi.org"}


@dataclass(frozen=True)
class Run:
    """What publishing one distribution needs: its dists, copies of those to upload, the index, and twine's settings."""

    dists: list[Dist]
    copies: dict[Dist, Path]
    index: Index
    connect: Callable[..., TwineSettings]

    @property
    def name(self) -> str:
        """The normalised name of the distribution."""
        return self.dists[0].name


def publish(
    root: Path, repository: str, environ: Mapping[str, str], *, attestations: bool = True, verbose: bool = False
) -> None:
    """Publish the bundle of the project at `root` to the index `repository`; raise `ReleaseError` with reasons not to.

    Everything is checked and signed before the first upload. A file that the index has with the same bytes is skipped,
    so a second run completes the release or changes nothing.
    """
    with limited(environ) as retry:
        folder = bundle.locate(root)
        dists = bundle.check(folder)
        settings = upload.settings(repository, environ)
        index = resolve(settings, environ, packages.of(root, dists[0].name).settings.index_url)
        redact.register(index.auth[1])
        groups = lockstep.by_release(root, dists)
        found = [problem for group in groups for problem in _problems(root, group, index, repository, environ)]
        found += _no_token(index, environ.get("TWINE_USERNAME", ""), *settings.stored) if index.site else []
        refuse(list(dict.fromkeys(found)))
        missing = retry.call(lambda: [dist for group in groups for dist in verify.missing(index, group)])
        for dist in dists:
            if dist not in missing:
                print(f"{dist.path.name}: skipped, the index has it with the same SHA-256 {dist.sha256}")
        if index.site and settings.stored[0]:  # there is no identity to sign with
            attestations = False
        with tempfile.TemporaryDirectory() as staging:  # attestations are written next to the files
            copies = {dist: Path(shutil.copy2(dist.path, staging)) for dist in missing}
            parts = [{dist: copies[dist] for dist in group if dist in copies} for group in groups]
            connect = partial(upload.settings, repository, environ, verbose=verbose)
            runs = [Run(*each, index, connect) for each in zip(groups, parts, strict=True)]
            modes = [_sign(run, folder, environ, retry) if attestations else "off" for run in runs]
            for number, run in enumerate(runs):
                with _resumable([each.name for each in runs], number):
                    _upload(run, retry, signed=modes[number] != "off")
                    verify.wait(index, run.dists, retry)
                    attest.check(index, run.dists, modes[number], retry)
                _report(run)


def _sign(run: Run, folder: Path, environ: Mapping[str, str], retry: RetryPolicy) -> str:
    """Sign what is to be uploaded, by the settings in the bundle `folder`; return the mode, `off` if unsigned."""
    mode = attest.mode(packages.of(folder, run.name).settings.attestations, run.index, environ)
    return mode if not run.copies or attest.sign(list(run.copies.values()), mode, retry) else "off"


@contextmanager
def _resumable(names: list[str], number: int) -> Iterator[None]:
    """Add to an error which distributions are already published, and that a second run publishes the others."""
    try:
        yield
    except ReleaseError as error:
        done, left = ", ".join(names[:number]), ", ".join(names[number:])
        more = f"{left}: not published, but {done}; run this job again: it skips what is published [partial-release]"
        raise ReleaseError(*error.args, *[more] * bool(done)) from error


def _problems(
    root: Path, dists: list[Dist], index: Index, repository: str, environ: Mapping[str, str]
) -> list[Problem | str]:
    """Return every problem that can be found without the network."""
    limit = packages.of(root, dists[0].name).settings.file_limit
    on_test = repository == "testpypi"
    _, _, found = judge_bundle(root, dists, dev.accepted(root, dists[0].version, environ) if on_test else environ)
    found += [*rules.problems(dists, limit, public=bool(index.site)), *metadata.unrendered(dists)]
    return [*found, *_misaddressed(index, repository, environ)]


def _no_token(index: Index, user: str, password: str, where: str) -> Iterator[Problem]:
    """Yield why PyPI or TestPyPI could not take `password` for an API token."""
    site, remedy = urlsplit(index.site).netloc, "remove it for Trusted Publishing, or correct it"
    issuer = next((host for start, host in TOKENS.items() if password.startswith(start)), site)
    if password and not password.startswith("pypi-"):
        yield Problem("credentials", where, "no API token", "one, which begins with 'pypi-'", remedy)
    elif issuer != site:
        yield Problem("credentials", where, f"an API token of {issuer}", f"one of {site}", remedy)
    elif where == "TWINE_PASSWORD" and user not in {"", "__token__"}:
        yield Problem("credentials", "TWINE_USERNAME", repr(user), "'__token__' for an API token", remedy)


def _misaddressed(index: Index, repository: str, environ: Mapping[str, str]) -> list[Problem]:
    """Return why the index is not the intended one, or not at its own URL."""
    url, named = index.upload_url, environ.get("TWINE_REPOSITORY") or repository
    is_given = bool(environ.get("TWINE_REPOSITORY_URL"))
    meant, where = url if is_given else ADDRESSES.get(named, url), f".pypirc [{named}] repository"
    if url != meant:
        remedy = "remove it; TWINE_REPOSITORY_URL names another index"
        return [Problem("index-address", where, repr(url), repr(meant), remedy)]
    host = HOSTS.fullmatch(urlsplit(url).hostname or "")
    right = TEST_REPOSITORY if repository == "testpypi" or (host and host["test"]) else DEFAULT_REPOSITORY
    if host and url not in {right, DEFAULT_REPOSITORY}:  # for twine, Trusted Publishing needs the trailing slash
        where, remedy = ("TWINE_REPOSITORY_URL", "correct it, or unset it") if is_given else (where, "correct it")
        return [Problem("index-address", where, repr(url), repr(right), remedy)]
    if repository == "testpypi" and index.site and url != TEST_REPOSITORY:
        remedy = "unset TWINE_REPOSITORY_URL and TWINE_REPOSITORY"
        return [Problem("index-address", "publish-test", url, "TestPyPI or an index of your own", remedy)]
    return []


def _upload(run: Run, retry: RetryPolicy, *, signed: bool) -> None:
    """Upload what is missing, with retries; a file that the index has by then is not uploaded again."""
    settings = run.connect(signed=signed)
    retry.reset()
    left = list(run.copies)
    try:
        while left:
            try:
                _send([run.copies[dist] for dist in left], run, settings)
                break
            except TransientError as error:
                before, left = left, retry.call(lambda: verify.missing(run.index, list(run.copies)))
                if len(left) < len(before):
                    retry.reset()
                if left:
                    retry.wait(error)
    finally:
        upload.burn(settings)


def _send(paths: list[Path], run: Run, settings: TwineSettings) -> None:
    """Upload the files at `paths`, with a new token if one expires; raise `ReleaseError` if two expire for one file."""
    left, tokens, site = sorted(paths, key=lambda path: path.suffix != ".whl"), 2, run.index.site
    while True:
        began = time.monotonic()
        try:
            return upload.upload(left, settings, site)
        except ReleaseError as error:
            accepted = settings.adapter.accepted
            for path in left[:accepted]:
                print(f"{path.name}: uploaded before this failed")
            if isinstance(error, upload.IdentityError):
                raise ReleaseError(explained(str(error), site, *_advice(run, str(error)))) from error
            if not isinstance(error, upload.ExpiredError):
                raise
            tokens = 2 if accepted else tokens - 1
            if not tokens or (not accepted and time.monotonic() - began > upload.LIFETIME):
                raise ReleaseError(f"{left[0].name}: {error}") from error
            print(f"{str(error).splitlines()[0]}\nretrying with a new token")
            left = left[accepted:]
            settings.renew()


def _advice(run: Run, message: str) -> list[str]:
    """Return what to register if the index has no publisher for this job; [] for other messages."""
    found = claims.of_this_job() if claims.NO_PUBLISHER in message else {}
    return claims.advice(run.index.site, run.name, found, exists=bool(run.index.files(run.name))) if found else []


def _report(run: Run) -> None:
    version = run.dists[0].version
    page = run.index.page(run.name, version)
    done = {dist: "uploaded" if dist in run.copies else "skipped, same bytes" for dist in run.dists}
    rows = [(dist.path.name, what, dist.sha256) for dist, what in done.items()]
    print(*map("  ".join, rows), f"published: {page}", sep="\n")
    report.output("url", page)
    report.summary(f"## {run.name} {version}", page, report.table(("file", "", "SHA-256"), rows))
