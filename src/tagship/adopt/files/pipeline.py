"""On GitLab, the project's own pipeline includes the release's, and keeps its stages and jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite
from tagship.adopt.model import Decision
from tagship.facts import marked
from tagship.facts.marked import Map, Seq, Unreadable
from tagship.noxfile import SESSIONS

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption
    from tagship_suite.errors import Problem

NAME, INCLUDED = Path(suite.TOP_LEVEL), suite.PIPELINE.as_posix()


def include(found: Adoption) -> list[Problem]:
    """Add the `include` to the project's own pipeline; what cannot be edited line by line is left to do by hand."""
    if suite.PIPELINE not in found.changes and not (found.folder / suite.PIPELINE).is_file():
        return []
    text = found.text(NAME)
    own = marked.parse(text.encode(), NAME.as_posix()) or Map()
    if not isinstance(own, Map) or "spec" in own:
        return _by_hand(found, {})
    if INCLUDED in {str(each).lstrip("/") for each in marked.texts(own.get("include"))}:
        return []
    inputs = _inputs(own)
    after = _including(text, own, inputs)
    if after is None:
        return _by_hand(found, inputs)
    found.changes[NAME] = after.encode()
    why = ", ".join(f"{name} {value!r}" for name, value in inputs.items()) or "no conflicting stage or job"
    found.decisions.append(Decision(NAME.as_posix(), f"includes {INCLUDED}", why))
    rules = marked.data(own.map("workflow").get("rules"))
    if rules and "CI_COMMIT_TAG" not in str(rules):
        found.todo.append(f"{NAME}: let a pushed tag start a pipeline: add `- if: $CI_COMMIT_TAG` to workflow:rules")
    return []


def _by_hand(found: Adoption, inputs: dict[str, str]) -> list[Problem]:
    entry = "; ".join(line.strip() for line in _entry(inputs))
    found.todo.append(f"add this to `include` in {NAME}: {entry}")
    return []


def _inputs(own: Map) -> dict[str, str]:
    """Return the inputs that avoid conflicts: one of the project's stages, and a prefix for names that it has."""
    stages = [str(each) for each in own.list("stages") if str(each) not in {".pre", ".post"}]
    stage = {"stage": stages[-1]} if stages and "test" not in stages else {}
    return stage | ({"prefix": "release:"} if {*SESSIONS} & {*own} else {})


def _entry(inputs: dict[str, str]) -> list[str]:
    given = ", ".join(f'{name}: "{value}"' for name, value in inputs.items())
    return [f"- local: {INCLUDED}", *([f"  inputs: {{ {given} }}"] if given else [])]


def _including(text: str, own: Map, inputs: dict[str, str]) -> str | None:
    """Return `text` with the release's file in its `include`; None if that is not a list with one entry a line."""
    lines, end = text.splitlines(keepends=True), "\r\n" if "\r\n" in text else "\n"
    listed = own.get("include")
    if listed is None:
        at, new = min(map(own.line_of, own), default=1) - 1, ["include:", *(f"  {each}" for each in _entry(inputs))]
        new += [""] if own else []
    elif isinstance(listed, Seq) and listed and lines[listed[0].line - 1].lstrip().startswith("-"):
        first = lines[listed[0].line - 1]
        indent = first[: len(first) - len(first.lstrip())]
        at, new = listed.end, [f"{indent}{each}" for each in _entry(inputs)]
    else:
        return None
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += end
    after = "".join([*lines[:at], *(f"{line}{end}" for line in new), *lines[at:]])
    return after if _is_as_planned(after, own) else None


def _is_as_planned(after: str, own: Map) -> bool:
    """Return whether only `include` has changed, by one more file."""
    try:
        read = marked.parse(after.encode(), NAME.as_posix())
    except Unreadable:
        return False
    data, before = marked.data(read), marked.data(own)
    included, earlier = data.pop("include", None), before.pop("include", [])
    return bool(data == before and included[:-1] == earlier and included[-1].get("local") == INCLUDED)
