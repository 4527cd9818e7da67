"""What the command line turns into a message and an exit status."""

from __future__ import annotations

from typing import ClassVar


class TagshipError(Exception):
    """Something that the user can fix; each argument is one line that says what, and what to do."""

    #: Bad usage, or input that cannot be read.
    status: ClassVar[int] = 2

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self.args)


class Refused(TagshipError):
    """A step that was understood and is refused; nothing was changed."""

    status = 1
