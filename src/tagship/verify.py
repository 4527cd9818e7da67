"""Verifies a release at an index: the bytes of its files, and their attestations."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tagship import project, published
from tagship.errors import TagshipError, one_line
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.publish import attest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tagship_suite.publish.index import Index, Remote

SOURCE = re.compile(r"(?:https://(?P<host>git(?:hub|lab)\.com)/)?(?P<path>[\w.-]+(?:/[\w.-]+?)+)(?:\.git)?/?")
DIST = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?:.*/)?(?P<name>[^/]+(?:\.whl|\.tar\.gz|\.zip))")


@dataclass(frozen=True)
class File:
    """A file of a release: the SHA-256 of the served bytes, who attests it, and what is wrong with it."""

    name: str
    sha256: str = ""
    publishers: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the lines to print."""
        attested = [f"        attested by {attest.shown(each)}" for each in self.publishers]
        problems = [f"        {one_line(problem)}" for problem in self.problems]
        state = "wrong" if self.problems else "right"
        return [f"{state:8}{self.name}  SHA-256 {self.sha256 or 'not known'}", *attested, *problems]

    def data(self) -> dict[str, Any]:
        """Return the file for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Expected:
    """The expected values: fields of the publisher, and the SHA-256 of files by name; {} for none."""

    publisher: Mapping[str, str]
    sums: Mapping[str, str] = field(default_factory=dict)


def release_of(text: str) -> tuple[str, Version]:
    """Return the name and the version in `NAME==VERSION`; raise `TagshipError` for anything else."""
    try:
        found = Requirement(text)
        (pin,) = found.specifier
        if pin.operator == "==" and not (found.extras or found.marker or found.url):
            return canonicalize_name(found.name), Version(pin.version)
    except (InvalidRequirement, InvalidVersion, ValueError):
        pass
    raise TagshipError(Problem("usage", "release", repr(text), "NAME==VERSION", "write it such as ship==1.2.0"))


def publisher_of(source: str, workflow: str, environment: str) -> dict[str, str]:
    """Return the publisher with these values, by the names in provenance; empty ones are not compared.

    `source` is OWNER/REPOSITORY on GitHub, or the URL of a repository on GitHub or GitLab. Raises `TagshipError`
    if it is neither.
    """
    match = SOURCE.fullmatch(source) if source else None
    if source and not match:
        expected = "OWNER/REPOSITORY, or its https URL on GitHub or GitLab"
        raise TagshipError(Problem("usage", "--source", repr(source), expected, "correct it"))
    kind = "GitLab" if match and match["host"] == "gitlab.com" else "GitHub"
    file = "workflow_filepath" if kind == "GitLab" else "workflow"
    named = {"repository": match["path"] if match else "", file: workflow, "environment": environment}
    given = {key: value for key, value in named.items() if value}
    return {"kind": kind, **given} if match else given


def publisher_here(path: Path, name: str, index: str) -> dict[str, str]:
    """Return the publisher of the project `name` at `path` at an index; {} if `path` has another project."""
    try:
        found = [each for each in project.read_all(path) if canonicalize_name(each.name) == name and each.known]
    except TagshipError:
        return {}
    return found[0].registration(index).identity if found else {}


def sums(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each dist in a file in the format of `sha256sum`; raise `TagshipError` if it has none."""
    try:
        found = {
            match["name"]: match["sha256"] for match in map(DIST.fullmatch, path.read_text().splitlines()) if match
        }
    except (OSError, ValueError) as error:
        problem = Problem("unreadable-file", str(path), str(error), "a SHA256SUMS file", "name another file")
        raise TagshipError(problem) from error
    if not found:
        expected = "lines in the format of sha256sum"
        raise TagshipError(Problem("unreadable-file", str(path), "no dist", expected, "name another file"))
    return found


def verify(
    name: str, version: Version, simple_url: str, expected: Expected, *, offline: bool = False
) -> Iterator[File]:
    """Download each file of a release, and yield what was found, by name.

    With `offline` the trust root of Sigstore is not updated. Raises `TagshipError` if there is no such release, or the
    trust root cannot be updated, and `ReleaseError` if the index does not answer.
    """
    index, files = published.files(simple_url, name)
    release = (name, version)
    found = {each: remote for each, remote in sorted(files.items()) if published.release_of(each) == release}
    if not found:
        missing = f"no file of {name} {version}"
        raise TagshipError(Problem("no-such-release", simple_url, missing, "at least one", "check both"))
    _update_trust_root(offline=offline)
    for each, remote in found.items():
        yield _file(index, each, remote, expected)
    for each in sorted(set(expected.sums) - set(found)):
        if published.release_of(each) == release:
            yield File(each, problems=["found nothing at the index, expected this file of SHA256SUMS"])


def _update_trust_root(*, offline: bool) -> None:
    """Update sigstore's cached trust root, which all verifications use."""
    from sigstore.errors import Error
    from sigstore.verify import Verifier

    logging.getLogger("sigstore").setLevel(logging.ERROR)  # it warns for each offline verification
    try:
        Verifier.production(offline=offline)
    except Error as error:
        remedy = "try again, or use the one that is bundled with sigstore: --offline"
        problem = Problem("network", "Sigstore's trust root", str(error), "the current one", remedy)
        raise TagshipError(problem) from error


def _file(index: Index, name: str, remote: Remote, expected: Expected) -> File:
    try:
        sha256 = index.downloaded(remote)
        provenance = index.provenance(remote)
        publishers = attest.publishers(provenance, sha256)
    except ReleaseError as error:
        return File(name, problems=[str(error)])
    problems = [
        f"SHA-256: found {sha256}, expected {wanted} as {source} has it"
        for source, wanted in (("the index", remote.sha256), ("SHA256SUMS", expected.sums.get(name)))
        if wanted and wanted != sha256
    ]
    if expected.sums and name not in expected.sums:
        problems.append("SHA256SUMS: found no such file in it, expected every file of the release")
    if not provenance and (index.site or expected.publisher):
        problems.append("found no provenance, expected one: it was uploaded with a token, or not signed")
    if provenance:
        problems += unverified(provenance, name, sha256)
        problems += _unexpected(publishers, expected.publisher)
    return File(name, sha256, publishers, problems)


def unverified(provenance: Any, name: str, sha256: str) -> list[str]:
    """Return why an attestation is not valid: its signature, its publisher, or the file."""
    from pypi_attestations import Distribution, Provenance

    try:
        dist = Distribution(name=name, digest=sha256)
        for bundle in Provenance.model_validate(provenance).attestation_bundles:
            for attestation in bundle.attestations:
                attestation.verify(bundle.publisher, dist, offline=True)
    except Exception as error:  # a forged certificate can make the parsers raise anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        return [f"attestation: found one that does not verify ({reason}), expected a valid signature of its publisher"]
    return []


def _unexpected(publishers: list[dict[str, Any]], expected: Mapping[str, str]) -> list[str]:
    for publisher in publishers:
        if all(str(publisher.get(key) or "").lower() == value.lower() for key, value in expected.items()):
            return []
    found = " and ".join(map(attest.shown, publishers)) or "none for this file"
    return [f"publisher: found {found}, expected {attest.shown(expected) or 'one'}"]
