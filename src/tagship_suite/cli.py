"""Commands that need the interpreter of the release tools instead of nox's: `python -m tagship_suite build`."""

import argparse
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import redact, report
from .errors import ReleaseError, of_machine


class Reported(Exception):
    """A step has failed, and the reasons are already printed."""


@contextmanager
def reporting() -> Iterator[None]:
    """Print the problems of a `ReleaseError` in the block, then raise `Reported`; redact everything that is printed."""
    redact.register_environ(os.environ)
    with redact.redacting(), report.without_warnings():
        try:
            yield
        except (ReleaseError, OSError) as error:
            lines = error.args if isinstance(error, ReleaseError) else [str(of_machine(error))]
            report.errors(lines)
            raise Reported(f"{len(lines)} problem{'s' * (len(lines) > 1)}, see above") from None
        except Exception:
            traceback.print_exc()
            raise Reported("a bug in tagship, see above") from None
        finally:
            sys.stdout.flush()  # before the next command of the session prints


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if it refused, or 130 if it was interrupted."""
    options = vars(_parser().parse_args(arguments))
    os.chdir(options.pop("root"))
    try:
        with reporting():
            options.pop("run")(**options)
    except Reported:
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _build(folders: list[Path], seconds: int) -> None:
    from .backend import build

    build(folders, Path("dist"), seconds)


def _publish(repository: str, *, attestations: bool, verbose: bool, **inputs: str | None) -> None:
    from .publish.inputs import refuse_inputs

    refuse_inputs(inputs)
    from .publish.run import Options, publish

    # A pasted secret may end with a newline, and a workflow passes an unset one as an empty string.
    for name in [name for name in os.environ if name.startswith("TWINE_")]:
        if value := os.environ.pop(name).strip("\r\n"):
            os.environ[name] = value
    redact.register_environ(os.environ)
    publish(Path(), Options(repository, attestations, verbose), os.environ)


def _sbom() -> None:
    from . import report
    from .build import epoch
    from .gate import bundle, lockstep
    from .gate.sbom import sbom

    groups = lockstep.releases(Path(), bundle.check(bundle.locate(Path())))
    folder = bundle.add_sbom(Path(), sbom(groups, epoch(Path(), os.environ)))
    report.output("digest", bundle.digest(folder))


def _github_release() -> None:
    from .github.release import release

    release(Path(), os.environ)


def _parser() -> argparse.ArgumentParser:
    from .publish.inputs import ELSEWHERE

    parser = argparse.ArgumentParser(prog="python -m tagship_suite", description=__doc__, allow_abbrev=False)
    parser.add_argument("--root", default=".", help="the folder of the project, or of its bundle")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="Build the dists.", allow_abbrev=False)
    building.set_defaults(run=_build)
    building.add_argument("seconds", type=int, help="SOURCE_DATE_EPOCH")
    building.add_argument("folders", type=Path, nargs="+", help="the folders of the distributions")
    publishing = commands.add_parser("publish", help="Publish the bundle to an index.", allow_abbrev=False)
    publishing.set_defaults(run=_publish)
    publishing.add_argument("repository", choices=("pypi", "testpypi"))
    publishing.add_argument("--attestations", action=argparse.BooleanOptionalAction, default=True)
    publishing.add_argument("--verbose", action="store_true")
    releasing = commands.add_parser(
        "github-release", help="Create the GitHub Release of the bundle.", allow_abbrev=False
    )
    releasing.set_defaults(run=_github_release)
    commands.add_parser("sbom", help="Add an SBOM to the bundle.", allow_abbrev=False).set_defaults(run=_sbom)
    for name, instead in ELSEWHERE.items():
        publishing.add_argument(f"--{name}", dest=name, nargs="?", const="", help=instead)
    return parser
