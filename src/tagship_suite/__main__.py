"""Commands that need the interpreter of the release tools instead of nox's: `python -m tagship_suite build`."""

import argparse
import os
import sys
from pathlib import Path

from . import redact, report
from .errors import Problem, refuse

#: The inputs of gh-action-pypi-publish that are no options here, and what replaces each.
ELSEWHERE = {
    "packages-dir": "put the dists into dist/ and run: nox -s verify-version; only its bundle is published",
    "verify-metadata": "leave it out: nox -s build has checked the metadata, and what was checked is what is published",
    "skip-existing": "leave it out: a file that the index has is skipped, or refused if its SHA-256 differs",
    "print-hash": "leave it out: the SHA-256 of each file is always printed",
    "repository-url": "set TWINE_REPOSITORY_URL",
    "user": "set TWINE_USERNAME",
    "password": "set TWINE_PASSWORD: other users can see the arguments of a command",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if it refused, or 130 if it was interrupted."""
    options = vars(_parser().parse_args(arguments))
    os.chdir(options.pop("root"))
    try:
        with report.reporting():
            options.pop("run")(**options)
    except report.Reported:
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _build(folders: list[Path], seconds: int) -> None:
    from .backend import build

    build(folders, Path("dist"), seconds)


def _publish(repository: str, *, attestations: bool, verbose: bool, **inputs: str | None) -> None:
    named, found = [name for name in ELSEWHERE if inputs[name] is not None], "an input of gh-action-pypi-publish"
    refuse([Problem("action-input", f"--{name}", found, "none", ELSEWHERE[name]) for name in named])
    from .publish.run import publish

    # A pasted secret may end with a newline, and a workflow passes an unset one as an empty string.
    for name in [name for name in os.environ if name.startswith("TWINE_")]:
        if value := os.environ.pop(name).strip("\r\n"):
            os.environ[name] = value
    redact.register_environ(os.environ)
    publish(Path(), repository, os.environ, attestations=attestations, verbose=verbose)


def _sbom() -> None:
    from .build import epoch
    from .gate import bundle, handover, lockstep
    from .gate.sbom import sbom

    groups = lockstep.by_release(Path(), bundle.check(bundle.locate(Path())))
    folder = bundle.add_sbom(Path(), sbom(groups, epoch(Path(), os.environ)))
    report.output("digest", handover.digest(folder))


def _github_release() -> None:
    from .github.release import release

    release(Path(), os.environ)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tagship_suite", description=__doc__, allow_abbrev=False)
    parser.add_argument("--root", default=".", help="the folder of the project, or of its bundle")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="Build the dists.", allow_abbrev=False)
    building.add_argument("seconds", type=int, help="SOURCE_DATE_EPOCH")
    building.add_argument("folders", type=Path, nargs="+", help="the folders of the distributions")
    publishing = commands.add_parser("publish", help="Publish the bundle to an index.", allow_abbrev=False)
    publishing.add_argument("repository", choices=("pypi", "testpypi"))
    publishing.add_argument("--attestations", action=argparse.BooleanOptionalAction, default=True)
    publishing.add_argument("--verbose", action="store_true")
    for name, instead in ELSEWHERE.items():
        publishing.add_argument(f"--{name}", dest=name, nargs="?", const="", help=instead)
    adding = commands.add_parser("sbom", help="Add an SBOM to the bundle.", allow_abbrev=False)
    releasing = commands.add_parser("github-release", help="Create the tag's GitHub Release.", allow_abbrev=False)
    for command, run in ((building, _build), (publishing, _publish), (adding, _sbom), (releasing, _github_release)):
        command.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
