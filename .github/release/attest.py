"""Attestations (PEP 740): who built these files, signed with the identity of this CI run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from . import report
from .errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .index import Index

SUFFIX = ".publish.attestation"


def sign(paths: list[Path], mode: str, index: Index, environ: Mapping[str, str]) -> bool:
    """Sign the files at `paths`, each attestation beside its file; return whether that was done.

    Only Trusted Publishing on GitHub can, and only PyPI and TestPyPI take them (https://docs.pypi.org/attestations/).
    `mode` is `required` (a failure raises `ReleaseError`), `optional` or `off`.
    """
    trusted = environ.get("GITHUB_ACTIONS") == "true" and "TWINE_PASSWORD" not in environ
    if mode == "off" or not index.site or not trusted:
        return False
    sys.stdout.flush()
    command = [sys.executable, "-I", "-m", "pypi_attestations", "sign", *map(str, paths)]
    if subprocess.run(command, check=False).returncode == 0:
        return True
    if mode == "required":
        raise ReleaseError(
            "no attestations could be signed, for the reason above; nothing was uploaded: run this again, or set"
            ' attestations = "optional" in [tool.tagship]'
        )
    print("warning: NO ATTESTATIONS: signing failed, and the project's configuration says optional")
    report.summary("> [!WARNING]\n> **No attestations were made**: signing failed, and they are optional here.")
    return False
