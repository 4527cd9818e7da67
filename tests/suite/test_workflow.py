"""The sessions and the jobs are one and the same list; who may do what is held here."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tagship import suite
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
#: What each machine that builds hands on: eight at most.
MACHINES = ["dist", *(f"dist-{index}" for index in range(1, 8))]
#: The workflow of each `publish_with`.
PATHS = {name: ROOT / path for name, path in suite.WORKFLOWS.items()}
#: The actions at the versions that are trusted; see docs/security.md.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
}
ACTION_PINS = {**PINS, "pypa/gh-action-pypi-publish": ("dc37677b2e1c63e2034f94d8a5b11f265b73ba33", "v1.14.2")}


@pytest.fixture(scope="module", params=list(PATHS))
def publish_with(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(publish_with: str) -> Path:
    return PATHS[publish_with]


@pytest.fixture(scope="module")
def workflow(path: Path) -> dict[str, Any]:
    return parse(path)


def parse(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(path))


def listing(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(run(sys.executable, "-m", "nox", "--list", "--json", *arguments, cwd=ROOT).stdout))


def test_the_jobs_are_the_sessions_in_the_same_order(workflow: dict[str, Any]) -> None:
    sessions = list(dict.fromkeys(session["name"] for session in listing()))
    assert sessions == list(workflow["jobs"]) == list(NEEDS)


def test_each_job_needs_what_it_should(workflow: dict[str, Any]) -> None:
    needs = {name: job.get("needs", []) for name, job in workflow["jobs"].items()}
    found = {name: [need] if isinstance(need, str) else need for name, need in needs.items()}
    # Only for the address of the release: the action does not report it, as `nox -s publish` does.
    assert {
        name: [need for need in some if need != "build" or name not in PUBLISHING] for name, some in found.items()
    } == NEEDS


def test_the_workflows_differ_in_nothing_but_the_publish_jobs() -> None:
    pattern = r"(?ms)^name: release\n.*?^  verify-version:\n.*?(?=^  publish-test:$)"
    shared = [re.findall(pattern, path.read_text()) for path in PATHS.values()]
    assert len(shared[0]) == 1
    assert shared[0] == shared[1]


def test_the_action_publishes_the_bundle_and_does_nothing_else() -> None:
    jobs = parse(PATHS["gh-action-pypi-publish"])["jobs"]
    action = "pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33"
    for name in PUBLISHING:
        download, publish = jobs[name]["steps"]
        assert download["uses"].startswith("actions/download-artifact@")
        assert publish["uses"] == action
        # Its default is the folder of the dists in the bundle, and the default index is PyPI.
        index = {"repository-url": "https://test.pypi.org/legacy/"} if name == "publish-test" else {}
        assert publish["with"] == {**index, "attestations": True}


def test_a_job_is_named_by_its_command_and_runs_it() -> None:
    for name, job in parse(PATHS["nox"])["jobs"].items():
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


def test_only_the_publish_jobs_have_an_identity_and_nothing_else(path: Path, workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == ({"id-token": "write"} if name in PUBLISHING else {"contents": "read"})
    code = re.sub(r"#.*", "", path.read_text())
    assert code.count("id-token") == len(PUBLISHING)


def test_the_publish_jobs_check_out_nothing_and_get_only_the_bundle(workflow: dict[str, Any]) -> None:
    for name in PUBLISHING:
        steps = workflow["jobs"][name]["steps"]
        assert not [step for step in steps if "checkout" in step.get("uses", "")]
        downloads = [step["with"] for step in steps if "download-artifact" in step.get("uses", "")]
        assert downloads == [{"artifact-ids": "${{ needs.verify-version.outputs.bundle }}"}]
        index = {"publish": "pypi", "publish-test": "testpypi"}[name]
        # Of several distributions each has its own, by the word of a job that runs no project code.
        environment = f"{index}${{{{ needs.verify-version.outputs.suffix }}}}"
        assert workflow["jobs"][name]["environment"]["name"] == environment
    outputs = workflow["jobs"]["verify-version"]["outputs"]
    assert outputs["suffix"] == "${{ steps.verify.outputs.suffix }}"


def test_every_checkout_leaves_no_credentials_and_every_job_has_a_time_limit(
    workflow: dict[str, Any],
) -> None:
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        checkouts = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize(("publish_with", "pins"), [("nox", PINS), ("gh-action-pypi-publish", ACTION_PINS)])
def test_every_action_is_pinned_with_its_version_beside_it(publish_with: str, pins: dict[str, tuple[str, str]]) -> None:
    text = PATHS[publish_with].read_text()
    uses = re.findall(r"uses: (\S+?)@(\S+) # (\S+)$", text, re.MULTILINE)
    assert len(uses) == text.count("uses:")
    assert {name: (sha, version) for name, sha, version in uses} == pins


def test_no_value_of_an_expression_reaches_a_shell_and_no_variable_unquoted(workflow: dict[str, Any]) -> None:
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands
    assert not [command for command in commands if "${{" in command]
    assert not [command for command in commands if "$" in re.sub(r'"\$\w+"', "", command)]


def undefined(workflow: dict[str, Any]) -> list[str]:
    """Return each `needs.…`, `steps.…` and `matrix.…` that a job uses and that nothing defines."""
    found = []
    for job in workflow["jobs"].values():
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        steps = {step["id"]: outputs(step) for step in job["steps"] if "id" in step}
        known = {f"needs.{need}.result" for need in needs}
        known |= {f"needs.{need}.outputs.{name}" for need in needs for name in produced(workflow, need)}
        known |= {f"steps.{step}.outputs.{name}" for step, names in steps.items() for name in names}
        known |= {f"matrix.{name}" for name in axes(job.get("strategy", {}).get("matrix", {}))}
        used = re.findall(r"\b(?:needs|steps|matrix)\.[\w-]+(?:\.[\w-]+)*", json.dumps(job))
        found += [name for name in used if name not in known]
    return found


def produced(workflow: dict[str, Any], job: str) -> set[str]:
    """Return the outputs of the job of that name."""
    return set(workflow["jobs"].get(job, {}).get("outputs", {}))


def axes(matrix: dict[str, Any] | str) -> set[str]:
    """Return the names in a matrix; where an expression makes it, what the release code could write."""
    if isinstance(matrix, str) or isinstance(matrix.get("include"), str):
        return words()
    return set(matrix) | {name for entry in matrix.get("include", []) for name in entry}


def words() -> set[str]:
    """Return every name that the release code writes as a text."""
    return {
        word for path in (ROOT / ".github/release").glob("*.py") for word in re.findall(r'"([\w-]+)"', path.read_text())
    }


def outputs(step: dict[str, Any]) -> set[str]:
    """Return the outputs of a step: an action's, as its stand-in has them, or what the release code could write."""
    if "uses" not in step:
        return words()
    name = step["uses"].partition("@")[0].rpartition("/")[2]
    return set(parse(ROOT / f"tests/act/actions/{name}/action.yml").get("outputs", {}))


WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("templates/workflows/*.yml")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_every_reference_is_defined(path: Path) -> None:
    assert undefined(parse(path)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("needs.build.outputs.pythons", "needs.build.outputs.python"),
        ("needs.build.outputs.dist", "needs.builds.outputs.dist"),
        ("needs.verify-version.outputs.bundle", "needs.test.outputs.bundle"),
        ("needs.publish-test.result", "needs.build.result"),
        ("steps.dist.outputs.artifact-id", "steps.dist.outputs.artifact_id"),
        ("steps.build.outputs.version", "steps.nox.outputs.version"),
        ("steps.build.outputs.name", "steps.build.outputs.nomen"),
        ("matrix.python", "matrix.pythons"),
    ],
)
def test_a_reference_to_what_is_not_there_is_found(right: str, wrong: str) -> None:
    text = PATHS["nox"].read_text()
    assert right in text
    workflow = YAML(typ="safe", pure=True).load(text.replace(right, wrong, 1))
    assert set(undefined(workflow)) == {wrong}


def test_the_tags_that_start_it_are_the_ones_that_the_gate_counts(workflow: dict[str, Any]) -> None:
    from tagship.release.versions import holds_version

    assert workflow["on"]["push"]["tags"] == ["v[0-9]*", "[0-9]*", "**[0-9].[0-9]**"]
    assert all(map(holds_version, ["v1", "1", "a/b-1.2c"]))
    assert not any(map(holds_version, ["v", "x1", "1".replace("1", "one.two")]))


def test_the_sessions_install_the_release_tools_as_locked() -> None:
    options = '"--require-hashes", "--only-binary=:all:", f"--requirement={RELEASE}/{name}.txt"'
    assert options in (ROOT / "noxfile.py").read_text()


def test_the_noxfile_can_be_read_in_two_minutes() -> None:
    assert len((ROOT / "noxfile.py").read_text().splitlines()) <= 200


def test_zizmor_finds_nothing_and_could_read_everything(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    shutil.copy(path, tmp_path / suite.WORKFLOW)
    done = try_run("zizmor", "--persona=auditor", "--offline", "--no-config", ".", cwd=tmp_path)
    assert "No findings to report" in done.stdout
    assert "warn" not in done.stdout.lower()
    assert done.returncode == 0


def test_the_files_follow_their_schema() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *PATHS.values(), cwd=ROOT)
    run("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml", cwd=ROOT)
    if actionlint := shutil.which("actionlint"):  # a program in Go, which CI installs
        run(actionlint, "-no-color", *PATHS.values(), cwd=ROOT)


