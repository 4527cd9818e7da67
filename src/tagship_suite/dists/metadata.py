"""The rules of PyPI for the fields of core metadata; see `rules` for their source."""

from __future__ import annotations

import re
from email.utils import getaddresses
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from packaging.version import Version

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from typing import Any

    from packaging.metadata import RawMetadata

    from .reading import Dist

MAX_SUMMARY = 512
MAX_LABEL = 32
METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
#: An address by the syntax that PyPI asks for; what is not ASCII, or in quotes or brackets, is left to it.
_ATOM, _LABEL = r"[^\s@\"(),:;<>\[\]\\.]+", r"(?!-)[A-Za-z0-9\x80-\U0010ffff-]{1,63}(?<!-)"
_SPECIAL = "arpa|invalid|local|localhost|onion|test"  # names that no mail can reach
MAIL = re.compile(
    rf'(?:{_ATOM}(?:\.{_ATOM})*|".*")@(?:\[.*\]|(?:{_LABEL}\.)+(?!(?:\d+|{_SPECIAL})$){_LABEL})', re.IGNORECASE
)
MAX_LOCAL = 64
UNKNOWN = ("", "UNKNOWN")  # what distutils writes for none
#: Fields that may be there once.
SINGLE = ("Metadata-Version", "Name", "Version", "Summary", "License-Expression", "Description-Content-Type")
#: Fields whose syntax `packaging` knows, by its name of them: those of one line, of several, and those of 2.4 on.
TEXTS = {"Description-Content-Type": "description_content_type"}
LISTS = {"Dynamic": "dynamic", "Provides-Extra": "provides_extra"}
TEXTS_24 = {"License-Expression": "license_expression"}
LISTS_24 = {"License-File": "license_files", "Import-Name": "import_names", "Import-Namespace": "import_namespaces"}


def python(dist: Dist, where: str) -> Iterator[Problem]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text := dist.metadata.get("Requires-Python", ""))
    except InvalidSpecifier:
        yield Problem(where, f"Requires-Python {text!r}", "versions as in '>=3.10'", "correct it")


def fields(dist: Dist, where: str) -> Iterator[Problem]:
    metadata = dist.metadata
    summary = metadata.get("Summary", "")
    if len(summary) > MAX_SUMMARY or len(summary.splitlines()) > 1:
        yield Problem(where, "a longer summary", f"one line of {MAX_SUMMARY} characters", "shorten the description")
    if metadata.get("License", "") not in UNKNOWN and metadata["License-Expression"]:
        yield Problem(where, "License and License-Expression", "the second only", "leave the first out")


def core(dist: Dist, where: str) -> Iterator[Problem]:
    """Find fields that are no core metadata, see https://packaging.python.org/en/latest/specifications/core-metadata/."""
    metadata, version = dist.metadata, dist.metadata.get("Metadata-Version", "")
    if version not in METADATA_VERSIONS:
        expected = f"one of {', '.join(METADATA_VERSIONS)}"
        yield Problem(where, f"Metadata-Version {version!r}", expected, "use another version of the build backend")
    for field in SINGLE:
        if (count := len(metadata.get_all(field, []))) > 1:
            yield Problem(where, f"{count} lines {field}", "one", "leave out the others")
    if "dynamic" in [text.lower() for text in metadata.get_all("Dynamic", [])]:
        yield Problem(where, "Dynamic 'Dynamic'", "other fields", "leave it out")
    newer = same_version(version, "2.4", newer=True)
    texts = {**TEXTS, **(TEXTS_24 if newer else {})}
    lists = {**LISTS, **(LISTS_24 if newer else {})}
    values = {key: metadata[field] for field, key in texts.items() if metadata.get(field, "") not in UNKNOWN}
    many = {key: metadata.get_all(field, []) for field, key in lists.items() if field in metadata}
    for reason in _faults({**values, **many}):
        yield Problem(where, f"invalid metadata ({reason})", "core metadata", "correct it")


def _faults(raw: dict[str, Any]) -> Iterator[str]:
    if not raw:
        return
    try:
        from packaging.metadata import InvalidMetadata, Metadata  # slow to import, and many have none of these
    except ImportError:  # until packaging 23.1; `twine check` in the build has a newer one
        return
    core = Metadata.from_raw(cast("RawMetadata", raw), validate=False)
    for key in raw:
        try:
            getattr(core, key, None)  # a version of packaging that does not know it takes it
        except InvalidMetadata as error:
            yield str(error)


def urls(dist: Dist, where: str) -> Iterator[Problem]:
    for label, url in _labelled(dist.metadata):
        if not 0 < len(label) <= MAX_LABEL:
            yield Problem(where, f"the label {label!r} of an URL", f"1 to {MAX_LABEL} characters", "rename it")
        if not _is_url(url):
            yield Problem(where, f"{label} {url!r}", "an address with http or https", "correct it")


def _labelled(metadata: Message) -> Iterator[tuple[str, str]]:
    for field in ("Home-page", "Download-URL"):
        if metadata.get(field, "") not in UNKNOWN:
            yield field, metadata[field]
    for text in metadata.get_all("Project-URL", []):
        label, _, url = text.partition(",")
        yield label.strip(), url.strip()


def _is_url(text: str) -> bool:
    """Return whether PyPI takes an address: it looks at the scheme, and for brackets, which it does not escape."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and not re.search(r"[\[\]]", parts.path + parts.query)
    except ValueError:
        return False


def emails(dist: Dist, where: str) -> Iterator[Problem]:
    for field in ("Author-email", "Maintainer-email"):
        found = getaddresses([dist.metadata.get(field, "")])  # of several, PyPI checks none
        address = found[0][1] if len(found) == 1 else ""
        if address not in UNKNOWN and not (MAIL.fullmatch(address) and len(address.rpartition("@")[0]) <= MAX_LOCAL):
            yield Problem(where, f"{field} {address!r}", "an address such as you@example.org", "correct it")


def dependencies(dist: Dist, where: str) -> Iterator[Problem]:
    fields = ("Requires-Dist", "Provides-Dist", "Obsoletes-Dist")
    texts = [text for field in fields for text in dist.metadata.get_all(field, [])]
    if not texts:
        return
    from packaging.requirements import InvalidRequirement, Requirement  # slow to import, and many have none

    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield Problem(where, f"dependency {text!r}", "a PEP 508 requirement", "correct the dependency")
        else:
            if requirement.url:
                yield Problem(where, f"dependency {text!r}", "a name and versions, no URL", "depend on a release")


def same_version(left: str, right: str, *, newer: bool = False) -> bool:
    try:
        return Version(left) == Version(right) or (newer and Version(left) > Version(right))
    except ValueError:  # InvalidVersion, or too many digits for an int
        return False


#: What PyPI asks for beyond what holds for every index.
RULES = (core, fields, urls, emails, dependencies)
