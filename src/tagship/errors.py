"""Errors that the command line turns into a message and an exit status."""

from __future__ import annotations

from typing import ClassVar


class TagshipError(Exception):
    """An error that the user can fix; each argument is one line, or a `Problem`, that says what to do."""

    #: Bad usage, or input that cannot be read.
    status: ClassVar[int] = 2

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self.args)


def one_line(text: str) -> str:
    """Return `text` with unprintable characters, such as a newline in a file name, as escapes."""
    return "".join(
        char if char.isprintable() or char in "\t\xa0" else char.encode("unicode_escape").decode() for char in text
    )


class Refused(TagshipError):
    """A step is refused, although its input is valid; nothing was changed."""

    status = 1
