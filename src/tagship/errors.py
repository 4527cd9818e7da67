"""The one exception that the command line turns into a message."""


class TagshipError(Exception):
    """Something that the user can mend; each argument is one line that says what, and what to do."""

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self.args)
