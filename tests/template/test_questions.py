"""The questions, and the rules of the template's own files."""

import os
from fnmatch import fnmatch
from pathlib import Path

import pytest

from .support import CHOICES, CONFIG, QUESTIONS, ROOT, TEMPLATE, answers, load_hook

CODE = [path for path in TEMPLATE.rglob("*") if path.suffix in {".py", ".yml", ".yaml"}]
HOOK = load_hook("pre_gen_project")


def test_there_are_at_most_ten_questions() -> None:
    assert len(QUESTIONS) <= 10


def test_every_question_is_put_in_words() -> None:
    assert list(CONFIG["__prompts__"]) == QUESTIONS


def test_every_question_is_validated() -> None:
    assert list(HOOK.RULES) == QUESTIONS


def test_the_validated_choices_are_the_offered_ones() -> None:
    assert {"license": list(HOOK.LICENSES), "python_min": list(HOOK.PYTHONS)} == CHOICES


def test_the_default_answers_are_valid() -> None:
    assert HOOK.problems(answers()) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(TEMPLATE)))
def test_no_jinja_in_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("${{", "")
    assert not any(opening in text for opening in ("{{", "{%", "{#"))


def test_every_licence_has_a_text_and_every_text_a_licence() -> None:
    texts = {path.stem for path in (ROOT / "templates" / "licenses").iterdir()}
    assert texts == set(CHOICES["license"])


def _is_copied(path: str) -> bool:
    return any(fnmatch(os.path.normpath(path), pattern) for pattern in CONFIG["_copy_without_render"])


@pytest.mark.parametrize(
    "path",
    [
        "noxfile.py",
        "tasks.py",
        ".github/workflows/release.yml",
        ".github/dependabot.yml",
        ".github/release/__main__.py",
        ".github/release/folder/module.py",
    ],
)
def test_a_managed_file_is_copied(path: str) -> None:
    assert _is_copied(path)


@pytest.mark.parametrize("path", ["README.md", "tests/noxfile.py", ".github/workflows/other.yml"])
def test_any_other_file_is_rendered(path: str) -> None:
    assert not _is_copied(path)
