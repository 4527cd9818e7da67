"""Whole releases, as people make them: a new project, and repositories that were there before."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tagship.suite import sources
from tests.conftest import ROOT, commit, git, nox, run, try_nox

pytestmark = pytest.mark.slow

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_a_new_project_is_green_at_once_outside_git(project: Path) -> None:
    done = nox(project)
    assert "Session build was successful" in done.stdout
    assert f"Session test-{HERE} was successful" in done.stdout
    assert "Session verify-version was successful" in done.stdout
    assert "2 passed" in done.stdout
    missing = [
        version for version in ("3.10", "3.11", "3.12", "3.13", "3.14") if f"test-{version} was" not in done.stdout
    ]
    assert all(
        f"test-{version}: skipped (Python interpreter {version} not found)" in done.stdout for version in missing
    )
    assert (project / "bundle/SHA256SUMS").is_file()


def test_a_python_that_is_requested_must_exist(project: Path) -> None:
    done = try_nox(project, "-s", "test", "-P", "3.99")
    assert done.returncode == 1
    assert "Python interpreter 3.99 not found" in done.stdout


def test_a_session_without_a_python_runs_on_those_that_are_there(project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + f'\n[tool.tagship]\npythons = ["{HERE}", "3.99"]\n')
    done = nox(project, "-s", "test")
    assert f"test-{HERE}: success" in done.stdout
    assert "test-3.99: skipped (Python interpreter 3.99 not found)" in done.stdout


SETUP_PY = {
    "setup.py": (
        "import re\nfrom setuptools import setup\n"
        "version = re.search(r'^__version__ = \"(.*)\"', open('legacy_ship.py').read(), re.M).group(1)\n"
        "setup(name='legacy-ship', version=version, py_modules=['legacy_ship'], description='Old')\n"
    ),
    "legacy_ship.py": '# __version__ = "0.9"\n__version__ = "1.4.0"\n\n\ndef answer():\n    return 42\n',
    "tests/test_legacy.py": (
        "import unittest\nimport legacy_ship\n\n\nclass Test(unittest.TestCase):\n"
        "    def test_answer(self):\n        self.assertEqual(legacy_ship.answer(), 42)\n"
        "        self.assertIn('site-packages', legacy_ship.__file__)\n"
    ),
}
POETRY = {
    "pyproject.toml": (
        '[tool.poetry]\nname = "legacy-ship"\nversion = "1.4.0"\ndescription = "Old"\nauthors = ["A <a@example.com>"]\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\n[tool.poetry.group.dev.dependencies]\npytest = "^8.0"\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    ),
    "legacy_ship/__init__.py": '__version__ = "1.4.0"\n',
    "tests/test_legacy.py": "import legacy_ship\n\n\ndef test_it():\n    assert legacy_ship.__version__ == '1.4.0'\n",
}


@pytest.mark.parametrize(
    ("files", "ran"), [(SETUP_PY, "Ran 1 test in"), (POETRY, "1 passed")], ids=["setup.py", "poetry"]
)
def test_a_repository_that_was_there_before_works_once_adopted(tmp_path: Path, files: dict[str, str], ran: str) -> None:
    repository = tmp_path / "repository"
    write(repository, files)
    commit(repository)
    run(sys.executable, "-m", "tagship", "adopt", repository, cwd=tmp_path)
    commit(repository, "adopt the suite")
    git(repository, "tag", "v1.4.0")
    done = nox(repository, "-s", "build", "test", "verify-version", "-P", HERE)
    assert ran in done.stdout
    assert (repository / "bundle/dist/legacy_ship-1.4.0.tar.gz").is_file()
    assert git(repository, "status", "--porcelain") == ""
    git(repository, "tag", "-d", "v1.4.0")
    git(repository, "tag", "v1.5.0")
    wrong = try_nox(repository, "-s", "verify-version")
    assert wrong.returncode == 1
    assert "tag 'v1.5.0': found version '1.5.0', expected version '1.4.0'" in wrong.stdout
    git(repository, "tag", "-d", "v1.5.0")
    assert run(sys.executable, "-m", "invoke", "release", "minor", cwd=repository).stdout.startswith(
        "v1.5.0: committed"
    )


def test_a_failing_test_is_red(project: Path) -> None:
    (project / "tests/test_red.py").write_text("def test_red() -> None:\n    raise AssertionError\n")
    assert try_nox(project, "-s", f"test-{HERE}").returncode == 1


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("name", ["nox", "tools", "wheels"])
def test_every_locked_tool_has_a_wheel_with_a_locked_hash(tmp_path: Path, name: str, python: str) -> None:
    """uv resolves and downloads for a Python that this machine need not have."""
    command = [
        "uv",
        "pip",
        "install",
        "--dry-run",
        "--require-hashes",
        "--only-binary=:all:",
        "--python-version",
        python,
    ]
    target: list[str | Path] = [
        "--target",
        tmp_path / "target",
        "-r",
        ROOT / f".github/release/requirements/{name}.txt",
    ]
    assert "Would install" in run(*command, *target, cwd=tmp_path).stdout


@pytest.mark.parametrize("name", ["nox", "tools", "wheels"])
def test_the_oldest_pip_that_we_support_installs_the_locked_tools_whatever_was_released_since(
    tmp_path: Path, name: str
) -> None:
    """Debian 12 has pip 23.0, which takes `pydantic[email]` for a requirement of its own, to be locked by that name."""
    run("uv", "venv", "-q", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    run("uv", "pip", "install", "-q", "--python", python, "pip==23.0.1", cwd=tmp_path)
    options = ("-q", "--require-hashes", "--only-binary=:all:", "-r", ROOT / f".github/release/requirements/{name}.txt")
    run(python, "-m", "pip", "install", *options, cwd=tmp_path)


@pytest.mark.parametrize("name", ["nox", "tools", "wheels"])
def test_what_dependabot_runs_gives_the_same_lock_with_every_marker_and_hash(tmp_path: Path, name: str) -> None:
    """Its options are those that it finds by name in a lock, see compile_file_updater.rb of dependabot-core."""
    for path in (ROOT / ".github/release/requirements").glob("*.[it][nx]*"):
        shutil.copy2(path, tmp_path)
    lock = tmp_path / f"{name}.txt"
    before = lock.read_text().splitlines()
    recorded = before[1].removeprefix("#").split()
    assert recorded[-3:] == ["--output-file", lock.name, f"{name}.in"], "by which it finds the file"
    found = ["--universal", "--generate-hashes", "--no-strip-extras"]
    assert {*found} <= {*recorded}
    assert recorded[recorded.index("--python-version") + 1] == "3.10"
    run("uv", "pip", "compile", "-q", *found, "--python-version=3.10", "-o", lock.name, f"{name}.in", cwd=tmp_path)
    assert lock.read_text().splitlines()[2:] == before[2:]


def test_this_repositorys_own_wheel_carries_the_suite_and_passes_its_own_gate(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(ROOT), str(clone))
    nox(clone, "-s", "build", "verify-version")
    target = tmp_path / "target"
    wheel = next((clone / "bundle/dist").glob("*.whl"))
    run("uv", "pip", "install", "-q", "--target", target, wheel, cwd=tmp_path)
    for path in sources(clone):
        assert (target / "tagship/_suite" / path).read_bytes() == (clone / path).read_bytes()
    code = "import tagship_suite.repo.versions as v; print(v.__file__)"
    found = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target)).stdout
    assert found.strip().startswith(str(target))
