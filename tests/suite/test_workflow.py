"""The workflow: its jobs are the sessions, and their permissions are tested here."""

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
from tagship_suite.gate.handover import digest
from tagship_suite.repo.packages import is_compiled
from tests.conftest import ROOT, check_schema, copy_suite, run, try_run

#: DESIGN: each job, in order, with what must have passed before it.
NEEDS = {
    "build": [],
    "test": ["build"],
    "verify-version": ["build", "test"],
    "publish-test": ["verify-version"],
    "publish": ["verify-version", "publish-test"],
    "github-release": ["verify-version", "publish"],
}
PUBLISHING = ("publish-test", "publish")
#: The jobs that get the bundle and nothing else.
ISOLATED = (*PUBLISHING, "github-release")
#: What a project may have, by what it publishes with and whether it is compiled.
VARIANTS = {
    f"{name}{'-compiled' * compiled}": suite.workflow(name, compiled=compiled).decode()
    for name in suite.WORKFLOWS
    for compiled in (False, True)
}
#: Computes what the publish jobs compare; the same digest as `tagship_suite.gate.handover`.
DIGEST = "find . ! -type d -exec sha256sum {} + | LC_ALL=C sort | sha256sum"


@pytest.fixture(scope="module", params=list(VARIANTS))
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def text(variant: str) -> str:
    return VARIANTS[variant]


@pytest.fixture(scope="module")
def workflow(text: str) -> dict[str, Any]:
    return parse(text)


def parse(text: str | Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(text))


def parts(text: str) -> dict[str, str]:
    """Return the text of what comes before the jobs, and of each job."""
    before, *rest = re.split(r"(?m)^  (?=[\w-]+:$)", text[text.index("\njobs:\n") :])
    jobs = {job.partition(":")[0]: job.rstrip() for job in rest}
    return {"": re.sub(r"(?m)^#.*\n", "", text[: text.index("\njobs:\n")]) + before, **jobs}


def listing(folder: Path) -> dict[str, bool]:
    """Return whether `nox` alone runs a session, by its name, in their order."""
    listed = run(sys.executable, "-m", "nox", "--list", cwd=folder).stdout
    return {
        re.sub(r"-3\.\d+$", "", line.split()[1]): line[0] == "*"
        for line in listed.splitlines()
        if line.startswith(("* ", "- "))
    }


def test_the_jobs_are_the_sessions_in_the_same_order(workflow: dict[str, Any], tmp_path: Path) -> None:
    assert list(listing(copy_suite(tmp_path))) == list(workflow["jobs"]) == list(NEEDS)


def test_each_job_needs_what_it_should(workflow: dict[str, Any]) -> None:
    needs = {name: job.get("needs", []) for name, job in workflow["jobs"].items()}
    found = {name: [need] if isinstance(need, str) else need for name, need in needs.items()}
    # Only for the address of the release: the action does not report it, as `nox -s publish` does.
    assert {
        name: [need for need in some if need != "build" or name not in PUBLISHING] for name, some in found.items()
    } == NEEDS


def test_the_workflows_differ_in_the_publish_jobs_and_where_machines_build() -> None:
    one, action, many, both = (parts(VARIANTS[f"{name}{end}"]) for end in ("", "-compiled") for name in suite.WORKFLOWS)
    names = {"", *NEEDS}
    assert {name for name in names if one[name] != action[name]} == set(PUBLISHING)
    assert {name for name in names if one[name] != many[name]} == {"build", "verify-version"}
    assert both == {**action, "build": many["build"], "verify-version": many["verify-version"]}
    compiled = (ROOT / suite.COMPILED).read_text()
    assert VARIANTS["nox-compiled"] == compiled


@pytest.mark.parametrize("name", list(suite.WORKFLOWS))
def test_dev_builds_change_nothing_but_who_runs_publish_test(name: str) -> None:
    for compiled in (False, True):
        plain, dev = (parse(suite.workflow(name, compiled=compiled, dev=each).decode()) for each in (False, True))
        assert dev["jobs"]["verify-version"]["outputs"].pop("dev") == "${{ steps.verify.outputs.dev }}"
        condition = "(github.ref_type == 'tag' || needs.verify-version.outputs.dev == 'on') &&"
        run_if = dev["jobs"]["publish-test"]["if"]
        dev["jobs"]["publish-test"]["if"] = run_if.replace(condition, "github.ref_type == 'tag' &&")
        assert (dev, condition in run_if) == (plain, True)


