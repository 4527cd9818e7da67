"""copier makes the same project as cookiecutter from the same answers, and updates it."""

import shutil
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy, run_update

from tests.conftest import commit, git

from .support import CHOICES, QUESTIONS, ROOT, answers, generate
from .test_answers import ACCEPTED, HOOK, REFUSED

TEXTS = {
    "project_name": 'Ship "it" & \\ <b> 🚢 שלום',
    "project_slug": "Some.Name_2",
    "package_name": "Package2",
    "description": "It's \"100 %\" # of }} 'them' & 🚢",
    "author_name": "李雷 O'Neil",
    "author_email": "first.last+tag@sub.example.co",
}
#: Each choice at least once.
VARIANTS = [
    dict(zip(CHOICES, chosen, strict=True))
    for _, *chosen in zip(range(max(map(len, CHOICES.values()))), *map(cycle, CHOICES.values()), strict=False)
]


def _copy(template: Path, to: Path, **given: Any) -> Path:
    """Make a project from the template's last commit."""
    run_copy(f"git+file://{template}", to, given, vcs_ref="HEAD", defaults=True, quiet=True)
    return to


def _files(project: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(project)): path for path in project.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".git/")}


@pytest.mark.slow
def test_both_make_the_same_bytes_from_each_choice_and_difficult_text(
    template_repository: Path, tmp_path: Path
) -> None:
    assert {choice for variant in VARIANTS for choice in variant.values()} == set().union(*CHOICES.values())
    for number, variant in enumerate(VARIANTS):
        (tmp_path / str(number)).mkdir()
        given = {**TEXTS, **variant} if number else variant
        expected = _files(generate(tmp_path / str(number), f"git+file://{template_repository}", **given))
        made = _files(_copy(template_repository, tmp_path / f"copied-{number}", **given))
        assert made.pop(".copier-answers.yml")
        assert made == expected


@pytest.mark.slow
def test_an_update_brings_the_template_s_change_and_keeps_the_project_s(
    template_repository: Path, tmp_path: Path
) -> None:
    project = _copy(template_repository, tmp_path / "project", **TEXTS)
    commit(project)
    ignored = template_repository / "{{cookiecutter.project_slug}}" / ".gitignore"
    ignored.write_text(ignored.read_text() + "/new-in-the-template/\n")
    commit(template_repository)
    (project / "src/Package2/__init__.py").write_text('"""The project\'s own change."""\n')
    commit(project)

    run_update(project, vcs_ref="HEAD", defaults=True, overwrite=True, quiet=True)

    assert git(project, "status", "--porcelain").split() == ["M", ".copier-answers.yml", "M", ".gitignore"]
    assert "/new-in-the-template/" in (project / ".gitignore").read_text()


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Return a template that asks the questions and makes nothing."""
    (tmp_path / "questions/{{cookiecutter.project_slug}}").mkdir(parents=True)
    shutil.copy(ROOT / "copier.yml", tmp_path / "questions")
    return tmp_path / "questions"


def _refusal(template: Path, **given: str) -> str:
    """Return why copier refuses the answers, nothing if it takes them."""
    named = {"project_slug": "package", "package_name": "package", **given}  # whatever the name of the project is
    try:
        run_copy(str(template), template.parent / "made", named, defaults=True, quiet=True, overwrite=True)
    except ValueError as error:
        return str(error)
    return ""


def test_both_have_the_same_questions(questions: Path) -> None:
    run_copy(str(questions), questions.parent / "made", defaults=True, quiet=True)
    asked = yaml.safe_load((questions / "copier.yml").read_text(encoding="utf-8"))
    shown = {name: question for name, question in asked.items() if not name.startswith("_")}
    assert shown.pop("cookiecutter")["when"] is False
    assert set(shown) == set(QUESTIONS)
    assert {name: list(shown[name]["choices"].values()) for name in CHOICES} == CHOICES


@pytest.mark.slow
def test_both_refuse_the_same_answers(questions: Path) -> None:
    """Except names of modules of the standard library: copier runs no Python that could know them."""
    for question, answer in [(question, answer) for question, bad in REFUSED.items() for answer in bad]:
        assert bool(_refusal(questions, **{question: answer})) == (answer != "json"), (question, answer)
    for question, answer in [(question, answer) for question, good in ACCEPTED.items() for answer in good]:
        assert not _refusal(questions, **{question: answer}), (question, answer)


def test_copier_says_what_cookiecutter_says(questions: Path) -> None:
    for given in (
        {"project_name": " x"},
        {"package_name": "class"},
        {"github_owner": "a/b"},
        {"github_owner": "https://x", "publish_with": "gitlab"},
        {"build_backend": "setup.py", "description": "file: x"},
        {"build_backend": "poetry", "author_name": "Jane <x"},
    ):
        [problem] = HOOK.problems(answers(**given))
        assert problem[-40:] in _refusal(questions, **given)
    assert not _refusal(questions, publish_with="gitlab", github_owner="group/sub")
