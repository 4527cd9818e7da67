"""Publishing a bundle: check, sign, upload, wait until the index serves it."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from .. import redact, report
from ..dists import metadata, rules
from ..dists.reading import Dist
from ..errors import Problem, ReleaseError, refuse, within
from ..gate import bundle, dev, lockstep
from ..gate.tagged import tagged
from ..repo import packages
from . import attest, claims, upload, verify
from .explain import explained
from .index import Index, resolve
from .retry import TOTAL, DeadlineExceeded, RetryPolicy, TransientError, timeout_from
from .upload import TwineSettings

#: The indexes behind twine's names, whatever a .pypirc says.
ADDRESSES = {"pypi": DEFAULT_REPOSITORY, "testpypi": TEST_REPOSITORY}
#: Their other hosts, today's and former ones, which accept no uploads.
HOSTS = re.compile(r"(?:www\.|upload\.)?pypi\.(?:org|io|python\.org)|(?P<test>test\.pypi\.org|testpypi\.python\.org)")
#: An API token begins with the host that issued it.
TOKENS = {"pypi-AgEIcHlwaS5vcmc": "pypi.org", "pypi-AgENdGVzdC5weXBpLm9yZw": "test.pypi.org"}


@dataclass(frozen=True)
class Options:
    """The options of the command: twine's name for the index, whether to sign, and whether twine shows responses."""

    repository: str
    attestations: bool = True
    verbose: bool = False


@dataclass(frozen=True)
class Run:
    """The constants of publishing one distribution: its dists, copies of those to upload, the index, the options."""

    dists: list[Dist]
    copies: dict[Dist, Path]
    index: Index
    options: Options
    environ: Mapping[str, str]

    @property
    def name(self) -> str:
        """The normalised name of the distribution."""
        return self.dists[0].name


def publish(root: Path, options: Options, environ: Mapping[str, str]) -> None:
    """Publish the bundle of the project at `root`; raise `ReleaseError` with every reason not to.

    Everything is checked and signed before the first upload. In lockstep, a distribution is uploaded once the index
    serves those that it depends on. A file that the index has with the same bytes is skipped, so a second run
    completes the release or changes nothing.
    """
    retry = RetryPolicy(timeout_from(environ))
    with within(seconds := TOTAL * retry.timeout, DeadlineExceeded(seconds)):
        folder = bundle.locate(root)
        dists = bundle.check(folder)
        settings = upload.settings(options.repository, environ)
        index = resolve(settings, environ, packages.of(root, dists[0].name).settings.index_url)
        redact.register(index.auth[1])
        groups = lockstep.releases(root, dists)
        found = [problem for group in groups for problem in _problems(root, group, index, options, environ)]
        found += _no_token(index, environ.get("TWINE_USERNAME", ""), *settings.stored) if index.site else []
        refuse(list(dict.fromkeys(found)))
        missing = retry.call(lambda: [dist for group in groups for dist in verify.missing(index, group)])
        for dist in dists:
            if dist not in missing:
                print(f"{dist.path.name}: skipped, the index has it with the same SHA-256 {dist.sha256}")
        if index.site and settings.stored[0]:  # there is no identity to sign with
            options = replace(options, attestations=False)
        with tempfile.TemporaryDirectory() as staging:  # attestations are written next to the files
            copies = {dist: Path(shutil.copy2(dist.path, staging)) for dist in missing}
            parts = [{dist: copies[dist] for dist in group if dist in copies} for group in groups]
            runs = [Run(*each, index, options, environ) for each in zip(groups, parts, strict=True)]
            modes = [_sign(run, folder, retry) for run in runs]
            for number, run in enumerate(runs):
                with _resumable([each.name for each in runs], number):
                    _upload(run, retry, signed=modes[number] != "off")
                    verify.wait(index, run.dists, retry)
                    attest.check(index, run.dists, modes[number], retry)
                _report(run)


