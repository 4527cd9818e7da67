"""The tag of this run, from the CI service, else from git."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import git
from .versions import holds_version, is_foreign


@dataclass(frozen=True)
class Ref:
    """The tags that this run may release, a description of the ref, and whether a CI service gave them."""

    tags: tuple[str, ...]
    description: str
    is_given: bool = False

    def about(self, name: str) -> "Ref":
        """Return it without the tags that git has at this commit for anything but the project `name`."""
        own = tuple(tag for tag in self.tags if self.is_given or not is_foreign(tag, name))
        return self if own == self.tags else replace(self, tags=own, description=f"{self.description}, not of {name}")


def current(root: Path, environ: Mapping[str, str]) -> Ref:
    """Return the ref of this run, from the variables of GitHub or GitLab, else from git; `ReleaseError` if it fails."""
    if environ.get("GITHUB_REF_TYPE"):
        return _named(environ["GITHUB_REF_TYPE"], environ.get("GITHUB_REF_NAME", ""))
    if environ.get("CI_COMMIT_TAG"):
        return _named("tag", environ["CI_COMMIT_TAG"])
    if environ.get("CI_COMMIT_BRANCH"):
        return _named("branch", environ["CI_COMMIT_BRANCH"])
    # `nightly` or `latest` may point here too: only tags that would start a release count.
    tags = tuple(filter(holds_version, git.tags_here(root)))
    if tags:
        return Ref(tags, f"tag {' '.join(map(repr, tags))}")
    branch = git.symbolic(root, "HEAD")
    return Ref((), f"branch {branch!r}" if branch else "no tag")


def _named(kind: str, name: str) -> Ref:
    return Ref((name,) if kind == "tag" else (), f"{kind} {name!r}", is_given=True)