def test_the_workflow_can_be_read_in_two_minutes() -> None:
    assert len(VARIANTS["nox"].splitlines()) <= 150
    assert max(map(len, VARIANTS["nox"].splitlines())) <= 120


@pytest.mark.parametrize(
    ("pyproject", "compiled"),
    [("", False), ("[tool.cibuildwheel]\n", True), ("[tool.other]\ncibuildwheel = 1\n", False)],
)
def test_the_table_of_cibuildwheel_makes_a_project_compiled(tmp_path: Path, pyproject: str, compiled: bool) -> None:
    assert is_compiled(tmp_path) is False
    (tmp_path / "pyproject.toml").write_text(pyproject)
    assert is_compiled(tmp_path) is compiled
    managed = suite.files(compiled=is_compiled(tmp_path))
    assert (b"BUILD_ON" in managed[suite.WORKFLOW]) is compiled


def test_the_action_publishes_the_bundle_and_does_nothing_else() -> None:
    jobs = parse(VARIANTS["gh-action-pypi-publish"])["jobs"]
    for name in PUBLISHING:
        download, check, publish = jobs[name]["steps"]
        assert download["uses"].startswith("actions/download-artifact@")
        assert DIGEST in check["run"]
        assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
        # Its default is the folder of the dists in the bundle, and the default index is PyPI.
        index = {"repository-url": "https://test.pypi.org/legacy/"} if name == "publish-test" else {}
        assert publish["with"] == {**index, "attestations": True}


def test_a_job_is_named_by_its_command_and_runs_it() -> None:
    for name, job in parse(VARIANTS["nox"])["jobs"].items():
        commands = [step["run"] for step in job["steps"] if "nox -s" in step.get("run", "")]
        plain = job["name"].replace("${{ matrix.python }}", '"$TEST_PYTHON"')
        assert commands == [plain]
        assert re.match(rf"nox -s {name}( |$)", plain)


def test_nox_alone_publishes_nothing(tmp_path: Path) -> None:
    by_default = listing(copy_suite(tmp_path))
    assert [name for name, is_run in by_default.items() if not is_run] == list(ISOLATED)


def test_only_the_publish_jobs_have_an_identity_and_nothing_else(text: str, workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    may = {**{name: {"id-token": "write"} for name in PUBLISHING}, "github-release": {"contents": "write"}}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == may.get(name, {"contents": "read"})
    code = re.sub(r"#.*", "", text)
    assert code.count("id-token") == len(PUBLISHING)


def test_the_publish_jobs_check_out_nothing_and_get_only_the_bundle(workflow: dict[str, Any]) -> None:
    for name in ISOLATED:
        steps = workflow["jobs"][name]["steps"]
        assert not [step for step in steps if "checkout" in step.get("uses", "")]
        downloads = [step["with"] for step in steps if "download-artifact" in step.get("uses", "")]
        assert downloads == [{"name": "bundle-${{ needs.verify-version.outputs.attempt }}"}]
    for name in PUBLISHING:
        index = {"publish": "pypi", "publish-test": "testpypi"}[name]
        # Each of several distributions has its own, which a job without project code decides.
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


def test_every_action_is_pinned_with_its_version_in_a_comment() -> None:
    everything = "".join(VARIANTS.values())
    uses = re.findall(r"uses: (\S+?)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", everything, re.MULTILINE)
    assert len(uses) == everything.count("uses:")
    assert len(set(uses)) == len({name for name, _, _ in uses}), "each action has one pin"


def test_no_value_of_an_expression_reaches_a_shell_and_no_variable_unquoted(workflow: dict[str, Any]) -> None:
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands
    assert not [command for command in commands if "${{" in command]
    # What is in double quotes is one word.
    assert not [command for command in commands if "$" in re.sub(r'"(\$\(.*?\)|[^"])*"|\w+=\$\(', "", command)]


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
        word
        for path in (ROOT / "src/tagship_suite").rglob("*.py")
        for word in re.findall(r'"([\w-]+)"', path.read_text())
    }


