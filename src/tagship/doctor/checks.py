"""The checks for GitHub: each reads one kind of setting of the repository, as far as it is visible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .github import Api, Unseen
from .model import Change, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Names of secrets that hold a password or token of an index, as the upload tools use them.
TOKEN = re.compile(r"PYPI|TWINE_|FLIT_|UV_PUBLISH|HATCH_INDEX|PDM_PUBLISH|POETRY_HTTP")
#: How many tag rulesets are read in full.
RULESETS = 2


@dataclass(frozen=True)
class Target:
    """The repository, and for each distribution its environments at the index and a tag of it."""

    api: Api
    owner: str
    repository: str
    environments: dict[str, str]
    """The names of the environments, each with a tag that would be deployed to it."""
    dev_builds: str = ""
    """The branch whose dev builds go to TestPyPI."""

    @property
    def path(self) -> str:
        """The path of the repository in the API."""
        return f"/repos/{self.owner}/{self.repository}"

    def settings(self, page: str) -> str:
        """Return the link to a page of the repository's settings."""
        return f"https://github.com/{self.owner}/{self.repository}/settings/{page}"


def run(target: Target) -> list[Finding]:
    """Run every check; what GitHub does not show is a finding too."""
    found = list(environments(target))
    checks: tuple[tuple[str, Callable[[Target], Iterator[Finding]]], ...] = (
        ("tag ruleset", rulesets),
        ("workflow permissions", permissions),
        ("secrets", secrets),
        ("immutable releases", immutable),
    )
    for name, check in checks:
        try:
            found += check(target)
        except Unseen as unseen:
            found.append(Finding(name, "unknown", str(unseen), "a token that may read the repository's settings"))
    return found


def environments(target: Target) -> Iterator[Finding]:
    """Each environment exists, lets only tags through, and the one of PyPI needs a reviewer.

    Raises `Unseen` if the repository itself is not shown.
    """
    there = {str(each.get("name")): each for each in target.api.get(f"{target.path}/environments", "environments")}
    for name, tag in target.environments.items():
        link = target.settings("environments")
        if name not in there:
            expected = f"an environment of this name for tags such as {tag}"
            yield Finding(f"environment {name}", "wrong", "none", expected, link, _new(target, name, tag))
            continue
        yield _tags_only(target, name, tag, there[name], link)
        if not name.startswith("testpypi"):
            yield _reviewed(name, there[name], link)


def _tags_only(target: Target, name: str, tag: str, environment: dict[str, Any], link: str) -> Finding:
    dev = [target.dev_builds] if target.dev_builds and name == "testpypi" else []
    only = f"and the branch {target.dev_builds}" if dev else "only"
    check, expected = f"environment {name}: deployment rule", f"tags {only}, such as {tag}"
    policy = environment.get("deployment_branch_policy")
    if not policy:
        return Finding(check, "wrong", "any branch and tag", expected, link, _limited(target, name, tag, environment))
    if policy.get("protected_branches"):
        return Finding(check, "wrong", "protected branches, and no tags", expected, link)
    rules = target.api.get(f"{_path(target, name)}/deployment-branch-policies", "branch_policies")
    branches = [str(rule.get("name")) for rule in rules if rule.get("type", "branch") != "tag"]
    tags = [str(rule.get("name")) for rule in rules if rule.get("type", "branch") == "tag"]
    if branches != dev:
        saw = f"also branches: {', '.join(branches)}" if branches else "tags, and no branch for dev builds"
        return Finding(check, "wrong", saw, expected, link)
    if not any(fnmatchcase(tag, pattern) for pattern in tags):
        saw = f"only the tags {', '.join(tags)}" if tags else "no rule that allows anything"
        return Finding(check, "wrong", saw, expected, link, (_rule(target, name, tag),))
    return Finding(check, "right", f"the tags {', '.join(tags)}")


def _reviewed(name: str, environment: dict[str, Any], link: str) -> Finding:
    check, expected = f"environment {name}: reviewers", "a person other than the one who pushed the tag"
    rules = environment.get("protection_rules") or []
    rule: dict[str, Any] = next((rule for rule in rules if rule.get("type") == "required_reviewers"), {})
    reviewers = rule.get("reviewers") or []
    names = [str(each.get("reviewer", {}).get("login") or each.get("reviewer", {}).get("slug")) for each in reviewers]
    if not names:
        return Finding(check, "wrong", "none", expected, link)
    if rule.get("prevent_self_review"):
        return Finding(check, "right", f"{', '.join(names)}, and nobody reviews their own tag")
    alone = len(names) == 1 and reviewers[0].get("type") == "User"
    saw = f"{', '.join(names)}, who may approve their own tag"
    return Finding(check, "advice" if alone else "wrong", saw, expected, link)


