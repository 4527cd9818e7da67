"""The rules of PyPI for core metadata and the description in it; see `rules` for their source."""

import io
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import getaddresses
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from ..errors import Problem
from .reading import Dist, message

Fault = tuple[str, ...]  # arguments of `Dist.problem`: code, found, expected, remedy, and the file that has it

MAX_SUMMARY, MAX_LABEL, MAX_MAIL, MAX_PORT = 512, 32, 254, 65535
METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
#: The syntax of an e-mail address that PyPI requires; whatever is not ASCII is left to PyPI.
_ATOM, _LABEL = r"[^\s@\"(),:;<>\[\]\\.]+", r"(?!-|(?!xn)..--)[A-Za-z0-9\x80-\U0010ffff-]{1,63}(?<!-)"
_SPECIAL = "arpa|invalid|local|localhost|onion|test"  # reserved names
_DOT = r"[.\u3002\uff0e\uff61]"
# Compiling it takes 10 ms, and not every project has one.
MAIL = rf"(?i){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}{_DOT})+(?!(?:{_SPECIAL})$){_LABEL}(?<!\d)"
#: PyPI checks the scheme and the port, and refuses brackets, which it does not escape; it ignores the rest of the host.
URL = re.compile(r"https?:(?://[^/?#]*)?[^?#\[\]]*(?:\?[^#\[\]]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
PORT = re.compile(r"[^/?#]*//[^/?#\[\]]*(?:\[[0-9A-Fa-f:.]+\])?:(\d{1,5})(?:[/?#]|$)")
UNKNOWN = ("", "UNKNOWN")  # what distutils writes for none
BLANK = " \t\r\n"  # whitespace in Markdown
#: The types of a description, by the suffix of its file.
KINDS = {".md": "text/markdown", ".markdown": "text/markdown", ".rst": "text/x-rst"}
#: The fields, as `packaging` names them, that other rules check with clearer messages.
OURS = {"name", "version", "summary", "requires_python", "requires_dist"}


def values(metadata: Message, field: str) -> list[str]:
    """Return the values of a field as PyPI reads them: none if the last one is UNKNOWN, or the only one is empty."""
    found = metadata.get_all(field, [])
    return [] if found == [""] or (found and found[-1].strip() == "UNKNOWN") else found


def requires_python(metadata: Message) -> Iterator[Fault]:
    """Find a Requires-Python that installers cannot read."""
    for text in values(metadata, "Requires-Python"):
        try:
            SpecifierSet(text)
        except InvalidSpecifier:
            yield "metadata", f"Requires-Python {text!r}", "versions as in '>=3.10'", "correct it"


@lru_cache(maxsize=8)  # the dists of a release mostly have the same
def faults(text: str) -> list[Fault]:
    """Find what PyPI requires of core metadata beyond the rules of every index."""
    metadata = message(text)
    return [*_core(metadata, text), *(fault for rule in (_fields, _urls, _mails, _needs) for fault in rule(metadata))]


def _core(metadata: Message, text: str) -> Iterator[Fault]:
    """Find fields that violate https://packaging.python.org/en/latest/specifications/core-metadata/."""
    version = metadata.get("Metadata-Version", "")
    if version not in METADATA_VERSIONS:
        expected = f"one of {', '.join(METADATA_VERSIONS)}"
        yield "metadata", f"Metadata-Version {version!r}", expected, "use another version of the build backend"
    if any("\0" in value for name, value in metadata.items() if len(metadata.get_all(name, [])) > 1):
        yield "metadata", "a null character in a field that is repeated", "text", "remove it"
    try:
        from packaging.metadata import ExceptionGroup, Metadata, RawMetadata, parse_email
    except ImportError:  # until packaging 23.1; `twine check` in the build has a newer one
        return
    raw, unparsed = parse_email(text)
    reasons = ["'dynamic' is not a valid dynamic field"] * ("dynamic" in map(str.lower, raw.get("dynamic", [])))
    for field in unparsed:  # also those that packaging, and so PyPI, does not know
        if {(name := field.replace("-", "_")), f"{name}s"} & {*RawMetadata.__annotations__}:
            reasons.append(f"{field!r} appears twice, or has invalid data")
    known = {name: value for name, value in raw.items() if name not in OURS and not _is_none(value)}
    if not same_version(version, "2.4", newer=True):
        known.pop("license_files", None)  # twine leaves them out
    try:
        Metadata.from_raw(cast("RawMetadata", {**known, "name": "a", "version": "0"}))
    except ExceptionGroup as group:
        reasons += [str(each) for each in group.exceptions if getattr(each, "field", "") != "metadata-version"]
    yield from (("metadata", f"invalid metadata ({reason})", "core metadata", "correct it") for reason in reasons)


def _is_none(value: object) -> bool:
    """Return whether PyPI treats a field of this value as absent."""
    return value in ([], [""]) or str(value[-1] if isinstance(value, list) else value).strip() in UNKNOWN


def description(metadata: Message) -> tuple[str, str]:
    """Return the content type of a description, without parameters, and its text."""
    kind = metadata.get("Description-Content-Type", "").partition(";")[0].strip().lower()
    body = str(metadata.get_payload())
    text = body if body.strip() else metadata.get("Description", "") or body
    return kind if kind not in {"", "unknown"} else "text/x-rst", text if text.strip() != "UNKNOWN" else ""


def _fields(metadata: Message) -> Iterator[Fault]:
    summary = metadata.get("Summary", "")
    if len(summary) > MAX_SUMMARY or summary.splitlines() not in ([], [summary]):
        yield "metadata", "a longer summary", f"one line of {MAX_SUMMARY} characters", "shorten the description"
    if values(metadata, "License") and values(metadata, "License-Expression"):
        yield "metadata", "License and License-Expression", "License-Expression alone", "remove License"
    kind, text = description(metadata)
    if text and not text.strip(BLANK if kind == "text/markdown" else None) and kind != "text/plain":
        found = "a description of nothing but whitespace"
        yield "metadata", found, "some text, or none", "fill in or leave out the README"


def _urls(metadata: Message) -> Iterator[Fault]:
    labelled = [(field, url) for field in ("Home-page", "Download-URL") for url in values(metadata, field)]
    pairs = (text.partition(",") for text in values(metadata, "Project-URL"))
    for label, url in [*labelled, *((label.strip(), url.strip()) for label, _, url in pairs)]:
        if not 0 < len(label) <= MAX_LABEL:
            yield "metadata", f"the label {label!r} of a URL", f"1 to {MAX_LABEL} characters", "rename it"
        port = PORT.match(url)
        if not URL.fullmatch(url) or (port and int(port[1]) > MAX_PORT):
            yield "metadata", f"{label} {url!r}", "an http or https URL", "correct it"


def address(text: str) -> str:
    """Return the one address in `text`, as the strict parser of PyPI's Python does, which not every Python has.

    It gives "" for several, for brackets, and for parentheses without a counterpart: PyPI checks none of these.
    """
    found = getaddresses([text])
    is_one = len(found) == 1 and "[" not in found[0][1] and text.count("(") == text.count(")")
    return found[0][1] if is_one else ""


def _mails(metadata: Message) -> Iterator[Fault]:
    for field in ("Author-email", "Maintainer-email"):
        found = address("".join(values(metadata, field)[:1]))
        if found and not (re.fullmatch(MAIL, found) and found.isprintable() and len(found) <= MAX_MAIL):
            yield "metadata", f"{field} {found!r}", "an address such as you@example.org", "correct it"


def _needs(metadata: Message) -> Iterator[Fault]:
    needs = [values(metadata, field) for field in ("Requires-Dist", "Provides-Dist", "Obsoletes-Dist")]
    for text in chain(*needs):
        try:
            if Requirement(text).url:
                yield "direct-url", f"dependency {text!r}", "a name and versions, no URL", "depend on a release"
        except InvalidRequirement:
            yield "metadata", f"dependency {text!r}", "a PEP 508 requirement", "correct the dependency"


def same_version(left: str, right: str, *, newer: bool = False) -> bool:
    """Return whether `left` is the same version as `right`, or with `newer` a newer one; not if one is invalid."""
    try:
        return Version(left) == Version(right) or (newer and Version(left) > Version(right))
    except ValueError:  # InvalidVersion, or too many digits for an int
        return False


def unrendered(dists: list[Dist]) -> list[Problem]:
    """Return each of `dists` whose description PyPI and `twine check` would refuse; Markdown always renders."""
    faults = [(dist, _unrendered(*description(dist.metadata))) for dist in dists]
    found, markup, remedy = "a description that does not render", "reStructuredText", "fix the README"
    return [dist.problem("description", f"{found} ({each})", markup, remedy) for dist, each in faults if each]


def mistaken(dist: Dist, folder: Path) -> list[Problem]:
    """Find a description that an index would render as other markup than its file in `folder` has."""
    kind, text = description(dist.metadata)
    first = _first_line(text)
    files = [path for path in sorted(folder.iterdir()) if path.suffix in KINDS and path.is_file()]
    alike = [path for path in files if first and first == _first_line(path.read_text("utf-8", "replace"))]
    if kind == "text/plain" or {KINDS[path.suffix] for path in alike} in ({kind}, {*KINDS.values()}, set()):
        return []
    name, right = alike[0].name, KINDS[alike[0].suffix]
    table = f'file = "{name}", content-type = "{right}"'  # two braces in a row would be Jinja's in the template
    remedy = "write readme = { " + table + " } in [project] of pyproject.toml"
    remedy += f', or long_description_content_type="{right}" where setup.py or setup.cfg has long_description'
    return [dist.problem("description", f"{name} as {kind}", right, remedy)]


def _first_line(text: str) -> str:
    return next(filter(None, map(str.strip, text.lstrip("\ufeff").splitlines())), "")


@lru_cache(maxsize=8)  # the dists of a release mostly have the same
def _unrendered(kind: str, text: str) -> str:
    if kind != "text/x-rst" or not text.strip():
        return ""
    from readme_renderer import rst  # slow to import, and most descriptions are Markdown

    errors = io.StringIO()
    rendered = rst.render(text, stream=errors)
    return " ".join(errors.getvalue().split()) or "no reason given" if rendered is None else ""
