"""A project made with cruft follows the template."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .support import environment

pytestmark = pytest.mark.slow
DESCRIPTION = 'It says "hello" \\ & 🚢 # % }}'


def _run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environment(_home(cwd)), encoding="utf-8", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _home(cwd: Path) -> Path:
    home = cwd.parent / "home"
    home.mkdir(exist_ok=True)
    return home


def _cruft(*arguments: str, cwd: Path) -> str:
    return _run([sys.executable, "-m", "cruft", *arguments], cwd)


def _commit(repository: Path) -> None:
    _run(["git", "add", "--all"], repository)
    _run(["git", "commit", "--quiet", "--message", "change"], repository)


@pytest.fixture
def cruft_project(template_repository: Path) -> Path:
    """Return a project made by `cruft create`, committed, from a template repository beside it."""
    folder = template_repository.parent
    context = json.dumps({"description": DESCRIPTION, "license": "BSD-3-Clause"})
    _cruft("create", str(template_repository), "--no-input", "--extra-context", context, cwd=template_repository)
    project = (template_repository / "my-package").rename(folder / "my-package")
    _run(["git", "init", "--quiet"], project)
    _commit(project)
    return project


def test_a_fresh_project_is_up_to_date(cruft_project: Path) -> None:
    assert "SUCCESS" in _cruft("check", cwd=cruft_project)


def test_an_update_brings_the_template_s_change_and_keeps_the_project_s(
    cruft_project: Path, template_repository: Path
) -> None:
    ignored = template_repository / "{{cookiecutter.project_slug}}" / ".gitignore"
    ignored.write_text(ignored.read_text() + "/new-in-the-template/\n")
    _commit(template_repository)
    module = cruft_project / "src" / "my_package" / "__init__.py"
    module.write_text('"""The project\'s own change."""\n')
    _commit(cruft_project)

    _cruft("update", "--skip-apply-ask", cwd=cruft_project)

    changed = _run(["git", "status", "--porcelain"], cruft_project).split()
    assert changed == ["M", ".cruft.json", "M", ".gitignore"]
    assert "/new-in-the-template/" in (cruft_project / ".gitignore").read_text()
    assert "own change" in module.read_text()
    assert "SUCCESS" in _cruft("check", cwd=cruft_project)
