"""What the gate would refuse, by its own rules, as far as that can be seen before the build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tagship import noxfile
from tagship.facts import distributions, dunder
from tagship_suite.errors import Problem, ReleaseError
from tagship_suite.files import load_toml, subtable
from tagship_suite.gate.history import branch_problems, signer
from tagship_suite.repo import git
from tagship_suite.repo.version_source import BY_TAGS, is_from_git
from tagship_suite.repo.versions import Ref, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.project import Project

    from .model import Plan


def at_the_gate(plan: Plan, found: Project) -> None:
    """Note what is wrong with the tag of the plan, its commit, its signature or its version."""
    settings = found.package.settings
    there = git.query(found.path, "rev-parse", "--verify", "--quiet", f"refs/tags/{plan.tag}^{{commit}}")
    if there and there != plan.commit:
        place, remedy = f"it at {there[:12]}", noxfile.another_version(found.path)
        plan.problems.append(str(Problem("tag-exists", f"tag {plan.tag!r}", place, "HEAD", remedy)))
    elif settings.require_signed_tag and there:
        try:
            plan.notes.append(signer(found.path, plan.tag))
        except ReleaseError as error:
            plan.problems += map(str, error.args)
    elif settings.require_signed_tag:
        plan.notes.append(f"tag {plan.tag!r} must be signed by a key in the repository: inv release signs it")
    if settings.release_branches:
        plan.problems += map(str, branch_problems(found.path, settings, Ref((plan.tag,), "")))
    version = parsed(plan.version)
    folder, from_git = found.package.folder, is_from_git(found.package.folder, settings)
    for each in dunder.find(folder, distributions.of(folder, found.path)):
        is_replaced = from_git and _is_replaced(folder, each.path.relative_to(folder).as_posix())
        if version and parsed(each.version) != version and not is_replaced:
            where, remedy = f"{each.at(found.path)} __version__", "write the version in one place"
            problem = Problem("version-mismatch", where, repr(each.version), repr(str(version)), remedy)
            plan.problems.append(str(problem))
    if version and version.local:
        remedy = "indexes refuse local versions: correct it"
        problem = Problem("local-version", plan.version_source, repr(plan.version), repr(version.public), remedy)
        plan.problems.append(str(problem))


def _is_replaced(folder: Path, file: str) -> bool:
    """Return whether the build writes the tag's version to `file`: because settings name it, or by convention."""
    tool = subtable(load_toml(folder / "pyproject.toml"), "tool")
    dynamic = subtable(tool, "poetry-dynamic-versioning")
    if dynamic.get("enable") and (file.count("/") < 2 or "substitution" in dynamic):
        return True
    return f'"{file}"' in json.dumps([tool.get(name) for name in (*BY_TAGS, "hatch", "pdm")], default=str)


def never_started(found: Project) -> Iterator[str]:
    """Yield a sentence for each job whose tag would not start the release."""
    from tagship.audit.context import Context
    from tagship.audit.rules.triggers import CannotTrigger

    for hit in CannotTrigger().check(Context.read(found.path)):
        yield (
            f"{hit.file}:{hit.line}, job {hit.job}: a tag that GITHUB_TOKEN creates starts no release; push it "
            "yourself, or create it with an app's token"
        )