def test_only_a_tag_outside_a_fork_is_published_and_only_behind_the_gate_and_testpypi(workflow: dict[str, Any]) -> None:
    tag = "github.ref_type == 'tag' && !github.event.repository.fork"
    conditions = {name: job.get("if") for name, job in workflow["jobs"].items()}
    assert conditions == {
        **dict.fromkeys(["build", "test", "verify-version"]),
        "publish-test": f"${{{{ {tag} && vars.PUBLISH_TEST != 'false' }}}}",
        "publish": (
            f"${{{{ !cancelled() && {tag} && needs.verify-version.result == 'success' "
            "&& (needs.publish-test.result == 'success' || vars.PUBLISH_TEST == 'false') }}"
        ),
    }


def test_a_job_and_a_step_have_no_key_that_could_hide_a_failure_or_change_how_they_run(
    publish_with: str, workflow: dict[str, Any]
) -> None:
    assert set(workflow) == {"name", "on", "permissions", "concurrency", "env", "jobs"}, "such as defaults"
    jobs = workflow["jobs"]
    known = {"name", "needs", "if", "runs-on", "timeout-minutes", "environment", "permissions", "outputs", "strategy"}
    assert set().union(*jobs.values()) - known == {"steps"}, "such as continue-on-error, container"
    steps = set().union(*(step for job in jobs.values() for step in job["steps"]))
    assert steps == {"id", "uses", "with", "run", "env"}, "such as if, continue-on-error, shell"
    assert jobs["test"]["strategy"] == {
        "fail-fast": False,
        "matrix": {"python": "${{ fromJSON(needs.build.outputs.pythons) }}"},
    }
    if publish_with == "nox":
        assert {jobs[name]["environment"]["url"] for name in PUBLISHING} == {"${{ steps.publish.outputs.url }}"}


def test_a_job_runs_the_locked_nox_with_its_session_and_nothing_else(workflow: dict[str, Any]) -> None:
    install = "python -m pip install --require-hashes --only-binary=:all: -r .github/release/nox.txt"
    for name, job in workflow["jobs"].items():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        if commands or name not in PUBLISHING:  # the action runs none
            assert commands[0] == install
            assert [command.split()[:3] for command in commands[1:]] == [["nox", "-s", name]]


def test_the_tests_run_with_the_python_of_their_job_and_nox_with_the_tools_own(workflow: dict[str, Any]) -> None:
    assert workflow["env"]["PYTHON"] == "3.13"
    steps = workflow["jobs"]["test"]["steps"]
    (python,) = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    assert python["python-version"].splitlines() == ["${{ matrix.python }}", "${{ env.PYTHON }}"]
    assert python["allow-prereleases"] is True
    assert steps[-1]["env"]["TEST_PYTHON"] == "${{ matrix.python }}"


def test_a_release_is_never_cut_off_and_what_it_needs_of_git_is_there(workflow: dict[str, Any]) -> None:
    # One group a tag: of those that wait in a group GitHub keeps the last one only.
    assert workflow["concurrency"] == {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "cancel-in-progress": "${{ github.ref_type != 'tag' }}",
    }
    for name, depth in {"build": 0, "test": None, "verify-version": 0}.items():
        (checkout,) = [step for step in workflow["jobs"][name]["steps"] if "actions/checkout" in step.get("uses", "")]
        assert checkout["with"].get("fetch-depth") == depth


def test_artifacts_are_handed_on_whole_and_by_number(workflow: dict[str, Any]) -> None:
    uploads = {
        name: step
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if "upload-artifact" in step.get("uses", "")
    }
    assert {name: step["id"] for name, step in uploads.items()} == {"build": "dist", "verify-version": "bundle"}
    assert uploads["verify-version"]["with"]["include-hidden-files"] is True
    assert uploads["verify-version"]["with"]["path"] == "bundle/"
    assert all(step["with"]["if-no-files-found"] == "error" for step in uploads.values())
    numbers = [f"${{{{ needs.build.outputs.{name} }}}}" for name in MACHINES]
    # The tests run on the first machine's system; the gate collects those of all.
    for name, ids in {"test": numbers[:1], "verify-version": numbers}.items():
        (download,) = [step for step in workflow["jobs"][name]["steps"] if "download-artifact" in step.get("uses", "")]
        assert download["with"].keys() == {"artifact-ids", "path"}
        assert download["with"]["path"] == "dist/"
        assert download["with"]["artifact-ids"].replace(" $", "$").split(",") == ids