def outputs(step: dict[str, Any]) -> set[str]:
    """Return the outputs of a step: an action's, as its stand-in has them, or what the release code could write."""
    if "uses" not in step:
        return words()
    name = step["uses"].partition("@")[0].rpartition("/")[2]
    return set(parse(ROOT / f"tests/act/actions/{name}/action.yml").get("outputs", {}))


def test_every_reference_is_defined(workflow: dict[str, Any]) -> None:
    assert undefined(workflow) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("needs.build.outputs.pythons", "needs.build.outputs.python"),
        ("needs.build.outputs.digest", "needs.builds.outputs.digest"),
        ("needs.verify-version.outputs.attempt", "needs.test.outputs.attempt"),
        ("needs.publish-test.result", "needs.build.result"),
        ("steps.build.outputs.version", "steps.nox.outputs.version"),
        ("steps.build.outputs.name", "steps.build.outputs.nomen"),
        ("matrix.python", "matrix.pythons"),
    ],
)
def test_a_reference_to_what_is_not_there_is_found(right: str, wrong: str) -> None:
    text = VARIANTS["nox"]
    assert right in text
    workflow = parse(text.replace(right, wrong, 1))
    assert set(undefined(workflow)) == {wrong}


def test_the_tags_that_start_it_are_the_ones_that_the_gate_counts(workflow: dict[str, Any]) -> None:
    from tagship_suite.repo.versions import holds_version

    assert workflow["on"]["push"]["tags"] == ["v[0-9]*", "[0-9]*", "**[0-9].[0-9]**", "**[0-9]_[0-9]**"]
    assert all(map(holds_version, ["v1", "1", "a/b-1.2c", "rel_1_2_3"]))
    assert not any(map(holds_version, ["v", "x1", "1".replace("1", "one.two")]))


