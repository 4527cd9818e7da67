"""Can a job or a step ever run?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagship.facts.workflow import Job, Step, Workflow

NEVER = re.compile(
    r"\s*(?:\$\{\{)?\s*\(?\s*(?:false|'')\s*\)?\s*(?:\}\})?\s*|\s*(?:\$\{\{)?\s*false\s*&&[^|]*(?:\}\})?\s*",
    re.IGNORECASE,
)


def job(each: Workflow, of: Job, triggers: tuple[str, ...] | None = None, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether the job can run: its condition allows it, and so do those of the jobs that it needs."""
    if NEVER.fullmatch(of.condition):
        return False
    if re.search(r"always\(\)|cancelled\(\)|failure\(\)", of.condition):
        return True
    needed = [each.jobs[name] for name in of.needs if name in each.jobs and name not in seen]
    return all(job(each, one, triggers, seen | {of.id}) for one in needed)


def step(of: Step) -> bool:
    """Return whether the step can run."""
    return not (of.condition and NEVER.fullmatch(of.condition))
