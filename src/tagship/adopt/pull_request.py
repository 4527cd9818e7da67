"""The text of a pull request that adds the suite: what was found, what changes, and the remaining steps."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tagship import project, suite
from tagship.publisher import forms

from .files.neighbours import DEPENDABOT
from .report import COMMIT, action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Adoption

#: Underscores that are not inside a word.
EMPHASIS = re.compile(r"_{2,}|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def body(found: Adoption) -> str:
    """Return the Markdown of the pull request; raise `TagshipError` if the project's name is not known."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Adoption) -> Iterator[str]:
    yield "Release with [Trusted Publishing](https://docs.pypi.org/trusted-publishers/): pushing a tag starts a"
    yield "workflow that builds the dists, tests the wheel, compares its version with the tag, and publishes without a"
    yield "stored token."
    yield from ("", "## What was found", "", "| | | where |", "|---|---|---|")
    for each in found.decisions:
        yield _row(each.what, each.value, each.why)
    for publishing in found.facts.publishing:
        where = ", ".join(f"{line.file}:{line.line}" for line in publishing.evidence) or publishing.file
        secrets = f", {', '.join(publishing.secrets)}" if publishing.secrets else ""
        auth = {"none": "no stored credentials", "oidc": "Trusted Publishing"}.get(publishing.auth, publishing.auth)
        yield _row(f"existing publish job: {publishing.job}", f"{auth}{secrets}", where)
    yield from ("", "## What changes", "")
    for path in sorted(found.changes):
        if not path.is_relative_to(suite.RELEASE):
            yield f"- {action(found, path).strip()}: `{path.as_posix()}`{_why(found, path.as_posix())}"
    yield f"- new: `{suite.RELEASE.as_posix()}/`, generated; `tagship sync --check` verifies that it is unmodified"
    yield from ("", "## The publishers to register", "")
    yield from _publishers(found)
    yield from ("", "## Steps, in an order that interrupts no release", "")
    here = re.compile(rf" {re.escape(shlex.quote(str(found.folder)))}(?!\S)")  # the reviewers have it elsewhere
    yield from (f"- [ ] {_escaped(here.sub('', step))}" for step in found.todo if step != COMMIT)


def _row(*cells: str) -> str:
    shown = (_escaped(" ".join(cell.split())).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _escaped(text: str) -> str:
    """Return `text` without what Markdown would read as emphasis or HTML: `__init__.py` would be bold."""
    parts = re.split(r"(`[^`]*`)", text)  # every second one is code
    parts[::2] = [EMPHASIS.sub(lambda run: run[0].replace("_", "\\_"), part) for part in parts[::2]]
    parts[::2] = [part.replace("*", "\\*").replace("<", "&lt;") for part in parts[::2]]
    return "".join(parts)


def _why(found: Adoption, path: str) -> str:
    reasons = [each for each in found.decisions if path in {each.what, each.value}]
    known = {
        suite.WORKFLOW.as_posix(): "the six jobs of a release",
        suite.PIPELINE.as_posix(): "the five jobs of a release",
        "pyproject.toml": "`[tool.tagship]`, with the source of each setting",
        "noxfile.py": "the release's sessions",
        "tasks.py": "the release's tasks",
        ".gitignore": "what the sessions create",
        "MANIFEST.in": "the sdist excludes the suite",
        ".pre-commit-config.yaml": "hooks skip generated files",
        **dict.fromkeys(DEPENDABOT, "updates of the locked tools and pinned actions"),
    }
    why = known.get(path) or next((each.why for each in reasons), "")
    return f" ({_escaped(why)})" if why else ""


def _publishers(found: Adoption) -> Iterator[str]:
    names = ("namespace", "project", "pipeline file") if found.on_gitlab else ("owner", "repository", "workflow")
    yield f"| index | name | {' | '.join(names)} | environment | |"
    yield "|---|---|---|---|---|---|---|"
    for each in (project.of(found.folder, package) for package in found.packages):
        registrations = {index: each.registration(index) for index in ("pypi", "testpypi")}
        new = forms(registrations)
        for existing, pending in zip(forms(registrations, exists=registrations), new, strict=True):
            values = existing.values
            links = f"[prefilled]({existing.link}), or [for a new project]({pending.link})"
            yield f"| {' | '.join([existing.index, each.name, *values.values()])} | {links} |"
