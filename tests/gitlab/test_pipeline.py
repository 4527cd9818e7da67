"""The pipeline of a project on GitLab, run by gitlab-ci-local, the local runner of GitLab CI/CD.

It has no identities, which the rehearsal's issuer stands in for, no images and no GIT_STRATEGY: a job runs in a copy of
the checkout, with the artifacts and variables of the jobs that it needs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cookiecutter.main import cookiecutter
from ruamel.yaml import YAML

from tagship import suite
from tagship.publisher import Registration
from tagship.rehearsal.gitlab import GitLabPush
from tagship.rehearsal.servers import Servers, running
from tests.act.conftest import IN_CI, supports
from tests.act.pythons import HERE
from tests.conftest import ROOT, commit, git
from tests.wheels import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = ["build", "test", "verify-version", "publish-test", "publish"]
FILES = ["my_package-0.1.0-py3-none-any.whl", "my_package-0.1.0.tar.gz"]
PUBLISHING = {"publish-test": "testpypi", "publish": "pypi"}
#: A pipeline that was there before the release's.
OWN = """\
stages: [check, ship]
default: { before_script: [exit 1] }
test: { stage: check, script: [echo mine] }
include:
  - local: .gitlab/release.yml
    inputs: { stage: ship, prefix: "release:" }
"""
#: Variables of the user's machine that a job on GitLab does not have.
FOREIGN = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "COV_", "PIP_", "UV_")


@pytest.fixture(scope="session")
def runner() -> str:
    """The path of gitlab-ci-local; without it or rsync, which it uses, tests are skipped, but in CI they fail."""
    missing = [program for program in ("gitlab-ci-local", "rsync") if shutil.which(program) is None]
    if not missing:
        return str(shutil.which("gitlab-ci-local"))
    words = f"{' and '.join(missing)} not on the path: npm install -g gitlab-ci-local@4.70.1, apt-get install rsync"
    if IN_CI and shutil.which("npm"):
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A committed project on GitLab, for this Python alone."""
    made = cookiecutter(str(ROOT), no_input=True, output_dir=str(tmp_path), extra_context={"publish_with": "gitlab"})
    supports(Path(made), HERE)
    commit(Path(made))
    (Path(made) / ".git/info/exclude").write_text(".gitlab-ci-local/\n")
    git(Path(made), "remote", "add", "origin", "https://gitlab.com/group/sub/my-package.git")
    return Path(made)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """The indexes, where the project's publishers are pending."""
    with running(tmp_path / "indexes") as servers:
        for index in PUBLISHING.values():
            servers.index.register_pending(
                Registration("my-package", "group/sub", "my-package", ".gitlab-ci.yml", index, provider="gitlab"), index
            )
        yield servers


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the jobs' image: with pip, and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", folder / "python"], check=True)
    (folder / "wheels").symlink_to(locked(request.config.cache.mkdir("act"), HERE))
    return folder


def command(runner: str, ref: dict[str, str], *options: str) -> list[str]:
    """Return the command that runs the pipeline of a ref, without what the runner would guess from the checkout."""
    wanted = {"CI_DEFAULT_BRANCH": "main", "GITLAB_CI": "true", **ref}
    unset = [f"--unset-variable={name}" for name in ("CI_COMMIT_BRANCH", "CI_COMMIT_TAG") if name not in ref]
    return [
        runner,
        f"--ignore-predefined-vars={','.join(wanted)}",
        *(f"--variable={name}={value}" for name, value in wanted.items()),
        *unset,
        *options,
    ]


TAG = {"CI_COMMIT_TAG": "v0.1.0", "CI_COMMIT_REF_NAME": "v0.1.0", "CI_PIPELINE_SOURCE": "push"}


def listed(runner: str, project: Path, *options: str, **ref: str) -> list[str]:
    """Return the names of the jobs that run for a ref."""
    arguments = command(runner, ref, "--list-json", *options)
    done = subprocess.run(arguments, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [job["name"] for job in json.loads(done.stdout) if job["when"] != "never"]


def environment(project: Path, servers: Servers, image: Path) -> dict[str, str]:
    """Return the variables of a job; the identities are variables of the environments pypi and testpypi."""
    push = GitLabPush("group/sub", "my-package", "v0.1.0", git(project, "rev-parse", "HEAD"))
    identities = {index: {**servers.variables(), **servers.issuer.job(push, index)} for index in PUBLISHING.values()}
    names = sorted({name for each in identities.values() for name in each})
    scoped = {name: {"values": {index: each[name] for index, each in identities.items()}} for name in names}
    (project / ".git/variables.yml").write_text(json.dumps(scoped))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    tools = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(image / "wheels"), "UV_FIND_LINKS": str(image / "wheels")}
    path = os.pathsep.join([str(image / "python/bin"), os.environ["PATH"]])
    return {**kept, **tools, "PATH": path, "TAGSHIP_TIMEOUT": "30"}


