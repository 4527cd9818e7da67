"""What other CI services upload: Travis, CircleCI, GitLab, Azure Pipelines, AppVeyor, Jenkins and similar."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagship.facts import marked
from tagship.facts.marked import Map, Seq, Text
from tagship.facts.model import Evidence

from . import tools
from .github import Found
from .shell import commands
from .values import Scope
from .walk import Upload, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .targets import Targets

#: Keys that hold commands.
SCRIPTS = re.compile(
    r"(?:before_|after_)?(?:script|scripts|install|success|deploy|test|build|build_script)|\w+_script|commands?|run|bash|"
    r"powershell|pwsh|sh|cmd|ps|on_success|on_finish",
)
#: Variables that a service sets itself, which are no secrets of the repository.
OWN = re.compile(
    r"^(?:CI|CI_\w+|TRAVIS\w*|CIRCLE\w*|GITLAB_\w+|BUILD_\w+|AGENT_\w+|APPVEYOR\w*|HOME|PATH|USER|PWD|VERSION|TAG|\?|\w)$"
)


@dataclass
class Unit:
    """The commands of one job, with the variables that its file sets, and the uploads that it declares."""

    job: str
    scripts: list[Text] = field(default_factory=list)
    variables: list[tuple[str, str]] = field(default_factory=list)
    triggers: tuple[str, ...] = ()
    uploads: list[Upload] = field(default_factory=list)
    identity: bool = False


def uploads(root: Path, targets: Targets, errors: list[str]) -> Iterator[Found]:
    """Yield what the other services' files in the repository at `root` upload; add unreadable files to `errors`."""
    for pattern, reader in READERS.items():
        for file in _matching(targets, pattern):
            path = root / file
            if not path.is_file() or path.is_symlink():
                continue
            try:
                content = marked.read_bytes(path, file)
                tree = (
                    marked.parse(content, file)
                    if path.suffix in {".yml", ".yaml"}
                    else content.decode("utf-8", "replace")
                )
            except marked.Unreadable as error:
                errors.extend(str(line) for line in error.args)
                continue
            if isinstance(tree, Map) or (isinstance(tree, str) and not isinstance(tree, Text)):
                for unit in reader(tree, file):
                    yield from _uploads(unit, file, targets)


def _matching(targets: Targets, pattern: str) -> list[str]:
    folder, slash, name = pattern.rpartition("/")
    found = targets.names(folder)
    names = fnmatch.filter(found, name) if "*" in name else {name} & found
    return sorted(f"{folder}{slash}{each}" for each in names)


def _uploads(unit: Unit, file: str, targets: Targets) -> Iterator[Found]:
    scope = Scope(external=True)
    for name, value in unit.variables:
        scope.add(name, value)
    walk = Walk(targets, scope, unit.identity)
    for upload in unit.uploads:
        yield Found(file, unit.job, unit.triggers, upload)
    for script in unit.scripts:
        walk.note(script, scope)
        for upload in walk.follow(commands(script, script.first), file, scope, ()):
            yield Found(file, unit.job, unit.triggers, _with_project_variables(upload))


def _with_project_variables(upload: Upload) -> Upload:
    """Return `upload` with the variables that the tool reads, if the file passes none: the project's settings may."""
    names = [name for name in upload.credentials.secrets if not OWN.match(name)]
    tool = tools.BY_NAME.get(upload.tool)
    given = upload.credentials.auth
    if upload.command and "--config-file" in upload.command.words:
        credentials = tools.Credentials("token")  # a service connection wrote it
    elif given == "none" and tool and tool.password_variables:
        credentials = tools.Credentials("token", tool.password_variables[:1])
    else:
        credentials = tools.Credentials(given, tuple(names))
    return Upload(upload.tool, upload.index, credentials, upload.evidence, upload.command)


def travis(tree: Map | str, file: str) -> Iterator[Unit]:
    """Yield the jobs of a .travis.yml: the file's own, and those under `include`."""
    assert isinstance(tree, Map)
    common = list(_pairs(tree.get("env")))
    yield _travis_unit(tree, "deploy" if "deploy" in tree else "script", common, file)
    for key in ("jobs", "matrix"):
        for number, each in enumerate(tree.map(key).list("include"), 1):
            if isinstance(each, Map):
                name = each.text("name") or each.text("stage") or f"include {number}"
                yield _travis_unit(each, str(name), [*common, *_pairs(each.get("env"))], file)


