"""Splits a shell script into commands: enough of the grammar to tell a command from text that mentions one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
PLAIN = re.compile(r"[\w./:=,@%+*{}\[\]~^!?-]+")
QUOTED = re.compile(r"[^\\\"'$\n]+")
LAST = re.compile(r"[/\\}](?=.)")
#: What a launcher such as npx, uvx or pipx takes after the name of the program.
VERSION = re.compile(r"(?<=\w)(?:\[[\w,.-]*\])?(?:@|[=~!]=|[<>]).*$")
HEREDOC = re.compile(r"<<-?\s*(\\?['\"]?)([A-Za-z_]\w*)\1")
KEYWORDS = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "for",
        "do",
        "done",
        "while",
        "until",
        "case",
        "esac",
        "in",
        "{",
        "}",
        "!",
        "(",
        ")",
        "time",
    ]
)
SHELLS = frozenset(["bash", "sh", "dash", "zsh", "ash", "ksh", "eval"])
DECLARATIONS = frozenset(["export", "declare", "local", "readonly", "set", "setx"])


@dataclass(frozen=True)
class Command:
    """A command: its words without quotes, the assignments before or by it, and the line where it starts."""

    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...]
    line: int
    text: str

    @property
    def name(self) -> str:
        """The command's name without its folder, "" if it only assigns."""
        return base(self.words[0]) if self.words else ""


@lru_cache(maxsize=1 << 12)
def base(word: str) -> str:
    """Return the name of the program that `word` calls, without a folder or a variable before it."""
    if not word.isalnum():
        word = VERSION.sub("", LAST.split(word)[-1].strip("$(){}@\"'")).removesuffix(".exe")
    return word.lower()


def commands(script: str, first: int = 1) -> list[Command]:
    """Return the commands of `script`, whose first line has the number `first`, with those of `sh -c`."""
    return [*_commands(script, first)]


@lru_cache(maxsize=256)  # several readers need the same ones
def _commands(script: str, first: int) -> tuple[Command, ...]:
    lines = script.splitlines()
    found: list[Command] = []
    for parts, line in _Scanner(script, first).commands():
        text = lines[line - first].strip() if 0 <= line - first < len(lines) else ""
        found += _command(parts, line, text)
    return tuple(found)


def _command(parts: list[str], line: int, text: str) -> Iterator[Command]:
    words = list(parts)
    while words and words[0] in KEYWORDS:
        words.pop(0)
    assigned: list[tuple[str, str]] = []
    if words and words[0].lower() in DECLARATIONS:
        assigned = [(each[1], each[2]) for word in words[1:] if (each := ASSIGNMENT.fullmatch(word))]
    while words and (match := ASSIGNMENT.fullmatch(words[0])):
        assigned.append((match[1], match[2]))
        words.pop(0)
    if not words and not assigned:
        return
    yield Command(tuple(words), tuple(assigned), line, text)
    for index, word in enumerate(words[:-1]):
        if base(word) in SHELLS:
            rest = words[index + 1 :]
            given = next((at for at, each in enumerate(rest) if each in {"-c", "-ec", "-lc", "-xc", "-exc"}), None)
            inner = rest if base(word) == "eval" else rest[given + 1 :] if given is not None else []
            if inner:
                yield from commands(" ".join(inner) if base(word) == "eval" else inner[0], line)
            break


