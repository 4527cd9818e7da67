"""Whether an upload's metadata may be published: core metadata, and the rules that PyPI adds.

The fields: https://packaging.python.org/specifications/core-metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from email_validator import EmailNotValidError, validate_email
from packaging.metadata import ExceptionGroup, InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from rfc3986 import uri_reference
from rfc3986.exceptions import ValidationError
from rfc3986.validators import Validator
from trove_classifiers import classifiers, deprecated_classifiers
from werkzeug.datastructures import MultiDict

from tagship.rehearsal.index.refusal import Refusal
from tagship_suite.dists.metadata import METADATA_VERSIONS, address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.indexes import PackageIndex

_SPECIFICATION = "https://packaging.python.org/specifications/core-metadata"
_LOCAL_VERSIONS = "https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers"
_SUMMARY_LIMIT = 512
_LABEL_LIMIT = 32
_FIRST = ("metadata-version", "name", "version")
_KINDS = get_type_hints(RawMetadata)
# The form has some plural fields in the singular: https://docs.pypi.org/api/upload/.
_SINGULAR = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
    "import_names": "import_name",
    "import_namespaces": "import_namespace",
}


def sanitized(form: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return a form as PyPI reads it: without distutils' placeholders for missing values, and without NUL."""
    clean: MultiDict[str, str] = MultiDict()
    for name, values in form.lists():
        if values[-1].strip() != "UNKNOWN":
            clean.setlist(name, [values[-1].replace("\0", "\\x00")] if "\0" in values[-1] else values)
    return clean


def parse(form: MultiDict[str, str]) -> Metadata:
    """Return the metadata in a sanitized form; raises Refusal with the first error, as PyPI does."""
    errors: list[InvalidMetadata] = []
    raw: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        field = _SINGULAR.get(name, name)
        if (values := form.getlist(field)) and values != [""]:
            try:
                raw[name] = _value(name, kind, values)
            except ValueError:
                errors.append(InvalidMetadata(field, f"{field!r} has invalid data"))
    if errors:
        raise _refusal(errors)
    return _validated(raw)


def check_description(metadata: Metadata, index: PackageIndex) -> None:
    """Raise Refusal if the long description does not render."""
    content_type = metadata.description_content_type
    if not metadata.description or _render(metadata.description, content_type) is not None:
        return
    form = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    raise Refusal(
        f"The description failed to render {form}."
        f" See https://{index.site}/help/#description-content-type for more information."
    )


def _value(name: str, kind: Any, values: list[str]) -> Any:
    if kind == list[str]:
        return [word.strip() for word in _one(values).split(",")] if name == "keywords" else values
    if kind == dict[str, str]:
        return _labelled(values)
    return _one(values)


def _one(values: list[str]) -> str:
    (value,) = values
    return value


def _labelled(values: list[str]) -> dict[str, str]:
    pairs = [value.partition(",") for value in values]
    urls = {label.strip(): url.strip() for label, _, url in pairs}
    if len(urls) < len(values):
        raise ValueError
    return urls


def _validated(raw: dict[str, Any]) -> Metadata:
    try:
        metadata = Metadata.from_raw(raw)  # type: ignore[arg-type]
    except ExceptionGroup as group:
        raise _refusal([each for each in group.exceptions if isinstance(each, InvalidMetadata)]) from None
    if errors := [*_rules(metadata)]:
        raise _refusal(errors)
    return metadata


def _rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    if metadata.metadata_version not in METADATA_VERSIONS:
        reason = f"{metadata.metadata_version!r} is not a valid metadata version"
        yield InvalidMetadata("metadata-version", reason)
    if "dynamic" in (metadata.dynamic or []):  # packaging reports every other field that may not be dynamic
        yield InvalidMetadata("dynamic", "Dynamic field 'dynamic' is not a valid dynamic field.")
    if metadata.version.local:
        yield InvalidMetadata("version", f"The use of local versions in '{metadata.version}' is not allowed.")
    if len(metadata.summary or "") > _SUMMARY_LIMIT:
        yield InvalidMetadata("summary", f"'summary' field must be {_SUMMARY_LIMIT} characters or less.")
    if metadata.license and metadata.license_expression:
        yield InvalidMetadata(
            "license",
            "License is deprecated when License-Expression is present. Only License-Expression should be present.",
        )
    yield from _email_rules(metadata)
    yield from _classifier_rules(metadata)
    yield from _url_rules(metadata)
    yield from _requirement_rules(metadata)


def _email_rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for field, text in (("author-email", metadata.author_email), ("maintainer-email", metadata.maintainer_email)):
        if not (found := address(text or "")):
            continue
        try:
            validate_email(found, check_deliverability=False)
        except EmailNotValidError as error:
            yield InvalidMetadata(field, f"{found!r} is not a valid email address: {error}")


def _classifier_rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    given = set(metadata.classifiers or [])
    for each in sorted(given - classifiers - deprecated_classifiers.keys()):
        yield InvalidMetadata("classifier", f"{each!r} is not a valid classifier.")
    for each in sorted(given & deprecated_classifiers.keys()):
        instead = deprecated_classifiers[each]
        hint = f", use one of {instead} instead." if instead else "."
        yield InvalidMetadata("classifier", f"The classifier {each!r} has been deprecated{hint}")


def _url_rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for field, url in (("home-page", metadata.home_page), ("download-url", metadata.download_url)):
        if url is not None and not _is_url(url):
            yield InvalidMetadata(field, f"{url!r} is not a valid url.")
    for label, url in (metadata.project_urls or {}).items():
        if not label:
            yield InvalidMetadata("project-url", "Must have a label")
        elif len(label) > _LABEL_LIMIT:
            yield InvalidMetadata("project-url", f"{label!r} must be {_LABEL_LIMIT} characters or less.")
        elif not url:
            yield InvalidMetadata("project-url", "Must have a URL")
        elif not _is_url(url):
            yield InvalidMetadata("project-url", f"{url!r} is not a valid url")


def _is_url(text: str) -> bool:
    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(text).normalize())
    except ValidationError:
        return False
    return True


def _requirement_rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for requirement in metadata.requires_dist or []:
        if requirement.url is not None:
            yield InvalidMetadata("requires-dist", f"Can't have direct dependency: {requirement}")
    named = {"provides-dist": metadata.provides_dist, "obsoletes-dist": metadata.obsoletes_dist}
    for field, texts in named.items():
        for text in texts or []:
            if problem := _requirement_problem(text):
                yield InvalidMetadata(field, problem)


def _requirement_problem(text: str) -> str:
    try:
        direct = Requirement(text).url is not None
    except InvalidRequirement as error:
        return f"{text!r} is invalid: {error}"
    return f"Can't have direct dependency: {text!r}" if direct else ""


def _refusal(errors: list[InvalidMetadata]) -> Refusal:
    def order(error: InvalidMetadata) -> tuple[int, str]:
        return (_FIRST.index(error.field) if error.field in _FIRST else len(_FIRST), error.field)

    first = min(errors, key=order)
    local = any("use of local versions" in str(error) for error in errors if error.field == "version")
    page = _LOCAL_VERSIONS if local and first.field == "version" else _SPECIFICATION
    return Refusal(f"{str(first).rstrip('.')}. See {page} for more information.")


def _render(text: str, content_type: str | None) -> str | None:
    # Imported late: docutils takes longer to import than everything else here together.
    from readme_renderer import markdown, rst, txt

    kind = (content_type or "text/x-rst").partition(";")[0].strip().lower()
    if kind == "text/markdown":
        return markdown.render(text)
    return rst.render(text) if kind == "text/x-rst" else txt.render(text)
