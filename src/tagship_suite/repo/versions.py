"""Tags and versions: which tag is this, which version does it name, and which one comes next?"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from ..errors import refusal
from . import git

#: git stores a tag as a file, whose name cannot be longer; parsing takes longer for every digit.
LONGEST = 255
SEPARATORS = "-_/@"
END = rf"(?:[{SEPARATORS}]v?)?"  # of a prefix; one separator at most: `pkg--1.0` is a typo
SEMVER = {"a": "alpha", "b": "beta", "rc": "rc"}
#: The numbers of a version in tags such as `rel_1_2_3`.
JOINED = re.compile(r"\A(?:[0-9]+!)?[0-9]+(?:_[0-9]+)+")


@dataclass(frozen=True)
class Ref:
    """The tags that this run may release, a description of the ref, and whether a CI service gave them."""

    tags: tuple[str, ...]
    description: str
    is_given: bool = False

    def about(self, name: str) -> "Ref":
        """Return it without the tags that git has at this commit for anything but the project `name`."""
        own = tuple(tag for tag in self.tags if self.is_given or not is_foreign(tag, name))
        return self if own == self.tags else replace(self, tags=own, description=f"{self.description}, not of {name}")


class Tag(NamedTuple):
    """A tag that names a version: the version, the prefix, and how the version is written after it."""

    version: Version
    prefix: str
    text: str

    def __str__(self) -> str:
        return f"{self.prefix}{self.text}"


def current(root: Path, environ: Mapping[str, str]) -> Ref:
    """Return the ref of this run, from the variables of GitHub or GitLab, else from git; `ReleaseError` if it fails."""
    tag, branch = environ.get("CI_COMMIT_TAG", ""), environ.get("CI_COMMIT_BRANCH", "")
    kind, name = ("tag", tag) if tag else ("branch" if branch else "", branch)
    if environ.get("GITHUB_REF_TYPE"):
        kind, name = environ["GITHUB_REF_TYPE"], environ.get("GITHUB_REF_NAME", "")
    if kind:
        return Ref((name,) if kind == "tag" else (), f"{kind} {name!r}", is_given=True)
    # `nightly` or `latest` may point here too: only tags that would start a release count.
    tags = tuple(filter(holds_version, git.tags_here(root)))
    if tags:
        return Ref(tags, f"tag {' '.join(map(repr, tags))}")
    here = git.symbolic(root, "HEAD")
    return Ref((), f"branch {here!r}" if here else "no tag")


def parsed(text: str) -> Version | None:
    """Return `text` as a PEP 440 version; None if it is not one or not plain ASCII."""
    # packaging strips whitespace around a version, which a tag or a file name may not have.
    try:
        return Version(text) if text.isascii() and text == text.strip() else None
    except ValueError:  # InvalidVersion, or too many digits for an int
        return None


def same(one: str, other: str) -> bool:
    """Return whether two texts name the same version by PEP 440, or are the same."""
    return one == other or (parsed(one) is not None and parsed(one) == parsed(other))


def semver(version: Version, where: str) -> str:
    """Return `version` as Cargo and npm write it; raise `ReleaseError`, located at `where`, if they cannot."""
    pre = f"-{SEMVER[version.pre[0]]}.{version.pre[1]}" if version.pre else ""
    text = ".".join(map(str, (*version.release, 0, 0)[: max(3, len(version.release))])) + pre
    if len(version.release) <= 3 and parsed(text) == version:
        return text
    raise refusal("bad-version", where, repr(str(version)), "X.Y.Z, or X.Y.Z with a, b or rc", "choose such a version")


def as_before(version: Version, before: list[str]) -> str:
    """Return `version` padded with zeros like the versions `before` it, the newest first.

    Some calendar versions are padded: by PEP 440, 2026.02.03 equals 2026.2.3, but its tags sort as text.
    """
    rows = [match[0].split(".") for text in before if (match := re.match(r"\d+(\.\d+)*", text))]
    columns = [[row[at] for row in rows if at < len(row)] for at in range(len(version.release))]
    # 02 or 2 shows whether there is padding, 12 does not.
    widths = [next((len(text) for text in texts if len(text) == 1 or text[0] == "0"), 1) for texts in columns]
    padded = ".".join(str(number).zfill(width) for number, width in zip(version.release, widths, strict=True))
    return str(version).replace(".".join(map(str, version.release)), padded, 1)


def read_tag(tag: str, name: str) -> Tag | None:
    """Return what `tag` of the project `name` consists of; None if it names no version.

    The prefix may be empty, `v`, `release`, `rel`, `version` or the project's name, with `-`, `_`, `/` or `@`.
    The version is one by PEP 440, but `_` may join its numbers.
    """
    for split in _splits(tag, name) if len(tag) <= LONGEST else ():
        if version := parsed(JOINED.sub(lambda numbers: numbers[0].replace("_", "."), split["version"])):
            return Tag(version, split["prefix"], split["version"])
    return None


def _splits(tag: str, name: str) -> Iterator[re.Match[str]]:
    """Yield how `tag` can consist of a `prefix` for the project `name` and what may be a `version`."""
    words = "|".join(filter(None, (_spellings(name), "release", "rel", "version")))
    for prefix in ("v?", rf"(?:{words}){END}"):
        if split := re.fullmatch(rf"(?ias)(?P<prefix>{prefix})(?P<version>[0-9].*)", tag):
            yield split


def _spellings(name: str) -> str:
    return "[-_.]+".join(map(re.escape, re.split(r"[-_.]+", name)))


def like(text: str, spelling: str) -> str:
    """Return the version `text` with its numbers joined by `_`, if that is the `spelling` in another tag."""
    return text.replace(".", "_") if JOINED.match(spelling) else text


def is_foreign(tag: str, name: str) -> bool:
    """Return whether `tag`, by its prefix, belongs to something else than the project `name`, such as a chart."""
    return not any(_splits(tag, name))


def names(tag: str, name: str, *, bare: bool) -> bool:
    """Return whether the prefix of `tag` names the project `name`; with `bare`, `v1.0` counts too."""
    found = read_tag(tag, name)
    return found is not None and (bare or re.fullmatch(f"(?ia){_spellings(name)}{END}", found.prefix) is not None)


def holds_version(tag: str) -> bool:
    """Return whether a push of `tag` starts the workflow's release, valid or not."""
    # Its `on.push.tags`: `v[0-9]*`, `[0-9]*`, `**[0-9].[0-9]**`, `**[0-9]_[0-9]**`.
    return re.match(r"v?[0-9]|.*[0-9][._][0-9]", tag, re.DOTALL) is not None


def releases(tags: Iterable[str], name: str) -> list[Tag]:
    """Return those of `tags` that name a version of the project `name`, the greatest version first."""
    return sorted(filter(None, (read_tag(tag, name) for tag in tags)), reverse=True)


def bump(version: Version, part: str) -> Version:
    """Return the `major`, `minor`, `patch` or `devN` release after `version`; a pre-release becomes final."""
    # A dev release is one of the next pre-release if `version` is one, else of the next patch.
    if part.startswith("dev"):
        letter, number = version.pre or ("", 0)
        following = f"{version.base_version}{letter}{number + 1}" if letter else bump(version, "patch")
        return Version(f"{following}.{part}")
    index = ("major", "minor", "patch").index(part)
    release = (*version.release, 0, 0, 0)[: max(3, len(version.release))]
    if version.is_prerelease and not any(release[index + 1 :]):
        return Version(version.base_version)
    numbers = [*release[:index], release[index] + 1, *(0 for _ in release[index + 1 :])]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return Version(epoch + ".".join(map(str, numbers)))
