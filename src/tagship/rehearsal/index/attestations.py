"""Whether attestations have the right shape (PEP 740); their signatures are not looked at.

The rules: https://docs.pypi.org/attestations/producing-attestations/.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from tagship.rehearsal.index.refusal import Refusal

PREDICATES = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
"""The kinds of attestation that PyPI takes, one of each a file."""


def check_attestations(field: str) -> None:
    """Check the form's field; raises Refusal."""
    try:
        predicates = [_predicate(each) for each in _listed(field)]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refusal("Malformed attestations: not a list of PEP 740 attestations") from None
    if not predicates:
        raise _refusal("Malformed attestations: an empty attestation set is not permitted")
    if len(predicates) > len(PREDICATES):
        raise _refusal(f"A maximum of {len(PREDICATES)} attestations per file are supported")
    for each in predicates:
        if each not in PREDICATES:
            raise _refusal(f"Attestation with unsupported predicate type: {each}")
        if predicates.count(each) > 1:
            raise _refusal(
                f"Multiple attestations for the same file with the same predicate type ({each}) are not supported"
            )


def _listed(field: str) -> list[Any]:
    listed = json.loads(field)
    if not isinstance(listed, list):
        raise TypeError
    return listed


def _predicate(attestation: Any) -> str:
    if attestation["version"] != 1 or not isinstance(attestation["verification_material"], dict):
        raise ValueError
    statement = json.loads(base64.b64decode(attestation["envelope"]["statement"], validate=True))
    base64.b64decode(attestation["envelope"]["signature"], validate=True)
    return str(statement["predicateType"])


def _refusal(reason: str) -> Refusal:
    return Refusal(f"Invalid attestations supplied during upload: {reason}")
