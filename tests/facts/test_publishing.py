"""Everything that uploads to an index is found, with what it logs in with and the lines that lead to it."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagship.facts import publishing, read

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.facts.model import Publishing

WORKFLOW = ".github/workflows/publish.yml"
TAGS = "on:\n  push:\n    tags: ['v*']\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content), encoding="utf-8")
    return root


def job(steps: str, head: str = "") -> str:
    """Return a workflow with a job `ship` that has `steps`, and `head` among its keys."""
    body = dedent(head) + "runs-on: ubuntu-latest\nsteps:\n" + dedent(steps)
    return TAGS + "jobs:\n  ship:\n" + "".join(f"    {line}\n" for line in body.splitlines())


def only(root: Path) -> Publishing:
    found = publishing.find(root)
    assert len(found) == 1, found
    return found[0]


def test_a_command_that_uploads_is_found_with_its_secret_and_its_line(tmp_path: Path) -> None:
    steps = """\
        - run: |
            # twine upload dist/*
            echo twine upload dist/*
            twine check dist/*
            python -m twine upload dist/*
          env:
            TWINE_USERNAME: __token__
            TWINE_PASSWORD: ${{ secrets.PYPI_TOKEN }}
    """
    found = only(write(tmp_path, {WORKFLOW: job(steps)}))
    assert (found.file, found.job, found.auth, found.secrets) == (WORKFLOW, "ship", "token", ("PYPI_TOKEN",))
    assert found.triggers == ('push:{"tags": ["v*"]}',)
    assert [(line.line, line.text) for line in found.evidence] == [(12, "python -m twine upload dist/*")]


@pytest.mark.parametrize(
    ("step", "auth", "secrets"),
    [
        ("run: twine upload -u __token__ -p ${{ secrets.A }} dist/*", "token", ("A",)),
        ("run: twine upload --username me --password ${{ secrets.A }} dist/*", "password", ("A",)),
        ("run: pipx run twine upload dist/*\n  env: {TWINE_PASSWORD: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: uvx twine[keyring]@6.1.0 upload dist/*\n  env: {TWINE_PASSWORD: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: pipx run 'twine>=6,<7' upload dist/*\n  env: {TWINE_PASSWORD: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: poetry publish --build\n  env: {POETRY_PYPI_TOKEN_PYPI: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: |\n    poetry config pypi-token.pypi ${{ secrets.A }}\n    poetry publish", "token", ("A",)),
        ("run: flit publish\n  env: {FLIT_USERNAME: me, FLIT_PASSWORD: '${{ secrets.A }}'}", "password", ("A",)),
        (
            "run: hatch publish\n  env: {HATCH_INDEX_USER: __token__, HATCH_INDEX_AUTH: '${{ secrets.A }}'}",
            "token",
            ("A",),
        ),
        ("run: uv publish\n  env: {UV_PUBLISH_TOKEN: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: uv publish --token $T\n  env: {T: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: pdm publish\n  env: {PDM_PUBLISH_PASSWORD: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: maturin publish\n  env: {MATURIN_PYPI_TOKEN: '${{ secrets.A }}'}", "token", ("A",)),
        ("run: bash -c 'twine upload dist/* -p $T'\n  env: {T: '${{ secrets.A }}'}", "token", ("A",)),
        (
            (
                'run: |\n    if true; then\n      export TWINE_PASSWORD="${{ secrets.A }}"\n    else\n'
                '      export TWINE_PASSWORD="${{ secrets.B }}"\n    fi\n    twine upload dist/*'
            ),
            "token",
            ("A", "B"),
        ),
        (
            (
                "run: |\n    printf '[pypi]\\nusername = __token__\\npassword = %s\\n' > ~/.pypirc\n"
                "    echo 'password = ${{ secrets.A }}' >> ~/.pypirc\n    python setup.py sdist upload"
            ),
            "token",
            ("A",),
        ),
        ("uses: pypa/gh-action-pypi-publish@release/v1\n  with: {password: '${{ secrets.A }}'}", "token", ("A",)),
        ("uses: PyPA/gh-action-pypi-publish@v1\n  with: {user: me, password: '${{ secrets.A }}'}", "password", ("A",)),
        ("uses: JRubics/poetry-publish@v2.0\n  with: {pypi_token: '${{ secrets.A }}'}", "token", ("A",)),
        ("uses: someone/unheard-of@v1\n  with: {pypi-api-token: '${{ secrets.A }}'}", "token", ("A",)),
        (
            "uses: PyO3/maturin-action@v1\n  with: {command: upload}\n  env: {MATURIN_PYPI_TOKEN: '${{ secrets.A }}'}",
            "token",
            ("A",),
        ),
    ],
)
def test_each_way_to_pass_a_credential_is_understood(
    tmp_path: Path, step: str, auth: str, secrets: tuple[str, ...]
) -> None:
    found = only(write(tmp_path, {WORKFLOW: job(f"- {step}")}))
    assert (found.auth, found.secrets, found.index) == (auth, secrets, "pypi")


def test_an_action_that_uploads_with_one_of_its_commands_does_so_with_the_identity_of_the_job(tmp_path: Path) -> None:
    step = "- uses: autopub/autopub-action@v1\n  with: {command: publish}"
    found = only(write(tmp_path, {WORKFLOW: job(step, "permissions: {id-token: write}\n")}))
    assert (found.auth, found.index) == ("oidc", "pypi")


@pytest.mark.parametrize(
    "steps",
    [
        "- run: twine upload dist/*\n  if: false",
        "- run: twine upload dist/*\n  if: ${{ false }}",
        "- run: twine check dist/*",
        "- run: poetry publish --dry-run",
        "- run: 'echo run twine upload dist/*'",
        "- run: |\n    cat > notes <<EOF\n    twine upload dist/*\n    EOF",
        "- uses: actions/attest-build-provenance@v2",
        "- uses: autopub/autopub-action@v1\n  with: {command: build}",
    ],
)
def test_what_never_uploads_is_not_taken_for_publishing(tmp_path: Path, steps: str) -> None:
    assert publishing.find(write(tmp_path, {WORKFLOW: job(steps, "permissions: {id-token: write}\n")})) == ()


def test_the_chain_leads_from_the_workflow_over_tox_and_a_script_to_the_upload(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            WORKFLOW: job("- run: tox -e release\n  env: {TWINE_PASSWORD: '${{ secrets.A }}'}"),
            "tox.ini": "[testenv:release]\npassenv = TWINE_*\ncommands =\n    bash ci/release.sh\n",
            "ci/release.sh": "#!/bin/sh\nset -e\ntwine upload dist/*\n",
        },
    )
    found = only(root)
    assert (found.auth, found.secrets) == ("token", ("A",))
    assert [(line.file, line.line) for line in found.evidence] == [
        (WORKFLOW, 8),
        ("tox.ini", 1),
        ("tox.ini", 4),
        ("ci/release.sh", 3),
    ]


SECRET = "${{ secrets.A }}"
TARGETS = {
    "nox -s release": {
        "noxfile.py": "import nox\n@nox.session\ndef release(session):\n    session.run('twine', 'upload', 'dist/x')\n"
    },
    "make release": {"Makefile": "up: \n\ttwine upload dist/*\nrelease: up\n\techo done\n"},
    "npm run release": {"package.json": '{"scripts": {"release": "python -m twine upload dist/*"}}'},
    "hatch run ship:up": {"pyproject.toml": "[tool.hatch.envs.ship.scripts]\nup = 'twine upload dist/*'\n"},
    "pdm run up": {"pyproject.toml": "[tool.pdm.scripts]\nup = {shell = 'twine upload dist/*'}\n"},
    "poe up": {"pyproject.toml": "[tool.poe.tasks]\nup = ['one']\none = 'twine upload dist/*'\n"},
    "just up": {"justfile": "up: one\none:\n    twine upload dist/*\n"},
    "inv up": {"tasks.py": "from invoke import task\n@task\ndef up(c):\n    c.run('twine upload dist/*')\n"},
    "python tools/up.py": {
        "tools/up.py": "from subprocess import run\ndef go():\n    run(['python', '-m', 'twine', 'upload'])\ngo()\n"
    },
    "./scripts/up": {"scripts/up": "#!/bin/sh\n${PREFIX}twine upload dist/*\n"},
    "tox run -e py,up": {
        "tox.ini": "[testenv:{up,down}]\ncommands = {[a]b}\n[a]\nb = twine upload {posargs:-r pypi} dist/*\n"
    },
}


@pytest.mark.parametrize(
    "step",
    ["run: npx semantic-release@^23.1.1", "run: yarn semantic-release", "uses: cycjimmy/semantic-release-action@v4"],
)
def test_what_nodes_semantic_release_is_configured_to_run_is_found(tmp_path: Path, step: str) -> None:
    steps = f"- {step}\n  env: {{USER: '${{{{ secrets.U }}}}', PASS: '{SECRET}'}}"
    root = write(
        tmp_path,
        {
            WORKFLOW: job(steps),
            ".releaserc.json": '{"plugins": [["@semantic-release/exec", {"publishCmd": "bash up.sh ${nextRelease}"}]]}',
            "up.sh": "twine upload dist/* -u $USER -p $PASS\n",
        },
    )
    found = only(root)
    assert (found.file, found.auth, found.secrets) == (WORKFLOW, "password", ("A", "U"))


@pytest.mark.parametrize("command", TARGETS)
def test_what_a_task_runner_calls_is_found(tmp_path: Path, command: str) -> None:
    steps = f"- run: {command}\n  env: {{TWINE_PASSWORD: '{SECRET}'}}"
    found = only(write(tmp_path, {WORKFLOW: job(steps), **TARGETS[command]}))
    assert (found.file, found.auth, found.secrets) == (WORKFLOW, "token", ("A",))
    assert found.evidence[-1].file in TARGETS[command]


def test_a_target_that_only_a_person_runs_passes_nothing_and_has_no_trigger(tmp_path: Path) -> None:
    found = only(
        write(tmp_path, {"Makefile": "release:\n\ttwine upload dist/*\n", "README.md": "twine upload dist/*\n"})
    )
    assert (found.file, found.job, found.auth, found.triggers) == ("Makefile", "release", "none", ())


@pytest.mark.parametrize("file", ["publish.sh", "scripts/publish", "tools/release_helper.sh", "bin/publish"])
def test_a_script_that_only_a_person_runs_is_found(tmp_path: Path, file: str) -> None:
    found = only(write(tmp_path, {file: "#!/bin/sh\n${PREFIX}twine upload dist/*\n"}))
    assert (found.file, found.auth, found.triggers) == (file, "none", ())


@pytest.mark.parametrize(
    "line",
    [
        "from invocations.packaging.release import ns as release, publish",
        "from invocations import checks, packaging",
        "import invocations.packaging.release",
    ],
)
def test_tasks_that_upload_are_found_where_a_library_has_them(line: str, tmp_path: Path) -> None:
    found = only(write(tmp_path, {"tasks.py": f"from invoke import Collection\n{line}\n"}))
    assert (found.file, found.job, found.auth, found.triggers) == ("tasks.py", "release", "none", ())
    assert [(each.file, each.line, each.text) for each in found.evidence] == [("tasks.py", 2, line)]


CALLED = """\
    on:
      workflow_call:
        inputs: {index: {default: ''}}
        secrets: {token: {}}
    jobs:
      up:
        runs-on: x
        permissions: {id-token: write}
        steps:
          - uses: pypa/gh-action-pypi-publish@v1
            with: {password: '${{ secrets.token }}', repository-url: '${{ inputs.index }}'}
"""


@pytest.mark.parametrize(
    ("passed", "auth", "secrets", "index"),
    [
        ("secrets: {token: '${{ secrets.A }}'}", "token", ("A",), "pypi"),
        ("secrets: inherit", "token", ("token",), "pypi"),
        ("with: {index: https://test.pypi.org/legacy/}", "oidc", (), "testpypi"),
    ],
)
@pytest.mark.parametrize("own", ["./", "$/"])
def test_a_called_workflow_publishes_with_what_its_caller_passes(
    tmp_path: Path, own: str, passed: str, auth: str, secrets: tuple[str, ...], index: str
) -> None:
    called = f"permissions: {{id-token: write}}\n    uses: {own}.github/workflows/up.yml\n"
    caller = f"{TAGS}jobs:\n  call:\n    {called}    {passed}\n"
    found = only(write(tmp_path, {WORKFLOW: caller, ".github/workflows/up.yml": CALLED}))
    assert (found.file, found.job) == (".github/workflows/up.yml", "up")
    assert (found.auth, found.secrets, found.index) == (auth, secrets, index)
    assert found.triggers == ('push:{"tags": ["v*"]}',)
    assert [line.file for line in found.evidence] == [WORKFLOW, ".github/workflows/up.yml"]


@pytest.mark.parametrize("own", ["./", "$/", "$/./"])
def test_a_composite_action_publishes_with_its_inputs(own: str, tmp_path: Path) -> None:
    action = """\
        inputs: {token: {required: true}, user: {default: __token__}}
        runs:
          using: composite
          steps:
            - run: twine upload -u ${{ inputs.user }} -p "$T" dist/*
              shell: bash
              env: {T: '${{ inputs.token }}'}
    """
    steps = f"- uses: {own}.github/actions/up\n  with: {{token: '${{{{ secrets.A }}}}'}}"
    found = only(write(tmp_path, {WORKFLOW: job(steps), ".github/actions/up/action.yml": action}))
    assert (found.job, found.auth, found.secrets) == ("ship", "token", ("A",))
    assert [line.file for line in found.evidence] == [WORKFLOW, ".github/actions/up/action.yml"]


@pytest.mark.parametrize(
    ("steps", "auth"),
    [
        ("- uses: pypa/gh-action-pypi-publish@v1", "oidc"),
        ("- uses: pypa/gh-action-pypi-publish@v1\n  with: {password: '${{ secrets.A }}'}", "token"),
        ("- run: uv publish", "oidc"),
        ("- run: twine upload dist/*", "oidc"),
        ("- run: twine upload dist/*\n  env: {TWINE_PASSWORD: '${{ secrets.A }}'}", "token"),
        (
            (
                "- id: mint\n  run: |\n    t=$(curl -d x https://pypi.org/_/oidc/mint-token | jq -r .token)\n"
                '    echo "token=$t" >> "$GITHUB_OUTPUT"\n'
                "- uses: pypa/gh-action-pypi-publish@v1\n  with: {password: '${{ steps.mint.outputs.token }}'}"
            ),
            "oidc",
        ),
        (
            (
                '- run: |\n    r=$(curl -d x https://pypi.org/_/oidc/mint-token)\n    t=$(jq -r .token <<< "$r")\n'
                '    echo "TWINE_PASSWORD=$t" >> $GITHUB_ENV\n- run: twine upload dist/*'
            ),
            "oidc",
        ),
        (
            (
                "- id: vault\n  uses: hashicorp/vault-action@v3\n  with: {secrets: kv/pypi token}\n"
                "- run: twine upload -p ${{ steps.vault.outputs.token }} dist/*"
            ),
            "token",
        ),
    ],
)
def test_an_identity_is_distinguished_from_a_credential(tmp_path: Path, steps: str, auth: str) -> None:
    found = only(write(tmp_path, {WORKFLOW: job(steps, "permissions: {id-token: write}\n")}))
    assert found.auth == auth


@pytest.mark.parametrize(
    ("step", "index"),
    [
        ("run: twine upload -r testpypi dist/*", "testpypi"),
        ("run: twine upload --repository-url https://test.pypi.org/legacy/ dist/*", "testpypi"),
        (
            "run: twine upload --repository-url=https://nexus.example.org/pypi/ dist/*",
            "https://nexus.example.org/pypi/",
        ),
        ("run: twine upload dist/*\n  env: {TWINE_REPOSITORY_URL: https://upload.pypi.org/legacy/}", "pypi"),
        (
            "uses: pypa/gh-action-pypi-publish@v1\n  with: {repository-url: https://jazzband.co/projects/a/upload}",
            "pypi",
        ),
        (
            "uses: pypa/gh-action-pypi-publish@v1\n  with: {repository_url: https://nexus.example.org/}",
            "https://nexus.example.org/",
        ),
    ],
)
def test_the_index_is_the_one_that_is_uploaded_to(tmp_path: Path, step: str, index: str) -> None:
    assert only(write(tmp_path, {WORKFLOW: job(f"- {step}")})).index == index


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("github.event_name == 'push' && startsWith(github.ref, 'refs/tags/')", True),
        ("github.event_name == 'release'", False),
        ("github.ref == 'refs/heads/main'", False),
        ("github.repository == 'a/b'", True),
        ("false && github.repository == 'a/b'", False),
        ("${{ !cancelled() && vars.PUBLISH != 'no' }}", True),
    ],
)
def test_a_job_that_no_trigger_can_reach_does_not_publish(tmp_path: Path, condition: str, *, found: bool) -> None:
    root = write(tmp_path, {WORKFLOW: job("- run: twine upload dist/*", f'if: "{condition}"\n')})
    assert bool(publishing.find(root)) is found


def test_a_job_that_needs_one_that_never_runs_does_not_publish(tmp_path: Path) -> None:
    content = job("- run: twine upload dist/*", "needs: off\n") + "  off: {if: false, runs-on: x, steps: []}\n"
    assert publishing.find(write(tmp_path, {WORKFLOW: content})) == ()


SERVICES = {
    ".travis.yml": (
        "deploy:\n  provider: pypi\n  user: __token__\n  password: $PYPI_TOKEN\n  on: {tags: true}\n",
        ("token", ("PYPI_TOKEN",)),
    ),
    ".circleci/config.yml": (
        (
            "jobs:\n  ship:\n    steps:\n      - run: twine upload -u __token__ -p $PYPI_TOKEN dist/*\n"
            "workflows:\n  all:\n    jobs: [ship]\n"
        ),
        ("token", ("PYPI_TOKEN",)),
    ),
    ".gitlab-ci.yml": (
        ".up:\n  script:\n    - twine upload dist/*\nship:\n  extends: .up\n  only: [tags]\n",
        ("token", ("TWINE_PASSWORD",)),
    ),
    "azure-pipelines.yml": (
        "jobs:\n- job: ship\n  steps:\n  - script: twine upload -u me -p $(PYPI_PASSWORD) dist/*\n",
        ("password", ("PYPI_PASSWORD",)),
    ),
    "appveyor.yml": ("after_test:\n  - twine upload -u __token__ -p %TOKEN% dist/*\n", ("token", ("TOKEN",))),
    "Jenkinsfile": (
        "stage('ship') {\n  // sh 'twine upload x'\n  sh 'twine upload -p $TOKEN dist/*'\n}\n",
        ("token", ("TOKEN",)),
    ),
}


@pytest.mark.parametrize("file", SERVICES)
def test_other_services_publish_too(tmp_path: Path, file: str) -> None:
    content, expected = SERVICES[file]
    found = only(write(tmp_path, {file: content}))
    assert (found.file, found.auth, found.secrets) == (file, *expected)


def test_an_encrypted_password_of_travis_has_no_name(tmp_path: Path) -> None:
    content = "deploy:\n  provider: pypi\n  user: me\n  password: {secure: abc=}\n"
    found = only(write(tmp_path, {".travis.yml": content}))
    assert (found.auth, found.secrets) == ("password", ())


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join([f'*{chr(ord(c) - 1)}'] * 8)}]\n" for c in "bcdefghijk"
    )
    files = {"broken.yml": "on: [", "bomb.yml": bomb, "big.yml": "#" * (1 << 20), "other.yml": "- a list\n"}
    root = write(
        tmp_path,
        {WORKFLOW: job("- run: twine upload x"), **{f".github/workflows/{name}": text for name, text in files.items()}},
    )
    found = publishing.read(root)
    assert len(found.found) == 1
    assert sorted(error.split("/")[2].split(":")[0] for error in found.errors) == sorted(files)


def test_variables_that_refer_to_each_other_are_followed_once(tmp_path: Path) -> None:
    lines = [f"    export {name}=$A$B$C:{number}" for number in range(40) for name in "ABC"]
    steps = "- run: |\n" + "\n".join(lines) + "\n    twine upload -p $C dist/*\n  env: {A: '${{ secrets.X }}'}\n"
    assert only(write(tmp_path, {WORKFLOW: job(steps)})).secrets == ("X",)


def test_a_service_connection_of_azure_is_a_token_without_a_name(tmp_path: Path) -> None:
    content = "steps:\n- script: twine upload -r pypi --config-file $(PYPIRC_PATH) dist/*\n"
    found = only(write(tmp_path, {"azure-pipelines.yml": content}))
    assert (found.auth, found.secrets, found.index) == ("token", (), "pypi")


def test_powershell_reads_its_variables_in_any_case(tmp_path: Path) -> None:
    step = "run: twine upload -u __token__ -p $Env:T dist/x\n  shell: pwsh\n  env: {T: '${{ secrets.A }}'}"
    assert only(write(tmp_path, {WORKFLOW: job(f"- {step}")})).secrets == ("A",)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200),
    st.sampled_from([WORKFLOW, "tox.ini", "Makefile", "noxfile.py", "pyproject.toml", ".travis.yml"]),
)
def test_whatever_a_file_holds_it_is_read_or_named(tmp_path: Path, content: bytes, file: str) -> None:
    root = write(tmp_path, {WORKFLOW: job("- run: make x\n- run: tox -e x\n- run: nox -s x\n- run: hatch run x")})
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(content)
    errors = publishing.read(root).errors
    (root / file).unlink()
    assert all(error.startswith(file) for error in errors)


@pytest.mark.parametrize(
    "build",
    [
        "      - run: python other/build_dists.py\n",
        "      - run: pipx run build --sdist other\n      - uses: actions/upload-artifact@v4\n",
        "      - run: cd ./other && hatch build\n      - uses: actions/upload-artifact@v4\n",
        "      - run: python -m build\n        working-directory: other\n      - uses: actions/upload-artifact@v4\n",
        "      - uses: hynek/build-and-inspect-python-package@v2\n        with: {path: other}\n",
        "      - uses: pypa/cibuildwheel@v3\n        with: {package-dir: other/}\n",
    ],
)
def test_a_second_distribution_is_found_if_a_job_builds_it_for_the_upload(build: str, tmp_path: Path) -> None:
    upload = "      - uses: pypa/gh-action-pypi-publish@release/v1\n"
    text = f"on: push\njobs:\n  build:\n    steps:\n{build}  out:\n    needs: build\n    steps:\n{upload}"
    if "build_dists" in build:
        text = f"on: push\njobs:\n  out:\n    steps:\n{build}{upload}"
    unrelated = f"on: push\njobs:\n  test:\n    steps:\n{build}      - run: cd plugin && pytest\n"
    files = {f"{name}/pyproject.toml": f"[project]\nname = '{name}'\nversion = '1'\n" for name in ("other", "plugin")}
    files |= {"pyproject.toml": "[project]\nname = 'thing'\nversion = '1'\n", ".github/workflows/b.yml": unrelated}
    assert [each.path for each in read.repository(write(tmp_path, files)).distributions] == ["."]
    found = read.repository(write(tmp_path, {WORKFLOW: text}))
    assert [each.path for each in found.distributions] == [".", "other"]
