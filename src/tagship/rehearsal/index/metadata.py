"""Whether an upload's metadata may be published: core metadata, and the rules that PyPI adds.

The fields: https://packaging.python.org/specifications/core-metadata.
"""

from __future__ import annotations

from email.utils import getaddresses
from typing import TYPE_CHECKING, Any, get_type_hints
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from packaging.metadata import ExceptionGroup, InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from trove_classifiers import classifiers, deprecated_classifiers

from tagship.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.datastructures import MultiDict

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


def parse(form: MultiDict[str, str]) -> Metadata:
    """Return the metadata that an upload's form holds; raises Refusal with the first thing wrong, as PyPI."""
    errors: list[InvalidMetadata] = []
    raw: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        values = form.getlist(_SINGULAR.get(name, name))
        # What distutils writes for nothing; PyPI takes it away.
        if values and values != [""] and values[0].strip() != "UNKNOWN":
            try:
                raw[name] = _value(name, kind, values)
            except ValueError:
                field = _SINGULAR.get(name, name)
                errors.append(InvalidMetadata(field, f"{field!r} has invalid data"))
    metadata = _validated(raw, errors)
    if errors or metadata is None:
        raise _refusal(errors)
    return metadata


def check_description(metadata: Metadata, index: PackageIndex) -> None:
    """Raise Refusal when the long description does not render."""
    content_type = metadata.description_content_type
    if not metadata.description or _render(metadata.description, content_type) is not None:
        return
    form = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    raise Refusal(
        f"The description failed to render {form}."
        f" See https://{index.site}/help/#description-content-type for more information."
    )


def check_own(own: bytes, form: Metadata, filename: str) -> None:
    """Raise Refusal when a file's own metadata has another name or version than the form says.

    PyPI compares the form with the file's name only; a client that sends both differently is broken.
    """
    try:
        metadata = Metadata.from_email(own, validate=False)
        found = (metadata.name, metadata.version)
    except (ExceptionGroup, InvalidMetadata):
        raise Refusal(f"The metadata in {filename} is not valid. See {_SPECIFICATION}.") from None
    if found != (form.name, form.version) and _normal(found) != _normal((form.name, form.version)):
        raise Refusal(f"The metadata in {filename} says {found[0]} {found[1]}, the upload {form.name} {form.version}.")


def _normal(found: tuple[str, Any]) -> tuple[str, Any]:
    from packaging.utils import canonicalize_name

    return canonicalize_name(found[0]), found[1]


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


def _validated(raw: dict[str, Any], errors: list[InvalidMetadata]) -> Metadata | None:
    try:
        metadata = Metadata.from_raw(raw)  # type: ignore[arg-type]
    except ExceptionGroup as group:
        errors.extend(each for each in group.exceptions if isinstance(each, InvalidMetadata))
        return None
    errors.extend(_rules(metadata))
    return metadata


def _rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
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
        found = getaddresses([text or ""])  # of several, PyPI's `parseaddr` gives none
        if len(found) != 1 or not (address := found[0][1]):
            continue
        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield InvalidMetadata(field, f"{address!r} is not a valid email address: {error}")


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
    try:
        return urlsplit(text).scheme in {"http", "https"}
    except ValueError:
        return False


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
