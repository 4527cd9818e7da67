"""Rules about what is uploaded: how it was built, and whether the index already has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagship.audit.building import runs_code
from tagship.audit.editing import remove_input, substitute
from tagship.audit.model import Fix, Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tagship.audit.context import Context
    from tagship.audit.publish import Publish

#: Inputs of actions that upload.
SKIPS = ("skip-existing", "skip_existing", "ignore_existing")


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


class RunsProjectCode(Rule):
    """A publish job also runs other code from the repository.

    Scripts, and everything that they import, can read the job's credential or OIDC token, and publish anything with it.
    """

    name = "runs-project-code"
    remedy = "run it in another job, without the credential or `id-token: write`"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield the first such command of each job that uploads, unless the job also builds, which has its own rule."""
        for each in {(each.file, each.name): each for each in context.on_github("pypi", "testpypi")}.values():
            walk = context.walk(each.file, each.name)
            if walk is None or context.builds(each.file, each.name):
                continue
            uploads = {(line.file, line.line) for line in each.found.upload.evidence}
            own = (line for line, command in walk.ran if line.file == each.file and runs_code(command, _has(context)))
            if line := next((line for line in own if (line.file, line.line) not in uploads), None):
                yield Hit(line.file, line.line, each.name, line.text)


def _has(context: Context) -> Callable[[str], bool]:
    return lambda name: context.workflows.targets.text(name) is not None


class BlindSkip(Rule):
    """Files that are already on the index are skipped without a comparison.

    A file with the same name and different content is skipped too: the run succeeds, but users get the other file.
    """

    name = "blind-skip-existing"
    fixes = "removes the option; unsafe, because a repeated upload then fails"
    remedy = "remove the option for PyPI; `nox -s publish` completes a partial release, and compares hashes"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each upload to PyPI that skips existing files."""
        for each in context.on_github("pypi"):
            command = each.found.upload.command
            given = {str(key): str(value) for key, value in each.step.inputs.items()} if each.step else {}
            skips = next((name for name in SKIPS if given.get(name, "").lower() == "true"), "")
            if skips or (command and "--skip-existing" in command.words):
                yield Hit(each.last.file, each.last.line, each.name, "", _not_skipped(context, each, skips))


def _not_skipped(context: Context, each: Publish, name: str) -> Fix | None:
    if each.step is None or each.last.file != each.file:
        return None
    lines = context.lines(each.file)
    if name:
        removed = remove_input(lines, each.step, name)
    else:
        removed = substitute(lines, each.last.line, r"\s--skip-existing\b", "")
    return Fix(lines, safe=False) if removed else None


class DifferentBuilds(Rule):
    """PyPI and TestPyPI get different builds.

    The files that were tested on TestPyPI are not the published ones.
    """

    name = "different-builds"
    remedy = "build once, and let both publish jobs download the same artifact"

    def check(self, context: Context) -> Iterator[Hit]:
        """Yield each job that uploads its own build to PyPI if another one does so to TestPyPI."""
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
