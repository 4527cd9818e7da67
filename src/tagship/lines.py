"""Edits a YAML file line by line: all other lines keep their comments, quotes and line ends."""

from __future__ import annotations

import re


class Lines:
    """The lines of a file, counted from 1, with removals and replacements."""

    def __init__(self, content: bytes) -> None:
        self.rows = content.decode("utf-8", "surrogateescape").splitlines(keepends=True)
        self.changed: dict[int, str] = {}
        self.end = "\r\n" if self.rows and self.rows[0].endswith("\r\n") else "\n"

    def put(self, number: int, row: str) -> None:
        """Replace a line by `row`, which has no line end."""
        self.changed[number] = f"{row}{self.end}"

    def insert(self, number: int, rows: list[str]) -> None:
        """Insert `rows` before a line, above the comments on it."""
        if number > len(self.rows):
            self.changed[len(self.rows)] = "".join(f"{row}{self.end}" for row in [self.rows[-1].rstrip("\r\n"), *rows])
            return
        while number > 1 and self.rows[number - 2].lstrip().startswith("#"):
            number -= 1
        added = "".join(f"{row}{self.end}" for row in rows)
        self.changed[number] = added + self.changed.get(number, self.rows[number - 1])

    def merge(self, other: Lines) -> bool:
        """Add the changes of `other` to the same file; return False if both change a line differently."""
        if any(self.changed.get(number, row) != row for number, row in other.changed.items()):
            return False
        self.changed |= other.changed
        return True

    def remove(self, first: int, last: int, *, comments: bool = False) -> None:
        """Remove the lines, with `comments` also those directly above, and the blank lines on one side."""
        indent = _indent(self.rows[first - 1])
        while comments and first > 1 and self.rows[first - 2].lstrip().startswith("#"):
            if _indent(self.rows[first - 2]) != indent:
                break
            first -= 1
        while last < len(self.rows) and self._is_inner(last, indent):
            last += 1
        after = last
        while after < len(self.rows) and not self.rows[after].strip():
            after += 1
        if after == len(self.rows):  # at the end: remove the blank lines before it
            while first > 1 and not self.rows[first - 2].strip():
                first -= 1
        alone = comments or first == 1 or not self.rows[first - 2].strip()
        for number in range(first, (after if alone else last) + 1):
            self.changed[number] = ""

    def _is_inner(self, at: int, indent: int) -> bool:
        """Return whether a line is a comment inside of what is removed; no node ends with one."""
        row = self.rows[at]
        return row.lstrip().startswith("#") and _indent(row) > indent

    def set_list(self, first: int, last: int, key: str, names: list[str]) -> None:
        """Replace the lines by `key: [names]`, in their style; remove them if there are no names."""
        row = self.rows[first - 1]
        lead, comment = " " * _indent(row), re.search(r"[ \t]+#[^\r\n]*", row)
        end = "\r\n" if row.endswith("\r\n") else "\n"
        for number in range(first, last + 1):
            self.changed[number] = ""
        if names and last > first and not re.search(r"[\[\]]", row):
            step = next(
                (_indent(each) for each in self.rows[first:last] if each.lstrip().startswith("-")), len(lead) + 2
            )
            kept = {each.strip().lstrip("- ").partition(" ")[0]: each for each in self.rows[first:last]}
            items = [kept.get(name, f"{' ' * step}- {name}{end}") for name in names]
            self.changed[first] = row + "".join(items)
        elif names:
            value = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
            self.changed[first] = f"{lead}{key}: {value}{comment[0] if comment else ''}{end}"

    def text(self, first: int, last: int) -> str:
        """Return the original lines."""
        return "".join(self.rows[first - 1 : last])

    def content(self) -> bytes:
        """Return the changed content."""
        rows = [self.changed.get(number, row) for number, row in enumerate(self.rows, 1)]
        if len(self.rows) in self.changed:  # no blank lines at a new end
            while rows and not rows[-1].strip():
                rows.pop()
        return "".join(rows).encode("utf-8", "surrogateescape")


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip(" "))
