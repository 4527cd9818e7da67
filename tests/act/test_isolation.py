"""Code that runs in the build or in the tests can neither publish nor change what publishes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.act import events
from tests.act.conftest import register, tag
from tests.act.runner import WORKFLOW
from tests.act.test_release import PUBLISHED, asked, results, served
from tests.archives import write_wheel
from tests.conftest import commit

if TYPE_CHECKING:
    from tagship.rehearsal.servers import Servers
    from tests.act.conftest import Gate
    from tests.act.runner import Run, Runner

pytestmark = pytest.mark.slow

ATTACK = Path(__file__).with_name("attack.py")
#: hatchling, with `{code}` run in the job that builds, after each dist.
BACKEND = """\
import hatchling.build
from hatchling.build import *
from attack import *


def build_sdist(*arguments):
    return done(hatchling.build.build_sdist(*arguments))


def build_wheel(*arguments):
    return done(hatchling.build.build_wheel(*arguments))


def done(name):
{code}
    return name
"""
#: Adds files after the checks.
SMUGGLER = """\
import shutil, subprocess

workspace = Path(os.environ["GITHUB_WORKSPACE"])
dist = workspace / "dist"
for name in ("noxfile.py", ".github/release/requirements/tools.txt", "zzz-1.0-py3-none-any.whl"):
    shutil.copy(workspace / name, dist)
(dist / "SHA256SUMS").write_text("0" * 64 + "  noxfile.py")
(dist / "below").mkdir()
(dist / "below/other-1.0.tar.gz").write_text("")
digest = "find . ! -type d -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -d' ' -f1"
subprocess.run(f'echo "digest=$({digest})" >> "$GITHUB_OUTPUT"', cwd=dist, shell=True, check=True)
"""
#: Waits until the build job has written its outputs, and stops it meanwhile: nothing of the release code is imported
#: after a backend has run, so a backend can change what the job says only from a process of its own.
LAST = """\
import os, signal, sys, time
from pathlib import Path

session, output = int(sys.argv[1]), Path(os.environ["GITHUB_OUTPUT"])
while "digest=" not in output.read_text():
    time.sleep(0.001)
os.kill(session, signal.SIGSTOP)
try:
{code}
finally:
    os.kill(session, signal.SIGCONT)
"""


def backend(repository: Path, code: str) -> None:
    """Let the project be built by a backend of its own that runs `code`."""
    pyproject = repository / "pyproject.toml"
    text = pyproject.read_text().replace('"hatchling.build"', '"backend"\nbackend-path = ["backend"]')
    pyproject.write_text(text.replace('"/src", ', '"/src", "/backend", '))
    folder = repository / "backend"
    folder.mkdir()
    shutil.copy(ATTACK, folder)
    indented = "".join(f"    {line}\n" for line in code.splitlines())
    (folder / "backend.py").write_text(BACKEND.format(code=indented))


def subvert(repository: Path, code: str) -> None:
    """Let the project's backend leave a process behind that runs `code` after all that the build job does."""
    indented = "".join(f"    {line}\n" for line in code.splitlines())
    (repository / "subverted.py").write_text(LAST.format(code=indented))
    backend(repository, "if name.endswith('.gz'):\n    leave('subverted.py')")


def add_test(repository: Path, code: str) -> None:
    """Give the project a test that runs `code`."""
    (repository / "tests/test_evil.py").write_text(f"{ATTACK.read_text()}\n\ndef test_evil():\n    {code}\n")


def dependency(repository: Path, folder: Path, code: str) -> None:
    """Let the project's tests require a wheel that runs `code` whenever Python starts."""
    files = {"evil.py": f"{ATTACK.read_text()}\n\n{code}\n", "evil.pth": "import evil\n"}
    wheel = write_wheel(folder, "evil", files=files)
    with (repository / "pyproject.toml").open("a") as file:
        file.write(f'test-requires = ["pytest", "evil @ {wheel.as_uri()}"]\n')


def report(runner: Runner, who: str) -> dict[str, Any]:
    """Return what an attack left for us."""
    return dict(json.loads((runner.folder / f"run-1/attack-{who}.json").read_text()))


def release(repository: Path, runner: Runner, servers: Servers) -> Run:
    """Push the tag of a release for which everything is registered."""
    register(servers, "pypi", "testpypi")
    commit(repository)
    return runner.run(repository, events.push(repository, tag(repository)))


@pytest.mark.parametrize("permission", ["id-token: write", "contents: read"])
def test_an_attack_finds_the_identity_if_the_job_has_one(
    permission: str, repository: Path, runner: Runner, servers: Servers
) -> None:
    steps = (repository / WORKFLOW).read_text().partition("      - run:")[0]
    job = steps.replace("contents: read", permission)
    (repository / WORKFLOW).write_text(f"{job}      - run: python -c \"import attack; attack.attack('test')\"\n")
    shutil.copy(ATTACK, repository)
    run = release(repository, runner, servers)
    assert run.jobs == {"build": "success"}, run.printed
    assert bool(report(runner, "test")["secrets"]) == (permission == "id-token: write")