def test_zizmor_finds_nothing_and_could_read_everything(text: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    (tmp_path / suite.WORKFLOW).write_text(text)
    done = try_run("zizmor", "--persona=auditor", "--offline", "--no-config", ".", cwd=tmp_path)
    assert "No findings to report" in done.stdout
    assert "warn" not in done.stdout.lower()
    assert done.returncode == 0


def test_the_files_follow_their_schema(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.yml" for name in VARIANTS]
    for path, text in zip(paths, VARIANTS.values(), strict=True):
        path.write_text(text)
    check_schema("--builtin-schema", "vendor.github-workflows", *paths)
    check_schema("--builtin-schema", "vendor.dependabot", ROOT / ".github/dependabot.yml")
    forms = sorted(ROOT.glob(".github/ISSUE_TEMPLATE/[!c]*.yml"))
    check_schema("--builtin-schema", "vendor.github-issue-forms", *forms)
    if actionlint := shutil.which("actionlint"):  # a program in Go, which CI installs
        run(actionlint, "-no-color", *paths, cwd=ROOT)


def test_only_a_tag_outside_a_fork_is_published_and_only_behind_the_gate_and_testpypi(workflow: dict[str, Any]) -> None:
    tag = "github.ref_type == 'tag' && !github.event.repository.fork"
    conditions = {name: job.get("if") for name, job in workflow["jobs"].items()}
    assert conditions == {
        **dict.fromkeys(["build", "test", "verify-version"]),
        "publish-test": f"${{{{ {tag} && vars.PUBLISH_TEST != 'false' }}}}",
        "publish": (
            "${{ !cancelled() && needs.verify-version.result == 'success' && "
            f"{tag} && (needs.publish-test.result == 'success' || vars.PUBLISH_TEST == 'false') }}}}"
        ),
        "github-release": (
            "${{ !cancelled() && needs.publish.result == 'success' && "
            "needs.verify-version.outputs.github_release == 'on' }}"
        ),
    }


def test_a_job_and_a_step_have_no_key_that_could_hide_a_failure_or_change_how_they_run(
    variant: str, workflow: dict[str, Any]
) -> None:
    assert set(workflow) == {"name", "on", "permissions", "concurrency", "defaults", "env", "jobs"}
    assert workflow["defaults"] == {"run": {"shell": "bash"}}, "which stops at a failure, in a pipe too"
    jobs = workflow["jobs"]
    known = {"name", "needs", "if", "runs-on", "timeout-minutes", "environment", "permissions", "outputs", "strategy"}
    assert set().union(*jobs.values()) - known == {"steps"}, "such as continue-on-error, container"
    steps = set().union(*(step for job in jobs.values() for step in job["steps"]))
    assert steps == {"id", "uses", "with", "run", "env"}, "such as if, continue-on-error, shell"
    assert jobs["test"]["strategy"] == {
        "fail-fast": False,
        "matrix": {"python": "${{ fromJSON(needs.build.outputs.pythons) }}"},
    }
    if variant.startswith("nox"):
        assert {jobs[name]["environment"]["url"] for name in PUBLISHING} == {"${{ steps.publish.outputs.url }}"}


def test_a_job_compares_digests_and_runs_the_locked_nox_with_its_session_and_nothing_else(
    variant: str, workflow: dict[str, Any]
) -> None:
    install = "python -m pip install --require-hashes --only-binary=:all: -r .github/release/requirements/nox.txt"
    for name, job in workflow["jobs"].items():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        if name in ISOLATED:
            # Right after the download, which is the first step: nothing that was received is used before.
            assert DIGEST in commands.pop(0)
            assert "run" in job["steps"][1]
            assert job["steps"][1]["env"] == {"DIGEST": "${{ needs.verify-version.outputs.digest }}"}
        if name not in PUBLISHING or variant.startswith("nox"):  # the action runs none
            assert commands[0] == install
            assert [command.split()[:3] for command in commands[1:]] == [["nox", "-s", name]]


def test_the_tests_run_with_the_python_of_their_job_and_nox_with_the_tools_own(workflow: dict[str, Any]) -> None:
    assert workflow["env"]["PYTHON"] == "3.13"
    steps = workflow["jobs"]["test"]["steps"]
    (python,) = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    assert python["python-version"].splitlines() == ["${{ matrix.python }}", "${{ env.PYTHON }}"]
    assert python["allow-prereleases"] is True
    assert steps[-1]["env"]["TEST_PYTHON"] == "${{ matrix.python }}"


def test_a_release_is_never_cancelled_and_has_the_history_that_it_needs(workflow: dict[str, Any]) -> None:
    # One group a tag: of those that wait in a group GitHub keeps the last one only.
    assert workflow["concurrency"] == {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "cancel-in-progress": "${{ github.ref_type != 'tag' }}",
    }
    for name, depth in {"build": 0, "test": None, "verify-version": 0}.items():
        (checkout,) = [step for step in workflow["jobs"][name]["steps"] if "actions/checkout" in step.get("uses", "")]
        assert checkout["with"].get("fetch-depth") == depth


def test_what_is_handed_over_has_the_attempt_in_its_name_and_a_digest_as_output(workflow: dict[str, Any]) -> None:
    build, test, verify = (workflow["jobs"][name] for name in ("build", "test", "verify-version"))
    uploads = [
        step["with"] for job in (build, verify) for step in job["steps"] if "upload-artifact" in step.get("uses", "")
    ]
    assert [upload["path"] for upload in uploads] == ["dist/", "bundle/"]
    assert uploads[1]["include-hidden-files"] is True
    assert all("${{ github.run_attempt }}" in upload["name"] for upload in uploads)
    assert "github.run_attempt" in build["outputs"]["attempt"]
    assert "steps.build.outputs.digest" in build["outputs"]["digest"]
    assert verify["outputs"]["digest"] == "${{ steps.verify.outputs.digest }}"
    for job in (test, verify):
        (session,) = [step["env"] for step in job["steps"] if "nox -s" in step.get("run", "")]
        assert session["DIST_DIGEST"].startswith("${{ needs.build.outputs.digest }}")


def test_each_of_several_machines_has_a_digest_of_its_own() -> None:
    jobs = parse(VARIANTS["nox-compiled"])["jobs"]
    build = jobs["build"]
    default = "format('[{0}]', toJSON(vars.RUNNER || 'ubuntu-latest'))"
    assert build["strategy"]["matrix"] == {"machine": f"${{{{ fromJSON(vars.BUILD_ON || {default}) }}}}"}
    names = ["digest", *(f"digest-{index}" for index in range(1, 8))]
    outputs = {name: value for name, value in build["outputs"].items() if name.startswith("digest")}
    assert outputs == {
        name: f"${{{{ strategy.job-index == {index} && steps.build.outputs.digest || '' }}}}"
        for index, name in enumerate(names)
    }
    (gate,) = [step["env"] for step in jobs["verify-version"]["steps"] if "nox -s" in step.get("run", "")]
    assert gate["DIST_DIGEST"].split(" $") == " ".join(
        f"${{{{ needs.build.outputs.{name} }}}}" for name in names
    ).split(" $")
    assert gate["MACHINES"] == "${{ needs.build.outputs.machines }}"
    assert build["outputs"]["machines"] == "${{ strategy.job-total }}"


def test_the_digest_is_that_of_the_shell_and_sees_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    (folder / ".github/release").mkdir(parents=True)
    found = [digest(folder)]
    for name, content in {"b": "1", "ä ö.whl": "1", ".github/release/a": "2", ".hidden": "", "a": "1"}.items():
        (folder / name).write_text(content)
        found.append(digest(folder))
        assert run("bash", "-c", DIGEST, cwd=folder).stdout == f"{found[-1]}  -\n"
    (folder / "a").write_text("2")
    assert len({*found, digest(folder)}) == len(found) + 1


def test_every_job_runs_where_the_variables_say(workflow: dict[str, Any]) -> None:
    runners = {name: job["runs-on"] for name, job in workflow["jobs"].items()}
    assert set(runners.values()) - {"${{ matrix.machine }}"} == {"${{ vars.RUNNER || 'ubuntu-latest' }}"}
    (python,) = [step["with"] for step in workflow["jobs"]["build"]["steps"] if "setup-python" in step.get("uses", "")]
    assert python == {"python-version": "${{ vars.BUILD_PYTHON || env.PYTHON }}"}


def test_build_and_test_fetch_submodules_and_large_files_if_the_variables_say(workflow: dict[str, Any]) -> None:
    asked = {
        name: {key: step["with"][key] for key in ("submodules", "lfs") if key in step["with"]}
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if "actions/checkout" in step.get("uses", "")
    }
    names = {"submodules": "${{ vars.SUBMODULES }}", "lfs": "${{ vars.LFS }}"}
    assert asked == {"build": names, "test": names, "verify-version": {}}


#: The steps that get secrets, and how they are named in the environment of the step.
PRIVATE = {"UV_INDEX": "${{ secrets.PRIVATE_INDEX }}", "PIP_EXTRA_INDEX_URL": "${{ secrets.PRIVATE_INDEX }}"}
REGISTRY = {
    "TWINE_REPOSITORY_URL": "${{ vars.TWINE_REPOSITORY_URL }}",
    "TWINE_USERNAME": "${{ vars.TWINE_USERNAME }}",
    "TWINE_PASSWORD": "${{ vars.TWINE_USERNAME && secrets.TWINE_PASSWORD }}",
}


def test_a_secret_reaches_the_step_that_needs_it_and_no_other(variant: str, workflow: dict[str, Any]) -> None:
    secret = {
        (name, step.get("run", "")): {key: value for key, value in step["env"].items() if key in {*PRIVATE, *REGISTRY}}
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if "secrets" in json.dumps(step)
    }
    publishing = {(name, f"nox -s {name}"): REGISTRY for name in PUBLISHING} if variant.startswith("nox") else {}
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
    assert environments == {"build": named, "test": named, "verify-version": None, "github-release": None}


def test_a_release_made_on_githubs_page_publishes_as_it_pushes_its_tag(workflow: dict[str, Any]) -> None:
    # `release: published` would be a second run for the same tag, and the first is there for every other way to tag.
    assert set(workflow["on"]) == {"push", "pull_request", "workflow_dispatch"}
    assert set(workflow["on"]["push"]) == {"branches", "tags"}, "nothing that leaves a tag out, such as paths"
    assert workflow["on"]["push"]["branches"] == ["main", "master"]
    assert workflow["on"]["pull_request"] is workflow["on"]["workflow_dispatch"] is None, "no filter, no input"