def _sign(run: Run, folder: Path, retry: RetryPolicy) -> str:
    """Sign what is to be uploaded, by the settings in the bundle `folder`; return the mode, `off` if unsigned."""
    mode = attest.mode(packages.of(folder, run.name).settings.attestations, run.index, run.environ)
    mode = mode if run.options.attestations else "off"
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
    root: Path, dists: list[Dist], index: Index, options: Options, environ: Mapping[str, str]
) -> list[Problem | str]:
    """Return every problem that can be found without the network."""
    limit = packages.of(root, dists[0].name).settings.file_limit
    on_test = options.repository == "testpypi"
    _, _, found = tagged(root, dists, dev.accepted(root, dists[0].version, environ) if on_test else environ)
    found += [*rules.problems(dists, limit, public=bool(index.site)), *metadata.unrendered(dists)]
    return [*found, *_misaddressed(index, options, environ)]


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


def _misaddressed(index: Index, options: Options, environ: Mapping[str, str]) -> list[Problem]:
    """Return why the index is not the intended one, or not at its own URL."""
    url, named = index.upload_url, environ.get("TWINE_REPOSITORY") or options.repository
    is_given = bool(environ.get("TWINE_REPOSITORY_URL"))
    meant, where = url if is_given else ADDRESSES.get(named, url), f".pypirc [{named}] repository"
    if url != meant:
        remedy = "remove it; TWINE_REPOSITORY_URL names another index"
        return [Problem("index-address", where, repr(url), repr(meant), remedy)]
    host = HOSTS.fullmatch(urlsplit(url).hostname or "")
    right = TEST_REPOSITORY if options.repository == "testpypi" or (host and host["test"]) else DEFAULT_REPOSITORY
    if host and url not in {right, DEFAULT_REPOSITORY}:  # for twine, Trusted Publishing needs the trailing slash
        where, remedy = ("TWINE_REPOSITORY_URL", "correct it, or unset it") if is_given else (where, "correct it")
        return [Problem("index-address", where, repr(url), repr(right), remedy)]
    if options.repository == "testpypi" and index.site and url != TEST_REPOSITORY:
        remedy = "unset TWINE_REPOSITORY_URL and TWINE_REPOSITORY"
        return [Problem("index-address", "publish-test", url, "TestPyPI or an index of your own", remedy)]
    return []


def _upload(run: Run, retry: RetryPolicy, *, signed: bool) -> None:
    """Upload what is missing, with retries; a file that the index has by then is not uploaded again."""
    settings = upload.settings(run.options.repository, run.environ, signed=signed, verbose=run.options.verbose)
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
    left, tokens = sorted(paths, key=lambda path: path.suffix != ".whl"), 2
    while True:
        began = time.monotonic()
        try:
            return _send_once(left, run, settings)
        except upload.ExpiredError as error:
            tokens = 2 if error.accepted else tokens - 1
            if not tokens or (not error.accepted and time.monotonic() - began > upload.LIFETIME):
                raise ReleaseError(f"{left[0].name}: {error}") from error
            print(f"{str(error).splitlines()[0]}\nretrying with a new token")
            left = left[error.accepted :]
            settings.renew()


def _send_once(paths: list[Path], run: Run, settings: TwineSettings) -> None:
    site = run.index.site
    try:
        upload.upload(paths, settings, site)
    except ReleaseError as error:
        for path in paths[: settings.adapter.accepted]:
            print(f"{path.name}: uploaded before this failed")
        if not isinstance(error, upload.IdentityError):
            raise
        advice: list[str] = []
        if claims.NO_PUBLISHER in str(error) and (found := claims.of_this_job()):
            advice = claims.advice(site, run.name, found, exists=bool(run.index.files(run.name)))
        raise ReleaseError(explained(str(error), site, *advice)) from error


def _report(run: Run) -> None:
    version = run.dists[0].version
    page = run.index.page(run.name, version)
    done = {dist: "uploaded" if dist in run.copies else "skipped, same bytes" for dist in run.dists}
    rows = [(dist.path.name, what, dist.sha256) for dist, what in done.items()]
    print(*map("  ".join, rows), f"published: {page}", sep="\n")
    report.output("url", page)
    report.summary(f"## {run.name} {version}", page, report.table(("file", "", "SHA-256"), rows))
