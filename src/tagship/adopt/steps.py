"""The steps of an adoption: each decides on one part of the repository, and returns the reasons to refuse it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tagship import noxfile, suite, tree, update
from tagship.audit.context import Context
from tagship.facts.events import HEADS
from tagship_suite.errors import Problem
from tagship_suite.files import read_text
from tagship_suite.repo.versions import names

from .files import insertion, neighbours, style
from .files.hooks import hooks
from .files.ignored import with_ignored
from .model import Decision
from .publishing import committed, guards, made_in_ci, orphaned, prepared, retire
from .settings import version

if TYPE_CHECKING:
    from tagship.facts.model import Evidence

    from .model import Adoption

ACTION = "pypa/gh-action-pypi-publish"
APART = f"the release's are in {suite.TASKS.as_posix()}: inv -r {suite.RELEASE.as_posix()} --list"


def old_publishing(found: Adoption) -> list[Problem]:
    """Remove the existing publish jobs from the workflows, unless they are to be kept."""
    if not (found.facts.publishing or _has_workflow(found)):
        return []
    done = retire.retire(found.folder, found.facts.publishing)
    found.changes.update(done.changes)
    found.decisions += [Decision("existing publish job", *line.split(": ", 1)) for line in done.done]
    found.todo += done.todo
    found.todo += [
        f"remove the upload in {place}, which no job runs any longer"
        for place in orphaned.places(found.facts.publishing, done.todo)
    ]
    found.todo += [
        f"{where}: `{command}` ran before the build, but no session runs it: run it in a build hook of the build "
        "backend, or commit the files that it generates"
        for where, command in prepared.before_build(found.folder, found.facts.publishing)
    ]
    found.todo += [
        f"{where}: the build ran with {name}={' '.join(value.split())}, which no session sets: if a release needs "
        f'it, add os.environ["{name}"] = {json.dumps(value)} to noxfile.py'
        for where, name, value in prepared.variables(found.folder, found.facts.publishing)
    ]
    found.todo += guards.lost(found.folder, found.facts.publishing)
    return []


def dev_builds(found: Adoption) -> list[Problem]:
    """Add a step for each removed job that published the pushes to a branch to TestPyPI."""
    for each in Context.read(found.folder).on_github("testpypi"):
        pushed = [event.ref for event in each.certain() if event.name == "push" and not event.is_tag]
        for branch in [ref.removeprefix(HEADS) for ref in pushed if isinstance(ref, str)][:1]:
            found.todo.append(
                f"{each.file}, job {each.name}: published each push to {branch} to TestPyPI; to continue that, set "
                f'dev-builds = "{branch}" in [tool.tagship], and run: {update.command("sync", found.folder)}'
            )
    return []


def _has_workflow(found: Adoption) -> bool:
    return (found.folder / suite.WORKFLOW).is_file()


def managed(found: Adoption) -> list[Problem]:
    """Add the managed files; refuse to overwrite files of the same names that tagship did not write."""
    known = update.has_suite(found.folder)
    lines = [line for each in found.facts.publishing for line in each.evidence if ACTION in line.text]
    by_action = next(iter(lines), None)
    publish_with, why = _publishes_with(found, by_action)
    if not known:
        found.decisions.append(Decision("publishes with", publish_with, why))
    variant = {"apart": collides(found), "compiled": found.compiled}
    status = update.status(found.folder, publish_with, **variant, packages=found.packages)
    moved = suite.WORKFLOW in found.changes
    found.changes.update(status.changes)
    if known:
        return update.refusals(status)
    if suite.WORKFLOW in status.changes and found.facts.default_branch:
        text = status.changes[suite.WORKFLOW] or b""
        found.changes[suite.WORKFLOW] = suite.for_branch(text, found.facts.default_branch)
    edited = [finding.problem.where.partition(":")[0] for finding in status.findings if finding.kind == "edited"]
    return [_in_place(path) for path in edited if not (moved and path == suite.WORKFLOW.as_posix())]


def _publishes_with(found: Adoption, by_action: Evidence | None) -> tuple[str, str]:
    """Return what publishes, and why: the suite's current choice, else by the host and the workflows."""
    if update.has_suite(found.folder):
        return suite.chosen(found.folder), "unchanged"
    if found.on_gitlab:
        return "gitlab", "the repository is on GitLab"
    if by_action:
        return "gh-action-pypi-publish", f"{by_action.file}:{by_action.line}"
    return "nox", "the default"


def _in_place(path: str) -> Problem:
    moved = path.replace("release", "old-release") if path == suite.WORKFLOW.as_posix() else f"{path}.old"
    remedy = f"rename it and commit that: git mv {path} {moved}"
    return Problem("in-the-way", path, "a file of the project's own", "no file of this name", remedy)


def collides(found: Adoption) -> bool:
    """Return whether the project's own noxfile has sessions with the release's names."""
    path = found.folder / "noxfile.py"
    module = noxfile.read(path) if path.is_file() else noxfile.Module()
    return noxfile.SESSIONS_MODULE not in module.imported and bool(noxfile.own(module))


