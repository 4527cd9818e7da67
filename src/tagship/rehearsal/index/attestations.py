"""Whether attestations have the right form and belong to the file (PEP 740); signatures are not verified.

The rules: https://docs.pypi.org/attestations/producing-attestations/.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tagship.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    from tagship.publisher import Registration

PREDICATES = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
"""The kinds of attestation that PyPI accepts, one of each per file."""


def provenance(field: str, publisher: Registration, sha256: str) -> str:
    """Return what the integrity API serves for a file with this digest, from the field's attestations.

    Raises Refusal for attestations that PyPI does not accept.
    """
    _check(field, sha256)
    # The publisher's values, not the token's: without an environment if it accepts any.
    identity = {**publisher.identity, "environment": publisher.environment or None}
    bundle = {"publisher": identity, "attestations": json.loads(field)}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]})


def _check(field: str, sha256: str) -> None:
    try:
        statements = [_statement(each) for each in _listed(field)]
        predicates = [str(each["predicateType"]) for each in statements]
        digests = [[subject["digest"]["sha256"] for subject in each["subject"]] for each in statements]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refusal("Malformed attestations: not a list of PEP 740 attestations") from None
    if not predicates:
        raise _refusal("Malformed attestations: an empty attestation set is not permitted")
    if len(predicates) > len(PREDICATES):
        raise _refusal(f"A maximum of {len(PREDICATES)} attestations per file are supported")
    if any(each != [sha256] for each in digests):
        raise _refusal(
            "Could not verify the uploaded artifact using the included attestation: Verification failed: subject does"
            " not match distribution digest"
        )
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


def _statement(attestation: Any) -> Any:
    if attestation["version"] != 1 or not isinstance(attestation["verification_material"], dict):
        raise ValueError
    statement = json.loads(base64.b64decode(attestation["envelope"]["statement"], validate=True))
    base64.b64decode(attestation["envelope"]["signature"], validate=True)
    return statement


def _refusal(reason: str) -> Refusal:
    return Refusal(f"Invalid attestations supplied during upload: {reason}")
