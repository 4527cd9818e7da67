"""Whether an upload is accepted: the checks of PyPI in PyPI's order, with PyPI's messages.

The interface: https://docs.pypi.org/api/upload/.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from tagship.rehearsal.faults import Fault
from tagship.rehearsal.index import archives, filenames, log, metadata, minting, publishers, releases
from tagship.rehearsal.index.attestations import provenance
from tagship.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from packaging.metadata import Metadata
    from werkzeug.datastructures import FileStorage, MultiDict

    from tagship.indexes import PackageIndex
    from tagship.publisher import Registration
    from tagship.rehearsal.faults import Faults
    from tagship.rehearsal.index.state import State
    from tagship.rehearsal.web import Form

FILE_LIMIT = 100
"""The default size limit of a file, in MiB."""
RELEASE_SECONDS = 14 * 24 * 3600
"""How long after its first file a release accepts further ones."""
_FILENAME = re.compile(r'; ?filename="([^"]*)"')
_SHA = re.compile(r"[A-Fa-f0-9]{64}")
_HELP = "https://packaging.python.org/specifications/core-metadata"


@dataclass(frozen=True)
class Upload:
    """An upload in progress: its form, its file, the metadata in the form, and the publisher of its token."""

    form: MultiDict[str, str]
    file: FileStorage
    metadata: Metadata
    index: PackageIndex
    publisher: Registration

    @property
    def filename(self) -> str:
        """The name that the client gave the file; werkzeug drops each backslash in it, as browsers write them."""
        found = _FILENAME.search(self.file.headers.get("Content-Disposition", ""))
        return found[1] if found and "\\" in found[1] else self.file.filename or ""

    @property
    def content(self) -> IO[bytes]:
        """The file, rewound to its start."""
        self.file.stream.seek(0)
        return self.file.stream

    @property
    def is_sdist(self) -> bool:
        """Whether it is an sdist by its form; else it is a wheel."""
        return self.form["filetype"] == "sdist"


class Uploads:
    """Accepts uploads into a state."""

    def __init__(self, state: State, faults: Faults, clock: Callable[[], float]) -> None:
        self._state = state
        self._faults = faults
        self._clock = clock
        self.file_limit = FILE_LIMIT

    def receive(self, index: PackageIndex, request: Form) -> None:
        """Accept the upload in a request, or raise Refusal; logs both."""
        warnings: tuple[str, ...] = ()
        refusal: Refusal | None = None
        try:
            warnings = self._take(index, request)
        except Refusal as error:
            refusal = error
        self._log(index, request, refusal, warnings)
        if refusal:
            raise refusal

    def _log(self, index: PackageIndex, request: Form, refusal: Refusal | None, warnings: tuple[str, ...]) -> None:
        content = request.files.get("content")
        entry = log.UploadEntry(
            at=self._clock(),
            filename=(content.filename if content else None) or "",
            project=request.form.get("name", ""),
            version=request.form.get("version", ""),
            status=refusal.status if refusal else 200,
            message=refusal.message if refusal else "OK",
            warnings=warnings,
        )
        with self._state.writing() as db:
            log.add_upload(db, index, entry)

    def _take(self, index: PackageIndex, request: Form) -> tuple[str, ...]:
        if self._faults.take(Fault.UPLOAD_503):
            raise Refusal("Service Unavailable", 503)
        with self._state.writing() as db:
            token = minting.publisher_of(db, index, _password(request, index))
            upload = _parse(request, index, publishers.registered(db, token["publisher"]))
            project = _project(db, upload)
            minting.check_token(db, token, project, self._clock())
            metadata.check_description(upload.metadata, index)
            return self._store(db, upload, project)

    def _store(self, db: sqlite3.Connection, upload: Upload, project: tuple[int, str]) -> tuple[str, ...]:
        filenames.check_characters(upload.filename, upload.form["filetype"])
        if (upload.file.content_type or "").startswith("image/"):
            raise Refusal("Invalid distribution file.")
        digests = _digests(upload, project[1], self.file_limit)
        if _is_there(db, upload, digests):
            return ()
        release = releases.release(db, project[0], upload.metadata.version)
        if release:
            self._check_release(db, upload, release)
        contents = _read(upload, project[1])
        release = release or releases.add_release(
            db, project[0], str(upload.metadata.version), self._clock(), described(upload.metadata)
        )
        self._keep(db, upload, release, contents, digests)
        return contents.warnings

    def _keep(
        self,
        db: sqlite3.Connection,
        upload: Upload,
        release: releases.Release,
        contents: archives.Contents,
        digests: dict[str, Any],
    ) -> None:
        core = None if upload.is_sdist else hashlib.sha256(contents.metadata).hexdigest()
        file = releases.StoredFile(
            version=release.version,
            filename=upload.filename,
            packagetype=upload.form["filetype"],
            python=upload.form.get("pyversion") or "source",
            core_metadata=core,
            uploaded=self._clock(),
            provenance=self._provenance(upload, digests["sha256"]),
            **digests,
        )
        releases.add_file(db, upload.index, release, file)
        # Last: a failure before leaves nothing behind, and stored bytes that are not listed do no harm.
        self._state.keep(file.blake2_256, upload.content.read())
        if core:
            self._state.keep(f"{file.blake2_256}.metadata", contents.metadata)

    def _provenance(self, upload: Upload, sha256: str) -> str | None:
        if "attestations" not in upload.form:
            return None
        shown = provenance(upload.form["attestations"], upload.publisher, sha256)
        return None if self._faults.take(Fault.NO_PROVENANCE) else shown

    def _check_release(self, db: sqlite3.Connection, upload: Upload, release: releases.Release) -> None:
        if release.created < self._clock() - RELEASE_SECONDS:
            raise Refusal("Uploading new files to releases older than 14 days is not allowed.")
        if releases.has_files(db, release) and self._faults.take(Fault.PARTIAL):
            raise Refusal("Service Unavailable", 503)
        if upload.is_sdist and releases.has_sdist(db, release):
            raise Refusal("Only one sdist may be uploaded per release.")


def described(meta: Metadata) -> dict[str, Any]:
    """Return metadata as in the JSON API."""
    plain = (
        "summary description description_content_type license license_expression license_files classifiers"
        " author author_email maintainer maintainer_email home_page download_url project_urls provides_extra"
        " dynamic"
    )
    values: dict[str, Any] = {name: getattr(meta, name) for name in plain.split()}
    values["keywords"] = ", ".join(meta.keywords) if meta.keywords else None
    values["platform"] = meta.platforms[0] if meta.platforms else None
    values["requires_python"] = str(meta.requires_python) if meta.requires_python else None
    values["requires_dist"] = [str(each) for each in meta.requires_dist or []] or None
    return values


def _password(request: Form, index: PackageIndex) -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in {"token", "bearer"}:
        return encoded.strip()
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    if scheme.lower() != "basic" or user == "__token__":
        return password.strip()
    help_page = f"https://{index.site}/help/"
    raise Refusal(
        "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers"
        f" instead. See {help_page}#apitoken and {help_page}#trusted-publishers",
        403,
    )


def _parse(request: Form, index: PackageIndex, publisher: Registration) -> Upload:
    for field in sorted(set(request.files) - {"content", "gpg_signature"}):
        raise Refusal(f"{field}: Should not be a tuple.")
    form = metadata.sanitized(request.form)
    if form.get("protocol_version", "1") != "1":
        raise Refusal("Unknown protocol version.")
    _check_form(form)
    parsed = metadata.parse(form)
    if "content" not in request.files:
        raise Refusal("Upload payload does not have a file.")
    return Upload(form, request.files["content"], parsed, index, publisher)


def _check_form(form: MultiDict[str, str]) -> None:
    name, filetype = form.get("name", ""), form.get("filetype", "")
    if not publishers.PROJECT_NAME.fullmatch(name):
        reason = (
            "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
            if name
            else "This field is required."
        )
        shown = f"{name[:30]}...{name[-30:]}" if len(name) > 60 else name
        raise Refusal(f"{shown!r} is an invalid value for Name. Error: {reason} See {_HELP} for more information.")
    _check_digest_field(form, "blake2_256_digest", "BLAKE2")
    if filetype not in filenames.EXTENSIONS:
        raise Refusal(
            "Invalid value for filetype. Error: "
            + ("Use a known file type." if filetype else "This field is required.")
        )
    _check_digest_field(form, "sha256_digest", "SHA256")
    if filetype != "sdist" and not form.get("pyversion"):
        raise Refusal("Invalid value for pyversion. Error: Python version is required for binary distribution uploads.")
    if filetype == "sdist" and form.get("pyversion", "source") not in {"", "source"}:
        raise Refusal("Invalid value for pyversion. Error: Use 'source' as Python version for an sdist.")
    if not any(form.get(f"{name}_digest") for name in ("md5", "sha256", "blake2_256")):
        raise Refusal("Error: Include at least one message digest.")


def _check_digest_field(form: MultiDict[str, str], field: str, algorithm: str) -> None:
    if form.get(field, "").strip() and not _SHA.fullmatch(form[field]):
        raise Refusal(f"Invalid value for {field}. Error: Use a valid, hex-encoded, {algorithm} message digest.")


def _project(db: sqlite3.Connection, upload: Upload) -> tuple[int, str]:
    project = publishers.project_id(db, upload.index, upload.metadata.name)
    if project is None:
        raise Refusal(
            "Non-user identities cannot create new projects. This was probably caused by successfully using a"
            " pending publisher but specifying the project name incorrectly (either in the publisher or in"
            " your project's metadata). Please ensure that both match."
            " See: https://docs.pypi.org/trusted-publishers/troubleshooting/"
        )
    return project, upload.metadata.name


def _digests(upload: Upload, project: str, limit: int) -> dict[str, Any]:
    hashes: dict[str, Any] = {
        "md5": hashlib.md5(usedforsecurity=False),
        "sha256": hashlib.sha256(),
        "blake2_256": hashlib.blake2b(digest_size=32),
    }
    size, content = 0, upload.content
    while block := content.read(1024**2):
        size += len(block)
        for each in hashes.values():
            each.update(block)
    if size > limit * 1024**2:
        raise Refusal(
            f"File too large. Limit for project {project!r} is {limit} MB. See"
            " https://docs.pypi.org/project-management/storage-limits#requesting-a-file-size-limit-increase"
            " for more information."
        )
    digests: dict[str, Any] = {name: each.hexdigest() for name, each in hashes.items()}
    for name, digest in digests.items():
        if (upload.form.get(f"{name}_digest") or digest).lower() != digest:
            raise Refusal("The digest supplied does not match a digest calculated from the uploaded file.")
    return {**digests, "size": size}


def _is_there(db: sqlite3.Connection, upload: Upload, digests: dict[str, Any]) -> bool:
    twin = releases.twin(db, upload.index, upload.filename, digests["blake2_256"])
    if twin is None:
        return False
    if twin["filename"] == upload.filename and twin["sha256"] == digests["sha256"]:
        return True
    raise Refusal(
        f"File already exists ({upload.filename!r}, with blake2_256 hash {digests['blake2_256']!r})."
        f" See https://{upload.index.site}/help/#file-name-reuse for more information."
    )


def _read(upload: Upload, project: str) -> archives.Contents:
    try:
        with archives.opened(upload.content, upload.filename) as archive:
            if isinstance(archive, tarfile.TarFile):
                filenames.check_sdist(upload.filename, project, upload.metadata.version)
                archives.check_sdist(archive, upload.filename, upload.metadata.license_files or ())
                return archives.Contents()
            if upload.is_sdist:
                filenames.check_sdist(upload.filename, project, upload.metadata.version)
            filenames.check_wheel(upload.filename, project, upload.metadata.version)
            contents = archives.read_wheel(archive, upload.filename, upload.metadata.license_files or ())
    except archives.UNEXPECTED:
        raise Refusal("Internal Server Error", 500) from None
    filenames.check_length(upload.filename)
    return contents
