"""The commands in a shell script, with the folder and the variables of each."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from tagship.facts.publishing import shell

from .model import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
#: Programs that run the command that follows.
BEFORE = {"exec", "time", "sudo", "command"}
REDIRECTS = re.compile(r"(\d*|&)[<>]")


def commands(text: str, file: str, line: int) -> Iterator[Command]:
    """Yield the commands of `text`, whose first line is `line` of `file`, 0 if not known."""
    yield from as_commands(shell.commands(text, line or 1), file, known=bool(line))


def as_commands(
    found: Iterable[shell.Command], file: str, *, known: bool = True, apart: bool = False
) -> Iterator[Command]:
    """Yield the commands that were `found` in a file; with `apart`, each line runs in its own shell."""
    folder, exported, last = "", tuple[str, ...](), 0
    for each in found:
        if apart and each.line != last:
            folder, exported, last = "", (), each.line
        words, assigned = [*_redirected(each.words)], tuple(f"{name}={value}" for name, value in each.assigned)
        while words and words[0] in BEFORE:
            words.pop(0)
        if words[:1] == ["cd"]:
            folder = posixpath.normpath(posixpath.join(folder, *words[1:2]))
        elif words[:1] == ["export"]:
            exported += assigned
        elif words:
            place = "" if folder == "." else folder
            yield Command(tuple(words), f"{file}:{each.line}" if known else file, exported + assigned, place)
        if each.text.startswith("("):  # a subshell: its `cd` ends with it
            folder = ""


def _redirected(words: Iterable[str]) -> Iterator[str]:
    """Yield the words of a command without redirections."""
    skipped = False
    for word in words:
        if not skipped and not (found := REDIRECTS.match(word)):
            # A CI service's expression is one word, even with spaces.
            yield shell.EXPRESSION.sub("${EXPRESSION}", word)
        else:
            skipped = not skipped and found is not None and found.end() == len(word.rstrip("<>&|"))
