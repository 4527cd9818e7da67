"""Explains a failed upload: its message with the cause, the remedy and a link."""

import re

from .causes import CAUSES, NO_TEST, OTHER_NAME, STATUS, Cause

UNKNOWN = Cause(
    "unknown-message",
    "",
    "tagship does not know this message",
    "run this with `-- --verbose`, and see the index's help",
    "help/",
)


def cause(text: str) -> Cause:
    """Return the cause of the failure that `text` describes, or `UNKNOWN`."""
    message = re.sub(r"https?://[^\s'\"]+?/simple/[^\s'\"]*", "", text)  # a project's name may contain any pattern
    return next((each for each in CAUSES if re.search(each.pattern, message)), UNKNOWN)


def explained(text: str, site: str = "", *advice: str) -> str:
    """Return a failure in at most five lines: what happened, why, what to do, and a link.

    `site` is the URL of the index's website, if it is PyPI or TestPyPI; `advice` replaces the usual remedy and link.
    """
    found = cause(text)
    link = f"{site}{found.link}" if found.link.startswith("help") else found.link
    linked = link.startswith("https:") and (link != STATUS or site)  # the status page is PyPI's
    remedy = NO_TEST if OTHER_NAME in found.remedy and "//test." in site else found.remedy
    usual = [f"do: {remedy}", *([f"see: {link}"] if linked else [])]
    return "\n  ".join([f"{' '.join(text.split())} [{found.code}]", f"why: {found.why}", *(advice or usual)])
