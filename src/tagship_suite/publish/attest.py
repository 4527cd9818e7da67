"""Attestations (PEP 740): signing the dists with the identity of this CI run, and checking that the index shows it."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import report
from ..dists.reading import Dist
from ..errors import Problem, ReleaseError, refuse
from . import claims
from .explain import explained
from .index import Index, Remote
from .retry import DeadlineExceeded, RetryPolicy, TransientError

SUFFIX = ".publish.attestation"
TIMEOUT = 120  # seconds


def mode(setting: str, index: Index, environ: Mapping[str, str]) -> str:
    """Return the `attestations` setting, or `off` where dists cannot be signed."""
    # Only PyPI and TestPyPI accept attestations, from Trusted Publishing: https://docs.pypi.org/attestations/
    signs = environ.get("GITHUB_ACTIONS") == "true" or "SIGSTORE_ID_TOKEN" in environ  # as `id` reads it on GitLab
    return setting if index.site and signs and "TWINE_PASSWORD" not in environ else "off"


def sign(paths: list[Path], mode: str, retry: RetryPolicy) -> bool:
    """Sign the files at `paths` unless `mode` is `off`; return whether they are signed, which `required` enforces."""
    if mode != "off":
        with _allowing(mode, "signing failed"):
            retry.call(lambda: _sign(paths))
            return True
    return False


def check(index: Index, dists: list[Dist], mode: str, retry: RetryPolicy) -> None:
    """Wait until the index shows for each dist an attestation by this repository, workflow and environment.

    Raises `ReleaseError` on timeout, or for another publisher; where `mode` is `optional`, warns at once instead.
    """
    if mode != "off":
        retry.reset()
        with _allowing(mode, "the index does not show them"):
            (retry if mode == "required" else RetryPolicy(0)).call(lambda: _shown(index, dists))


@contextmanager
def _allowing(mode: str, why: str) -> Iterator[None]:
    """Print the error of the block as a warning if attestations are optional."""
    try:
        yield
    except ReleaseError as error:
        if mode == "required" or isinstance(error, DeadlineExceeded):
            raise
        print(f'{error}\nwarning: NO ATTESTATIONS: {why}, and [tool.tagship] has attestations = "optional"')
        report.summary(f"> [!WARNING]\n> **No attestations**: {why}, and they are optional here.")


def _shown(index: Index, dists: list[Dist]) -> None:
    if not (own := claims.of_this_job()):
        raise TransientError("no OIDC token was issued to compare this job with the provenance [attestations]")
    expected = claims.identity(claims.values(own))
    none, files = Remote(""), index.files(dists[0].name)
    provenances = {dist: index.provenance(files.get(dist.path.name, none)) for dist in dists}
    found = {dist.path.name: publishers(provenance, dist.sha256) for dist, provenance in provenances.items()}
    other = {name: each for name, each in found.items() if each and not any(accepts(one, expected) for one in each)}
    wanted, remedy = shown(expected), "attestations cannot be added later: release a new version"
    texts = {f"provenance of {name}": " and ".join(map(shown, each)) for name, each in other.items()}
    refuse([Problem("provenance", where, text, wanted, remedy) for where, text in texts.items()])
    if absent := ", ".join(name for name, each in found.items() if not each):
        raise TransientError(f"provenance of {absent}: found none, expected {wanted}; {remedy} [provenance]")
    print(f"attested by {wanted}, as {index.site} shows for each file")


def _sign(paths: list[Path]) -> None:
    """Sign the files that have no attestation yet, so that a retry signs none twice."""
    unsigned = [str(path) for path in paths if not Path(f"{path}{SUFFIX}").exists()]
    command = [sys.executable, "-I", "-m", "pypi_attestations", "sign", *unsigned]
    try:
        done = subprocess.run(
            command, check=False, text=True, timeout=TIMEOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except subprocess.TimeoutExpired as error:
        raise TransientError(explained(f"no attestations could be signed within {TIMEOUT} s")) from error
    if not done.returncode:
        return
    message = (done.stdout.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    kind = ReleaseError if "detect identity" in message else TransientError
    raise kind(explained(f"no attestations could be signed, and nothing was uploaded: {message}"))


def publishers(provenance: Any, sha256: str) -> list[dict[str, Any]]:
    """Return the publishers that attest this SHA-256 in `provenance` (PEP 740); raise `TransientError` if malformed."""
    try:
        bundles = provenance["attestation_bundles"] if provenance else []
        return [dict(each["publisher"]) for each in bundles if sha256 in _attested(each)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TransientError(f"provenance: found none as PEP 740 defines it ({error!r}) [provenance]") from None


def _attested(bundle: Any) -> set[str]:
    """Return the SHA-256 of every file that an attestation is for."""
    envelopes = [attestation["envelope"] for attestation in bundle["attestations"]]
    statements = [json.loads(base64.b64decode(envelope["statement"])) for envelope in envelopes]
    return {subject["digest"]["sha256"] for statement in statements for subject in statement["subject"]}


def shown(publisher: Mapping[str, Any]) -> str:
    """Return a publisher of any kind as text, such as `GitHub octo/ship release.yml pypi`."""
    keys = ("kind", "repository", "workflow", "workflow_filepath", "environment", "email", "project_id")
    return " ".join(str(publisher[key]) for key in keys if publisher.get(key))


def accepts(publisher: Mapping[str, Any], expected: Mapping[str, str]) -> bool:
    """Return whether `publisher` matches `expected`; one without an environment matches any."""
    found = {**publisher, "environment": publisher.get("environment") or expected["environment"]}
    return all(str(found.get(key)).lower() == value.lower() for key, value in expected.items())
