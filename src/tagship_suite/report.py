"""What a run reports: on the terminal, and on GitHub in the job summary, as outputs and as annotations."""

import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import redact
from .errors import ReleaseError, from_os, links, refusal

if TYPE_CHECKING:
    import nox

T = TypeVar("T")


class Reported(Exception):
    """A step has failed, and the reasons are already printed."""


@contextmanager
def reporting() -> Iterator[None]:
    """Print the problems of a `ReleaseError` in the block, then raise `Reported`; redact everything that is printed."""
    redact.register_environ(os.environ)
    with redact.redacting(), without_warnings():
        try:
            yield
        except (ReleaseError, OSError) as error:
            lines = error.args if isinstance(error, ReleaseError) else [str(from_os(error))]
            errors(lines)
            raise Reported(f"{len(lines)} problem{'s' * (len(lines) > 1)}, see above") from None
        except Exception:
            traceback.print_exc()
            raise Reported("a bug in tagship, see above") from None
        finally:
            sys.stdout.flush()  # before the next command of the session prints


def run(session: "nox.Session", function: Callable[..., T], *arguments: object) -> T:
    """Return what `function` returns; if it raises `ReleaseError`, print that and end the session."""
    try:
        with reporting():
            return function(*arguments)
    except Reported as reported:
        session.error(str(reported))


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore Python's warnings about code that is read, such as an invalid escape: only its authors can act on them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*\binvalid \w+")
        yield


def output(name: str, value: str) -> None:
    """Set an output of the job, on GitLab in a dotenv report; on one line, as a second one could set another output."""
    _append("GITHUB_OUTPUT", f"{name}={' '.join(redact.redacted(value).split())}")


def summary(*paragraphs: str) -> None:
    """Add Markdown `paragraphs` to the job summary, on GitHub."""
    _append("GITHUB_STEP_SUMMARY", "\n\n".join(paragraphs) + "\n")


def errors(lines: Iterable[str]) -> None:
    """Print each as an error, on GitHub also as an annotation and in the job summary, with its explanation."""
    lines = [redact.redacted(line) for line in lines]
    for line in map(_safe, lines):  # redact before encoding
        print(f"error: {line}", file=sys.stderr)
        with suppress(ReleaseError):  # such as a full disk, which would hide the other errors
            summary("\n".join(["> [!CAUTION]", *(f"> {code(part)}\\" for part in line.splitlines())]).rstrip("\\"))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print("::error::" + line.replace("%", "%25").replace("\n", "%0A"))
    for link in links(lines):
        print(link, file=sys.stderr)
        with suppress(ReleaseError):
            summary(link)


def notes(lines: Iterable[str]) -> None:
    """Print each as a note, on GitHub also as an annotation and in the job summary."""
    for line in (lines := [*map(one_line, lines)]):
        print(f"note: {line}")
        summary(f"> [!NOTE]\n> {code(line)}")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print("::warning::" + line.replace("%", "%25"))
    print("".join(f"{link}\n" for link in links(lines)), end="")


def one_line(text: str) -> str:
    """Return `text` on one line: GitHub could take a second line, from a dist, for a workflow command."""
    return " ".join(redact.redacted(text).splitlines()).replace("##[", "## [")


def _safe(text: str) -> str:
    """Return `text` with line breaks only before the indented lines of an explanation."""
    first, *rest = text.replace("##[", "## [").splitlines() or [""]
    return first + "".join(f"\n{line}" if re.match("  [a-z]", line) else f" {line}" for line in rest)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; its cells are shown as code, so that nothing in them is interpreted as Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(map(code, row)) + " |" for row in rows]
    return "\n".join(lines)


def tree(name: str, members: Collection[str]) -> str:
    """Return the files `members` of the dist `name` as an indented tree, collapsed under its name."""
    lines = {}
    for parts in (member.split("/") for member in sorted(members)):
        for depth, part in enumerate(parts, 1):
            lines[tuple(parts[:depth])] = "  " * (depth - 1) + part + "/" * (depth < len(parts))
    text = redact.redacted("\n".join(lines.values())).replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{name}: {len(members)} files</summary>\n\n<pre>\n{text}\n</pre>\n</details>"


def code(text: str) -> str:
    """Return `text` as Markdown code, on one line, also for a table."""
    plain = " ".join(redact.redacted(text).split()).replace("`", "'").replace("|", r"\|")
    return f"`{plain}`" if plain else ""


def _append(variable: str, text: str) -> None:
    if not (path := os.environ.get(variable)):
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(redact.redacted(text) + "\n")
    except OSError as error:
        found = f"{path!r} ({error.strerror})"
        raise refusal("file-system", variable, found, "a file to write to", "set another path") from error