def sessions(found: Adoption) -> list[Problem]:
    """Add the import of the release's sessions to noxfile.py."""
    path = found.folder / "noxfile.py"
    if not path.is_file():
        text, quote = style.new_module(
            found.folder, "Nox sessions; `nox --list` shows them, with those of the release."
        )
        _add(found, path, insertion.with_sessions(text, quote, style.after_imports(found.folder)))
        found.decisions.append(Decision("noxfile.py", "a new one", "there is none"))
        return []
    module = noxfile.read(path)
    if suite.is_apart(found.folder) or collides(found):
        same = ", ".join(name for name in module.sessions if name in noxfile.SESSIONS)
        why = f"it has its own sessions of the same names: {same}"
        found.decisions.append(Decision("noxfile.py", f"left alone; the release's is {suite.NOXFILE.as_posix()}", why))
    elif noxfile.SESSIONS_MODULE not in module.imported:
        _add(found, path, insertion.with_sessions(read_text(path), gap=style.after_imports(found.folder)))
        kept = ", ".join(module.sessions) or "none"
        found.decisions.append(Decision("noxfile.py", "imports the release's sessions", f"its own stay: {kept}"))
    return noxfile.own(module) if noxfile.SESSIONS_MODULE in module.imported else []


def tasks(found: Adoption) -> list[Problem]:
    """Add the release's tasks to tasks.py, if it is new, or it is invoke's and has no Collection."""
    path, package = found.folder / "tasks.py", found.folder / "tasks/__init__.py"
    if not path.is_file() and not package.is_file():
        text, quote = style.new_module(
            found.folder, "Invoke tasks; `inv --list` shows them, with those of the release."
        )
        _add(found, path, insertion.with_tasks(text, set(), quote, style.after_imports(found.folder)))
        found.decisions.append(Decision("tasks.py", "a new one", "there is none"))
        return []
    path = path if path.is_file() else package  # a new tasks.py would hide it from invoke
    module, name = noxfile.read(path), path.relative_to(found.folder).as_posix()
    if noxfile.TASKS_MODULE in module.imported:
        return []
    if not any(each.partition(".")[0] == "invoke" for each in module.imported):
        found.decisions.append(Decision(name, f"left alone; {APART}", "it does not import invoke"))
    elif path == package or "Collection(" in read_text(path):
        why = "it is a package" if path == package else "it creates its own Collection"
        found.decisions.append(Decision(name, f"left alone; {APART}", why))
    else:
        _add(found, path, insertion.with_tasks(read_text(path), {*module.tasks}, gap=style.after_imports(found.folder)))
        kept = ", ".join(module.tasks) or "none"
        found.decisions.append(Decision("tasks.py", "has the release's tasks", f"its own stay: {kept}"))
    return []


def _add(found: Adoption, path: Path, text: str) -> None:
    found.changes[Path(path.name)] = style.in_order(found.folder, text).encode()


def keep_neighbours(found: Adoption) -> list[Problem]:
    """Keep the suite out of the project's sdist and pre-commit hooks, and add it to Dependabot."""
    path, new = (
        Path("pyproject.toml"),
        [str(path) for path in found.changes if path.parent == Path() and path.suffix == ".py"],
    )
    new = [name for name in new if not (found.folder / name).exists()]
    before = found.text(path)
    workflow = suite.PIPELINE if found.on_gitlab else suite.WORKFLOW
    after, others, why = neighbours.sdist(found.folder, before, [workflow.as_posix(), *new])
    after = neighbours.ruff(after)
    if after != before:
        found.changes[path] = after.encode()
    for own in (Path("ruff.toml"), Path(".ruff.toml")):
        if (text := found.text(own)) and (skips := neighbours.ruff(text, before)) != text:
            found.changes[own] = skips.encode()
    found.decisions += [Decision("sdist", "without the suite", why)] if why else []
    bots = [] if found.on_gitlab else [neighbours.dependabot(found.folder)]
    for changes, todo in ((others, ""), hooks(found.folder), *bots):
        found.changes.update(changes)
        found.todo += [todo] if todo else []
    return []


def versions(found: Adoption) -> list[Problem]:
    """Commit the version that only CI writes, or refuse: no tag could match what is committed."""
    if not found.names:
        return []
    source = version.guess(found.folder)
    if source.why == "git's tags":
        return []
    unknown = found.facts.distributions[0].unknown
    if not source.version and (set_in := made_in_ci.variable(found.folder, found.facts.publishing, unknown)):
        return [made_in_ci.problem(set_in, "")]
    written = made_in_ci.written(found.folder, found.facts.publishing, found.names[0], source.version)
    if not written or (not found.keep_old and committed.commit(found, source, written)):
        return []
    return [made_in_ci.problem(written[0][0], source.version)]


def tags(found: Adoption) -> list[Problem]:
    """Add a step if the existing tags have a form that the gate does not accept."""
    style = found.facts.tag_style
    shown = style.replace("1.2.3", "X.Y.Z").replace("1_2_3", "X_Y_Z")
    if style and found.names and not any(names(style, name, bare=True) for name in found.names):
        found.todo.append(
            f"tag releases vX.Y.Z from now on: {shown}, as before, names no distribution of this repository"
        )
    if style:
        found.decisions.append(Decision("tags", shown, "the form of the newest one"))
    if found.packages[1:] and not update.has_suite(found.folder):
        released: dict[str, list[str]] = {}
        for package, name in zip(found.packages, found.names, strict=False):
            known = style and not package.label and names(style, name, bare=True)
            released.setdefault(shown if known else package.tag("X.Y.Z"), []).append(name)
        forms = ", ".join(f"{form} releases {' and '.join(some)}" for form, some in released.items())
        found.todo.append(f"tags name what they release: {forms}")
    return []


def git_ignores(found: Adoption) -> list[Problem]:
    """Let git ignore what the sessions create, and not the managed files; those must be inside the repository."""
    if blocked := tree.unwritable(found.folder, found.changes):
        return blocked
    path = found.folder / ".gitignore"
    text = read_text(path) if path.is_file() else ""
    after = with_ignored(text, found.folder, found.changes)
    if after != text:
        found.changes[Path(path.name)] = after.encode()
    return tree.unwritable(found.folder, [Path(path.name)])
