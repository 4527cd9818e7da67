"""Everything that uploads to an index is found, with what it logs in with and the lines that lead to it."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tagship.facts import publishing

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
