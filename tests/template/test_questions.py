"""The questions, and the rules of the template's own files."""

import os
import re
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import pytest

from .support import CHOICES, CONFIG, QUESTIONS, ROOT, TEMPLATE, answers, load_hook

#: The workflows are the root's, which `raw` keeps as they are: tests/test_suite.py.
CODE = [
    path
    for path in TEMPLATE.rglob("*")
    if re.search(r"\.(py|ya?ml)($|{% endif %}$)", path.name) and path.parent.name not in {"workflows", ".gitlab"}
]
LICENSES = ROOT / "templates" / "licenses"
LICENSE_DIGESTS = {
    "MIT": "dcad4e27b91d1bcbc618f011047aa0683d4ff975a59ba6c3ffd005135d375da8",
    "Apache-2.0": "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    "BSD-3-Clause": "c001f208ba5ebbb8040bb6e24faad38bae849f468cc521bbfba89a137ed16f82",
    "MPL-2.0": "fab3dd6bdab226f1c08630b1dd917e11fcb4ec5e1e020e2c16f83a0a13863e85",
    "GPL-3.0-or-later": "3972dc9744f6499f0f9b2dbf76696f2ae7ad8af9b23dde66d6af86c9dfb36986",
    "Proprietary": "a3851e9eb2355991fa95403e6ccee75dd78bd7bb81d06a2e5941bb40f4a87d3e",
}
HOOK = load_hook("pre_gen_project")


def test_there_are_at_most_ten_questions() -> None:
    assert len(QUESTIONS) <= 10


def test_every_question_has_a_prompt() -> None:
    assert list(CONFIG["__prompts__"]) == QUESTIONS


def test_every_question_is_validated() -> None:
    assert list(HOOK.RULES) == QUESTIONS


def test_the_validated_choices_are_the_offered_ones() -> None:
    validated = {"license": HOOK.LICENSES, "build_backend": HOOK.BACKENDS, "publish_with": HOOK.PUBLISHERS}
    assert {question: list(choices) for question, choices in validated.items()} == CHOICES


def test_the_default_answers_are_valid() -> None:
    assert HOOK.problems(answers()) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(TEMPLATE)))
def test_no_jinja_in_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("${{", "")
    assert not any(opening in text for opening in ("{{", "{%", "{#"))


def test_every_name_in_the_template_is_legal_on_windows() -> None:
    names = {path.name for path in TEMPLATE.rglob("*")}
    assert any("{%" in name for name in names)
    assert not [name for name in names if set(name) & set('<>:"/\\|?*') or name.endswith((".", " "))]


def test_every_licence_has_a_text_and_every_text_a_licence() -> None:
    assert {path.stem for path in LICENSES.iterdir()} == set(CHOICES["license"]) == set(LICENSE_DIGESTS)


@pytest.mark.parametrize(("licence", "digest"), LICENSE_DIGESTS.items())
def test_a_licence_is_the_text_that_was_compared_with_its_original(licence: str, digest: str) -> None:
    assert sha256((LICENSES / f"{licence}.txt").read_bytes()).hexdigest() == digest


def _is_copied(path: str) -> bool:
    return any(fnmatch(os.path.normpath(path), pattern) for pattern in CONFIG["_copy_without_render"])


@pytest.mark.parametrize(
    "path",
    [
        "noxfile.py",
        "tasks.py",
        ".github/release/__main__.py",
        ".github/release/folder/module.py",
    ],
)
def test_a_managed_file_is_copied(path: str) -> None:
    assert _is_copied(path)


@pytest.mark.parametrize("path", ["README.md", "tests/noxfile.py", ".github/workflows/other.yml"])
def test_any_other_file_is_rendered(path: str) -> None:
    assert not _is_copied(path)
