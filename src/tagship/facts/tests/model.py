"""How tests run: the command, what is installed before it, and the line that shows this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """What to install for the tests, by the names of the settings, and where that was found."""

    requires: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.requires or self.groups or self.extras)

    def where(self, marker: str) -> Needs:
        """Return the needs limited to `marker`; groups and extras cannot be, and stay if it has the newest Python."""
        if not marker:
            return self
        requires = tuple(
            line if ";" in line or line.startswith("-e") else f"{line}; {marker}" for line in self.requires
        )
        older = "<" in marker
        return Needs(requires, () if older else self.groups, () if older else self.extras, self.source)

    def __add__(self, other: Needs) -> Needs:
        if not other:
            return self
        new = {*other.requires, *other.groups, *other.extras} - {*self.requires, *self.groups, *self.extras}
        known = self.source.split(" and ")
        sources = [*filter(None, known), *([other.source] if new and other.source not in known else [])]
        return Needs(
            tuple(dict.fromkeys(self.requires + other.requires)),
            tuple(dict.fromkeys(self.groups + other.groups)),
            tuple(dict.fromkeys(self.extras + other.extras)),
            " and ".join(sources),
        )


@dataclass(frozen=True)
class Command:
    """A command that the project's files name: its arguments, variables set for it, its file and line."""

    argv: tuple[str, ...]
    where: str
    env: tuple[str, ...] = ()
    folder: str = ""
    conditional: bool = False  # it runs for some values of the matrix only
    marker: str = ""  # the Pythons that it runs for, if not for all


@dataclass(frozen=True)
class Way:
    """The result of following commands: what they install, the first that runs tests, if any, and the further ones."""

    needs: Needs = Needs()
    test: Command | None = None
    others: tuple[Command, ...] = ()
