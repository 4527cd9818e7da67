"""The verbs: what the sessions and the tasks call, and the only place that prints errors and exits."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import git, report, secrecy
from .errors import ReleaseError, refuse
from .inputs import ELSEWHERE, refuse_inputs

if TYPE_CHECKING:
    from .gate import Verdict
    from .packages import Package

# Each verb imports what it needs itself: a session calls several, and must not wait for what the others need.

EARLIEST = 315532800  # 1980-01-01, the first day that a zip archive, and so a wheel, can hold


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return 0, or 1 where it refused, with the reasons printed."""
    options = vars(_parser().parse_args(arguments))
    verb = options.pop("run")
    secrecy.learn_from(os.environ)
    with secrecy.kept():
        try:
            verb(**options)
        except ReleaseError as error:
            report.errors(error.args)
            return 1
    return 0


def prepare() -> None:
    """Remove old dists and bundle; print SOURCE_DATE_EPOCH, and the folders of this run's distributions, as JSON."""
    import json

    answer = json.dumps([str(_epoch()), [package.path for package in _chosen()]])
    shutil.rmtree("bundle", ignore_errors=True)
    shutil.rmtree("dist", ignore_errors=True)
    _answer(answer)


def normalise() -> None:
    """Give each sdist in dist/ the same bytes on every machine; print its path, and if it is compiled, as JSON."""
    import json

    from .sdist import is_compiled
    from .sdist import normalise as rewrite

    paths = sorted(Path("dist").glob("*.tar.gz"))
    for path in paths:
        rewrite(path, _epoch())
    _answer(json.dumps([(str(path), is_compiled(path)) for path in paths]))


def describe() -> None:
    """Check the dists against the index's rules; tell their name, version, Pythons, sizes, hashes and files."""
    from . import built

    groups = built.read(Path("dist"), _chosen())
    for name, value in built.outputs(groups).items():
        print(f"{name}: {value}")
        report.output(name, value)
    for dist in (dist for dists in groups.values() for dist in dists):
        print(f"{dist.path}  {dist.size} bytes  SHA-256 {dist.sha256}")
    for first, *others in groups.values():
        files = [first, *others]
        report.summary(f"## {first.name} {first.version}", report.files(files), *map(report.tree, files))


def _tests(folder: str, python: str) -> None:
    import json
    from dataclasses import asdict

    from .plans import plans

    found = plans(Path(), folder, python, os.environ)
    if not any(plan.command for plan in found):
        reasons = " and ".join(dict.fromkeys(plan.reason for plan in found))
        report.summary(f"> [!WARNING]\n> Nothing was tested: {reasons}")
    _answer(json.dumps([asdict(plan) for plan in found]))


def verify() -> None:
    """Compare every version with every other and with the tag; write the bundle if they agree."""
    from . import bundle, gate, machines

    bundle.clear(Path())
    machines.gather(Path("dist"), os.environ.get("MACHINES", ""))
    packages = _chosen()
    names = {package.name for package in packages}
    verdicts = [gate.judge(package, os.environ, names - {package.name}) for package in packages]
    for verdict in verdicts:
        _tell(verdict)
    refuse(list(dict.fromkeys(problem for verdict in verdicts for problem in verdict.problems)))
    dists = [dist for verdict in verdicts for dist in verdict.dists]
    folder = bundle.write(Path(), dists, [package.folder for package in packages if package.folder != package.root])
    print(f"{folder}: {len(dists)} dists that may be published")
    # The publish jobs' environments are named by what the tag and this checkout say: no build had a word in it.
    report.output("suffix", packages[0].suffix if len(packages) == 1 else "")


def _chosen() -> list[Package]:
    from .packages import chosen

    return chosen(Path(), os.environ)


def _answer(text: object) -> None:
    """Print what a session reads and nobody sees, as it is: with a text struck out it would mean something else."""
    print(text, file=sys.__stdout__)


def _tell(verdict: Verdict) -> None:
    width = max(len(where) for where, _ in verdict.compared)
    for where, found in verdict.compared:
        print(report.one_line(f"{where:{width}}  {found}"))
    for note in verdict.notes:
        print(report.one_line(f"note: {note}"))
    outcome = "agree" if not verdict.problems else f"{len(verdict.problems)} problems"
    title = f"## Versions{verdict.package.name and f' of {verdict.package.name}'}: {outcome}"
    report.summary(title, report.table(("where", "version"), verdict.compared), *verdict.notes)


def _release(version: str, *, push: bool) -> None:
    from .cut import cut

    print(cut(Path(), version, push=push))


def _publish(repository: str, *, attestations: bool, verbose: bool, **inputs: str | None) -> None:
    refuse_inputs(inputs)
    from .publish import Options, publish

    # A workflow passes what is not set as an empty text, and twine takes that for a value.
    for name in [name for name, value in os.environ.items() if name.startswith("TWINE_") and not value]:
        del os.environ[name]
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
    testing.add_argument("folder", help='the dists of which one is tested, "" for the project as it lies here')
    testing.add_argument("python", help='the version of the Python that tests it, "" for this one')
    testing.set_defaults(run=_tests)
    publishing = verbs.add_parser("publish", help="Publish the bundle to an index.")
    publishing.add_argument("repository", choices=("pypi", "testpypi"))
    publishing.add_argument("--attestations", action=argparse.BooleanOptionalAction, default=True)
    publishing.add_argument("--verbose", action="store_true")
    for name, instead in ELSEWHERE.items():
        publishing.add_argument(f"--{name}", dest=name, nargs="?", const="", help=instead)
    publishing.set_defaults(run=_publish)
    cutting = verbs.add_parser("cut", help="Bump, date the changelog, commit and tag.")
    cutting.add_argument("version", help="a version, major, minor, patch or current; NAME/patch for one of several")
    cutting.add_argument("--push", action="store_true")
    cutting.set_defaults(run=_release)
    return parser