class _Scanner:
    """Splits a script at its operators, with quotes, escapes, comments and here-documents as in a shell."""

    def __init__(self, script: str, first: int) -> None:
        self.text = script.replace("\r\n", "\n")
        self.line = first
        self.at = 0
        self.words: list[str] = []
        self.word: list[str] | None = None
        self.start = first
        self.waiting: list[str] = []

    def commands(self) -> Iterator[tuple[list[str], int]]:
        while self.at < len(self.text):
            if self._step():
                yield from self._finish()
        yield from self._finish()

    def _finish(self) -> Iterator[tuple[list[str], int]]:
        self._end_word()
        if self.words:
            yield self.words, self.start
        self.words = []

    def _step(self) -> bool:
        """Consume the next character; return whether it ends a command."""
        rest = self.text
        if match := PLAIN.match(rest, self.at):
            self.at = match.end()
            self._add(match[0])
            return False
        char = rest[self.at]
        if char == "\\" and self.at + 1 < len(rest):
            return self._escape(rest[self.at + 1])
        if char == "`" and self.at + 1 < len(rest) and rest[self.at + 1] == "\n":
            return self._escape("\n")  # a continued line in PowerShell
        if char in "'\"":
            return self._quoted(char)
        if char == "$" and (match := EXPRESSION.match(rest, self.at)):
            return self._take(match[0])
        if (char == "$" and rest.startswith("$(", self.at)) or char == "`":
            return self._substitution(char)
        if char == "#" and self.word is None:
            end = rest.find("\n", self.at)
            self.at = len(rest) if end < 0 else end
            return False
        if char == "<" and (match := HEREDOC.match(rest, self.at)) and not rest.startswith("<<<", self.at):
            self._end_word()
            self.waiting.append(match[2])
            self.at = match.end()
            return False
        return self._plain(char)

    def _plain(self, char: str) -> bool:
        self.at += 1
        if char == "\n":
            self._end_word()
            self.line += 1
            self._skip_heredocs()
            return True
        if char in " \t":
            self._end_word()
        elif char in ";&|()" and not (char == "&" and self.text[self.at - 2 : self.at - 1] == ">"):
            self._end_word()
            return True
        else:
            self._add(char)
        return False

    def _escape(self, following: str) -> bool:
        self.at += 2
        if following == "\n":
            self.line += 1
            self._end_word()
        else:
            # A path on Windows keeps its backslashes.
            self._add(following if following in " \"'$`\\;&|()#" else "\\" + following)
        return False

    def _quoted(self, quote: str) -> bool:
        content: list[str] = []
        self.at += 1
        start = self.line
        while self.at < len(self.text) and self.text[self.at] != quote:
            if match := QUOTED.match(self.text, self.at):
                content.append(match[0])
                self.at = match.end()
                continue
            char = self.text[self.at]
            if char == "\\" and quote == '"' and self.at + 1 < len(self.text):
                following = self.text[self.at + 1]
                content.append("" if following == "\n" else following if following in '"\\$`' else char + following)
                self.line += following == "\n"
                self.at += 2
                continue
            if match := EXPRESSION.match(self.text, self.at):
                content.append(match[0])
                self.line += match[0].count("\n")
                self.at = match.end()
                continue
            self.line += char == "\n"
            content.append(char)
            self.at += 1
        self.at += 1
        self._add("".join(content), start)
        return False

    def _substitution(self, opening: str) -> bool:
        """Keep a command substitution, which may be nested, as part of the word."""
        begin = self.at
        if opening == "`":
            end = self.text.find("`", self.at + 1)
            self.at = len(self.text) if end < 0 else end + 1
        else:
            self.at += 2
            depth = 1
            while self.at < len(self.text) and depth:
                depth += {"(": 1, ")": -1}.get(self.text[self.at], 0)
                self.at += 1
        start = self.line
        self.line += self.text.count("\n", begin, self.at)
        self._add(self.text[begin : self.at], start)
        return False

    def _take(self, text: str) -> bool:
        start = self.line
        self.at += len(text)
        self.line += text.count("\n")
        self._add(text, start)
        return False

    def _add(self, text: str, line: int | None = None) -> None:
        if self.word is None:
            self.word = []
            if not self.words:
                self.start = self.line if line is None else line
        self.word.append(text)

    def _end_word(self) -> None:
        if self.word is not None:
            self.words.append("".join(self.word))
            self.word = None

    def _skip_heredocs(self) -> None:
        for mark in self.waiting:
            match = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*$", re.MULTILINE).search(self.text, self.at)
            end = match.end() if match else len(self.text)
            self.line += self.text.count("\n", self.at, end)
            self.at = end
        self.waiting = []
