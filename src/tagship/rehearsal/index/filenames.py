"""Whether a file name is allowed: extensions, PEP 625 and PEP 427 names, platform tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from tagship.rehearsal.index.refusal import Refusal
from tagship_suite.dists.rules import PLATFORM

if TYPE_CHECKING:
    from packaging.version import Version

EXTENSIONS: Final = {"sdist": (".zip", ".tar.gz"), "bdist_wheel": (".whl",)}
"""The extensions of each kind of file that PyPI accepts (PEP 527)."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_NAME_LIMIT = 255
_EXTENSION = re.compile(r".+?(\.(?:tar\.gz|zip|whl))", re.IGNORECASE | re.DOTALL)


def check_characters(filename: str, filetype: str) -> None:
    """Check the characters and the extension; raises Refusal."""
    if _UNPRINTABLE.search(filename):
        raise Refusal(
            "Cannot upload a file with non-printable characters (ordinals 0-31)"
            " or the DEL character (ordinal 127) in the name."
        )
    if "/" in filename or "\\" in filename:
        raise Refusal("Cannot upload a file with '/' or '\\' in the name.")
    if not (found := _EXTENSION.fullmatch(filename)):
        raise Refusal(
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See"
            " https://www.python.org/dev/peps/pep-0527 and https://peps.python.org/pep-0715/"
            " for more information"
        )
    if found[1] not in EXTENSIONS[filetype]:
        raise Refusal(
            f"Invalid file extension: Extension {found[1]} is invalid for filetype {filetype}."
            " See https://www.python.org/dev/peps/pep-0527 for more information."
        )


def check_sdist(filename: str, project: str, version: Version) -> None:
    """Check that an sdist is called `{normalised_name}-{version}.tar.gz` (PEP 625); raises Refusal."""
    try:
        name, _ = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        raise Refusal(f"Invalid source distribution filename: {filename}") from None
    expected = canonicalize_name(project).replace("-", "_")
    if version.is_postrelease and name != canonicalize_name(project) and filename.count("-") >= 2:
        name = canonicalize_name(filename.rsplit("-", 2)[0])  # its version may have the form 1.0-1
    if name != canonicalize_name(project):
        raise Refusal(f"Start filename for {project!r} with {expected!r}.")
    if filename != f"{expected}-{version}.tar.gz":
        raise Refusal(f"Filename {filename!r} is invalid, should be '{expected}-{version}.tar.gz'.")


def check_wheel(filename: str, project: str, version: Version) -> None:
    """Check a wheel's name, version and platform tags; raises Refusal.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#escaping-and-unicode
    """
    try:
        name, found, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise Refusal(str(error)) from None
    for platform in sorted({tag.platform for tag in tags}):
        if not PLATFORM.fullmatch(platform):
            raise Refusal(f"Binary wheel '{filename}' has an unsupported platform tag '{platform}'.")
    expected = canonicalize_name(project).replace("-", "_")
    if name != canonicalize_name(project):
        raise Refusal(f"Start filename for {project!r} with {expected!r}.")
    written = filename.partition("-")[0]
    if written != expected:
        raise Refusal(
            f"Filename {filename!r} should contain the normalized project name {expected!r}, not {written!r}."
        )
    if found != version:
        raise Refusal(f"Version in filename should be {str(version)!r} not {str(found)!r}.")


def check_length(filename: str) -> None:
    """Check that a file with the metadata of a wheel can have its name with a suffix; raises Refusal."""
    if len(f"{filename}.metadata".encode()) > _NAME_LIMIT:
        raise Refusal(f"Filename is too long: '{filename}'")
