"""Adds keys to workflows and removes some, in the style of the lines around; unusual forms are left alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.facts.marked import Map, Text
from tagship.lines import Lines

if TYPE_CHECKING:
    from tagship.facts.workflow import Job, Step, Workflow

BEFORE = re.compile(r"[ ]*(?:-[ ]+)*[\"']?")
TAG = "github.ref_type == 'tag'"


def column(lines: Lines, node: Map, key: str = "") -> int | None:
    """Return the indentation of a mapping's keys, or of its `key`; None if it is in flow style."""
    first = next((each for each in node if isinstance(each, Text) and each == (key or each)), None)
    if first is None or not 0 < first.line <= len(lines.rows):
        return None
    row = lines.rows[first.line - 1]
    lead = row[: row.find(first)]
    return len(lead.rstrip("\"'")) if first in row and BEFORE.fullmatch(lead) else None


def add_to_job(lines: Lines, job: Job, rows: list[str]) -> bool:
    """Insert `rows` before a job's steps, indented as its keys; return False if that is not possible."""
    at = column(lines, job.node, "steps")
    if at is not None:
        lines.insert(job.node.line_of("steps"), [" " * at + row for row in rows])
    return at is not None


def add_input(lines: Lines, step: Step, name: str, value: str) -> bool:
    """Set an input of a step's action."""
    at, given = column(lines, step.node), step.node.get("with")
    if at is None or not step.uses:
        return False
    if given is None:
        lines.insert(step.uses.end + 1, [f"{' ' * at}with:", f"{' ' * (at + 2)}{name}: {value}"])
        return True
    if not isinstance(given, Map) or not given or not step.line <= given.line <= step.end:
        return False
    if name in given:
        pattern, new = rf"({name}[\"']?\s*:\s*)[^,\s}}#]+", rf"\g<1>{value}"
        return substitute(lines, given.line_of(name), pattern, new)
    inner = column(lines, given)
    if inner is not None:
        lines.insert(given.line_of(next(iter(given))), [f"{' ' * inner}{name}: {value}"])
        return True
    return substitute(lines, given.line, r"(\bwith:\s*\{)\s*", rf"\g<1>{name}: {value}, ")


def remove_input(lines: Lines, step: Step, name: str) -> bool:
    """Remove an input of a step's action."""
    given = step.inputs
    inner = column(lines, given)
    if inner is None or given[name].end != given.line_of(name):
        return False
    lines.changed[given.line_of(name)] = ""
    if len(given) == 1:
        lines.changed[step.node.line_of("with")] = ""
    return True


def substitute(lines: Lines, number: int, pattern: str, new: str) -> bool:
    """Replace the first match of `pattern` in a line."""
    row, count = re.subn(pattern, new, lines.rows[number - 1], count=1)
    if count:
        lines.changed[number] = row
    return bool(count)


def add_needs(lines: Lines, job: Job, names: list[str]) -> bool:
    """Add the jobs `names` to the `needs` of a job."""
    given = job.node.get("needs")
    if given is None:
        return add_to_job(lines, job, [f"needs: [{', '.join(names)}]"])
    if column(lines, job.node, "needs") is None:
        return False
    lines.set_list(job.node.line_of("needs"), given.end, "needs", [*map(str, job.needs), *names])
    return True


def only_for_tags(lines: Lines, job: Job, step: Step | None) -> bool:
    """Let a job, or one of its steps, run only for tags."""
    node = job.node if step is None else step.node
    given = node.get("if")
    if isinstance(given, Text):
        return given.end == given.line and _narrow(lines, node.line_of("if"))
    if step is None:
        return add_to_job(lines, job, [f"if: {TAG}"])
    at, what = column(lines, node), step.uses or step.run
    line = node.line_of("uses" if step.uses else "run")
    if at is None or (line == step.line and what.end > what.line):
        return False
    lines.insert(line if line > step.line else what.end + 1, [f"{' ' * at}if: {TAG}"])
    return True


def _narrow(lines: Lines, number: int) -> bool:
    match = re.fullmatch(r"([ -]*if:\s*)([^\"'\s|>!&*].*?)(\s+#[^\r\n]*)?\s*", lines.rows[number - 1])
    if match is None:
        return False
    inner = re.fullmatch(r"\$\{\{(.*)\}\}", match[2])
    if match[2].count("${{") > (1 if inner else 0):
        return False  # several expressions in one string, which is always true
    condition = (inner[1] if inner else match[2]).strip()
    condition = f"({condition}) && {TAG}" if "||" in condition else f"{condition} && {TAG}"
    condition = f"${{{{ {condition} }}}}" if inner else condition
    lines.put(number, f"{match[1]}{condition}{match[3] or ''}")
    return True


def move_permissions(lines: Lines, workflow: Workflow, jobs: list[Job], scope: str) -> bool:
    """Copy the workflow's permissions to `jobs`, and remove `scope` from the workflow's."""
    given = workflow.node.get("permissions")
    if not isinstance(given, Map) or scope not in given:
        return False
    at, key = column(lines, given), workflow.node.line_of("permissions")
    if at is not None:
        rows = ["permissions:", *(f"  {row[at:].rstrip()}" for row in lines.rows[key : given.end])]
        if len(given) == 1:
            substitute(lines, key, r"(?<=permissions)([\"']?:)", r"\1 {}")
        first = last = given.line_of(scope)
        while lines.rows[first - 2].lstrip().startswith("#"):  # it is removed with the key
            first -= 1
        for number in range(key + 1, given.end + 1) if len(given) == 1 else range(first, last + 1):
            lines.changed[number] = ""
    else:
        rows = [lines.rows[key - 1].split(" #")[0].rstrip()]
        pattern = rf"(?<=[{{ ]){scope}\s*:\s*\w+\s*,?\s*"
        if given.end != key or not substitute(lines, key, pattern, ""):
            return False
        lines.changed[key] = re.sub(r",\s*\}", "}", lines.changed[key])
    return all(add_to_job(lines, job, rows) for job in jobs)