def _travis_unit(node: Map, job: str, variables: list[tuple[str, str]], file: str) -> Unit:
    unit = Unit(job, list(_scripts(node, {"jobs", "matrix", "deploy", "env"})), variables)
    for each in node.list("deploy"):
        if not isinstance(each, Map):
            continue
        condition = each.map("on") or each.map("true")
        unit.triggers = (f"on:{json.dumps(marked.data(condition))}",) if condition else ("push",)
        if each.text("provider") == "script":
            unit.scripts += marked.texts(each.get("script"))
        if each.text("provider") == "pypi" and condition.text("condition") != "false":
            unit.uploads.append(_provider(each, variables, file))
    return unit


def _provider(node: Map, variables: list[tuple[str, str]], file: str) -> Upload:
    scope = Scope(external=True)
    for name, value in variables:
        scope.add(name, value)
    user = scope.origin(node.text("user") or node.text("username") or node.text("api_user"))
    password = scope.origin(node.text("password") or node.text("api_key"))
    plain = {name for name in user.secrets if not OWN.match(name)}
    is_user = any(name != "__token__" for name in user.literals) or (
        bool(plain) and "TOKEN" not in str([*password.secrets]).upper()
    )
    is_encrypted = isinstance(node.get("password"), Map) and not user.literals
    credentials = tools.Credentials("password" if is_user or is_encrypted else "token", (*password.secrets, *plain))
    index = tools.index_of(scope.origin(node.text("server") or node.text("distributions_url")).literals)
    line = node.line_of("provider")
    return Upload("travis", index, credentials, (Evidence(file, line, "provider: pypi"),))


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """Yield the variables that `NAME=value` lines or a mapping set."""
    if isinstance(value, Map):
        for name, each in value.items():
            if isinstance(each, Text):
                yield str(name), each
            elif name in {"global", "matrix", "jobs"}:
                yield from _pairs(each)
    elif isinstance(value, Seq):
        for each in value:
            yield from _pairs(each)
    elif isinstance(value, Text):
        for command in commands(value):
            yield from command.assigned


def _scripts(node: object, without: set[str] = frozenset()) -> Iterator[Text]:  # type: ignore[assignment]
    """Yield the commands in `node`, below any of the keys that hold some."""
    if isinstance(node, Map):
        for key, value in node.items():
            if key in without:
                continue
            if SCRIPTS.fullmatch(key) and not isinstance(value, Map):
                for each in marked.as_list(value):
                    yield from [each] if isinstance(each, Text) else _scripts(each)
            else:
                yield from _scripts(value)
    elif isinstance(node, Seq):
        for each in node:
            yield from _scripts(each)


def circle(tree: Map | str, _file: str) -> Iterator[Unit]:
    """Yield the jobs of a CircleCI configuration that a workflow starts, each with the reusable commands it uses."""
    assert isinstance(tree, Map)
    reusable = tree.map("commands")
    flows = tree.map("workflows")
    started: dict[str, tuple[str, ...]] = {}
    for flow in flows.values():
        for each in flow.list("jobs") if isinstance(flow, Map) else ():
            for name, given in each.items() if isinstance(each, Map) else [(each, None)]:
                filters = given.get("filters") if isinstance(given, Map) else None
                started[str(name)] = (f"filters:{json.dumps(marked.data(filters))}",) if filters else ("push",)
    for name, job in tree.map("jobs").items():
        if isinstance(job, Map) and (not flows or str(name) in started):
            called = [
                reusable.get(str(step if isinstance(step, Text) else next(iter(step), "")))
                for step in job.list("steps")
            ]
            scripts = [*_scripts(job.get("steps")), *(text for each in called for text in _scripts(each))]
            variables = [*_pairs(job.get("environment")), *_step_variables(job)]
            yield Unit(str(name), scripts, variables, started.get(str(name), ("push",)))


def _step_variables(job: Map) -> Iterator[tuple[str, str]]:
    for step in job.list("steps"):
        if isinstance(step, Map):
            yield from _pairs(step.map("run").get("environment"))


RESERVED = frozenset({"default", "include", "stages", "variables", "workflow", "image", "services", "cache", "spec"})


