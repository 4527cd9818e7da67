"""What is published: how it was built, and which version it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagship.audit.model import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tagship.audit.context import Context
    from tagship.facts.publishing.shell import Command
    from tagship.facts.workflow import Job

VARIABLE = re.compile(r"\$|%\w+%")
VERSION_OF_TOOL = {"poetry": {"version"}, "hatch": {"version"}, "uv": {"version"}, "pdm": {"bump"}, "npm": {"version"}}
PRETEND = re.compile(
    r"(?:SETUPTOOLS_SCM|HATCH_VCS|PDM_SCM|VERSIONINGIT|DUNAMAI|POETRY_DYNAMIC_VERSIONING)\w*(?:PRETEND|BYPASS|OVERRIDE)\w*|PBR_VERSION",
    re.IGNORECASE,
)


class BuildsAndPublishes(Rule):
    """One job builds and publishes.

    Build dependencies run in the job that has the credential or OIDC token, and can publish whatever they like.
    """

    name = "builds-and-publishes"
    remedy = "build in a separate job, upload the dists as an artifact, and let the publish job only download them"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads what it builds itself."""
        for each in context.on_github("pypi", "testpypi"):
            line = context.builds(each.file, each.name)
            if line is not None:
                where = line if line.file == each.file else each.in_job
                yield Hit(
                    where.file,
                    where.line,
                    each.name,
                    line.text if line.file == each.file else f"{line.file}:{line.line}",
                )


class ShallowCheckout(Rule):
    """A version that comes from tags is built from a shallow checkout.

    `actions/checkout` fetches one commit and no tags. Unless that is a tag, the version is then 0.0 or 0.1.dev1.
    """

    name = "shallow-checkout"
    level = "error"
    remedy = "set `fetch-depth: 0` for actions/checkout"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each such checkout before a build whose dists are uploaded, unless only tags start it."""
        if not context.version_from_tags():
            return
        for each in context.on_github("pypi", "testpypi"):
            if each.workflow is None or each.job is None or all(event.is_tag for event in each.found.events):
                continue
            for job in context.before(each.workflow, each.job):
                walk = context.walk(each.file, str(job.id))
                if walk is None or context.builds(each.file, str(job.id)) is None:
                    continue
                fetched = any("fetch" in command.words and command.name == "git" for _, command in walk.ran)
                if fetched or any(PRETEND.fullmatch(name) for name in _variables(job)):
                    continue  # the version does not come from what was checked out
                for line, action, inputs in walk.used:
                    if action.lower().startswith("actions/checkout@") and _is_shallow(inputs):
                        yield Hit(line.file, line.line, str(job.id))


def _variables(job: Job) -> list[str]:
    return [str(name) for variables in (job.env, *(step.env for step in job.steps)) for name in variables]


def _is_shallow(inputs: Mapping[str, str]) -> bool:
    depth = inputs.get("fetch-depth", "1")
    return depth != "0" and "$" not in depth and not inputs.get("ref")


class VersionMadeInCI(Rule):
    """CI writes the version.

    The tagged commit has a different version than the published dists, so they cannot be rebuilt from the source.
    """

    name = "version-made-in-ci"
    remedy = (
        "commit the version before the tag, or let the build backend read it from the tag (hatch-vcs, setuptools-scm)"
    )

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each line that writes a version from a variable before a build whose dists are uploaded."""
        for each in context.on_github("pypi"):
            if each.workflow is None or each.job is None:
                continue
            for job in context.before(each.workflow, each.job):
                walk = context.walk(each.file, str(job.id))
                ran = walk.ran if walk else []
                if any(command.words[:2] == ("git", "commit") for _, command in ran):
                    continue  # the version is committed
                yield from (
                    Hit(line.file, line.line, str(job.id), line.text) for line, command in ran if makes_version(command)
                )
                for step in job.steps:
                    for name, value in [*step.env.items(), *job.env.items()]:
                        if PRETEND.fullmatch(name) and "${{" in str(value):
                            yield Hit(each.file, getattr(name, "line", step.line), str(job.id), str(name))


def makes_version(command: Command) -> bool:
    """Return whether a command writes a version that it gets from a variable."""
    words, name = command.words, command.name
    if any(PRETEND.fullmatch(key) and VARIABLE.search(value) for key, value in command.assigned):
        return True
    for at, word in enumerate(words[:-1]):
        tool = word.rpartition("/")[2]
        if words[at + 1] in VERSION_OF_TOOL.get(tool, ()):
            return any(VARIABLE.search(each) and not each.startswith("-") for each in words[at + 2 :])
    if name in {"bump2version", "bumpversion", "bump-my-version"}:
        return any("new-version" in each and VARIABLE.search(" ".join(words)) for each in words)
    text = " ".join(words)
    if name in {"sed", "perl", "gsed"} and re.search(r"version", text, re.IGNORECASE):
        edits = name == "perl" or any(
            word.startswith(("-i", "--in-place")) or re.fullmatch(r"-\w*i\w*", word) for word in words
        )
        return edits and bool(VARIABLE.search(re.sub(r"\$(?=[/|'\"]|$)", "", text)))
    if name in {"echo", "printf"} and ">" in text:
        target = text.rpartition(">")[2]
        return (
            bool(re.search(r"version", target, re.IGNORECASE))
            and "GITHUB_" not in target
            and bool(VARIABLE.search(text.partition(">")[0]))
        )
    return False


class BlindSkip(Rule):
    """Files that are already on the index are skipped without a comparison.

    A file with the same name and different content is skipped too: the run succeeds, and users get something else.
    """

    name = "blind-skip-existing"
    remedy = "remove the option for PyPI; `nox -s publish` completes a partial release, and compares hashes"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each upload to PyPI that skips what is there."""
        for each in context.on_github("pypi"):
            command = each.found.upload.command
            given = {str(key): str(value) for key, value in each.step.inputs.items()} if each.step else {}
            skips = any(
                given.get(name, "").lower() == "true" for name in ("skip-existing", "skip_existing", "ignore_existing")
            )
            if skips or (command and "--skip-existing" in command.words):
                yield Hit(each.last.file, each.last.line, each.name)


class DifferentBuilds(Rule):
    """PyPI and TestPyPI get different builds.

    The files that were tested on TestPyPI are not the files that are published.
    """

    name = "different-builds"
    remedy = "build once, and let both publish jobs download the same artifact"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads its own build to PyPI where another one does so to TestPyPI."""
        tests = [each for each in context.on_github("testpypi") if context.builds(each.file, each.name)]
        for each in context.on_github("pypi"):
            others = [test for test in tests if (test.file, test.name) != (each.file, each.name)]
            if others and context.builds(each.file, each.name):
                yield Hit(
                    each.in_job.file,
                    each.in_job.line,
                    each.name,
                    f"{others[0].file}:{others[0].in_job.line} builds for TestPyPI",
                )
