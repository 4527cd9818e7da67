"""Attestations (PEP 740): who built these files, signed with the identity of this CI run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import report
from .errors import ReleaseError
from .explain import explained
from .patience import OutOfTimeError, PassingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .index import Index
    from .patience import Patience

SUFFIX = ".publish.attestation"
TIMEOUT = 120  # seconds


def sign(paths: list[Path], mode: str, index: Index, environ: Mapping[str, str], patience: Patience) -> bool:
    """Sign the files at `paths`, each attestation beside its file; return whether that was done.

    Only Trusted Publishing on GitHub can, and only PyPI and TestPyPI take them (https://docs.pypi.org/attestations/).
    `mode` is `required` (a failure that lasts raises `ReleaseError`), `optional` or `off`.
    """
    trusted = environ.get("GITHUB_ACTIONS") == "true" and "TWINE_PASSWORD" not in environ
    if mode == "off" or not index.site or not trusted:
        return False
    try:
        patience.persist(lambda: _sign(paths))
    except ReleaseError as error:
        if mode == "required" or isinstance(error, OutOfTimeError):
            raise
        print(f"{error}\nwarning: NO ATTESTATIONS: signing failed, and the project's configuration says optional")
        report.summary("> [!WARNING]\n> **No attestations were made**: signing failed, and they are optional here.")
        return False
    return True


def _sign(paths: list[Path]) -> None:
    """Sign what is not signed yet: each file once, however often this is tried."""
    unsigned = [str(path) for path in paths if not Path(f"{path}{SUFFIX}").exists()]
    command = [sys.executable, "-I", "-m", "pypi_attestations", "sign", *unsigned]
    try:
        done = subprocess.run(
            command, check=False, text=True, timeout=TIMEOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except subprocess.TimeoutExpired as error:
        raise PassingError(explained(f"no attestations could be signed within {TIMEOUT} s")) from error
    if not done.returncode:
        return
    said = done.stdout.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    kind = ReleaseError if "detect identity" in said[0] else PassingError
    raise kind(explained(f"no attestations could be signed, and nothing was uploaded: {said[0]}"))
