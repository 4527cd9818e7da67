"""The commands in a text for a shell, as far as they can be told without running it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from .model import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
#: Words of the shell that may come before a command.
WORDS = {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "(", "exec", "time", "sudo", "command"}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def commands(text: str, file: str, line: int) -> Iterator[Command]:
    """Yield the commands of `text`, whose first line is `line` of `file`; a line that no shell reads is left out."""
    for number, row in _joined(text, line):
        try:
            # An expression of a CI service is one word, whatever is in it.
            lexer = shlex.shlex(EXPRESSION.sub("${EXPRESSION}", row), posix=True, punctuation_chars=";&|\n")
            lexer.whitespace_split = True
            lexer.commenters = "#"
            words = [*lexer]
        except ValueError:
            continue
        yield from _split(words, f"{file}:{number}" if number else file)


def _joined(text: str, line: int) -> Iterator[tuple[int, str]]:
    held, start = "", line
    for number, row in enumerate(text.splitlines(), line):
        start = start if held else number
        held += row.strip()
        if held.endswith("\\"):
            held = f"{held[:-1]} "
            continue
        if held and held[0] != "#":
            yield (start if line else 0), held
        held = ""


def _split(words: list[str], where: str) -> Iterator[Command]:
    env, argv, folder = list[str](), list[str](), ""
    for word in [*words, ";"]:
        if not word.strip(";&|\n"):
            if argv[:1] == ["cd"]:
                folder = argv[1] if len(argv) > 1 else folder
            elif argv:
                yield Command(tuple(argv), where, tuple(env), folder)
            env, argv = [], []
        elif not argv and (ASSIGNED.fullmatch(word) or word in WORDS):
            env += [word] if ASSIGNED.fullmatch(word) else []
        else:
            argv.append(word)
