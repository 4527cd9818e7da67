"""Tags and versions: which version does a tag name, and what comes next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A tag is a file's name to git, which no system lets be longer; every digit of it may begin the version.
LONGEST = 255
SEPARATORS = "-_/@"
PREFIXES = ("release", "version")
#: The tags that start the workflow, as its `on.push.tags` has them: `v[0-9]*`, `[0-9]*`, `**[0-9].[0-9]**`.
HOLDS_VERSION = re.compile(r"v?[0-9]|.*[0-9]\.[0-9]", re.DOTALL)


def parse_version(text: str) -> Version:
    """Return `text` as a PEP 440 version; raise `ValueError` where it is none or not plain ASCII."""
    # packaging strips white space around a version, and a tag or a file name may not have any.
    if not text.isascii() or text != text.strip():
        raise ValueError(f"{text!r} is not a PEP 440 version")
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ValueError(f"{text!r} is not a PEP 440 version") from error


def tag_prefixes(name: str) -> frozenset[str]:
    """Return the names, normalised, that may stand before the version in a tag of the project `name`."""
    return frozenset({canonicalize_name(name), *PREFIXES})


def split_tag(tag: str, name: str) -> tuple[str, Version]:
    """Split `tag` of the project `name` into what stands before the version, and the version.

    Before it may stand nothing, `v`, `release`, `version` or the project's name, with `-`, `_`, `/` or `@`.
    Raises `ValueError` where the rest is not a version by PEP 440.
    """
    for start, character in enumerate(tag if len(tag) <= LONGEST else ""):
        if character in "0123456789" and _is_prefix(tag[:start], name):
            try:
                return tag[:start], parse_version(tag[start:])
            except ValueError:
                continue
    raise ValueError(f"{tag!r} names no version of {name}")


def found_version(tag: str, name: str) -> tuple[str, Version] | None:
    """Return `split_tag(tag, name)`, or None where it raises."""
    try:
        return split_tag(tag, name)
    except ValueError:
        return None


def is_foreign(tag: str, name: str) -> bool:
    """Return whether `tag` is about something else than the project `name`, such as a chart, by what it begins with."""
    return not any(_is_prefix(tag[:at], name) for at, character in enumerate(tag) if character in "0123456789")


def names(tag: str, name: str, *, bare: bool) -> bool:
    """Return whether `tag` names, before a version, the project `name`; if `bare`, `v1.0` does too."""
    found = found_version(tag, name)
    return found is not None and (bare or canonicalize_name(_word(found[0])) == canonicalize_name(name))


def _word(prefix: str) -> str:
    return re.sub(rf"(^|[{SEPARATORS}])v$", "", prefix, flags=re.IGNORECASE).rstrip(SEPARATORS)


def _is_prefix(text: str, name: str) -> bool:
    word = _word(text)
    if not word:
        return text.lower() in {"", "v"}
    # One separator at most: `pkg--1.0` is a slip of the hand, not a tag.
    plain = re.fullmatch(rf"{re.escape(word)}[{SEPARATORS}]?v?", text, re.IGNORECASE) is not None
    return plain and canonicalize_name(word) in tag_prefixes(name)


def holds_version(tag: str) -> bool:
    """Return whether a push of `tag` starts a release, right or wrong."""
    return HOLDS_VERSION.match(tag) is not None


def newest_tag(tags: Iterable[str], name: str) -> tuple[str, Version] | None:
    """Return the prefix and the version of the greatest release among `tags`, if one names a version."""
    parsed = filter(None, (found_version(tag, name) for tag in tags))
    return max(parsed, key=lambda pair: pair[1], default=None)


def bump(version: Version, part: str) -> Version:
    """Return the next `major`, `minor` or `patch` release after `version`; a pre-release becomes final."""
    index = ("major", "minor", "patch").index(part)
    release = (*version.release, 0, 0, 0)[: max(3, len(version.release))]
    if version.is_prerelease and not any(release[index + 1 :]):
        return Version(version.base_version)
    numbers = [*release[:index], release[index] + 1, *(0 for _ in release[index + 1 :])]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return Version(epoch + ".".join(map(str, numbers)))
