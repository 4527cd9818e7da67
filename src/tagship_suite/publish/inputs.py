"""The inputs of the action gh-action-pypi-publish that are not options here, and what replaces each."""

from collections.abc import Mapping

from ..errors import Problem, refuse

#: By name; `verbose` and `attestations` are options here too.
ELSEWHERE = {
    "packages-dir": "put the dists into dist/ and run: nox -s verify-version; only its bundle is published",
    "verify-metadata": "leave it out: nox -s build has checked the metadata, and what was checked is what is published",
    "skip-existing": "leave it out: a file that the index has is skipped, or refused if its SHA-256 differs",
    "print-hash": "leave it out: the SHA-256 of each file is always printed",
    "repository-url": "set TWINE_REPOSITORY_URL",
    "user": "set TWINE_USERNAME",
    "password": "set TWINE_PASSWORD: other users can see the arguments of a command",
}


def refuse_inputs(given: Mapping[str, str | None]) -> None:
    """Raise `ReleaseError` for each input that was given, by its name; its value is not shown."""
    named = [name for name in ELSEWHERE if given.get(name) is not None]
    found = "an input of gh-action-pypi-publish"
    refuse([Problem("action-input", f"--{name}", found, "none", ELSEWHERE[name]) for name in named])
