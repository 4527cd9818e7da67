"""`tagship doctor`, run as a person does, against an API that answers as GitHub's is documented to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tagship.cli import main
from tagship_suite.errors import PAGE
from tests.conftest import commit, git

from .api import INDEX, REPOSITORY, GitHub, limited, listing, policies, provenance, reviewed, ruleset, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENTS = f"{REPOSITORY}/environments"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serving() as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path, github: GitHub) -> Path:
    folder = tmp_path / "ship"
    folder.mkdir()
    index = f'[tool.tagship]\nindex-url = "{github.address}/simple/"\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "ship"\nversion = "1.0"\n\n{index}')
    commit(folder)
    git(folder, "remote", "add", "origin", "git@github.com:octo/ship.git")
    return folder


def doctor(repository: Path, github: GitHub, *options: str, **env: str) -> tuple[int, list[str]]:
    address = {"GITHUB_API_URL": github.address, "GITHUB_TOKEN": "secret", "GH_TOKEN": ""}
    done = CliRunner().invoke(main, ["doctor", *options, str(repository)], env={**address, **env})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output.splitlines()


def findings(repository: Path, github: GitHub) -> dict[str, Any]:
    _, lines = doctor(repository, github, "--format=json")
    return {each["check"]: each for each in json.loads("\n".join(lines))}


def test_safe_settings_are_right_and_seen_with_few_requests(repository: Path, github: GitHub) -> None:
    status, lines = doctor(repository, github)
    assert status == 0, lines
    assert {line.split()[0] for line in lines} == {"right"}
    assert len(lines) == 8
    assert len(github.sent) == 11
    assert {method for method, _, _ in github.sent} == {"GET"}
    assert github.tokens == {"Bearer secret", ""}, "the index gets no token"


@pytest.mark.parametrize(
    ("path", "answer", "line"),
    [
        (
            ENVIRONMENTS,
            {"environments": [reviewed("pypi")]},
            "wrong   environment testpypi: none; expected an environment of this name for tags such as v1.0",
        ),
        (
            ENVIRONMENTS,
            {"environments": [reviewed("pypi"), {**limited("testpypi"), "deployment_branch_policy": None}]},
            "wrong   environment testpypi: deployment rule: any branch and tag; expected tags only, such as v1.0",
        ),
        (
            f"{ENVIRONMENTS}/pypi/deployment-branch-policies",
            policies(("v*", "tag"), ("main", "branch")),
            "wrong   environment pypi: deployment rule: also branches: main; expected tags only, such as v1.0",
        ),
        (
            f"{ENVIRONMENTS}/pypi/deployment-branch-policies",
            policies(("[0-9]*", "tag")),
            "wrong   environment pypi: deployment rule: only the tags [0-9]*; expected tags only, such as v1.0",
        ),
        (
            ENVIRONMENTS,
            {"environments": [limited("pypi"), limited("testpypi")]},
            "wrong   environment pypi: reviewers: none; expected a person other than the one who pushed the tag",
        ),
        (
            ENVIRONMENTS,
            {"environments": [reviewed("pypi", self_review=True), limited("testpypi")]},
            (
                "wrong   environment pypi: reviewers: anna, ben, who may approve their own tag; "
                "expected a person other than the one who pushed the tag"
            ),
        ),
        (
            f"{REPOSITORY}/rulesets",
            [],
            (
                "wrong   tag ruleset: tags such as v1.0 can be moved and deleted; "
                "expected an active ruleset for tags such as v1.0: no update, no deletion"
            ),
        ),
        (
            f"{REPOSITORY}/rulesets/1",
            ruleset("deletion"),
            (
                "wrong   tag ruleset: tags such as v1.0 can be moved; "
                "expected an active ruleset for tags such as v1.0: no update, no deletion"
            ),
        ),
        (
            f"{REPOSITORY}/rulesets/1",
            ruleset("update", "deletion", include="refs/tags/chart-*"),
            (
                "wrong   tag ruleset: tags such as v1.0 can be moved and deleted; "
                "expected an active ruleset for tags such as v1.0: no update, no deletion"
            ),
        ),
        (
            f"{REPOSITORY}/actions/permissions/workflow",
            {"default_workflow_permissions": "write"},
            "wrong   workflow permissions: write; expected read",
        ),
        (
            f"{REPOSITORY}/actions/secrets",
            {"secrets": [{"name": "PYPI_TOKEN"}, {"name": "CODECOV_TOKEN"}]},
            (
                "wrong   secrets: PYPI_TOKEN; expected none: revoke the token at the index, then delete the secret, "
                "unless your own index needs it"
            ),
        ),
        (
            f"{ENVIRONMENTS}/pypi/secrets",
            {"secrets": [{"name": "TWINE_PASSWORD"}]},
            (
                "wrong   secrets: TWINE_PASSWORD of pypi; expected none: revoke the token at the index, then delete "
                "the secret, unless your own index needs it"
            ),
        ),
        (
            "/provenance",
            provenance("octo/ship", "publish.yml", "pypi"),
            (
                "wrong   publisher of ship: ship-1.0.tar.gz came from GitHub octo/ship publish.yml pypi; "
                "expected octo/ship, release.yml, environment 'pypi'"
            ),
        ),
        (
            "/provenance",
            provenance("octo/ship", "release.yml", None),
            (
                "wrong   publisher of ship: ship-1.0.tar.gz came from GitHub octo/ship release.yml; "
                "expected octo/ship, release.yml, environment 'pypi'"
            ),
        ),
    ],
)
def test_each_unsafe_setting_is_reported_with_the_expected_value(
    repository: Path, github: GitHub, path: str, answer: Any, line: str
) -> None:
    github.answers[path] = answer
    status, lines = doctor(repository, github)
    assert status == 1
    assert [each for each in lines if each.startswith("wrong")] == [line]


@pytest.mark.parametrize(
    ("path", "answer", "check", "state"),
    [
        (f"{REPOSITORY}/immutable-releases", (404, {}, {}), "immutable releases", "advice"),
        (
            ENVIRONMENTS,
            {"environments": [reviewed("pypi", "anna", self_review=True), limited("testpypi")]},
            "environment pypi: reviewers",
            "advice",
        ),
        (f"{REPOSITORY}/actions/secrets", (403, {}, {"message": "Forbidden"}), "secrets", "unknown"),
        (f"{REPOSITORY}/actions/permissions/workflow", (404, {}, {}), "workflow permissions", "unknown"),
        (INDEX, (404, {}, {}), "publisher of ship", "unknown"),
        (INDEX, {"files": []}, "publisher of ship", "unknown"),
        (INDEX, listing("ship-1.0.tar.gz", provenance=None), "publisher of ship", "unknown"),
        ("/provenance", {"attestation_bundles": [{}]}, "publisher of ship", "unknown"),
        ("/provenance", (200, {}, b"{"), "publisher of ship", "unknown"),
    ],
)
def test_what_is_not_visible_or_only_advice_is_reported_and_no_failure(
    repository: Path, github: GitHub, path: str, answer: Any, check: str, state: str
) -> None:
    github.answers[path] = answer
    assert doctor(repository, github)[0] == 0
    assert findings(repository, github)[check]["state"] == state


def test_dev_builds_need_their_branch_in_the_environment_of_testpypi_and_nowhere_else(
    repository: Path, github: GitHub
) -> None:
    pyproject = repository / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'dev-builds = "main"\n')
    check, rules = "environment testpypi: deployment rule", f"{ENVIRONMENTS}/testpypi/deployment-branch-policies"
    assert findings(repository, github)[check]["saw"] == "tags, and no branch for dev builds"
    github.answers[rules] = github.answers[rules.replace("testpypi", "pypi")] = policies(
        ("v*", "tag"), ("main", "branch")
    )
    found = findings(repository, github)
    assert found[check]["state"] == "right"
    assert found[check.replace("testpypi", "pypi")]["saw"] == "also branches: main"


def test_a_second_ruleset_may_have_what_the_first_lacks_and_that_is_the_twelfth_request(
    repository: Path, github: GitHub
) -> None:
    github.answers[f"{REPOSITORY}/rulesets"] = [{"id": each, "enforcement": "active"} for each in (1, 2, 3)]
    # Without `update`, a tag can still be moved to a descendant of its commit.
    github.answers[f"{REPOSITORY}/rulesets/1"] = ruleset("deletion", "non_fast_forward")
    github.answers[f"{REPOSITORY}/rulesets/2"] = ruleset("update")
    assert findings(repository, github)["tag ruleset"]["state"] == "right"
    assert len(github.sent) == 12


def test_all_pages_are_read(repository: Path, github: GitHub) -> None:
    following = {"Link": f'<{github.address}{REPOSITORY}/actions/secrets?page=2>; rel="next"'}
    first = {"total_count": 2, "secrets": [{"name": "CODECOV_TOKEN"}]}
    github.answers[f"{REPOSITORY}/actions/secrets"] = (200, following, first)
    github.answers[f"{REPOSITORY}/actions/secrets?page=2"] = {"total_count": 2, "secrets": [{"name": "FLIT_PASSWORD"}]}
    assert findings(repository, github)["secrets"]["saw"] == "FLIT_PASSWORD"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, {}, {"message": "Bad credentials"}), "token: found one that GitHub refuses (401), expected a valid one"),
        ((404, {}, {}), "octo/ship: found no such repository: GitHub does not show it to this token (404)"),
        ((403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, {}), "found the rate limit reached"),
        ((429, {"retry-after": "30"}, {}), "found the rate limit reached, expected an answer; try again in 30 s"),
        ((502, {}, b"<html>"), "found a server error of GitHub (502), expected an answer; try again later"),
        (
            (200, {}, b'{"environments": [{"na'),
            "found a response that is not JSON or is incomplete, expected JSON; try again",
        ),
        ((200, {"Content-Length": "999"}, b"{}"), "found no response"),
        ((200, {}, {"environments": [1]}), "found a response that is JSON of another shape than documented"),
    ],
)
def test_if_nothing_can_be_seen_one_line_says_why(repository: Path, github: GitHub, answer: Any, error: str) -> None:
    github.answers[ENVIRONMENTS] = answer
    status, lines = doctor(repository, github)
    assert status == 2
    assert len(lines) == 2  # and the link
    assert lines[0].startswith("error: ")
    assert error in lines[0]


def test_without_a_network_one_line_says_so(repository: Path, github: GitHub) -> None:
    status, lines = doctor(repository, github, GITHUB_API_URL="http://127.0.0.1:9")
    assert status == 2
    error = "error: http://127.0.0.1:9: found no response (ConnectionError), expected GitHub's; check the network"
    assert lines == [f"{error} [network]", f"see: {PAGE}#network"]


def test_a_former_name_of_the_repository_is_reported(repository: Path, github: GitHub) -> None:
    moved = f"{github.address}/repositories/5/environments"
    github.answers["/repositories/5/environments"] = github.answers[ENVIRONMENTS]
    github.answers[ENVIRONMENTS] = (301, {"Location": moved}, b"")
    status, lines = doctor(repository, github)
    assert status == 1
    assert lines[0].startswith("wrong   repository: octo/ship is a former name; expected the current name")


def test_a_repository_that_is_not_on_github_is_refused(repository: Path, github: GitHub) -> None:
    git(repository, "remote", "remove", "origin")
    status, lines = doctor(repository, github)
    assert status == 2
    remedy = "add it: git remote add origin git@github.com:OWNER/REPOSITORY.git"
    assert lines[0] == f"error: remote 'origin': found no repository on GitHub, expected one; {remedy} [no-remote]"


def test_nothing_is_changed_without_consent(repository: Path, github: GitHub) -> None:
    github.answers[ENVIRONMENTS] = {"environments": []}
    github.answers[f"{REPOSITORY}/rulesets"] = []
    assert doctor(repository, github, "--fix")[0] == 1  # without a terminal nobody can consent
    assert {method for method, _, _ in github.sent} == {"GET"}
    github.sent.clear()
    doctor(repository, github, "--fix", "--yes")
    sent = [(method, path, body) for method, path, body in github.sent if method != "GET"]
    policy = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    assert sent[:4] == [
        ("PUT", f"{ENVIRONMENTS}/pypi", policy),
        ("POST", f"{ENVIRONMENTS}/pypi/deployment-branch-policies", {"name": "v*", "type": "tag"}),
        ("PUT", f"{ENVIRONMENTS}/testpypi", policy),
        ("POST", f"{ENVIRONMENTS}/testpypi/deployment-branch-policies", {"name": "v*", "type": "tag"}),
    ]
    assert sent[4][1] == f"{REPOSITORY}/rulesets"
    assert sent[4][2]["conditions"] == {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}}
    assert len(sent) == 5


def test_a_change_keeps_the_rules_that_an_environment_has(repository: Path, github: GitHub) -> None:
    open_to_all = {**reviewed("pypi"), "deployment_branch_policy": None}
    github.answers[ENVIRONMENTS] = {"environments": [open_to_all, limited("testpypi")]}
    doctor(repository, github, "--fix", "--yes")
    body = next(body for method, _, body in github.sent if method == "PUT")
    assert body["wait_timer"] == 5
    assert body["reviewers"] == [{"type": "User", "id": 7}] * 2
    assert body["prevent_self_review"] is True
