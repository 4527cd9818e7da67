"""The notes of a release: the changelog's section for its version, else the commits since the previous release."""

import re
from contextlib import suppress
from pathlib import Path

from packaging.version import Version

from ..errors import ReleaseError
from ..files import read_text
from . import changelog, git
from .packages import Package, history
from .versions import parsed

COMMITS = 200
LONGEST = 120_000  # characters: GitHub accepts 125,000
#: A heading of Markdown, an underlined one, as in reStructuredText and in Markdown, or a bold line with a version.
HEADING = re.compile(
    r"^(?P<mark>#{1,6})[ \t]+(?P<title>.+)$"
    r"|^(?:([=~^\"'`#*+-])\3{2,}[ \t]*\n)?(?P<text>\S.*)\n(?P<line>[=~^\"'`#*+-])(?P=line){2,}[ \t]*$"
    r"|^\*\*(?P<bold>v?\d[\w.+-]*(?: [^*\n]+)?)\*\*[ \t]*$",
    re.MULTILINE,
)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"^(\[[^\]\n]+\]):[ \t]*\S+.*$", re.MULTILINE)
WORD = re.compile(r"(?<![\w.])v?\d[\w.+!-]*")
#: reStructuredText that is converted to Markdown: a link, a role, a heading.
FORMS = (
    (re.compile(r"`([^`<]*[^`<\s])\s*<([^>`]+)>`__?"), r"[\1](\2)"),
    (re.compile(r"(?<![\w`]):[a-z:]+:(`[^`]+`)"), r"\1"),
    (re.compile(r"^(\S.*)\n([=~^\"'`#*+-])\2{2,}[ \t]*$", re.MULTILINE), r"### \1"),
)


def of(package: Package, name: str, version: Version) -> str:
    """Return the notes, as Markdown, for this `version` of the distribution `name` in `package`."""
    folders = [package.folder, *[package.root] * package.lockstep]
    found = next(filter(None, (section(folder, version) for folder in folders)), "")
    return found or _commits(package, name, version)


def section(folder: Path, version: Version) -> str:
    """Return the changelog's text below its heading for `version`, as Markdown; "" if `folder` has no such heading."""
    for path in changelog.paths(folder):
        with suppress(ReleaseError):  # one that cannot be read
            text = read_text(path).replace("\r\n", "\n")
            if found := _section(text, version, is_markdown=path.suffix in {".md", ".markdown"}):
                return found
    return ""


def _section(text: str, version: Version, *, is_markdown: bool) -> str:
    headings = list(HEADING.finditer(FENCE.sub(lambda code: re.sub(r"\S", "x", code[0]), text)))
    at = next((at for at, heading in enumerate(headings) if _is_about(heading, version)), None)
    if at is None:
        return ""
    end = next((each.start() for each in headings[at + 1 :] if _ends(each, headings[at])), None)
    body = LINK.sub("", text[headings[at].end() : end]).strip()
    if not headings[at]["mark"] and not is_markdown:
        for pattern, form in FORMS:
            body = pattern.sub(form, body)
    links = [link[0] for link in LINK.finditer(text) if link[1] in body]
    return "\n\n".join(filter(None, [body, "\n".join(links)]))


def _is_about(heading: re.Match[str], version: Version) -> bool:
    title = re.sub(
        r"\]\([^()]*\)", "]", heading["title"] or heading["bold"] or heading["text"]
    )  # a URL may name other versions
    return any(parsed(word.rstrip(".-+!")) == version for word in WORD.findall(title))


def _ends(other: re.Match[str], heading: re.Match[str]) -> bool:
    """Return whether the heading `other` ends the section below `heading`."""
    if other["mark"] and heading["mark"]:
        return len(other["mark"]) <= len(heading["mark"])
    return bool(other["bold"] and heading["bold"]) or bool(other["line"] and other["line"] == heading["line"])


def _commits(package: Package, name: str, version: Version) -> str:
    """Return the subjects of the commits since the release before `version`, without merges, newest first."""
    tags, _ = history(package.root, package, name)
    # The changes of a final release are those since the last final one.
    known = [tag for tag in tags if version.is_prerelease or not tag.version.is_prerelease]
    before = next((tag for tag in known if tag.version < version), None)
    since = f"refs/tags/{before}..HEAD" if before else "HEAD"
    options = ("--no-merges", "--no-show-signature", f"--max-count={COMMITS}", "--format=- %s (%h)")
    return "\n".join(git.lines(package.root, "log", *options, since, "--", "." if package.lockstep else package.path))
