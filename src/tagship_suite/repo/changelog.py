"""The changelog of a release: the unreleased section gets its version and date, and the links are updated."""

import re
from datetime import datetime, timezone
from fnmatch import fnmatch
from os.path import relpath
from pathlib import Path
from typing import Any

from packaging.version import Version

from ..errors import Problem, refusal, refuse, some
from ..files import load_toml, parse_cfg, read_text, subtable
from .versions import parsed

FOLDERS = ("", "docs", "docs/source", "doc", "doc/source")
NAME = re.compile(
    r"(changelog|changes|(version[-_]?)?history|news|releases|release[-_]?notes)(\.md|\.markdown|\.rst|\.txt)?",
    re.IGNORECASE,
)
#: `## Unreleased`, `## [Unreleased]` with or without its link, or a reStructuredText title with its line below, which
#: may also be a link; or a bold line.
UNRELEASED = re.compile(
    r"^(?P<mark>#+ |\*\*(?=unreleased\*\*))?(?P<version>[\w.]+ (?:- )?)?"
    r"(?P<open>[(\[`]?)unreleased(?: <(?P<target>[^\s>]+)>)?(?P<close>[)\]]|`__?|\*\*)?(?P<url>\([^\s)]+\))?"
    r"[ \t]*(?P<end>\r?\n|\Z)(?:(?P<line>[-=~^*#+])(?P=line)+[ \t]*(?:\r?\n|\Z))?",
    re.IGNORECASE | re.MULTILINE,
)
#: What an empty section may hold: comments, headings, links, and the placeholders of zest.releaser and others.
FILLER = re.compile(
    r"<!--[\s\S]*?-->|^\.\. .*|^\[[^\]]+\]:.*|^#.*|^.*\n([-=~^*#+])\1{2,}[ \t]*$"
    r"|^[-*+ \t]*(?:nothing(?: changed)?|no(?: notable)? changes)?(?: yet)?[. \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
#: A page of the docs that shows another file.
INCLUDES = re.compile(r"^(?:\.\. |`{3,}\{)include\b|^--8<--", re.MULTILINE)
LINK = re.compile(r"^(\[|\.\. _)(unreleased)(\]?:[ \t]+)(\S+)[ \t]*(\r?\n|\Z)", re.IGNORECASE | re.MULTILINE)
#: The types of towncrier's news fragments, such as `123.feature.md`, unless it is configured for others.
TYPES = {"feature", "bugfix", "doc", "removal", "misc"}
#: `2026-01-31`, `2026/01/31`, `January 31, 2026` or `31 Jan 2026`.
DATE = r"(?P<date>\d{4}(?P<sep>[-/])\d\d(?P=sep)\d\d|[A-Z][a-z]{2,8} \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]{2,8} \d{4})"
#: The heading of an earlier release with nothing but its version and date, such as `Version 1.2 (2026-01-31)`.
EARLIER = re.compile(
    r"(?P<before>(?:[A-Za-z][\w.-]* ){0,2}v?)\d[\w.]*"
    rf"(?:(?P<between>[ ,:(\u2013\u2014-]+){DATE}(?P<after>\)?))?"
)
#: A line with the date below such a heading.
DATED = re.compile(rf"\s*(?P<between>[*_(]*(?:Released(?: on)? )?){DATE}(?P<after>[.)*_]*)[ \t]*(?:\r?\n|\Z)")
#: A link in reStructuredText, as a title has it: `1.2`_ or `1.2 <https://…>`__.
REFERENCE = re.compile(r"`([^`<]+?)(?: <[^>]*>)?`__?")
COMPARED = re.compile(r"(.*/compare/)(.+?)(\.{2,3})([^.].*)")


def today() -> str:
    """Return the date of a release that is made now, in UTC."""
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def paths(folder: Path) -> list[Path]:
    """Return the changelogs in `folder`."""
    found = [path for name in FOLDERS if (folder / name).is_dir() for path in sorted((folder / name).iterdir())]
    return [path for path in found if NAME.fullmatch(path.name) and path.is_file()]


def dated(folder: Path, version: str, tag: str) -> tuple[dict[Path, str], list[str]]:
    """Return the new text of the changelog in `folder` by its path, and notes about what is left to do by hand.

    Nothing changes if `version` already has a heading. Raises `ReleaseError` if the unreleased section is empty or
    for another version, or if there are news fragments that it should have.
    """
    if not Version(version).is_prerelease:
        _refuse_fragments(folder, version)
    texts = {path: read_text(path) for path in paths(folder)}
    heading = re.compile(rf"(?im)^(?:#+ *|\*\*)?[\[`]?v?{re.escape(version)}(?![\w.+-]*\w|.*unreleased)")
    if any(map(heading.search, texts.values())):
        return {}, []
    for path, text in texts.items():
        if match := next((each for each in UNRELEASED.finditer(text) if each["mark"] or each["line"]), None):
            _check(path.relative_to(folder).as_posix(), text, match, Version(version))
            new = _linked(_released(text, match, version, tag), version, tag)
            linked = match["open"] == "[" and re.search(r"^\[v?\d.*\]: ", text, re.MULTILINE)
            lost = f"{path.relative_to(folder).as_posix()}: [{version}] has no link, because [Unreleased] has none"
            return {path.resolve(): new}, [lost] if linked and f"[{version}]:" not in new else []
    own = [path for path, text in texts.items() if not INCLUDES.search(text)]
    names = " and ".join(path.relative_to(folder).as_posix() for path in own)
    return {}, [f"{names}: no heading 'Unreleased' to date"] if own else []


def _check(name: str, text: str, match: re.Match[str], version: Version) -> None:
    """Raise `ReleaseError` if the unreleased section is empty, or for another version: `1.2 (unreleased)`."""
    # Up to the next heading that is not part of it.
    mark, line = (match["mark"] or "").strip(), re.escape(match["line"] or "")
    after = "^#{1," + str(len(mark)) + "} " if mark else r"^\S.*\n" + line + r"{3,}\s*$"
    after = r"^\*\*\S.*\*\*\s*$" if mark == "**" else after
    following = re.compile(after, re.MULTILINE).search(text, match.end())
    if not FILLER.sub("", text[match.end() : following.start() if following else None].replace("\r", "")).strip():
        raise refusal("changelog", name, "nothing below 'Unreleased'", "what this release changes", "write it there")
    named = parsed((match["version"] or "").strip(" -"))  # None for `Next (unreleased)`, or no word before it
    if named and Version(named.base_version) != Version(version.base_version):
        remedy = f"release {named.base_version}, or correct the heading"
        raise refusal("changelog", name, f"the heading {str(named)!r}", f"{str(version)!r}", remedy)


def _refuse_fragments(folder: Path, version: str) -> None:
    tables = (subtable(load_toml(folder / name), "tool", "towncrier") for name in ("towncrier.toml", "pyproject.toml"))
    tools = {"towncrier build": _fragments(folder, next(filter(None, tables), {})), "scriv collect": _of_scriv(folder)}
    for command, found in tools.items():
        names = some([path.name for path in found])
        remedy = f"run: {command} --version {version}; commit, and release {version}"
        where, expected = relpath(found[0].parent, folder) if found else "", "all of them in the changelog"
        refuse([Problem("changelog", where, f"news fragments ({names})", expected, remedy)] * bool(found))


def _of_scriv(folder: Path) -> list[Path]:
    """Return the news fragments that scriv collects, if it is configured."""
    files = [folder / name for name in ("setup.cfg", "tox.ini", "changelog.d/scriv.ini")]
    read = [parse_cfg(path) for path in files if path.is_file() and "scriv]" in read_text(path)]
    tables = [dict(cfg.items(name)) for cfg in read for name in cfg.sections() if name in {"scriv", "tool.scriv"}]
    tool = subtable(load_toml(folder / "pyproject.toml"), "tool")
    if not tables and "scriv" not in tool:
        return []
    settings = {"fragment_directory": "changelog.d", "skip_fragments": "README.*"}
    for table in [*tables, subtable(tool, "scriv")]:
        settings |= table
    place = folder / str(settings["fragment_directory"])
    found = sorted(path for suffix in ("rst", "md") for path in place.glob(f"*.{suffix}"))
    return [path for path in found if not fnmatch(path.name, str(settings["skip_fragments"]))]


def _fragments(folder: Path, table: dict[str, Any]) -> list[Path]:
    """Return the news fragments that towncrier, configured by `table`, collects: only those directly in its folders."""
    if not table:
        return []
    types, sections, ignored = (_listed(table, key) for key in ("type", "section", "ignore"))
    named = {str(each.get("directory", str(each.get("name")).lower())) for each in map(subtable, types)}
    known = named | {*subtable(table, "fragment")} or TYPES
    top, below = f"{table.get('package_dir', '.')}/{table.get('package', '')}", "newsfragments"
    if "directory" in table:
        top, below = str(table["directory"]), ""
    places = [folder / top / str(subtable(each).get("path", "")) / below for each in sections or [{}]]
    paths = sorted(path for place in places if place.is_dir() for path in place.iterdir() if path.name not in ignored)
    return [path for path in paths if known & {*path.name.split(".")[1:]} and path.is_file()]


def _listed(table: dict[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def _released(text: str, match: re.Match[str], version: str, tag: str) -> str:
    """Return the changelog with the unreleased section as `version` of today, below a new, empty one."""
    end, brackets = match["end"] or "\n", match["open"] == "[" and not match["version"]
    url = match["target"] or (match["url"] or "")[1:-1]
    newer, own = _compared(url, tag)
    linked = (f"[{version}]{f'({own})' if own else ''} - {today()}", "")
    title, line = linked if brackets else _styled(text, match, version)
    if match["open"] == "`" and (own or _linked(text, version, tag) != text):
        named = re.search(r"\S*\d\S*", title)
        to = (f" <{own}>", "__") if own else ("", "_")
        title = f"`{named[0]}{to[0]}`{to[1]}{title[named.end() :]}" if named and not named.start() else title
    below = f"{match['line'] * len(title)}{end}" if match["line"] else ""
    below += f"{end}{line}{end}" if line else ""
    # `1.2 (unreleased)` is the heading of the version itself; there is no other one to keep.
    kept = "" if match["version"] else f"{match[0].rstrip()}{end}{end}"
    if newer:
        longer = (match["line"] or "") * (len(newer) - len(url))  # a title's line is as long as the title
        kept = f"{kept.replace(url, newer).rstrip()}{longer}{end}{end}"
    mark = match["mark"] or ""
    title = f"{mark}{title}{mark if mark == '**' else ''}"
    return f"{text[: match.start()]}{kept}{title}{end}{below}{text[match.end() :]}"


def _styled(text: str, match: re.Match[str], version: str) -> tuple[str, str]:
    """Return the heading for `version`, and the line with its date, "" if it has none, as for the release before it."""
    mark, line = re.escape(match["mark"] or ""), re.escape(match["line"] or "")
    close = mark * (match["mark"] == "**")
    pattern = rf"^{mark}(\S.*?){close}[ \t]*\r?$" if mark else rf"^(\S.*?)[ \t]*\r?\n{line}{line}{line}+[ \t]*\r?$"
    heading = re.compile(pattern, re.MULTILINE).search(text, match.end())
    before = EARLIER.fullmatch(REFERENCE.sub(r"\1", heading[1])) if heading else None
    if not heading or not before:
        return f"{version} - {today()}", ""
    title, below = f"{before['before']}{version}", DATED.match(text, heading.end())
    return (f"{title}{_today(before)}", "") if before["date"] else (title, _today(below) if below else "")


def _today(written: re.Match[str]) -> str:
    """Return today's date in the form of the one that is `written`, with what surrounds that."""
    date, now = written["date"], datetime.now(timezone.utc)
    if separator := written["sep"]:
        new = f"{now:%Y-%m-%d}".replace("-", separator)
    else:
        new = re.sub(r"[A-Z][a-z]+", f"{now:%b}" if re.search(r"\b(?!May)[A-Z][a-z]{2}\b", date) else f"{now:%B}", date)
        new = re.sub(r"\b\d{1,2}\b", f"{now:%d}" if re.search(r"\b0\d\b", date) else f"{now.day}", new)
        new = re.sub(r"\d{4}", f"{now.year}", new)
    return f"{written['between']}{new}{written['after']}"


def _linked(text: str, version: str, tag: str) -> str:
    """Return `text` with the link of the unreleased section starting at `tag`, and one for `version` below it."""
    link = LINK.search(text)
    newer, own = _compared(link[4], tag) if link else ("", "")
    if not link or not own:
        return text
    end = link[5] or "\n"
    lines = f"{link[1]}{link[2]}{link[3]}{newer}{end}{link[1]}{version}{link[3]}{own}{end}"
    return text[: link.start()] + lines + text[link.end() :]


def _compared(url: str, tag: str) -> tuple[str, str]:
    """Return the URLs that compare `tag` with later and with earlier commits; "" if `url` is not a comparison."""
    if not (match := COMPARED.fullmatch(url)):
        return "", ""
    base, before, dots, after = match.groups()
    return f"{base}{tag}{dots}{after}", f"{base}{before}{dots}{tag}"
