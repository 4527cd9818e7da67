"""Finds steps in CI that write the tag's version into files, so that the committed version is never released."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.facts import workflow
from tagship.facts.marked import Unreadable
from tagship_suite.errors import Problem
from tagship_suite.files import read_text
from tagship_suite.repo import git
from tagship_suite.repo.versions import releases, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tagship.facts.model import Publishing
    from tagship.facts.workflow import Job

FILES = r"(?:version|__init__|__about__|pyproject|setup\.(?:py|cfg)|conf\.py|package\.json)"
#: Commands that write a version; the first group is the argument with the version, if there is one.
WRITES = (
    rf"\bsed\b(?=.*\s(?:-[a-z]*i\S*|--in-place\S*)\s).*{FILES}.*",
    r"\b(?:poetry|hatch|pdm|uv|rye|npm)\s+version\s+(?!-s\b|--short|--dry-run|--output)\S.*",
    rf"\b(?:echo|printf|cat|sed|awk|jq)\b.*>\s*\S*{FILES}.*",
    r"\b(?:bump2version|bumpversion|bump-my-version|tbump|toml\s+set|tomlq|dasel|stamp)\b.*",
)
WRITE = re.compile("|".join(WRITES), re.IGNORECASE | re.DOTALL)
#: What is in a line besides the names of files: variables, and what sed is to do.
BESIDE = re.compile(r"""\$\{\{.*?\}\}|\$\{?\w+|(["'])(?:\d*s\W|/|(?=[^"']*\s))(?:\\.|(?!\1).)*\1""", re.DOTALL)
#: A line of a script, with those that a backslash continues it on.
LINE = re.compile(r"(?:.*\\\n)*.+")
#: Expressions and variables with the tag or the release that started the run.
REF = re.compile(
    r"GITHUB_REF|github\.(?:ref|event)|\bTAG\w*|\$\{?\w*VERSION|steps\.[\w-]+\.outputs|needs\.|inputs\.|RELEASE",
    re.IGNORECASE,
)
COMMITS = re.compile(
    r"git (?:commit|push)|auto-commit|create-pull-request|add-and-commit|semantic-release|release-please"
)


def written(root: Path, found: tuple[Publishing, ...], name: str, version: str) -> list[tuple[str, str]]:
    """Return the place and the text of each command that writes the version of the release without committing it.

    There is none if the committed `version` is that of the newest tag: then the command changes nothing.
    """
    tags = releases(git.lines(root, "tag", "--list"), name)
    if tags and version and same(version, str(tags[0].version)):
        return []
    return [each for file in sorted({each.file for each in found}) for each in _written(root, file, found)]


def variable(root: Path, found: tuple[Publishing, ...], unknown: Iterable[str]) -> str:
    """Return the place where a file that publishes names the environment variable that is the version, "" if none does.

    `unknown` has the reasons why the version is not known.
    """
    match = re.search(r"environment variable (\w+)", " ".join(unknown))
    for file in sorted({each.file for each in found}) if match else ():
        path = root / file
        for number, line in enumerate(read_text(path).splitlines() if path.is_file() else (), 1):
            if match and re.search(rf"\b{match[1]}\b", line):
                return f"{file}:{number}"
    return ""


def problem(place: str, version: str) -> Problem:
    """Return the reason to refuse a project in which the command at `place` writes another `version` than this one."""
    remedy = "commit the version before the tag, or let the build backend read it from the tag, and remove that step"
    shown = f"a version that CI writes for a release; {version or 'none'} is committed"
    return Problem("made-in-ci", place, shown, "the released version in the tagged commit", remedy)


def plain(line: str) -> str:
    """Return a command without its variables and without what sed is to do."""
    return BESIDE.sub("''", line)


def _written(root: Path, file: str, found: tuple[Publishing, ...]) -> Iterator[tuple[str, str]]:
    path = root / file
    try:
        read = workflow.read(path, root) if path.parent == root / workflow.FOLDER else None
    except Unreadable:
        read = None
    for upload in found if read else ():
        for job in read.before(upload.job) if read and upload.file == file else ():
            if any(COMMITS.search(f"{step.run} {step.uses}") for step in job.steps):
                continue
            for step in job.steps:
                for match in LINE.finditer(step.run):
                    line = match[0]
                    if _writes(line) and not line.lstrip().startswith("#") and _knows(line, step.env, job):
                        yield f"{file}:{step.run.first + step.run.count(chr(10), 0, match.start())}", line


def _writes(line: str) -> bool:
    return bool(WRITE.search(plain(line) if re.search(r"\bsed\b", line) else line))


def _knows(line: str, env: object, job: Job) -> bool:
    """Return whether the line uses the tag, directly or through a variable of its step or job."""
    return bool(REF.search(line) or (re.search(r"\$\w|\$\{\w", line) and REF.search(f"{env} {job.env}")))
