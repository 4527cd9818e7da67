"""Answers that would not give a working project are refused, each with one sentence."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .support import QUESTIONS, ROOT, answers, environment, load_hook

HOOK = load_hook("pre_gen_project")
REFUSED = {
    "project_name": [" x", "", "x\xa0", "a\nb", "a\x00b", "a\u2028b", "\ud800b", "{{x", "{%", "{#"],
    "project_slug": ["-x", "x-", ".", "..", "../x", "a/b", "/etc/x", "a\\b", "\u212a", "json", "x" * 101],
    "package_name": ["a-b", "2to3", "_", "__init__", "é", "a.b", "class", "None", "json", "test", "x" * 101],
    "description": ["x" * 513, "one\r\ntwo"],
    "author_name": ["Doe, Jane"],
    "author_email": ["x", "x@y", "a b@example.com", "a@b@example.com", ".a@b.com", "<a@b.com>", "ä@b.com"],
    "github_owner": ["https://github.com/x", "a/b", "-a", "a.b", "x" * 40],
    "license": ["mit", "WTFPL"],
    "build_backend": ["setup", "Poetry"],
    "publish_with": ["twine"],
}  # fmt: skip
ACCEPTED = {
    "project_name": ["my-package", "C#", '"quoted" \\ <b>', "שלום", "🚢", "100 %"],
    "project_slug": ["x", "My.Package_2", "2to3"],
    "package_name": ["x", "_private", "Package2", "match"],
    "description": ["x" * 512, "}} %} #}"],
    "author_name": ["Jane Doe; and others", "李雷"],
    "author_email": ["first.last+tag@sub.example.co"],
    "github_owner": ["a", "A-b-3", "name_company"],
}


@pytest.mark.parametrize(("question", "answer"), [(q, a) for q, bad in REFUSED.items() for a in bad])
def test_a_bad_answer_is_refused_with_one_line_that_shows_it(question: str, answer: str) -> None:
    [problem] = HOOK.problems(answers(**{question: answer}))
    assert problem.startswith(f"{question}: {repr(answer)[:70]}")
    assert problem.isprintable()


@pytest.mark.parametrize(("question", "answer"), [(q, a) for q, good in ACCEPTED.items() for a in good])
def test_a_good_answer_is_accepted(question: str, answer: str) -> None:
    assert HOOK.problems(answers(**{question: answer})) == []


def test_what_only_one_backend_cannot_carry_is_refused_for_that_one() -> None:
    [problem] = HOOK.problems(answers(build_backend="setup.py", description="file: x"))
    assert problem.startswith("description: 'file: x' begins with 'file:'")
    assert HOOK.problems(answers(build_backend="setuptools", description="file: x")) == []


@pytest.mark.parametrize("name", ["<", "Jane <x", "a>b"])
def test_poetry_gets_no_author_whose_name_it_would_cut(name: str) -> None:
    [problem] = HOOK.problems(answers(build_backend="poetry", author_name=name))
    assert "contains an angle bracket, which ends a name for Poetry" in problem
    assert HOOK.problems(answers(author_name=name)) == []


def test_poetry_gets_no_author_whose_name_it_would_normalise() -> None:
    name = unicodedata.normalize("NFD", "Zoë Müller")
    [problem] = HOOK.problems(answers(build_backend="poetry", author_name=name))
    assert "(not NFC), which Poetry would change" in problem
    assert HOOK.problems(answers(author_name=name)) == []
    assert HOOK.problems(answers(build_backend="poetry", author_name=unicodedata.normalize("NFC", name))) == []


@pytest.mark.parametrize("name", ['a"b', '"x"', "(x)", "a;b", "a@b", "[x]", "a: b", "<x>", "x (y) z", '"'])
def test_uv_gets_no_author_whose_name_it_would_have_to_quote(name: str) -> None:
    found = HOOK.problems(answers(build_backend="uv", author_name=name))
    assert any("which uv does not quote" in problem for problem in found)
    assert HOOK.problems(answers(author_name=name)) == []


@pytest.mark.parametrize("name", ["Jane Doe", "J. R. Doe", "O'Neil", "Zoë Müller", "李雷", "Ship 🚢 Crew"])
def test_uv_gets_every_plain_name(name: str) -> None:
    assert HOOK.problems(answers(build_backend="uv", author_name=name)) == []


@pytest.mark.parametrize("owner", ["group/sub", "first.last", "A_b"])
def test_a_namespace_on_gitlab_may_be_a_group_of_a_group(owner: str) -> None:
    assert HOOK.problems(answers(publish_with="gitlab", github_owner=owner)) == []
    assert len(HOOK.problems(answers(publish_with="gitlab", github_owner=f"https://{owner}"))) == 1


def test_all_problems_are_named_at_once() -> None:
    problems = HOOK.problems(answers(project_slug="a b", author_email="x", description=" {{\t"))
    assert [problem.partition(":")[0] for problem in problems] == [
        "project_slug",
        "description",
        "description",
        "description",
        "author_email",
    ]


def test_an_answer_that_is_missing_or_no_text_is_refused() -> None:
    assert len(HOOK.problems({})) == len(QUESTIONS)
    assert len(HOOK.problems({**answers(), "description": None})) == 1


def test_no_module_of_the_standard_library_can_be_shadowed() -> None:
    modules = sys.stdlib_module_names
    assert [name for name in modules if not HOOK.problems(answers(package_name=name))] == []


@given(st.sampled_from(QUESTIONS), st.text(st.characters(exclude_categories=[]), max_size=600))
def test_every_refusal_is_one_short_printable_line(question: str, answer: str) -> None:
    for problem in HOOK.problems(answers(**{question: answer})):
        assert problem.isprintable()
        assert len(problem) < 400


def test_a_wrong_answer_does_not_cost_the_others(tmp_path: Path) -> None:
    """The answers are corrected where cookiecutter keeps them, and given again with `--replay`."""
    env = {name: value for name, value in environment(tmp_path).items() if name != "COOKIECUTTER_CONFIG"}
    command = [sys.executable, "-m", "cookiecutter", str(ROOT)]

    def cookiecutter(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )

    done = cookiecutter("--no-input", "author_email=x", "description=Kept.")
    assert done.returncode == 1
    path = tmp_path / ".cookiecutter_replay" / f"{ROOT.name}.json"
    assert f"Your answers are kept in {str(path)!r}" in done.stderr
    kept = json.loads(path.read_text())
    kept["cookiecutter"] |= {"author_email": "right@example.org"}
    path.write_text(json.dumps(kept))
    assert cookiecutter("--replay").returncode == 0
    assert "Kept." in (tmp_path / "my-package/README.md").read_text()
