"""Publishing a bundle: refuse what must not go out, sign, upload, wait until the index serves it."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twine.utils import TEST_REPOSITORY

from . import attest, bundle, gate, publisher, report, rules, upload
from .config import load
from .errors import Problem, ReleaseError, refuse
from .index import NoAnswerError, resolve
from .ref import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twine.settings import Settings

    from .dists import Dist
    from .index import Index

PATIENCE = 300  # seconds in all for an index to serve what it accepted
FIRST_WAIT, LONGEST_WAIT = 0.25, 15.0  # seconds


@dataclass(frozen=True)
class Options:
    """The index by twine's name for it, and what was asked for on the command line."""

    repository: str
    attestations: bool = True
    verbose: bool = False


def publish(root: Path, options: Options, environ: Mapping[str, str]) -> None:
    """Publish the bundle of the project at `root`; raise `ReleaseError` with every reason not to.

    A file that the index has with the same bytes is skipped, so that a second run completes or changes nothing.
    """
    folder = bundle.locate(root)
    dists = bundle.check(folder)
    index = resolve(upload.settings(options.repository, environ), environ)
    refuse(_problems(root, dists, index, options, environ))
    missing = _missing(index, dists)
    for dist in dists:
        if dist not in missing:
            print(f"{dist.path.name}: skipped, the index has it with the same SHA-256 {dist.sha256}")
    if missing:
        with tempfile.TemporaryDirectory() as staging:
            copies = [Path(shutil.copy2(dist.path, staging)) for dist in missing]
            mode = load(folder).attestations if options.attestations else "off"
            signed = attest.sign(copies, mode, index, environ)
            using = upload.settings(options.repository, environ, signed=signed, verbose=options.verbose)
            _upload(copies, using, index, dists[0].name, environ)
    _wait(index, dists)
    _tell(index, dists, missing)


def _problems(
    root: Path, dists: list[Dist], index: Index, options: Options, environ: Mapping[str, str]
) -> list[Problem | str]:
    """Return what can be known to be wrong before any network."""
    ref = current(root, environ)
    verdict = gate.judge_release(dists, ref)
    found = [*verdict.problems, *rules.problems(dists)]
    if not ref.tags:
        tag = f"v{verdict.version}"
        remedy = f"tag the commit that was built and try again: git tag {tag}"
        found.insert(0, Problem("publish", ref.words, f"a tag such as {tag!r}: only a tag is published", remedy))
    if not environ.get("GITHUB_REF_TYPE") and (made := bundle.is_of(bundle.locate(root), root)):
        remedy = "check out the tagged commit and run: nox -s build verify-version"
        found.append(Problem("bundle", f"dists of commit {made}", "dists of the commit here", remedy))
    if options.repository == "testpypi" and index.site and index.upload_url != TEST_REPOSITORY:
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
    return [dist for dist in dists if dist not in hashes]


def _upload(paths: list[Path], using: Settings, index: Index, name: str, environ: Mapping[str, str]) -> None:
    """Upload the files at `paths`; where the index knows no publisher for this run, say what to register where."""
    try:
        upload.upload(paths, using)
    except upload.IdentityError as error:
        found = publisher.claims(environ) if "invalid-publisher" in str(error) else {}
        advice = publisher.advice(index.site, name, found, exists=bool(index.files(name))) if found else []
        raise ReleaseError(*error.args, *advice) from error


def _wait(index: Index, dists: list[Dist]) -> None:
    """Wait until the index serves every dist; raise `ReleaseError` for other bytes, or after `PATIENCE`."""
    deadline, pause = time.monotonic() + PATIENCE, FIRST_WAIT
    while missing := _unserved(index, dists, patient=time.monotonic() < deadline):
        if time.monotonic() > deadline:
            names = ", ".join(dist.path.name for dist in missing)
            raise ReleaseError(f"{names}: accepted, but not served after {PATIENCE} s; run this again later")
        print(f"waiting {pause:g} s for the index to serve {', '.join(dist.path.name for dist in missing)}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_WAIT)


def _unserved(index: Index, dists: list[Dist], *, patient: bool) -> list[Dist]:
    """Return the dists that the index does not serve yet; while `patient`, no answer is one of them."""
    try:
        return _missing(index, dists)
    except NoAnswerError as error:
        if not patient:
            raise
        print(error)
        return dists


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
