"""Cutting a release: bump the version, date the changelog, commit, tag, and push on request."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.version import Version

from ..errors import Problem, ReleaseError, refuse
from . import git, packages
from .files import read_text
from .version_source import places as places_of
from .versions import bump, newest_tag, parse_version

if TYPE_CHECKING:
    from pathlib import Path

    from .literals import Written

CHANGELOGS = (
    "CHANGELOG.md",
    "CHANGES.md",
    "HISTORY.md",
    "docs/changelog.md",
    "CHANGELOG.rst",
    "CHANGES.rst",
    "HISTORY.rst",
)
#: `## Unreleased`, `## [Unreleased]`, or a reStructuredText title with its line below.
UNRELEASED = re.compile(
    r"^(?P<mark>#+ )?(?P<version>[\w.]+ )?(?P<open>[(\[]?)unreleased(?P<close>[)\]]?)[ \t]*(?P<end>\r?\n|\Z)"
    r"(?:(?P<line>[-=~^*#+])(?P=line)+[ \t]*(?:\r?\n|\Z))?",
    re.IGNORECASE | re.MULTILINE,
)
CURRENT = "current"
DEFAULT_BRANCHES = ("main", "master")


def cut(root: Path, wanted: str, *, push: bool) -> str:
    """Commit and tag the release `wanted` of the project at `root`; return what was done, in one line.

    `wanted` is a version, `major`, `minor`, `patch`, or `current` for the version as it stands, and of one of several
    distributions `NAME/` before it. Raises `ReleaseError` with every reason not to; a step that fails leaves the
    repository as it was, and a failed push the tag.
    """
    package, wanted = _package(root, wanted)
    settings = package.settings
    if git.query(root, "rev-parse", "HEAD") is None:
        raise ReleaseError(
            Problem("git", "no commit", "a repository with one", "run: git init && git add -A && git commit")
        )
    places = places_of(package.folder, settings)
    tags = [*filter(package.owns, git.lines(root, "tag"))]
    newest = newest_tag(tags, packages.distribution_name(package.folder) or root.resolve().name)
    now = _now(places, newest, wanted)
    version = _next(now, wanted)
    before = [place.text for place in places] or [tag.removeprefix(newest[0]) for tag in tags if newest]
    text = _as_before(version, before)
    tag = f"{newest[0]}{text}" if newest else package.tag(text)
    refuse(_problems(root, settings.release_branches, None if wanted == CURRENT else now, version, tag))
    branch = git.symbolic(root, "HEAD") or "HEAD"
    if push:
        if "origin" not in git.lines(root, "remote"):
            remedy = "run: git remote add origin URL, or release without --push"
            raise ReleaseError(Problem("git", "no remote 'origin'", "one to push to", remedy))
        # Before anything is committed: a branch that is behind could not be pushed afterwards either.
        git.run(root, "push", "--quiet", "--dry-run", "origin", branch)
    files, unsaid = _changes(package.folder, places, text)
    _commit(root, files, f"Release {package.label} {text}".replace("  ", " "), tag)
    if push:
        _push(root, branch, tag)
        return f"{tag}: pushed to origin with {branch}{unsaid}"
    return f"{tag}: committed and tagged here; to release it: git push --atomic origin {branch} {tag}{unsaid}"


def _package(root: Path, wanted: str) -> tuple[packages.Package, str]:
    """Split what is wanted into the distribution, which of several is named before the last `/`, and the rest."""
    every, (name, slash, rest) = packages.every(root), wanted.rpartition("/")
    if len(every) == 1 or (not slash and every[0].folder == root):
        return every[0], wanted
    return packages.one(every, name, f"distribution in {wanted!r}, before a '/'"), rest


def _now(places: list[Written], newest: tuple[str, Version] | None, wanted: str) -> Version:
    """Return the version that the project has, from its files, else from its newest tag."""
    if not places and newest:
        return newest[1]
    text = places[0].text if places else "0"
    if not places and wanted == CURRENT:
        problem = Problem("version", "none: it comes from git's tags, and there are none", "a version", "name it")
        raise ReleaseError(problem)
    try:
        return parse_version(text)
    except ValueError:
        raise ReleaseError(Problem(str(places[0].path), repr(text), "a PEP 440 version", "correct it")) from None


def _next(now: Version, wanted: str) -> Version:
    if wanted in {"major", "minor", "patch"}:
        return bump(now, wanted)
    try:
        return now if wanted == CURRENT else parse_version(wanted)
    except ValueError:
        expected = "major, minor, patch, current or a version such as '1.2.3'"
        raise ReleaseError(Problem("version", repr(wanted), expected, "name the version to release")) from None


def _as_before(version: Version, before: list[str]) -> str:
    """Return `version` with as many digits a number as one of the versions `before`, where that is padded.

    Calendar versions are: 2026.02.03 is the same by PEP 440 as 2026.2.3, and its tags sort as they are written.
    """
    padded = next((text for text in before if re.fullmatch(r"\d+(\.\d+)*", text) and re.search(r"(^|\.)0\d", text)), "")
    widths = [len(number) for number in padded.split(".")]
    if not padded or version.public != version.base_version or len(version.release) != len(widths):
        return str(version)
    return ".".join(str(number).zfill(width) for number, width in zip(version.release, widths, strict=True))


def _problems(root: Path, branches: tuple[str, ...], now: Version | None, version: Version, tag: str) -> list[Problem]:
    """Return every reason not to release `version`; `now` is the version that it must exceed, if any."""
    found = []
    if changed := git.lines(root, "status", "--porcelain", "--", "."):
        found.append(Problem("working tree", f"{len(changed)} changed files", "a clean one", "commit or stash them"))
    if now is not None and version <= now:
        remedy = "name a greater one" + (f", or {CURRENT!r} to release this one as it stands" if version == now else "")
        found.append(Problem("version", repr(str(version)), f"one greater than {str(now)!r}", remedy))
    if version.local:
        found.append(Problem("version", repr(str(version)), repr(version.public), "an index takes no local version"))
    if git.query(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}") is not None:
        found.append(Problem(f"tag {tag!r}", "one of that name", "a new one", "release the next version"))
    return found + _branch_problem(root, branches)


def _branch_problem(root: Path, branches: tuple[str, ...]) -> list[Problem]:
    default = (git.symbolic(root, "refs/remotes/origin/HEAD") or "").removeprefix("origin/")
    allowed = branches or tuple(dict.fromkeys(filter(None, (default, *DEFAULT_BRANCHES))))
    branch = git.symbolic(root, "HEAD")
    if branch in allowed:
        return []
    remedy = "switch to it, or set release-branches"
    return [Problem("branch", repr(branch or "none"), " or ".join(map(repr, allowed)), remedy)]


def _changes(root: Path, places: list[Written], version: str) -> tuple[dict[Path, str], str]:
    """Return the new text of each file that the release changes, and a note where it changes no changelog."""
    files: dict[Path, str] = {}
    # From the end of a file to its beginning, so that each place is still where it was found.
    for written in sorted(places, key=lambda written: written.start, reverse=True):
        text = files.get(written.path) or read_text(written.path)
        files[written.path] = text[: written.start] + version + text[written.end :]
    files = {path: text for path, text in files.items() if text != read_text(path)}
    changelogs = [root / name for name in CHANGELOGS if (root / name).is_file()]
    for path in changelogs:
        text = read_text(path)
        _check_heading(path.name, text, Version(version))
        if (dated := _dated(text, version)) is not None:
            return {**files, path: dated}, ""
    names = " and ".join(path.name for path in changelogs)
    return files, f"\nnote: {names}: no heading 'Unreleased' to date" if changelogs else ""


def _check_heading(name: str, text: str, version: Version) -> None:
    """Raise `ReleaseError` where the unreleased part, as in `1.2 (unreleased)`, is that of another version."""
    match = UNRELEASED.search(text)
    try:
        named = parse_version((match["version"] or "").strip()) if match else version
    except ValueError:
        return  # `Next (unreleased)`, or no word before it
    if named.release != version.release:
        remedy = f"release {named.base_version}, or correct the heading"
        raise ReleaseError(Problem(name, f"the heading {str(named)!r}", f"{str(version)!r}", remedy))


def _dated(text: str, version: str) -> str | None:
    """Return a changelog whose unreleased part became `version` of today, below a new and empty one."""
    match = UNRELEASED.search(text)
    if not match or not (match["mark"] or match["line"]):
        return None
    end, today = match["end"] or "\n", f"{datetime.now(timezone.utc):%Y-%m-%d}"
    brackets = match["open"] == "[" and not match["version"]
    title = f"[{version}] - {today}" if brackets else f"{version} - {today}"
    below = f"{match['line'] * len(title)}{end}" if match["line"] else ""
    dated = f"{match['mark'] or ''}{title}{end}{below}"
    # `1.2 (unreleased)` is itself the heading of the version; there is no other to keep.
    kept = "" if match["version"] else f"{match[0].rstrip()}{end}{end}"
    return f"{text[: match.start()]}{kept}{dated}{text[match.end() :]}"


def _commit(root: Path, files: dict[Path, str], message: str, tag: str) -> None:
    before, saved = git.query(root, "rev-parse", "HEAD"), {path: path.read_bytes() for path in files}
    try:
        for path, text in files.items():
            path.write_bytes(text.encode())
        if files:
            git.run(root, "commit", "--quiet", "--message", message, "--", *map(str, files))
        git.run(root, "tag", "--annotate", tag, "--message", message)
    except BaseException:
        for path, content in saved.items():
            path.write_bytes(content)
        with suppress(ReleaseError):  # what git said first is the reason
            if git.query(root, "rev-parse", "HEAD") != before:
                git.run(root, "reset", "--quiet", "--soft", str(before))
            git.run(root, "reset", "--quiet")
        raise


def _push(root: Path, branch: str, tag: str) -> None:
    try:
        git.run(root, "push", "--quiet", "--atomic", "origin", branch, tag)
    except ReleaseError as error:
        retry = f"{tag} is committed and tagged here, but not pushed; then: git push --atomic origin {branch} {tag}"
        raise ReleaseError(*error.args, retry) from error
