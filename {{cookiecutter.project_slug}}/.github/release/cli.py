"""The verbs: what the sessions and the tasks call, and the only place that prints errors and exits."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from . import git, report
from .errors import ReleaseError, refuse

# Each verb imports what it needs itself: a session calls several, and must not wait for what the others need.

EARLIEST = 315532800  # 1980-01-01, the first day that a zip archive, and so a wheel, can hold


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return 0, or 1 where it refused, with the reasons printed."""
    options = vars(_parser().parse_args(arguments))
    verb = options.pop("run")
    try:
        verb(**options)
    except ReleaseError as error:
        report.errors(error.args)
        return 1
    return 0


def prepare() -> None:
    """Remove old dists and bundle; print the time of the commit, in seconds, for SOURCE_DATE_EPOCH."""
    shutil.rmtree("bundle", ignore_errors=True)
    shutil.rmtree("dist", ignore_errors=True)
    print(_epoch())


def normalise() -> None:
    """Give the sdist in dist/ the same bytes on every machine; print its path."""
    from .sdist import normalise as rewrite

    for path in Path("dist").glob("*.tar.gz"):
        rewrite(path, _epoch())
        print(path)


def describe() -> None:
    """Check the dists against the index's rules; tell their name, version, Pythons, sizes, hashes and files."""
    import json
    import platform

    from . import rules
    from .config import load
    from .dists import read_dists, supported_pythons

    dists = read_dists(Path("dist"))
    refuse(rules.problems(dists))
    declared = supported_pythons(dists[0].metadata, ".".join(platform.python_version_tuple()[:2]))
    pythons = list(load(Path()).pythons) or declared
    outputs = {"name": dists[0].name, "version": dists[0].version, "pythons": json.dumps(pythons)}
    for name, value in outputs.items():
        print(f"{name}: {value}")
        report.output(name, value)
    for dist in dists:
        print(f"{dist.path}  {dist.size} bytes  SHA-256 {dist.sha256}")
    title = f"## {dists[0].name} {dists[0].version}"
    report.summary(title, report.files(dists), *map(report.tree, dists))


def _tests(wheel: str) -> None:
    import json
    from dataclasses import asdict

    from .testing import plan

    print(json.dumps(asdict(plan(Path(), wheel))))


def verify() -> None:
    """Compare every version with every other and with the tag; write the bundle if they agree."""
    from . import bundle, gate

    bundle.clear(Path())
    verdict = gate.judge(Path(), os.environ)
    width = max(len(where) for where, _ in verdict.compared)
    for where, found in verdict.compared:
        print(report.one_line(f"{where:{width}}  {found}"))
    for note in verdict.notes:
        print(report.one_line(f"note: {note}"))
    outcome = "agree" if not verdict.problems else f"{len(verdict.problems)} problems"
    report.summary(f"## Versions: {outcome}", report.table(("where", "version"), verdict.compared), *verdict.notes)
    refuse(verdict.problems)
    print(f"{bundle.write(Path(), verdict.dists)}: {len(verdict.dists)} dists that may be published")


def _release(version: str, *, push: bool) -> None:
    from .cut import cut

    print(cut(Path(), version, push=push))


def _publish(repository: str, *, attestations: bool, verbose: bool) -> None:
    from .publish import Options, publish

    publish(Path(), Options(repository, attestations, verbose), os.environ)


def _epoch() -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return max(int(given) if given.isascii() and given.isdigit() else git.commit_time(Path()) or 0, EARLIEST)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python .github/release", description=__doc__, allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in (prepare, normalise, describe, verify):
        verbs.add_parser(verb.__name__, help=verb.__doc__).set_defaults(run=verb)
    testing = verbs.add_parser("tests", help="Print how the project runs its own tests, as JSON.")
    testing.add_argument("wheel", help='the wheel that is tested, "" for the project as it lies here')
    testing.set_defaults(run=_tests)
    publishing = verbs.add_parser("publish", help="Publish the bundle to an index.")
    publishing.add_argument("repository", choices=("pypi", "testpypi"))
    publishing.add_argument("--no-attestations", dest="attestations", action="store_false")
    publishing.add_argument("--verbose", action="store_true")
    publishing.set_defaults(run=_publish)
    cutting = verbs.add_parser("cut", help="Bump, date the changelog, commit and tag.")
    cutting.add_argument("version", help="a version, major, minor, patch or current")
    cutting.add_argument("--push", action="store_true")
    cutting.set_defaults(run=_release)
    return parser
