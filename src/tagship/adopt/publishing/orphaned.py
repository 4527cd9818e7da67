"""Targets and scripts that upload, which only a removed job ran."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tagship import suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.facts.model import Publishing

WORKFLOWS = suite.WORKFLOW.parent


def places(found: tuple[Publishing, ...], todo: list[str]) -> Iterator[str]:
    """Yield the line of each upload outside of the workflows that one of their jobs ran, unless `todo` names it."""
    ran = [each.evidence[-1] for each in found if each.evidence and Path(each.file).parent == WORKFLOWS]
    outside = dict.fromkeys(f"{at.file}:{at.line}" for at in ran if Path(at.file).parent != WORKFLOWS)
    yield from (place for place in outside if not any(place in line for line in todo))
