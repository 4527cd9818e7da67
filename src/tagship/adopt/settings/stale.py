"""A `__version__` that was left at an earlier release: the gate would refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship.adopt.model import Decision
from tagship.facts import dunder
from tagship_suite.repo import git
from tagship_suite.repo.versions import parsed, releases

from . import version

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption
    from tagship_suite.errors import Problem


def versions(found: Adoption) -> list[Problem]:
    """Correct each literal `__version__` that an earlier tag has; add a step for one with another number."""
    now = parsed(version.guess(found.folder).version) if found.names and not found.packages[1:] else None
    if not now:
        return []
    earlier = {tag.version for tag in releases(git.lines(found.folder, "tag", "--list"), found.names[0])}
    for each in dunder.find(found.folder, found.facts.distributions[0]):
        own, relative, where = parsed(each.version), each.path.relative_to(found.folder), each.at(found.folder)
        if own == now or relative in found.changes:
            continue
        if own in earlier and own and own < now:
            found.changes[relative] = f"{each.text[: each.start]}{now}{each.text[each.end :]}".encode(each.encoding)
            found.decisions.append(Decision("__version__", f"{now}, was {own}", where))
        else:
            found.todo.append(
                f"{where}: __version__ is {each.version}, but the version is {now}, so verify-version would fail: "
                f"set it to {now}, or, if it must differ, compute it, as only literals are checked"
            )
    return []
