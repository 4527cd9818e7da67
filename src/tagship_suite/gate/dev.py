"""Dev builds: each push to one branch is published to TestPyPI, from a tag that exists only in that run."""

import os
from collections.abc import Mapping
from pathlib import Path

from ..config import table
from ..errors import Problem, refuse
from ..files import read_text
from ..repo import bump, git, packages
from ..repo.versions import holds_version, parsed


def make_tag(root: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Commit and tag the next version, with `.dev` and the number of the run, in CI's own checkout at `root`.

    Nothing is pushed. Returns the variables of a run of that tag, or `environ` itself if this is not a dev build.
    """
    if not _is_on(root, environ) or any(map(holds_version, git.tags_here(root))):
        return environ
    refuse(_problems(root))
    people = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "dev")
    # Another attempt of the run must build the same bytes.
    date = f"{git.commit_time(root)} +0000"
    os.environ.update(people, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    bump.cut_release(root, f"dev{environ['GITHUB_RUN_NUMBER']}", push=False)
    return _on(next(filter(holds_version, git.tags_here(root))), environ)


def _problems(root: Path) -> list[Problem]:
    """Return why the branch has no dev builds although it is set in `dev-builds`."""
    where, workflow = "pyproject.toml [tool.tagship] dev-builds", root / ".github/workflows/release.yml"
    several = any(package.label for package in packages.every(root))
    found = [Problem("settings", where, "several distributions", "one, or lockstep = true", "remove it")] * several
    if workflow.is_file() and "outputs.dev" not in read_text(workflow):
        without, expected = "a workflow without dev builds", "one whose publish-test runs for them"
        found.append(Problem("managed-files", where, without, expected, "run: tagship sync"))
    return found


def accepted(root: Path, version: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of a run of the tag `version`, if the bundle at `root` is of a dev build; else `environ`."""
    found = parsed(version)
    return _on(f"v{version}", environ) if found and found.is_devrelease and _is_on(root, environ) else environ


def _is_on(root: Path, environ: Mapping[str, str]) -> bool:
    """Return whether this is a push to the branch that `dev-builds` names, on GitHub."""
    # The other settings are checked later, together with everything else.
    branch = table(root).get("dev-builds")
    push = {"GITHUB_EVENT_NAME": "push", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": branch}
    return bool(branch) and push.items() <= environ.items()


def _on(tag: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    return {**environ, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag}
