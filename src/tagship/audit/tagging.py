"""Which commands and actions of a job create a tag or a release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.facts.publishing.shell import base

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tagship.facts.model import Evidence
    from tagship.facts.publishing.shell import Command
    from tagship.facts.publishing.walk import Walk

TAG_MAKERS = (
    "python-semantic-release/python-semantic-release",
    "relekang/python-semantic-release",
    "softprops/action-gh-release",
    "aio-libs/create-release",
    "ncipollo/release-action",
    "actions/create-release",
    "googleapis/release-please-action",
    "google-github-actions/release-please-action",
    "cycjimmy/semantic-release-action",
    "mathieudutour/github-tag-action",
    "anothrnick/github-tag-action",
    "rickstaa/action-create-tag",
    "changesets/action",
    "autopub/autopub-action",
    "release-drafter/release-drafter",
    "marvinpinto/action-automatic-releases",
    "elgohr/github-release-action",
)
MAKERS = frozenset({"semantic-release", "release-it", "autopub"})
#: Programs that create the release of a tag.
RELEASERS = frozenset({"changelogithub"})
#: What may stand before the name of a program that is run.
LAUNCHERS = re.compile(r"npx|yarn|pnpm|bunx|uvx|pipx|uv|poetry|pdm|npm|run|exec|dlx|-.*")
DRY = frozenset({"--dry", "--dry-run", "--dryRun", "--dry_run", "--noop"})


def tags_made(walk: Walk) -> Iterator[tuple[Evidence, str, dict[str, str]]]:
    """Yield the lines of a job that create a tag or a release: the line, the action or command, and its inputs."""
    for line, command in walk.ran:
        if how := _how(command):
            draft = {"draft": "true"} if {"--draft", "-d"}.intersection(command.words) and how != "git push" else {}
            yield line, how, draft
    for line, action, inputs in walk.used:
        if action.partition("@")[0].lower() in TAG_MAKERS and not _is_dry(inputs):
            yield line, action.partition("@")[0].lower(), dict(inputs)


def _is_dry(inputs: Mapping[str, str]) -> bool:
    """Return whether an action is only to show what it would do."""
    flags = ("no_operation_mode", "dry_run", "dry-run", "dryrun")
    return any(inputs.get(name, "").lower() == "true" for name in flags) or "--noop" in inputs.get("root_options", "")


def _how(command: Command) -> str:
    """Return how a command creates a tag or a release, "" if it does not."""
    words = command.words
    if words[:3] == ("gh", "release", "create") or _is_one(words, MAKERS):
        return " ".join(words[:3])
    if _is_one(words, RELEASERS):
        return "release"
    if command.name == "git" and "push" in words and any(map(pushes_tag, words)):
        return "git push"
    if words[:2] == ("gh", "api") and any(word.endswith(("/git/refs", "/git/tags")) for word in words):
        return "gh api"
    return "gh api release" if words[:2] == ("gh", "api") and any(word.endswith("/releases") for word in words) else ""


def _is_one(words: Sequence[str], programs: frozenset[str]) -> bool:
    named = next((word for word in words if not LAUNCHERS.fullmatch(word)), "")
    return base(named) in programs and not DRY.intersection(words)


def pushes_tag(word: str) -> bool:
    """Return whether an argument of `git push` names tags."""
    return (
        word in {"--tags", "--follow-tags"}
        or "refs/tags/" in word
        or bool(re.search(r"tag|\$\{?v(?:ersion)?\b|^v\$|^v\d", word, re.IGNORECASE))
    )