def run(runner: str, project: Path, env: dict[str, str], *jobs: str) -> tuple[int, str]:
    """Run the pipeline of the tag v0.1.0, or some jobs of it; return the exit status and what was printed."""
    options = ("--force-shell-executor", "--shell-isolation", "--variables-file=.git/variables.yml", "--concurrency=1")
    done = subprocess.run(
        command(runner, TAG, "--no-json-schema-validation", *options, *jobs),
        cwd=project,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, re.sub(r"\x1b\[[\d;]*m", "", done.stdout)


@pytest.mark.slow
def test_the_jobs_of_a_tag_are_the_sessions_and_those_of_a_branch_publish_nothing(runner: str, project: Path) -> None:
    assert listed(runner, project, **TAG) == JOBS  # and the files are as GitLab's JSON schema has them
    quick = ("--no-json-schema-validation",)
    assert listed(runner, project, *quick, **TAG, PUBLISH_TEST="false") == [
        job for job in JOBS if job != "publish-test"
    ]
    checked = ["build", "lint", "test", "verify-version"]
    assert sorted(listed(runner, project, *quick, CI_COMMIT_BRANCH="main")) == checked
    assert sorted(listed(runner, project, *quick, CI_PIPELINE_SOURCE="merge_request_event")) == checked
    assert listed(runner, project, *quick, CI_COMMIT_BRANCH="other", CI_PIPELINE_SOURCE="push") == []
    assert listed(runner, project, *quick, CI_COMMIT_TAG="nightly", CI_PIPELINE_SOURCE="push") == []


def test_a_pipeline_with_stages_and_jobs_of_the_same_names_keeps_them(runner: str, project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text(OWN)
    assert listed(runner, project, **TAG) == [*(f"release:{job}" for job in JOBS), "test"]


@pytest.mark.slow
def test_a_tag_is_published_with_the_identity_of_each_job_and_only_as_verify_version_wrote_it(
    runner: str, project: Path, servers: Servers, image: Path
) -> None:
    git(project, "tag", "v0.1.0")
    env = environment(project, servers, image)
    status, said = run(runner, project, env)
    assert status == 0, said
    for index in PUBLISHING.values():
        assert sorted(file.filename for file in servers.index.files("my-package", index)) == FILES
        (mint,) = servers.index.mints(index)
        assert (mint.code, mint.claims["environment"]) == ("", index)
    reports = (project / ".gitlab-ci-local/artifacts").glob("*/.gitlab-ci-reports/dotenv/**/outputs.env")
    lines = [line for report in reports for line in report.read_text().splitlines()]
    assert lines
    assert all(re.fullmatch(r"\w+=.*", line) for line in lines), "GitLab refuses a report with another line"
    artifact = project / ".gitlab-ci-local/artifacts/verify-version/bundle"
    (artifact / "noxfile.py").write_text("raise SystemExit('not what verify-version wrote')\n")
    status, said = run(runner, project, env, "publish")
    assert status != 0
    assert "found other files than verify-version wrote" in said
    assert "not what verify-version wrote" not in said.replace("than verify-version wrote", "")


def parsed() -> dict[str, Any]:
    """Return the jobs of the pipeline file, with what they extend."""
    _, jobs = YAML(typ="safe", pure=True).load_all(suite.workflow("gitlab").replace(b"$[[ inputs.prefix ]]", b""))
    for name, job in jobs.items():
        base = jobs.get(job.get("extends"), {})
        jobs[name] = {**base, **job, "variables": {**base.get("variables", {}), **job.get("variables", {})}}
    return {name: job for name, job in jobs.items() if not name.startswith(".")}


def test_only_the_publish_jobs_have_an_identity_and_they_get_the_bundle_alone() -> None:
    jobs = parsed()
    assert list(jobs) == JOBS
    assert [name for name, job in jobs.items() if "id_tokens" in job or "environment" in job] == [*PUBLISHING]
    for name, index in PUBLISHING.items():
        assert jobs[name]["environment"]["name"] == index
        audiences = {token: about["aud"] for token, about in jobs[name]["id_tokens"].items()}
        assert audiences == {f"{index.upper()}_ID_TOKEN": index, "SIGSTORE_ID_TOKEN": "sigstore"}
        assert jobs[name]["variables"]["GIT_STRATEGY"] == "empty"
        with_artifacts = [need for need in jobs[name]["needs"] if isinstance(need, str) or need.get("artifacts", True)]
        assert with_artifacts == ["verify-version"]


def test_nothing_of_the_projects_own_pipeline_reaches_a_job_of_the_release() -> None:
    assert {json.dumps(job["inherit"]) for job in parsed().values()} == {'{"default": false, "variables": false}'}
    assert not [name for name, job in parsed().items() if {"cache", "services", "secrets"} & set(job)]