def rulesets(target: Target) -> Iterator[Finding]:
    """A ruleset prevents pushed tags from being moved or deleted."""
    listed = target.api.get(f"{target.path}/rulesets?targets=tag&includes_parents=true", ".")
    active = [each for each in listed if each.get("enforcement") == "active"]
    kept: dict[str, set[str]] = {tag: set() for tag in target.environments.values()}
    for each in active[:RULESETS]:
        detail = target.api.get(f"{target.path}/rulesets/{each.get('id')}")
        types = {str(rule.get("type")) for rule in detail.get("rules") or []}
        for tag in kept:
            kept[tag] |= types if _covers(detail, tag) else set()
    for tag, types in kept.items():
        lacking = [what for what, rule in {"moved": "update", "deleted": "deletion"}.items() if rule not in types]
        link, expected = target.settings("rules"), f"an active ruleset for tags such as {tag}: no update, no deletion"
        if not lacking:
            yield Finding("tag ruleset", "right", f"tags such as {tag} can neither be moved nor deleted")
        else:
            saw = f"tags such as {tag} can be {' and '.join(lacking)}"
            yield Finding("tag ruleset", "wrong", saw, expected, link, (_ruleset(target, tag),))


def _covers(ruleset: dict[str, Any], tag: str) -> bool:
    names = (ruleset.get("conditions") or {}).get("ref_name") or {}

    def any_of(patterns: object) -> bool:
        ref = f"refs/tags/{tag}"
        listed = patterns if isinstance(patterns, list) else []
        return any(pattern == "~ALL" or fnmatchcase(ref, str(pattern)) for pattern in listed)

    return any_of(names.get("include")) and not any_of(names.get("exclude"))


def permissions(target: Target) -> Iterator[Finding]:
    """A workflow without permissions of its own only gets read access."""
    found = target.api.get(f"{target.path}/actions/permissions/workflow")
    default = str(found.get("default_workflow_permissions"))
    state, link = ("right", "") if default == "read" else ("wrong", target.settings("actions"))
    yield Finding("workflow permissions", state, default, "read", link)  # type: ignore[arg-type]


def secrets(target: Target) -> Iterator[Finding]:
    """No password or token of an index is left, in the repository or an environment."""
    places = {"": f"{target.path}/actions/secrets"}
    # A token of TestPyPI in its own environment publishes nothing that anybody relies on.
    places |= {
        name: f"{_path(target, name)}/secrets" for name in target.environments if not name.startswith("testpypi")
    }
    names = []
    for place, path in places.items():
        try:
            listed = target.api.get(path, "secrets")
        except Unseen as unseen:
            if not (place and unseen.status == 404):  # a missing environment has none
                raise
            continue
        names += [
            f"{each.get('name')}{place and f' of {place}'}" for each in listed if TOKEN.search(str(each.get("name")))
        ]
    expected = "none: revoke the token at the index, then delete the secret, unless your own index needs it"
    if names:
        yield Finding("secrets", "wrong", ", ".join(names), expected, target.settings("secrets/actions"))
    else:
        yield Finding("secrets", "right", "no password or token of an index, by name")


def immutable(target: Target) -> Iterator[Finding]:
    """GitHub Releases cannot be changed once they are published."""
    try:
        enabled = bool(target.api.get(f"{target.path}/immutable-releases").get("enabled"))
    except Unseen as unseen:
        if unseen.status != 404:
            raise
        enabled = False
    if enabled:
        yield Finding("immutable releases", "right", "enabled")
    else:
        yield Finding("immutable releases", "advice", "not enabled", "enabled", target.settings(""))


def _path(target: Target, name: str) -> str:
    return f"{target.path}/environments/{quote(name, safe='')}"


def pattern(tag: str) -> str:
    """Return the pattern for tags like `tag`: the part before the version, and `*`."""
    return f"{tag.rstrip('0123456789.')}*"


def _new(target: Target, name: str, tag: str) -> tuple[Change, ...]:
    return _limited(target, name, tag, {})


def _limited(target: Target, name: str, tag: str, environment: dict[str, Any]) -> tuple[Change, ...]:
    """Return the changes that limit an environment to tags; its other rules are sent too, as PUT replaces all."""
    body: dict[str, Any] = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    for rule in environment.get("protection_rules") or []:
        if rule.get("type") == "wait_timer":
            body["wait_timer"] = rule.get("wait_timer")
        if rule.get("type") == "required_reviewers":
            reviewers = rule.get("reviewers") or []
            body["reviewers"] = [{"type": each["type"], "id": each["reviewer"]["id"]} for each in reviewers]
            body["prevent_self_review"] = bool(rule.get("prevent_self_review"))
    verb = "limit" if environment else "create"
    does = f"{verb} the environment {name}, for tags {pattern(tag)} only"
    return Change(does, "PUT", _path(target, name), body), _rule(target, name, tag)


def _rule(target: Target, name: str, tag: str) -> Change:
    body = {"name": pattern(tag), "type": "tag"}
    does = f"let tags {pattern(tag)} deploy to {name}"
    return Change(does, "POST", f"{_path(target, name)}/deployment-branch-policies", body)


def _ruleset(target: Target, tag: str) -> Change:
    tags = pattern(tag)
    body = {
        "name": f"released tags {tags}",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/tags/{tags}"], "exclude": []}},
        "rules": [{"type": "update"}, {"type": "deletion"}],
    }
    return Change(f"create a ruleset: tags {tags} cannot be moved or deleted", "POST", f"{target.path}/rulesets", body)
