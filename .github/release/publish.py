"""Publishing a bundle: refuse what must not go out, sign, upload, wait until the index serves it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twine.utils import TEST_REPOSITORY

from . import attest, bundle, fetch, gate, packages, publisher, readme, report, rules, secrecy, upload
from .errors import Problem, ReleaseError, refuse
from .explain import explained
from .index import resolve
from .patience import TOTAL, PassingError, Patience, at_most, limit_of
from .ref import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .dists import Dist
    from .index import Index

SOON = 0.25  # seconds until an index is asked the second time for what it just took


@dataclass(frozen=True)
class Options:
    """The index by twine's name for it, and what was asked for on the command line."""

    repository: str
    attestations: bool = True
    verbose: bool = False


@dataclass(frozen=True)
class Run:
    """What does not change while a project is published: its name, the index, and what was asked for."""

    name: str
    index: Index
    options: Options
    environ: Mapping[str, str]


def publish(root: Path, options: Options, environ: Mapping[str, str]) -> None:
    """Publish the bundle of the project at `root`; raise `ReleaseError` with every reason not to.

    A file that the index has with the same bytes is skipped, so that a second run completes or changes nothing.
    """
    patience = Patience(limit_of(environ))
    with at_most(TOTAL * patience.limit):
        folder = bundle.locate(root)
        dists = bundle.check(folder)
        using = upload.settings(options.repository, environ)
        index = resolve(using, environ)
        secrecy.learn(index.auth[1])
        refuse(_problems(root, dists, index, options, environ))
        missing = patience.persist(lambda: _missing(index, dists))
        for dist in dists:
            if dist not in missing:
                print(f"{dist.path.name}: skipped, the index has it with the same SHA-256 {dist.sha256}")
        if missing:
            mode = packages.of(folder, dists[0].name).settings.attestations
            signing = options.attestations and not using.repository_config.get("password")  # of a .pypirc
            _upload(missing, Run(dists[0].name, index, options, environ), patience, mode if signing else "off")
        _wait(index, dists, patience)
    _tell(index, dists, missing)


def _problems(
    root: Path, dists: list[Dist], index: Index, options: Options, environ: Mapping[str, str]
) -> list[Problem | str]:
    """Return what can be known to be wrong before any network."""
    package = packages.of(root, dists[0].name)
    ref = package.on(current(root, environ))
    verdict = gate.judge_release(dists, package, ref)
    found = [
        *verdict.problems,
        *rules.problems(dists, package.settings.file_limit, public=bool(index.site)),
        *readme.problems(dists),
    ]
    if not ref.tags:
        tag = package.tag(verdict.version)
        remedy = f"tag the commit that was built and try again: git tag {tag}"
        found.insert(0, Problem("publish", ref.words, f"a tag such as {tag!r}: only a tag is published", remedy))
    if not environ.get("GITHUB_REF_TYPE") and (made := bundle.is_of(bundle.locate(root), root)):
        remedy = "check out the tagged commit and run: nox -s build verify-version"
        found.append(Problem("bundle", f"dists of {made}", "dists of the commit here", remedy))
    if index.site and not index.upload_url.endswith("/"):
        url = index.upload_url  # twine proves no identity to this one, and the index sends it away
        found.append(Problem("TWINE_REPOSITORY_URL", repr(url), repr(f"{url}/"), "mend it"))
    elif options.repository == "testpypi" and index.site and index.upload_url != TEST_REPOSITORY:
        remedy = "unset TWINE_REPOSITORY_URL and TWINE_REPOSITORY"
        found.append(Problem("publish-test", index.upload_url, "TestPyPI or an index of your own", remedy))
    return found


def _missing(index: Index, dists: list[Dist]) -> list[Dist]:
    """Return the dists that the index does not serve; raise `ReleaseError` where it serves other bytes."""
    there = index.files(dists[0].name)
    hashes = {dist: index.sha256(there[dist.path.name]) for dist in dists if dist.path.name in there}
    remedy = "a file name can be used once: release a new version"
    refuse(
        [
            Problem(
                f"{dist.path.name} at {index.upload_url}",
                f"SHA-256 {found}",
                f"SHA-256 {dist.sha256}",
                remedy,
            )
            for dist, found in hashes.items()
            if found != dist.sha256
        ]
    )
    missing = [dist for dist in dists if dist not in hashes]
    if index.site:
        refuse(rules.too_old({name: file.uploaded for name, file in there.items()}, missing))
    return missing


def _upload(dists: list[Dist], run: Run, patience: Patience, mode: str) -> None:
    """Sign and upload `dists`, as often as it takes; what the index has by then is not sent again."""
    with tempfile.TemporaryDirectory() as staging:  # signing leaves files beside those that it signs
        copies = {dist: Path(shutil.copy2(dist.path, staging)) for dist in dists}
        signed = attest.sign(list(copies.values()), mode, run.index, run.environ, patience)
        patience.renew()
        left = dists
        while left:
            try:
                _send([copies[dist] for dist in left], run, signed=signed)
                break
            except PassingError as error:
                before, left = left, patience.persist(lambda: _missing(run.index, dists))
                if len(left) < len(before):
                    patience.renew()
                if left:
                    patience.wait(error)


def _send(paths: list[Path], run: Run, *, signed: bool) -> None:
    """Upload the files at `paths`; where the token expires before the last one, once more with another token."""
    try:
        _send_once(paths, run, signed=signed)
    except upload.ExpiredError as error:
        print(f"{str(error).splitlines()[0]}\ntrying again with a new token")
        _send_once(paths, run, signed=signed)


def _send_once(paths: list[Path], run: Run, *, signed: bool) -> None:
    using = upload.settings(run.options.repository, run.environ, signed=signed, verbose=run.options.verbose)
    try:
        upload.upload(paths, using, run.index.site)
    except upload.IdentityError as error:
        raise ReleaseError(explained(str(error), run.index.site, *_advice(run, str(error)))) from error


def _advice(run: Run, text: str) -> list[str]:
    """Return what to register where the index knows no publisher for this run."""
    found = publisher.claims(run.environ) if publisher.UNKNOWN in text else {}
    return publisher.advice(run.index.site, run.name, found, exists=bool(run.index.files(run.name))) if found else []


def _wait(index: Index, dists: list[Dist], patience: Patience) -> None:
    """Wait until the index serves every dist with the same bytes, to pip as well."""
    patience.renew(SOON)
    patience.persist(lambda: _served(index, dists))
    patience.persist(lambda: fetch.fetch(index, dists))


def _served(index: Index, dists: list[Dist]) -> None:
    if missing := _missing(index, dists):
        names = ", ".join(dist.path.name for dist in missing)
        raise PassingError(f"{names}: accepted, but not served yet; a later run of this job looks again")


def _tell(index: Index, dists: list[Dist], uploaded: list[Dist]) -> None:
    page = index.page(dists[0].name, dists[0].version)
    rows = [
        (dist.path.name, "uploaded" if dist in uploaded else "was there, same bytes", dist.sha256) for dist in dists
    ]
    for row in rows:
        print("  ".join(row))
    print(f"published: {page}")
    report.output("url", page)
    report.summary(f"## {dists[0].name} {dists[0].version}", page, report.table(("file", "", "SHA-256"), rows))
