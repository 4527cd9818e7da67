"""Uploads are accepted or refused as by PyPI."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import struct
import tarfile
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.archives import write_wheel
from tests.rehearsal.client import Client
from tests.rehearsal.conftest import REGISTERED
from tests.rehearsal.dists import Dist, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from tagship.rehearsal.servers import Servers

DAY = 24 * 3600.0


@pytest.fixture
def client(registered: Servers) -> Client:
    return Client(registered)


def wheel(client: Client, folder: Path, dist: Dist | None = None, **fields: Any) -> requests.Response:
    """Upload a wheel; fields that a wheel can be written with are for the wheel, others for the form."""
    dist = dist or Dist()
    writing = {name: fields.pop(name) for name in ("filename", "without", "unlisted") if name in fields}
    return client.upload(dist.write_wheel(folder, **writing), client.mint(), dist.metadata, **fields)


def sdist(client: Client, folder: Path, dist: Dist | None = None, **fields: Any) -> requests.Response:
    dist = dist or Dist()
    writing = {name: fields.pop(name) for name in ("filename", "extra") if name in fields}
    return client.upload(dist.write_sdist(folder, **writing), client.mint(), dist.metadata, **fields)


def refused(answer: requests.Response, reason: str, status: int = 400) -> None:
    assert answer.reason.startswith(reason)
    assert answer.status_code == status


def test_what_is_sound_is_taken_with_all_its_digests(client: Client, folder: Path) -> None:
    assert wheel(client, folder).status_code == 200
    assert sdist(client, folder).status_code == 200
    first, second = client.servers.index.files("tiny")
    content = (folder / second.filename).read_bytes()
    assert (first.packagetype, second.packagetype) == ("bdist_wheel", "sdist")
    assert second.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert second.blake2_256 == hashlib.blake2b(content, digest_size=32).hexdigest()
    assert second.size == len(content)
    assert [entry.status for entry in client.servers.index.uploads()] == [200, 200]


@pytest.mark.parametrize("password", ["", "pypi-made-up"])
def test_a_token_that_was_never_minted_is_refused(client: Client, folder: Path, password: str) -> None:
    answer = client.upload(Dist().write_wheel(folder), password, Dist().metadata)
    refused(answer, "Invalid or non-existent authentication information. See https://pypi.org/help/", 403)


def test_passwords_of_people_are_refused(client: Client, folder: Path) -> None:
    path = Dist().write_wheel(folder)
    url = client.index.upload_url
    form = {":action": "file_upload"}
    with path.open("rb") as content:
        answer = client.session.post(url, data=form, files={"content": content}, auth=("me", "x"), timeout=9)
    refused(answer, "Username/Password authentication is no longer supported.", 403)


def test_a_token_is_only_good_for_the_projects_of_its_publisher(client: Client, folder: Path) -> None:
    client.servers.index.put_release("other", "0.1")
    refused(
        wheel(client, folder, Dist(name="other")),
        "Invalid API Token: OIDC scoped token is not valid for project 'other'",
        403,
    )


def test_a_project_without_a_publisher_cannot_be_created(client: Client, folder: Path) -> None:
    refused(wheel(client, folder, Dist(name="fresh")), "Non-user identities cannot create new projects.")


def test_the_same_bytes_again_change_nothing(client: Client, folder: Path) -> None:
    assert wheel(client, folder).status_code == 200
    before = client.servers.index.files("tiny")
    assert wheel(client, folder).status_code == 200
    assert client.servers.index.files("tiny") == before


def test_other_bytes_under_the_same_name_are_refused(client: Client, folder: Path) -> None:
    assert wheel(client, folder).status_code == 200
    answer = wheel(client, folder, Dist(module="answer = 43\n"))
    path = folder / "tiny-1.0-py3-none-any.whl"
    digest = hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    refused(answer, f"File already exists ('{path.name}', with blake2_256 hash '{digest}').")


def test_the_same_bytes_under_another_name_are_refused(client: Client, folder: Path) -> None:
    assert wheel(client, folder).status_code == 200
    refused(
        client.upload(
            folder / "tiny-1.0-py3-none-any.whl",
            client.mint(),
            Dist().metadata,
            filename="tiny-1.0-py2-none-any.whl",
        ),
        "File already exists ('tiny-1.0-py2-none-any.whl'",
    )


def test_a_release_older_than_14_days_accepts_no_new_files(client: Client, folder: Path) -> None:
    client.servers.index.put_release("tiny", "1.0", uploaded=time.time() - 15 * DAY)
    refused(wheel(client, folder), "Uploading new files to releases older than 14 days is not allowed.")


def test_a_release_of_13_days_still_accepts_new_files(client: Client, folder: Path) -> None:
    client.servers.index.put_release("tiny", "1.0", uploaded=time.time() - 13 * DAY)
    assert wheel(client, folder).status_code == 200


def test_one_sdist_a_release(client: Client, folder: Path) -> None:
    client.servers.index.put_release("tiny", "1.0", files={"tiny-1.0.zip": b"an old one"})
    refused(sdist(client, folder), "Only one sdist may be uploaded per release.")


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("Tiny-1.0.tar.gz", "Filename 'Tiny-1.0.tar.gz' is invalid, should be 'tiny-1.0.tar.gz'."),
        (
            "tiny-1.0.0.tar.gz",
            "Filename 'tiny-1.0.0.tar.gz' is invalid, should be",
        ),
        ("huge-1.0.tar.gz", "Start filename for 'tiny' with 'tiny'."),
        ("tiny.tar.gz", "Invalid source distribution filename: tiny.tar.gz"),
        ("tiny-1.0.tar.bz2", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        (
            "tiny-1.0-py3-none-any.whl",
            "Invalid file extension: Extension .whl is invalid",
        ),
        ("a/tiny-1.0.tar.gz", "Cannot upload a file with '/' or '\\' in the name."),
        ("tiny-1.0\x7f.tar.gz", "Cannot upload a file with non-printable characters"),
    ],
)
def test_an_sdist_has_exactly_one_good_name(client: Client, folder: Path, filename: str, reason: str) -> None:
    dist = Dist()
    path = dist.write_sdist(folder)
    fields = {"filetype": "sdist", "pyversion": "source"}
    refused(client.upload(path, client.mint(), dist.metadata, filename=filename, **fields), reason)


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [
        ("tiny", "2.0", "Version in filename should be '1.0' not '2.0'."),
        ("huge", "1.0", "Start filename for 'tiny' with 'tiny'."),
        ("Tiny", "1.0", "Filename 'Tiny-1.0-py3-none-any.whl' should contain the normalized"),
    ],
)
def test_a_wheel_is_named_after_its_project_and_version(
    client: Client, folder: Path, name: str, version: str, reason: str
) -> None:
    refused(client.upload(write_wheel(folder, name, version), client.mint(), Dist().metadata), reason)


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("tiny-1.0-any.whl", "Invalid wheel filename (wrong number of parts): 'tiny-1.0-any'"),
        ("tiny-1.0-py3-none-.whl", "Invalid wheel filename (invalid tag component)"),
        ("tiny 1.0.whl", "Invalid distribution file. Unable to parse name and version from wheel filename"),
        ("tiny-1.0-py3-none-any.WHL", "Invalid file extension: Extension .WHL is invalid for filetype bdist_wheel."),
    ],
)
def test_a_wheel_has_five_parts_in_its_name(client: Client, folder: Path, filename: str, reason: str) -> None:
    path = Dist().write_wheel(folder)
    fields = {"filetype": "bdist_wheel", "pyversion": "py3"}
    refused(client.upload(path, client.mint(), Dist().metadata, filename=filename, **fields), reason)


def test_the_name_of_a_wheel_leaves_room_for_the_suffix_of_its_metadata(client: Client, folder: Path) -> None:
    name = "t" * 226
    client.servers.index.register(replace(REGISTERED, project=name))
    dist = Dist(name=name)
    refused(wheel(client, folder, dist), f"Filename is too long: '{dist.stem}-{dist.tag}.whl'")
    name = "t" * 225
    client.servers.index.register(replace(REGISTERED, project=name))
    assert wheel(client, folder, Dist(name=name)).status_code == 200


@pytest.mark.parametrize("platform", ["linux_x86_64", "linux_aarch64", "manylinux_2_17_sparc", "macosx_9"])
def test_wheels_for_one_machine_are_refused(client: Client, folder: Path, platform: str) -> None:
    dist = Dist(tag=f"cp312-cp312-{platform}")
    refused(
        wheel(client, folder, dist),
        f"Binary wheel '{dist.stem}-{dist.tag}.whl' has an unsupported platform tag '{platform}'.",
    )


@pytest.mark.parametrize(
    "platform",
    ["manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_aarch64", "macosx_11_0_arm64", "win_amd64"],
)
def test_wheels_for_known_platforms_are_taken(client: Client, folder: Path, platform: str) -> None:
    assert wheel(client, folder, Dist(tag=f"cp312-cp312-{platform}")).status_code == 200


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ("RECORD", "Wheel 'tiny-1.0-py3-none-any.whl' does not contain the required RECORD file:"),
        ("METADATA", "Wheel 'tiny-1.0-py3-none-any.whl' does not contain the required METADATA file:"),
        ("WHEEL", "Invalid distribution file. WHEEL not found at tiny-1.0.dist-info/WHEEL"),
    ],
)
def test_a_wheel_has_the_files_that_make_it_one(client: Client, folder: Path, without: str, reason: str) -> None:
    refused(wheel(client, folder, without=without), reason)


def test_a_record_that_does_not_fit_is_a_warning_as_pypi_only_sends_a_mail(client: Client, folder: Path) -> None:
    assert wheel(client, folder, without="tiny.py", unlisted={"extra.py": b""}).status_code == 200
    (entry,) = client.servers.index.uploads()
    assert entry.warnings == ("RECORD does not list extra.py", "RECORD lists tiny.py, which is missing")


@pytest.mark.parametrize(
    "name", ["../escaped.py", "/etc/passwd", "a:b.py", "a\u00a0b.py", "a\u200db.py", "a\u200fb.py"]
)
def test_names_that_we_refuse_or_that_look_odd_are_taken_as_pypi_does(client: Client, folder: Path, name: str) -> None:
    assert wheel(client, folder, unlisted={name: b""}).status_code == 200


@pytest.mark.parametrize(
    ("name", "reason"), [("ti\x01ny.py", "Invalid character"), ("ti\x7fny.py", "Invalid character")]
)
def test_control_characters_in_a_name_are_refused(client: Client, folder: Path, name: str, reason: str) -> None:
    answer = wheel(client, folder, unlisted={name: b""})
    refused(answer, f"Invalid distribution file. ZIP archive not accepted: {reason} in filename.")


def test_a_wheel_with_something_behind_it_is_refused(client: Client, folder: Path) -> None:
    path = Dist().write_wheel(folder)
    path.write_bytes(path.read_bytes() + b"behind")
    answer = client.upload(path, client.mint(), Dist().metadata)
    refused(answer, "Invalid distribution file. ZIP archive not accepted: Trailing data.")


def test_a_wheel_with_the_same_file_twice_is_refused(client: Client, folder: Path) -> None:
    path = Dist().write_wheel(folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tiny.py", "answer = 24\n")
    answer = client.upload(path, client.mint(), Dist().metadata)
    refused(answer, "Invalid distribution file. ZIP archive not accepted: Duplicate filename")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused(client: Client, folder: Path, content: bytes) -> None:
    path = folder / "tiny-1.0-py3-none-any.whl"
    path.write_bytes(content)
    refused(client.upload(path, client.mint(), Dist().metadata), "Invalid distribution file.")
    path = path.rename(folder / "tiny-1.0.tar.gz")
    refused(client.upload(path, client.mint(), Dist().metadata), "Invalid distribution file.")


def test_an_sdist_has_one_folder(client: Client, folder: Path) -> None:
    for escape in ("other/file", "../file"):
        answer = sdist(client, folder, extra={escape: b""})
        refused(answer, "Invalid distribution file. Incorrect number of top-level directories in sdist")
    refused(sdist(client, folder, extra={"/file": b""}), "Internal Server Error", 500)


def test_an_sdist_whose_names_begin_with_a_dot_has_no_metadata_for_pypi(client: Client, folder: Path) -> None:
    path = Dist().write_sdist(folder)
    with tarfile.open(path) as old:
        members = [(entry, old.extractfile(entry)) for entry in old]
        with tarfile.open(folder / "new.tar.gz", "w:gz") as new:
            for entry, content in members:
                entry.name = f"./{entry.name}"
                new.addfile(entry, content)
    answer = client.upload((folder / "new.tar.gz").replace(path), client.mint(), Dist().metadata)
    refused(answer, "Invalid distribution file. PKG-INFO not found at tiny-1.0/PKG-INFO")


def test_a_tarball_of_another_compression_is_refused(client: Client, folder: Path) -> None:
    path = Dist().write_sdist(folder)
    path.write_bytes(bz2.compress(gzip.decompress(path.read_bytes())))
    refused(client.upload(path, client.mint(), Dist().metadata), "Invalid distribution file. None")


@pytest.mark.parametrize(
    ("code", "tool"),
    [
        ({"tiny/a.py": b"__py@armor__(__name__, __file__, b'PY')\n"}, "PyArmor"),
        ({"tiny/a.PYE": b"---BEGIN@ PYE FILE---\nabc\n---END PYE FILE---\n"}, "SourceDefender"),
    ],
)
def test_encrypted_code_is_refused(client: Client, folder: Path, code: dict[str, bytes], tool: str) -> None:
    code = {name: text.replace(b"@", b"") for name, text in code.items()}  # in one piece, this file would be refused
    reason = f"Invalid distribution file. {tool}-encrypted content is not allowed. See https://pypi.org/policy/"
    refused(wheel(client, folder, unlisted=code), reason)
    refused(sdist(client, folder, extra={f"tiny-1.0/{name}": text for name, text in code.items()}), reason)
    assert wheel(client, folder, unlisted={"tiny/a.txt": next(iter(code.values()))}).status_code == 200


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def _directory_moved(content: bytes) -> bytes:
    end = content.rindex(b"PK\5\6")
    (start,) = struct.unpack_from("<L", content, end + 16)
    moved = struct.pack("<L", start + 4)
    return content[:start] + bytes(4) + content[start : end + 16] + moved + content[end + 20 :]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content + b"behind", "Trailing data"),
        (lambda content: b"#!/bin/sh\n" + content, "Unknown record signature"),
        (lambda content: content[:6] + b"\x08" + content[7:], "ZIP contains a data descriptor"),
        (lambda content: content[:22] + b"\xff" + content[23:], "Mis-matched file size"),
        (lambda content: content[:18] + b"\xff" + content[19:], "Mis-matched data size"),
        (_directory_moved, "Unknown record signature"),
    ],
)
def test_the_records_of_a_wheel_must_agree(
    client: Client, folder: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    path = rewritten(Dist().write_wheel(folder), change)
    answer = client.upload(path, client.mint(), Dist().metadata)
    refused(
        answer, f"Invalid distribution file. ZIP archive not accepted: {reason}. See https://docs.pypi.org/archives"
    )


def test_a_streamed_wheel_is_refused(client: Client, folder: Path) -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise OSError

    path = Dist().write_wheel(folder)
    pipe = Pipe()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(pipe, "w") as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), old.read(info))
    path.write_bytes(pipe.getvalue())
    refused(
        client.upload(path, client.mint(), Dist().metadata), "Invalid distribution file. ZIP archive not accepted: ZIP"
    )


def test_content_that_differs_from_its_checksum_is_refused(client: Client, folder: Path) -> None:
    path = Dist().write_wheel(folder)
    with zipfile.ZipFile(path) as archive:
        crc = struct.pack("<L", archive.getinfo("tiny.py").CRC)
    rewritten(path, lambda content: content.replace(crc, b"\0\0\0\0"))
    refused(client.upload(path, client.mint(), Dist().metadata), "Invalid distribution file. None")


def test_a_record_with_an_empty_line_is_more_than_pypi_reads(client: Client, folder: Path) -> None:
    answer = wheel(client, folder, without="RECORD", unlisted={"tiny-1.0.dist-info/RECORD": b"a,,\n\n"})
    refused(answer, "Wheel 'tiny-1.0-py3-none-any.whl' does not contain the required RECORD file:")


@pytest.mark.parametrize("field", [{"name": "UNKNOWN"}, {"name": ["tiny", "UNKNOWN"]}])
def test_what_distutils_writes_for_nothing_is_nothing(client: Client, folder: Path, field: dict[str, Any]) -> None:
    refused(wheel(client, folder, **field), "'' is an invalid value for Name. Error: This field is required.")


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        (None, 405, "Method Not Allowed"),
        ("nonsense", 405, "Method Not Allowed"),
        ("submit", 410, "Project pre-registration is no longer required or supported, upload your files instead."),
        ("doc_upload", 410, "Uploading documentation is no longer supported, we recommend using https://readthedocs"),
    ],
)
def test_actions_other_than_an_upload_are_not_there_any_more(
    client: Client, folder: Path, action: str | None, status: int, reason: str
) -> None:
    fields: dict[str, Any] = {":action": action}
    refused(wheel(client, folder, **fields), reason, status)


def test_an_address_without_its_slash_leads_to_the_one_with_it(client: Client) -> None:
    url = client.index.upload_url.removesuffix("/")
    answer = client.session.post(url, data={":action": "file_upload"}, allow_redirects=False, timeout=9)
    refused(answer, "An upload was attempted to /legacy but the expected upload URL is /legacy/", 308)
    assert answer.headers["Location"].endswith("/legacy/")


def test_entry_points_must_be_readable(client: Client, folder: Path) -> None:
    unlisted = {"tiny-1.0.dist-info/entry_points.txt": b"[console_scripts]\na/b = tiny:main\n"}
    answer = wheel(client, folder, unlisted=unlisted)
    refused(answer, "Wheel 'tiny-1.0-py3-none-any.whl' has invalid entry points")


def test_license_files_must_be_there(client: Client, folder: Path) -> None:
    dist = Dist(headers=["License-File: LICENSE"])
    where = "tiny-1.0.dist-info/licenses/LICENSE"
    refused(wheel(client, folder, dist), "License-File LICENSE does not exist in distribution file")
    assert wheel(client, folder, dist, unlisted={where: b"MIT"}).status_code == 200
    refused(sdist(client, folder, dist), "License-File LICENSE does not exist in distribution file")
    assert sdist(client, folder, dist, extra={"tiny-1.0/LICENSE": b"MIT"}).status_code == 200


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "blake2_256"])
def test_every_digest_given_is_compared(client: Client, folder: Path, algorithm: str) -> None:
    fields: dict[str, Any] = {f"{algorithm}_digest": "0" * (32 if algorithm == "md5" else 64)}
    answer = wheel(client, folder, **fields)
    refused(answer, "The digest supplied does not match a digest calculated from the uploaded file.")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (["Requires-Dist: lib @ https://example.org/lib.whl"], "Can't have direct dependency: lib @"),
        (["Classifier: Nonsense :: Here"], "'Nonsense :: Here' is not a valid classifier."),
        (["Classifier: Private :: Do Not Upload"], "'Private :: Do Not Upload' is not a valid classifier."),
        (["Classifier: Natural Language :: Ukranian"], "The classifier 'Natural Language :: Ukranian' has"),
        (["Summary: " + "x" * 513], "'summary' field must be 512 characters or less."),
        (["Project-URL: Home, gopher://x"], "'gopher://x' is not a valid url"),
        (["Dynamic: Dynamic"], "Dynamic field 'dynamic' is not a valid dynamic field."),
        (["Project-URL: Home, https://x.org/a[1]"], "'https://x.org/a[1]' is not a valid url"),
        (["Project-URL: Home, https://x.org:99999"], "'https://x.org:99999' is not a valid url"),
        (["Author-email: me"], "'me' is not a valid email address: An email address must have an @-sign"),
        (["Requires-Python: three"], "'three' is invalid for 'requires-python'"),
    ],
)
def test_metadata_that_pypi_refuses_is_refused(client: Client, folder: Path, headers: list[str], reason: str) -> None:
    dist = Dist(headers=headers)
    urls = [each.partition(": ")[2] for each in headers if each.startswith("Project-URL")]
    fields: dict[str, Any] = {"project_url": None, "project_urls": urls or None}
    if headers[0].startswith("Classifier"):
        fields["classifiers"] = headers[0].partition(": ")[2]
    refused(wheel(client, folder, dist, **fields), reason)


@pytest.mark.parametrize(
    "header",
    [
        *(
            "Home-page: UNKNOWN",
            "Author-email: UNKNOWN",
            "Author-email: Doe, J <j@doe.org>",
            "Author-email: a@[127.0.0.1]",
        ),
        "License: UNKNOWN\nLicense-Expression: MIT",
    ],
)
def test_what_pypi_reads_over_is_read_over(client: Client, folder: Path, header: str) -> None:
    assert wheel(client, folder, Dist(headers=[header])).status_code == 200


def test_local_versions_are_refused(client: Client, folder: Path) -> None:
    answer = wheel(client, folder, Dist(version="1.0+local"))
    refused(answer, "The use of local versions in '1.0+local' is not allowed. See https://packaging.python.org")


@pytest.mark.parametrize(
    ("readme", "content_type", "taken"),
    [
        (".. nonsense::\n", "text/x-rst", False),
        (".. include:: /etc/passwd\n", "text/x-rst", False),
        ("*fine*\n", "text/x-rst", True),
        ("Title\n==\n", "text/markdown", True),
        ("Title\n==\n", "text/plain", True),
    ],
)
def test_the_description_must_render(
    client: Client, folder: Path, readme: str, content_type: str, *, taken: bool
) -> None:
    answer = wheel(client, folder, Dist(readme=readme, content_type=content_type))
    if taken:
        assert answer.status_code == 200, answer.text
    else:
        refused(answer, "The description failed to render for 'text/x-rst'. See https://pypi.org/help/")


def test_a_description_without_a_type_is_taken_for_restructuredtext(client: Client, folder: Path) -> None:
    answer = wheel(client, folder, Dist(readme=".. nonsense::\n"), description_content_type=None)
    refused(answer, "The description failed to render in the default format of reStructuredText.")


def test_the_metadata_inside_is_not_compared_with_the_form_as_pypi_does_not(client: Client, folder: Path) -> None:
    path = write_wheel(folder, "tiny", extra=("Summary: other",))
    assert client.upload(path, client.mint(), Dist().metadata).status_code == 200


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"protocol_version": "2"}, "Unknown protocol version."),
        ({"filetype": "bdist_egg"}, "Invalid value for filetype. Error: Use a known file type."),
        ({"filetype": None}, "Invalid value for filetype. Error: This field is required."),
        ({"pyversion": None}, "Invalid value for pyversion. Error: Python version is required for binary"),
        ({"sha256_digest": None}, "Error: Include at least one message digest."),
        ({"sha256_digest": "x"}, "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256"),
        ({"blake2_256_digest": "x", "filetype": None}, "Invalid value for blake2_256_digest. Error: Use a valid, hex"),
        ({"sha256_digest": " "}, "The digest supplied does not match a digest calculated"),
        ({"name": "_tiny"}, "'_tiny' is an invalid value for Name."),
        ({"name": None}, "'' is an invalid value for Name."),
        ({"version": "one"}, "'one' is invalid for 'version'"),
        ({"metadata_version": "99"}, "'99' is not a valid metadata version"),
        ({"metadata_version": "2.6"}, "'2.6' is not a valid metadata version"),
    ],
)
def test_a_form_that_is_not_right_is_refused(client: Client, folder: Path, fields: dict[str, Any], reason: str) -> None:
    refused(wheel(client, folder, **fields), reason)


def test_a_backslash_in_a_file_name_is_refused_by_name(client: Client, folder: Path) -> None:
    refused(wheel(client, folder, filename="a\\tiny-1.0-py3-none-any.whl"), "Cannot upload a file with '/' or '\\'")


def attestation(folder: Path, predicate: str = "https://docs.pypi.org/attestations/publish/v1") -> dict[str, Any]:
    """Return an attestation of the wheel that `wheel` uploads, or of a `predicate` that is a digest."""
    digest = sha256(Dist().write_wheel(folder))
    subject = [{"name": "tiny-1.0-py3-none-any.whl", "digest": {"sha256": digest}}]
    statement = base64.b64encode(json.dumps({"subject": subject, "predicateType": predicate}).encode()).decode()
    return {
        "version": 1,
        "verification_material": {},
        "envelope": {"statement": statement, "signature": base64.b64encode(b"signed").decode()},
    }


def test_the_integrity_api_shows_attestations_with_their_publisher(client: Client, folder: Path) -> None:
    sent = [attestation(folder), attestation(folder, "https://slsa.dev/provenance/v1")]
    assert wheel(client, folder, attestations=json.dumps(sent)).status_code == 200
    assert client.upload(Dist().write_sdist(folder), client.mint(), Dist().metadata).status_code == 200
    listing = client.get("/simple/tiny/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}).json()["files"]
    (plain, signed) = sorted(listing, key=lambda file: str(file["provenance"] or ""))
    address = "https://pypi.org/integrity/tiny/1.0/tiny-1.0-py3-none-any.whl/provenance"
    assert (plain["provenance"], signed["provenance"]) == (None, address)
    answer = client.get("/integrity/Tiny/1.0.0/tiny-1.0-py3-none-any.whl/provenance")
    assert answer.headers["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    publisher = {"kind": "GitHub", "repository": "Octo/tiny", "workflow": "release.yml", "environment": "pypi"}
    assert answer.json() == {"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": sent}]}


@pytest.mark.parametrize(
    ("path", "accept", "status", "message"),
    [
        ("tiny-1.0.tar.gz", "*/*", 404, "No provenance available for tiny-1.0.tar.gz"),
        ("tiny-1.0.tar.gz", "text/html", 406, "Request not acceptable"),
        ("tiny-2.0.tar.gz", "*/*", 404, ""),
    ],
)
def test_without_provenance_the_integrity_api_says_so(
    client: Client, folder: Path, path: str, accept: str, status: int, message: str
) -> None:
    client.upload(Dist().write_sdist(folder), client.mint(), Dist().metadata)
    answer = client.get(f"/integrity/tiny/1.0/{path}/provenance", headers={"Accept": accept})
    assert answer.status_code == status
    assert not message or answer.json() == {"message": message}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], "Malformed attestations: an empty attestation set is not permitted"),
        ([{}], "Malformed attestations: not a list of PEP 740 attestations"),
        ({}, "Malformed attestations: not a list of PEP 740 attestations"),
        (["publish"] * 3, "A maximum of 2 attestations per file are supported"),
        (["publish"] * 2, "Multiple attestations for the same file with the same predicate type"),
        (["other"], "Attestation with unsupported predicate type:"),
        (["another file"], "Could not verify the uploaded artifact using the included attestation:"),
    ],
)
def test_attestations_of_another_shape_are_refused(client: Client, folder: Path, sent: Any, reason: str) -> None:
    own = attestation(folder)
    statement = json.loads(base64.b64decode(own["envelope"]["statement"]))
    kinds = {
        "publish": statement,
        "other": {**statement, "predicateType": "https://example.org"},
        "another file": {**statement, "subject": [{"digest": {"sha256": "0" * 64}}]},
    }
    if sent and isinstance(sent[0], str):
        encoded = [base64.b64encode(json.dumps(kinds[each]).encode()).decode() for each in sent]
        sent = [{**own, "envelope": {**own["envelope"], "statement": each}} for each in encoded]
    answer = wheel(client, folder, attestations=json.dumps(sent))
    refused(answer, f"Invalid attestations supplied during upload: {reason}")


def test_a_refused_upload_leaves_nothing_but_its_line_in_the_log(client: Client, folder: Path) -> None:
    wheel(client, folder, Dist(tag="py3-none-linux_x86_64"))
    assert client.get("/pypi/tiny/json").status_code == 404
    assert client.servers.index.files("tiny") == []
    (entry,) = client.servers.index.uploads()
    assert (entry.status, entry.project, entry.version) == (400, "tiny", "1.0")
    assert "unsupported platform tag" in entry.message


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/html"),
        ("text/plain", "text/plain"),
        ("application/json", "application/json"),
    ],
)
def test_a_refusal_comes_in_the_form_that_the_client_prefers(
    client: Client, folder: Path, accept: str, content_type: str
) -> None:
    client.session.headers["Accept"] = accept
    answer = client.upload(Dist().write_wheel(folder), "", Dist().metadata)
    assert answer.headers["Content-Type"].startswith(content_type)
    assert "Invalid or non-existent authentication information" in answer.text


@pytest.mark.slow
def test_files_of_more_than_100_mib_are_refused(client: Client, folder: Path) -> None:
    path = Dist().write_wheel(folder)
    path.write_bytes(path.read_bytes() + bytes(100 * 1024**2))
    answer = client.upload(path, client.mint(), Dist().metadata)
    refused(answer, "File too large. Limit for project 'tiny' is 100 MB. See https://docs.pypi.org/")


def test_names_in_another_case_are_the_same_project(client: Client, folder: Path) -> None:
    dist = Dist(name="Tiny")
    path = dist.write_wheel(folder)
    assert client.upload(path, client.mint(), dist.metadata).status_code == 200
    (file,) = client.servers.index.files("tiny")
    assert file.sha256 == sha256(path)
