"""The checks for GitLab, with its REST API: https://docs.gitlab.com/api/rest/."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tagship import suite

from .checks import TOKEN, pattern
from .github import Api, Unseen
from .model import Change, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAINTAINER = 40
"""The access level of maintainers; that of developers is 30, and 0 is nobody."""
ENVIRONMENTS = ("pypi", "testpypi")


class GitLabApi(Api):
    """A connection to the API of an instance of GitLab."""

    site, variable, login = "GitLab", "GITLAB_TOKEN", "glab auth login"
    headers: Mapping[str, str] = {}
    limit = "ratelimit"


@dataclass(frozen=True)
class Target:
    """The project, and a tag of each of its distributions."""

    api: Api
    host: str
    namespace: str
    project: str
    tags: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path of the project in the API."""
        return f"/projects/{quote(f'{self.namespace}/{self.project}', safe='')}"

    def settings(self, page: str) -> str:
        """Return the link to a page of the project's settings."""
        return f"https://{self.host}/{self.namespace}/{self.project}/-/settings/{page}"


def connect(environ: Mapping[str, str], host: str) -> GitLabApi:
    """Return a connection with the token from $GITLAB_TOKEN or glab, or without one."""
    token = environ.get("GITLAB_TOKEN") or _token_of_glab(host)
    return GitLabApi(environ.get("CI_API_V4_URL") or f"https://{host}/api/v4", token.strip())


def _token_of_glab(host: str) -> str:
    program = shutil.which("glab")
    if program is None:
        return ""
    command = [program, "config", "get", "token", "--host", host]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def run(target: Target) -> list[Finding]:
    """Run every check; what GitLab does not show is a finding too. Raises `Unseen` if it does not show the project."""
    found = [_pipeline_file(target, target.api.get(target.path))]
    for name, check in (("protected tags", tags), ("protected environments", environments), ("variables", variables)):
        try:
            found += check(target)
        except Unseen as unseen:
            expected = "a maintainer's token with the scope read_api"
            if check is environments:
                expected += (
                    "; without GitLab Premium nothing is protected, and anyone who can push a branch can publish"
                )
            found.append(Finding(name, "unknown", str(unseen), expected))
    return found


def _pipeline_file(target: Target, project: dict[str, Any]) -> Finding:
    """Compare the top-level pipeline file, which is in the ID tokens, with the publisher's."""
    if "ci_config_path" not in project:
        return Finding("pipeline file", "unknown", "GitLab does not show it", "a member's token")
    path = project["ci_config_path"] or suite.TOP_LEVEL
    state, link = ("right", "") if path == suite.TOP_LEVEL else ("wrong", target.settings("ci_cd"))
    return Finding("pipeline file", state, path, f"{suite.TOP_LEVEL}, as in the publisher", link)  # type: ignore[arg-type]


def tags(target: Target) -> Iterator[Finding]:
    """Only maintainers create a release's tag; others can neither move nor delete a protected one."""
    there = target.api.get(f"{target.path}/protected_tags", ".")
    link = target.settings("repository#js-protected-tags-settings")
    for tag in target.tags:
        expected = f"tags such as {tag} are protected, and created by maintainers"
        levels = [each for rule in there if fnmatchcase(tag, str(rule.get("name"))) for each in _levels(rule, "create")]
        if not levels:
            yield Finding("protected tags", "wrong", f"{tag} is not protected", expected, link, (_tag(target, tag),))
        elif any(0 < level < MAINTAINER for level in levels):
            yield Finding("protected tags", "wrong", f"developers may create {tag}", expected, link)
        else:
            yield Finding("protected tags", "right", f"tags such as {tag}")


def environments(target: Target) -> Iterator[Finding]:
    """Only maintainers deploy to the environments, and somebody approves what goes to PyPI."""
    there = {str(each.get("name")): each for each in target.api.get(f"{target.path}/protected_environments", ".")}
    link = target.settings("ci_cd#js-protected-environments-settings")
    for name in ENVIRONMENTS:
        check, rule = f"environment {name}", there.get(name)
        expected = "protected, and deployed to by maintainers: PyPI does not check the branch or tag"
        if rule is None:
            yield Finding(check, "wrong", "not protected", expected, link, (_environment(target, name),))
        elif any(level < MAINTAINER for level in _levels(rule, "deploy")):
            yield Finding(check, "wrong", "developers may deploy to it", expected, link)
        elif name == "pypi" and not (rule.get("required_approval_count") or rule.get("approval_rules")):
            yield Finding(check, "advice", "protected, without an approval", "an approval by another person", link)
        else:
            yield Finding(check, "right", "protected")


def variables(target: Target) -> Iterator[Finding]:
    """No password or token of an index is left among the variables; only their names are read."""
    places = {"": target.path, f" of the group {target.namespace}": f"/groups/{quote(target.namespace, safe='')}"}
    names = []
    for place, path in places.items():
        try:
            listed = target.api.get(f"{path}/variables", ".")
        except Unseen:
            if not place:  # the namespace is a user, or a group that shows its variables to owners only
                raise
            continue
        names += [f"{each.get('key')}{place}" for each in listed if TOKEN.search(str(each.get("key")))]
    expected = "none: revoke the token at the index, then delete the variable, unless your own index needs it"
    if names:
        yield Finding(
            "variables", "wrong", ", ".join(names), expected, target.settings("ci_cd#js-cicd-variables-settings")
        )
    else:
        yield Finding("variables", "right", "no password or token of an index, by name")


def _levels(rule: dict[str, Any], kind: str) -> list[int]:
    """Return the access levels of a rule; a named user or group counts as maintainers."""
    listed = rule.get(f"{kind}_access_levels") or []
    return [
        MAINTAINER if each.get("user_id") or each.get("group_id") else int(each.get("access_level") or 0)
        for each in listed
    ]


def _tag(target: Target, tag: str) -> Change:
    body = {"name": pattern(tag), "create_access_level": MAINTAINER}
    return Change(f"protect tags {pattern(tag)}", "POST", f"{target.path}/protected_tags", body)


def _environment(target: Target, name: str) -> Change:
    body = {"name": name, "deploy_access_levels": [{"access_level": MAINTAINER}]}
    return Change(f"protect the environment {name}", "POST", f"{target.path}/protected_environments", body)
