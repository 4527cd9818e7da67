"""The session verify-version: judge the dists, print what was compared, write the bundle."""

from collections.abc import Mapping
from pathlib import Path

from .. import report
from ..errors import refusal, refuse
from ..repo import notes
from ..repo.packages import chosen
from . import bundle, dev, handover, judge, lockstep
from .judge import Verdict

#: The locked tools that make an SBOM.
LOCK = ".github/release/requirements/sbom.txt"


def verify(root: Path, environ: Mapping[str, str]) -> bool:
    """Compare all versions with each other and with the tag; write the bundle if they agree.

    Returns whether the bundle is to get an SBOM. Raises `ReleaseError` with everything that does not agree.
    """
    refuse(bundle.clear(root))
    given, environ = environ, dev.make_tag(root, environ)
    handover.gather(root / "dist", environ)
    packages = chosen(root, environ)
    names = {package.name for package in packages}
    is_dev = environ is not given
    verdicts = [judge.judge(package, environ, names - {package.name}, is_dev=is_dev) for package in packages]
    for verdict in verdicts:
        _report(verdict)
    problems = [*(problem for verdict in verdicts for problem in verdict.problems), *lockstep.problems(verdicts)]
    refuse(list(dict.fromkeys(problems)))
    dists = [dist for verdict in verdicts for dist in verdict.dists]
    folders = [package.folder for package in packages if package.folder != package.root]
    texts = dict.fromkeys(notes.of(verdict.package, verdict.name, verdict.version) for verdict in verdicts)
    wanted = any(package.settings.sbom for package in packages)
    if wanted and not (root / LOCK).is_file():
        raise refusal("managed-files", "[tool.tagship] sbom", "true", f"also {LOCK}", "run: tagship sync")
    folder = bundle.write(root, dists, folders, "\n\n".join(texts)[: notes.LONGEST])
    between = any(verdict.version.local for verdict in verdicts)
    print(f"{folder}: {len(dists)} dists{'' if between else ' that may be published'}")
    report.output("digest", handover.digest(folder))
    report.output("dev", "on" if is_dev else "")
    # The environments of the publish jobs come from the tag and this checkout, never from what a build could write.
    off = not all(package.settings.github_release for package in packages)
    report.output("github_release", "off" if off else "on")
    suffix, *others = dict.fromkeys(package.suffix for package in packages)
    report.output("suffix", "" if others else suffix)
    return wanted


def _report(verdict: Verdict) -> None:
    width = max(len(where) for where, _ in verdict.compared)
    for where, found in verdict.compared:
        print(report.one_line(f"{where:{width}}  {found}"))
    for note in verdict.notes:
        print(report.one_line(f"note: {note}"))
    outcome = "agree" if not verdict.problems else f"{len(verdict.problems)} problems"
    title = f"## Versions{verdict.package.name and f' of {verdict.package.name}'}: {outcome}"
    report.summary(title, report.table(("where", "version"), verdict.compared), *verdict.notes)
