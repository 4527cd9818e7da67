"""Replaces `python -m pypi_attestations` in the publish jobs of a rehearsal, for which Sigstore does not sign.

The attestations have the form of PEP 740 with the file and its SHA-256; signature and certificate are empty.
It runs as a separate script, with the tools of that job.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path


def main(files: list[str]) -> None:
    """Write an attestation next to each of the files; exit 1 if the job may not request an OIDC token."""
    from id import IdentityError, detect_credential

    try:
        if not detect_credential("sigstore"):
            raise IdentityError("no OIDC token here")
    except IdentityError as error:
        sys.exit(f"Failed to detect identity: {error}")
    for path in map(Path, files):
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}],
            "predicateType": "https://docs.pypi.org/attestations/publish/v1",
            "predicate": None,
        }
        encoded = base64.b64encode(json.dumps(statement).encode()).decode()
        attestation = {
            "version": 1,
            "verification_material": {"certificate": "", "transparency_entries": [{}]},
            "envelope": {"statement": encoded, "signature": ""},
        }
        Path(f"{path}.publish.attestation").write_text(json.dumps(attestation), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[2:])
