"""The session `test`: install the distribution and what its tests need, run them, and prove what they imported."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import nox
from nox.command import CommandFailed

from .. import report
from ..errors import refusal, refuse
from ..report import run
from . import proof, witness
from .plan import Plan, plans, unnamed

#: The exit status of pytest and unittest if there is no test to run.
NO_TESTS = 5
#: That of pytest for unknown arguments, missing paths, or a conftest.py that cannot be imported.
MISUSED = 4
IN_PLACE = "test-in-place is set: the wheel was installed, but nothing proves that the tests imported it"


def run_tests(session: nox.Session, root: Path) -> None:
    """Run the tests of each distribution of this run."""
    folder, arguments = split_arguments(session)
    found = run(session, plans, root.resolve(), folder, str(session.python or ""), os.environ)
    ready = [plan for plan in found if plan.command]
    if not ready:
        reasons = " and ".join(dict.fromkeys(plan.reason for plan in found))
        report.summary(f"> [!WARNING]\n> Nothing was tested: {reasons}")
        session.skip(f"nothing was tested: {reasons}")
    for plan in found:
        if plan.reason:
            session.log(f"{plan.folder.name} is not tested: {plan.reason}")
    for plan in ready:
        if plan is not ready[0]:
            session.virtualenv.create()  # without the packages of the previous distribution
        session.install(*plan.arguments)
        run(session, check_program, plan, session.bin_paths)
        (in_place if plan.in_place else proven)(session, plan, arguments)


def check_program(plan: Plan, places: list[str] | None) -> None:
    """Raise `ReleaseError` if the command of `plan` was not installed; except for pytest, the machine may have it."""
    program = plan.command[0]
    installed = shutil.which(program, path=os.pathsep.join(places or ()))
    if not installed and (program == "pytest" or not (shutil.which(program) or (plan.folder / program).is_file())):
        found = f"no {program} among what the tests need"
        raise unnamed(plan.settings, found, "the program of test-command", program)


def proven(session: nox.Session, plan: Plan, arguments: list[str]) -> None:
    """Run the tests so that they import the installed project; end the session with an error unless they did."""
    name = Path(plan.source).name if plan.source.endswith((".whl", ".tar.gz")) else "the wheel"
    with TemporaryDirectory() as folder:
        script = ("python", "-I", witness.__file__, plan.source, str(plan.folder), folder)
        session.run(*script, silent=True, log=False)
        env = {witness.VARIABLE: folder, "PY_IGNORE_IMPORTMISMATCH": "1"}
        with session.chdir(plan.folder):
            try:
                session.run(*plan.command, *arguments, external=True, env=env)
            except CommandFailed as error:
                if str(error.reason).endswith(f" {NO_TESTS}"):
                    run(session, refuse, proof.idle(proof.read(Path(folder))))
                if str(error.reason).endswith(f" {MISUSED}") and "pytest" in plan.command:
                    run(session, _misused, plan)
                raise
        session.log(f"proven: {run(session, proof.prove, Path(folder), name)}")


def _misused(plan: Plan) -> NoReturn:
    """Raise the error that pytest did not even begin: it prints why, but not what to do about it."""
    plugin = "unrecognized arguments need their plugin, as --cov needs pytest-cov, in test-requires or the group test"
    found, expected = "an error of pytest before any test", "tests that run"
    raise refusal("test-command", plan.settings, found, expected, f"see above; {plugin}")


def in_place(session: nox.Session, plan: Plan, arguments: list[str]) -> None:
    """Run the tests in the checkout, with a warning that this proves nothing about the wheel."""
    session.warn(IN_PLACE)
    report.summary(f"> [!WARNING]\n> {IN_PLACE}")
    with session.chdir(plan.folder):
        session.run(*plan.command, *arguments, external=True)


def split_arguments(session: nox.Session) -> tuple[str, list[str]]:
    """Return the folder after --installpkg, "" without it, and the arguments for the tests."""
    arguments = list(session.posargs)
    if "--installpkg" not in arguments:
        return "", arguments
    at = arguments.index("--installpkg")
    if len(arguments) == at + 1:
        session.error("--installpkg takes the folder of the dists: nox -s test -- --installpkg dist")
    return arguments[at + 1], [*arguments[:at], *arguments[at + 2 :]]