def gitlab(tree: Map | str, _file: str) -> Iterator[Unit]:
    """Yield the jobs of a .gitlab-ci.yml, with what they extend."""
    assert isinstance(tree, Map)
    common = list(_pairs(tree.get("variables")))
    outer = [*marked.texts(tree.get("before_script")), *marked.texts(tree.map("default").get("before_script"))]
    for name, job in tree.items():
        if name in RESERVED or name.startswith(".") or not isinstance(job, Map):
            continue
        parts = _extended(tree, job, 0)
        if any(each.text("when") == "never" for each in parts[:1]):
            continue
        scripts = [
            text for key in ("before_script", "script", "after_script") for text in marked.texts(_inherited(parts, key))
        ]
        variables = [pair for each in reversed(parts) for pair in _pairs(each.get("variables"))]
        triggers = tuple(
            f"{key}:{json.dumps(marked.data(value))}"
            for key in ("only", "rules", "except")
            if (value := _inherited(parts, key))
        )
        identity = any("id_tokens" in each for each in parts)
        yield Unit(str(name), [*outer, *scripts], [*common, *variables], triggers or ("push",), identity=identity)


def _extended(tree: Map, job: Map, depth: int) -> list[Map]:
    found = [job]
    for name in job.list("extends"):
        other = tree.get(str(name))
        if isinstance(other, Map) and depth < 10:
            found += _extended(tree, other, depth + 1)
    return found


def _inherited(parts: list[Map], key: str) -> object:
    return next((each[key] for each in parts if key in each), None)


def generic(tree: Map | str, _file: str) -> Iterator[Unit]:
    """Yield the jobs of a service's file: wherever commands are, each named by its key."""
    assert isinstance(tree, Map)
    variables = [*_pairs(tree.get("environment")), *_pairs(tree.get("env")), *_pairs(tree.get("variables"))]
    yield from _generic(tree, "", variables)


def _generic(node: object, name: str, variables: list[tuple[str, str]]) -> Iterator[Unit]:
    if isinstance(node, Seq):
        for each in node:
            yield from _generic(each, name, variables)
    if not isinstance(node, Map) or node.text("condition") == "false" or node.text("enabled") == "false":
        return
    own = next((str(node.text(key)) for key in ("job", "deployment", "stage", "name") if node.text(key)), name)
    variables = [*variables, *_pairs(node.get("env")), *_pairs(node.get("variables")), *_pairs(node.get("environment"))]
    scripts = [
        text
        for key, value in node.items()
        if SCRIPTS.fullmatch(key) and not isinstance(value, Map)
        for text in marked.as_list(value)
        if isinstance(text, Text)
    ]
    if scripts:
        yield Unit(own or "script", scripts, variables, ("push",))
    for key, value in node.items():
        if not (SCRIPTS.fullmatch(key) and isinstance(value, Text)):
            yield from _generic(value, own or (str(key) if isinstance(value, Map) else ""), variables)


def jenkins(text: Map | str, _file: str) -> Iterator[Unit]:
    """Yield the shell steps of a Jenkinsfile, by stage."""
    assert isinstance(text, str)
    text = re.sub(
        r"(?m)^[ \t]*//[^\n]*|^[ \t]*/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL
    )
    pattern = re.compile(
        r"""\b(?:sh|bat|powershell)\s*\(?\s*(?:script\s*:\s*)?(\"{3}|'{3}|["'])(.*?)(?<!\\)\1""", re.DOTALL
    )
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        stages = re.findall(r"stage\s*\(?\s*['\"]([^'\"]+)", text[: match.start()])
        yield Unit(stages[-1] if stages else "Jenkinsfile", [Text(match[2], line, 0, line)], [], ("push",))


READERS: dict[str, Callable[[Map | str, str], Iterator[Unit]]] = {
    ".travis.yml": travis,
    ".circleci/config.yml": circle,
    ".circleci/config.yaml": circle,
    ".gitlab-ci.yml": gitlab,
    ".gitlab-ci.yaml": gitlab,
    "azure-pipelines*.y*ml": generic,
    ".azure-pipelines/*.y*ml": generic,
    ".azure/*.y*ml": generic,
    "appveyor.yml": generic,
    ".appveyor.yml": generic,
    ".cirrus.yml": generic,
    ".drone.yml": generic,
    ".woodpecker.yml": generic,
    "bitbucket-pipelines.yml": generic,
    ".semaphore/semaphore.yml": generic,
    ".buildkite/*.y*ml": generic,
    ".carthorse.yml": generic,
    "Jenkinsfile": jenkins,
}
