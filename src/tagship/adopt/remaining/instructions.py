"""The pages of the repository that tell people how to release: they describe the previous process."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tagship_suite.errors import some
from tagship_suite.repo import git

if TYPE_CHECKING:
    from tagship.adopt.model import Adoption
    from tagship_suite.errors import Problem

PAGES = ("*.md", "*.rst", "*.txt")
#: Pages with such a name are only about releasing.
NAMED = re.compile(r"(?:how.?to.?)?(?:releasing|release[-_]?(?:guide|process|procedure|howto|checklist)|release)")
HISTORY = re.compile(r"change|history|news|notes", re.IGNORECASE)
UPLOADS = r"twine +upload|(poetry|flit|hatch|pdm|uv) +publish|setup\.py .*\bupload\b"
RUNNERS = {"tox.ini": "tox (run )?-e *", "Makefile": "make "}


def releasing(found: Adoption) -> list[Problem]:
    """Add a step for the pages that tell how to release."""
    by_hand = [each for each in found.facts.publishing if not each.triggers and each.file in RUNNERS]
    commands = [UPLOADS, *(rf"{RUNNERS[each.file]}{re.escape(each.job)}\b" for each in by_hand)]
    quiet = ("-c", "core.quotepath=off")
    hits = git.lines(found.folder, *quiet, "grep", "-nIE", "|".join(commands), "--", *PAGES)
    places = {file: f"{file}:{line}" for file, line, _ in (hit.split(":", 2) for hit in reversed(hits))}
    for file in git.lines(found.folder, *quiet, "ls-files", "--", *PAGES):
        if NAMED.fullmatch(PurePosixPath(file).stem.lower()):
            places.setdefault(file, file)
    shown = [places[file] for file in sorted(places) if not HISTORY.search(PurePosixPath(file).name)]
    if shown:
        found.todo.append(f"update the release instructions in {some(shown, 5)}: now pushing a tag makes a release")
    return []