def test_one_machine_builds_unless_a_variable_lists_more(workflow: dict[str, Any]) -> None:
    build = workflow["jobs"]["build"]
    default = "format('[{0}]', toJSON(vars.RUNNER || 'ubuntu-latest'))"
    assert build["strategy"] == {"matrix": {"machine": f"${{{{ fromJSON(vars.BUILD_ON || {default}) }}}}"}}
    assert build["runs-on"] == "${{ matrix.machine }}"


def test_each_machine_hands_on_its_own_number_and_the_first_one_alone_its_sdist(workflow: dict[str, Any]) -> None:
    build = workflow["jobs"]["build"]
    outputs = {name: value for name, value in build["outputs"].items() if name not in {"name", "version", "pythons"}}
    assert outputs.pop("machines") == "${{ strategy.job-total }}"
    assert outputs == {
        name: f"${{{{ strategy.job-index == {index} && steps.dist.outputs.artifact-id || '' }}}}"
        for index, name in enumerate(MACHINES)
    }
    (upload,) = [step["with"] for step in build["steps"] if step.get("id") == "dist"]
    assert upload["name"] == "dist${{ strategy.job-index && format('-{0}', strategy.job-index) || '' }}"
    assert upload["path"] == "${{ strategy.job-index == 0 && 'dist/' || 'dist/*.whl' }}"
    (gate,) = [step for step in workflow["jobs"]["verify-version"]["steps"] if "nox -s" in step.get("run", "")]
    assert gate["env"] == {"MACHINES": "${{ needs.build.outputs.machines }}"}


def test_every_job_runs_where_the_variables_say(workflow: dict[str, Any]) -> None:
    runners = {name: job["runs-on"] for name, job in workflow["jobs"].items()}
    assert runners.pop("build") == "${{ matrix.machine }}"  # see above
    assert set(runners.values()) == {"${{ vars.RUNNER || 'ubuntu-latest' }}"}
    (python,) = [step["with"] for step in workflow["jobs"]["build"]["steps"] if "setup-python" in step.get("uses", "")]
    assert python == {"python-version": "${{ vars.BUILD_PYTHON || env.PYTHON }}"}


#: The steps that get secrets, and how they are named in the environment of the step.
PRIVATE = {"UV_INDEX": "${{ secrets.PRIVATE_INDEX }}", "PIP_EXTRA_INDEX_URL": "${{ secrets.PRIVATE_INDEX }}"}
REGISTRY = {
    "TWINE_REPOSITORY_URL": "${{ vars.TWINE_REPOSITORY_URL }}",
    "TWINE_USERNAME": "${{ vars.TWINE_USERNAME }}",
    "TWINE_PASSWORD": "${{ vars.TWINE_USERNAME && secrets.TWINE_PASSWORD }}",
}


def test_a_secret_reaches_the_step_that_needs_it_and_no_other(publish_with: str, workflow: dict[str, Any]) -> None:
    secret = {
        (name, step.get("run", "")): {key: value for key, value in step["env"].items() if key != "TEST_PYTHON"}
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if "secrets" in json.dumps(step)
    }
    publishing = {(name, f"nox -s {name}"): REGISTRY for name in PUBLISHING} if publish_with == "nox" else {}
    assert secret == {
        ("build", "nox -s build"): PRIVATE,
        ("test", 'nox -s test -P "$TEST_PYTHON" -- --installpkg dist'): PRIVATE,
        **publishing,
    }
    assert "secrets" not in json.dumps([job.get("env") for job in workflow["jobs"].values()] + [workflow["env"]])


def test_the_secret_of_a_private_index_comes_from_an_environment_that_is_none_by_default(
    workflow: dict[str, Any],
) -> None:
    named = "${{ vars.BUILD_ENVIRONMENT }}"
    environments = {name: job.get("environment") for name, job in workflow["jobs"].items() if name not in PUBLISHING}
    assert environments == {"build": named, "test": named, "verify-version": None}


def test_a_release_made_on_githubs_page_publishes_as_it_pushes_its_tag(workflow: dict[str, Any]) -> None:
    # `release: published` would be a second run for the same tag, and the first is there for every other way to tag.
    assert set(workflow["on"]) == {"push", "pull_request", "workflow_dispatch"}
    assert set(workflow["on"]["push"]) == {"branches", "tags"}, "nothing that leaves a tag out, such as paths"
    assert workflow["on"]["push"]["branches"] == ["main", "master"]
    assert workflow["on"]["pull_request"] is workflow["on"]["workflow_dispatch"] is None, "no filter, no input"