def test_what_a_backend_a_test_and_a_dependency_do_in_their_jobs_reaches_no_other(
    repository: Path, runner: Runner, servers: Servers, tmp_path: Path
) -> None:
    backend(repository, "if name.endswith('.whl'):\n    attack('backend')")
    add_test(repository, "attack('test')")
    dependency(repository, tmp_path / "wheels", "attack('dependency')")
    run = release(repository, runner, servers)
    assert run.jobs == PUBLISHED, run.printed
    for who, job in {"backend": "build", "test": "test", "dependency": "test"}.items():
        found = report(runner, who)
        assert (found["job"], found["secrets"], "noxfile.py" in found["wrote"]) == (job, [], True)
    assert not (runner.folder / "run-1/reached").exists()
    bundle = run.artifact("bundle-1", tmp_path / "bundle")
    own = {Path("COMMIT"), Path("NOTES.md"), Path("SHA256SUMS"), Path("noxfile.py")}
    names = {path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file()} - own
    assert not [name for name in own if "spoiled" in (bundle / name).read_text()]
    assert {name for name in names if name.parts[0] != "dist" and not same(bundle, repository, name)} == set()
    dist = run.artifact("dist-1", tmp_path / "dist")
    assert sorted(served(servers, "pypi")) == sorted(path.name for path in dist.iterdir())
    for index in ("pypi", "testpypi"):
        (mint,) = servers.index.mints(index)
        assert mint.claims["environment"] == index


def same(left: Path, right: Path, name: Path) -> bool:
    """Return whether a file is the same in two folders."""
    return (left / name).read_bytes() == (right / name).read_bytes()


def test_what_is_smuggled_into_dist_stops_the_tests_and_all_behind_them(
    repository: Path, runner: Runner, servers: Servers
) -> None:
    write_wheel(repository, "zzz")
    subvert(repository, SMUGGLER)
    run = release(repository, runner, servers)
    assert run.jobs == results("build", "test"), run.printed
    for name in ("noxfile.py", "tools.txt", "SHA256SUMS", "below"):
        assert f"dist/{name}" in run.printed["test"]
    assert asked(servers) == []


def test_a_bundle_that_the_build_uploads_keeps_the_gate_from_going_on(
    repository: Path, runner: Runner, servers: Servers
) -> None:
    backend(repository, "if name.endswith('.whl'):\n    upload('bundle-1', 'noxfile.py')")
    run = release(repository, runner, servers)
    assert run.jobs == results("build test", "verify-version"), run.printed
    assert "409" in run.printed["verify-version"]
    assert asked(servers) == []


def test_dists_that_a_test_puts_in_place_of_the_built_ones_are_refused(
    repository: Path, runner: Runner, servers: Servers
) -> None:
    add_test(repository, "poison('dist')\n    upload('dist-1', 'dist/', overwrite=True)")
    run = release(repository, runner, servers)
    assert run.jobs == results("build test", "verify-version"), run.printed
    assert "error: dist: found other files, expected those of digest" in run.printed["verify-version"]
    assert asked(servers) == []


@pytest.mark.parametrize("testpypi", ["true", "false"])
def test_a_bundle_that_was_overwritten_is_refused_before_a_line_of_it_runs(
    testpypi: str, gate: Gate, servers: Servers, tmp_path: Path
) -> None:
    register(servers, "pypi", "testpypi")
    evil, mark = tmp_path / "evil", tmp_path / "mark"
    gate.run.artifact("bundle-1", evil)
    for name in ("noxfile.py", ".github/release/tagship_suite/sessions.py", "pip.py", ".github/release/packaging.py"):
        (evil / name).write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\n")
    listed = {path.relative_to(evil).as_posix(): path for path in evil.rglob("*") if path.is_file()}
    gate.run.artifacts.upload("bundle-1", listed, "1", overwrite=True)
    run = gate.rerun(PUBLISH_TEST=testpypi)
    job = "publish-test" if testpypi == "true" else "publish"
    assert run.jobs == results("build test verify-version", job)
    assert "found other files than verify-version wrote" in run.printed[job]
    assert not mark.exists()
    assert asked(servers) == []


def test_a_single_file_too_many_in_the_bundle_is_refused(gate: Gate, servers: Servers, tmp_path: Path) -> None:
    register(servers, "pypi", "testpypi")
    evil = gate.run.artifact("bundle-1", tmp_path / "evil")
    (evil / "pip.py").write_text("raise SystemExit\n")
    listed = {path.relative_to(evil).as_posix(): path for path in evil.rglob("*") if path.is_file()}
    gate.run.artifacts.upload("bundle-1", listed, "1", overwrite=True)
    assert gate.rerun().jobs == results("build test verify-version", "publish-test")
    assert asked(servers) == []


def test_a_digest_that_github_has_dropped_is_refused_with_the_reason(gate: Gate, servers: Servers) -> None:
    register(servers, "pypi", "testpypi")
    reason = "GitHub drops an output that contains a secret"
    masked = {name: {**outputs, "digest": ""} for name, outputs in gate.run.outputs.items()}
    run = replace(gate, run=replace(gate.run, outputs=masked)).rerun()
    assert run.jobs == results("build test verify-version", "publish-test")
    assert "If DIGEST is empty, GitHub dropped it, as it contains a secret" in run.printed["publish-test"]
    earlier = replace(gate.run, outputs=masked, jobs=results("build test", "verify-version"))
    run = replace(gate, run=earlier).rerun(attempt="3")
    assert run.jobs == results("build test", "verify-version")
    assert f"DIST_DIGEST: found 0 digests, expected 1, one for each machine; {reason}" in run.printed["verify-version"]
    assert asked(servers) == []
