"""Whether a file may be called so: extensions, PEP 625 and PEP 427 names, platform tags."""

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

if TYPE_CHECKING:
    from packaging.version import Version

EXTENSIONS: Final = {"sdist": (".zip", ".tar.gz"), "bdist_wheel": (".whl",)}
"""The extensions of each kind of file that PyPI takes (PEP 527)."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_MANY = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
# https://docs.pypi.org/project-management/ names no list; these are the tags that PyPI lets through.
_PLATFORM = re.compile(
    "any|win32|win_(?:amd64|arm64|ia64)|linux_armv[67]l"
    "|manylinux1_(?:x86_64|i686)|manylinux2010_(?:x86_64|i686)"
    "|manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)"
    f"|manylinux_\\d+_\\d+_(?:{_MANY}|ppc64)|musllinux_\\d+_\\d+_(?:{_MANY})"
    "|macosx_(?:10_\\d+|(?:11|12|13|14|15|26)_0)"
    "_(?:ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)"
    "|ios_\\d+_\\d+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)"
    "|android_\\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)"
    "|pyemscripten_\\d+_\\d+_wasm32"
)


def check_characters(filename: str, filetype: str) -> None:
    """Check the characters and the extension; raises Refusal."""
    if _UNPRINTABLE.search(filename):
        raise Refusal(
            "Cannot upload a file with non-printable characters (ordinals 0-31)"
            " or the DEL character (ordinal 127) in the name."
        )
    if "/" in filename or "\\" in filename:
        raise Refusal("Cannot upload a file with '/' or '\\' in the name.")
    every = {extension for kind in EXTENSIONS.values() for extension in kind}
    extension = next((each for each in every if len(filename) > len(each) and filename.endswith(each)), None)
    if extension is None:
        raise Refusal(
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See"
            " https://www.python.org/dev/peps/pep-0527 and https://peps.python.org/pep-0715/"
            " for more information"
        )
    if extension not in EXTENSIONS[filetype]:
        raise Refusal(
            f"Invalid file extension: Extension {extension} is invalid for filetype {filetype}."
            " See https://www.python.org/dev/peps/pep-0527 for more information."
        )


def check_sdist(filename: str, project: str, version: Version) -> None:
    """Check that an sdist is called `{normalised_name}-{version}.tar.gz` (PEP 625); raises Refusal."""
    try:
        name, _ = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        raise Refusal(f"Invalid source distribution filename: {filename}") from None
    expected = canonicalize_name(project).replace("-", "_")
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
        if not _PLATFORM.fullmatch(platform):
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
