"""The sessions and the jobs are one and the same list; who may do what is held here."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT, run, try_run

#: DESIGN: each job, in order, with what must have passed before it.
NEEDS = {
    "build": [],
    "test": ["build"],
    "verify-version": ["build", "test"],
    "publish-test": ["verify-version"],
    "publish": ["verify-version", "publish-test"],
}
PUBLISHING = ("publish-test", "publish")
WORKFLOW = ROOT / ".github/workflows/release.yml"
#: The actions at the versions that are trusted; see docs/security.md.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
}


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(WORKFLOW))


def listing(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(run(sys.executable, "-m", "nox", "--list", "--json", *arguments, cwd=ROOT).stdout))


def test_the_jobs_are_the_sessions_in_the_same_order(workflow: dict[str, Any]) -> None:
    sessions = list(dict.fromkeys(session["name"] for session in listing()))
    assert sessions == list(workflow["jobs"]) == list(NEEDS)


def test_each_job_needs_what_it_should(workflow: dict[str, Any]) -> None:
    needs = {name: job.get("needs", []) for name, job in workflow["jobs"].items()}
    assert {name: [need] if isinstance(need, str) else need for name, need in needs.items()} == NEEDS


def test_a_job_is_named_by_its_command_and_runs_it(workflow: dict[str, Any]) -> None:
    for name, job in workflow["jobs"].items():
        commands = [step["run"] for step in job["steps"] if "nox -s" in step.get("run", "")]
        plain = job["name"].replace("${{ matrix.python }}", '"$TEST_PYTHON"')
        assert commands == [plain]
        assert re.match(rf"nox -s {name}( |$)", plain)


def test_nox_alone_publishes_nothing() -> None:
    shown = run(sys.executable, "-m", "nox", "--list", cwd=ROOT).stdout
    assert re.findall(r"^- (\S+)", shown, re.MULTILINE) == list(PUBLISHING)
    assert {name.partition("-3")[0] for name in re.findall(r"^\* (\S+)", shown, re.MULTILINE)} == {
        "build",
        "test",
        "verify-version",
    }


def test_only_the_publish_jobs_have_an_identity_and_nothing_else(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == ({"id-token": "write"} if name in PUBLISHING else {"contents": "read"})
    code = re.sub(r"#.*", "", WORKFLOW.read_text())
    assert code.count("id-token") == len(PUBLISHING)


def test_the_publish_jobs_check_out_nothing_and_get_only_the_bundle(workflow: dict[str, Any]) -> None:
    for name in PUBLISHING:
        steps = workflow["jobs"][name]["steps"]
        assert not [step for step in steps if "checkout" in step.get("uses", "")]
        downloads = [step["with"] for step in steps if "download-artifact" in step.get("uses", "")]
        assert downloads == [{"name": "bundle"}]
        assert workflow["jobs"][name]["environment"]["name"] == {"publish": "pypi", "publish-test": "testpypi"}[name]


def test_every_checkout_leaves_no_credentials_and_every_job_has_a_time_limit(
    workflow: dict[str, Any],
) -> None:
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        checkouts = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_action_is_pinned_with_its_version_beside_it() -> None:
    uses = re.findall(r"uses: (\S+?)@(\S+) # (\S+)$", WORKFLOW.read_text(), re.MULTILINE)
    assert len(uses) == WORKFLOW.read_text().count("uses:")
    assert {name: (sha, version) for name, sha, version in uses} == PINS


def test_no_value_of_an_expression_reaches_a_shell(workflow: dict[str, Any]) -> None:
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands
    assert not [command for command in commands if "${{" in command]


def test_every_output_that_is_used_is_defined(workflow: dict[str, Any]) -> None:
    for job in workflow["jobs"].values():
        text = json.dumps(job)
        needs = job.get("needs", [])
        for need, output in re.findall(r"needs\.([\w-]+)\.outputs\.([\w-]+)", text):
            assert need in needs
            assert output in workflow["jobs"][need]["outputs"]
        ids = {step.get("id") for step in job["steps"]}
        assert {step for step, _ in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text)} <= ids
        used = set(re.findall(r"matrix\.([\w-]+)", text))
        assert used <= set(job.get("strategy", {}).get("matrix", {}))


def test_the_tags_that_start_it_are_the_ones_that_the_gate_counts(workflow: dict[str, Any]) -> None:
    from tagship.release.versions import holds_version

    assert workflow["on"]["push"]["tags"] == ["v[0-9]*", "[0-9]*", "**[0-9].[0-9]**"]
    assert all(map(holds_version, ["v1", "1", "a/b-1.2c"]))
    assert not any(map(holds_version, ["v", "x1", "1".replace("1", "one.two")]))


def test_the_noxfile_can_be_read_in_two_minutes() -> None:
    assert len((ROOT / "noxfile.py").read_text().splitlines()) <= 200


def test_zizmor_finds_nothing_and_could_read_everything() -> None:
    done = try_run("zizmor", "--persona=auditor", "--offline", "--no-config", ".", cwd=ROOT)
    assert "No findings to report" in done.stdout
    assert "warn" not in done.stdout.lower()
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("schema", "path"),
    [("vendor.github-workflows", "workflows/release.yml"), ("vendor.dependabot", "dependabot.yml")],
)
def test_the_files_follow_their_schema(schema: str, path: str) -> None:
    run("check-jsonschema", "--builtin-schema", schema, Path(".github", path), cwd=ROOT)
