"""Refuse answers that would not give a working project; report all of them at once, each with its remedy."""

import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import getaddresses
from pathlib import Path
from typing import NamedTuple

# JSON never holds three quotes in a row, so no answer can end the string. It is loaded in `main` only: as
# long as cookiecutter has not rendered this file, it is not JSON.
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

LICENSES = ("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "GPL-3.0-or-later", "Proprietary")
BACKENDS = ("hatchling", "hatch-vcs", "setuptools", "setup.py", "poetry", "flit", "pdm", "uv")
PUBLISHERS = ("nox", "gh-action-pypi-publish", "gitlab")

DISTRIBUTION_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
IMPORT_NAME = r"_?[A-Za-z][A-Za-z0-9_]*"
GITLAB_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*"
GITHUB_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}"
EMAIL = (
    r"(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`|~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`|~-]+)*"
    r"@(?=.{1,189}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)

# Modules and folders at the root of a project, which its tests would import instead of the package.
ROOT_MODULES = ("conftest", "noxfile", "setup", "src", "tasks", "test", "tests")
#: No character of the categories Cc, Cs, Zl and Zp.
PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*"


class Rule(NamedTuple):
    """The condition that an answer must meet, what to say if it does not, and the remedy.

    A condition that a regular expression can state is one: `copier.yml`, which can run no Python, gets it as well.
    """

    condition: str | Callable[[str], bool]
    otherwise: str
    expected: str

    def holds(self, answer: str) -> bool:
        """Return whether the answer meets the condition."""
        if isinstance(self.condition, str):
            return re.fullmatch(self.condition, answer, re.DOTALL) is not None
        return self.condition(answer)


def _at_most(length: int) -> Rule:
    return Rule(
        ".{0," + str(length) + "}",  # no f-string: cookiecutter would read its two braces
        "is too long",
        f"Shorten it to {length} characters at most.",
    )


def _none_of(names: Iterable[str]) -> str:
    return rf"(?!({'|'.join(names)})\Z).*"


def _one_of(choices: tuple[str, ...]) -> Rule:
    return Rule("|".join(map(re.escape, choices)), "is not a choice", f"Choose one of {', '.join(choices)}.")


def _is_free_at_pypi(answer: str) -> bool:
    return _normalised(answer) not in {_normalised(module) for module in sys.stdlib_module_names}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


TEXT = (
    Rule(".+", "is empty", "Type a value."),
    Rule(
        r"(?!\s).*(?<!\s)",
        "begins or ends with white space",
        "Remove the white space.",
    ),
    Rule(
        PRINTABLE,
        "contains a tab, a line break or another control character",
        "Type one line of printable characters.",
    ),
    Rule(
        r"(?!.*[{][#%{]).*",  # in this order, as cookiecutter renders this file
        "contains the start of a Jinja expression",
        "Leave out an opening brace before a brace, a percent sign or a number sign: an update of the"
        " template would evaluate it.",
    ),
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "project_name": (),
    "project_slug": (
        Rule(
            DISTRIBUTION_NAME,
            "is not a valid distribution name",
            "Use letters, digits, '.', '_' and '-', with a letter or digit first and last: 'my-package'.",
        ),
        Rule(
            _is_free_at_pypi,
            "is the name of a standard library module, which PyPI refuses",
            "Choose another name.",
        ),
        _at_most(100),
    ),
    "package_name": (
        Rule(
            IMPORT_NAME,
            "is not a valid Python identifier",
            "Use letters, digits and '_', with a letter first: 'my_package'.",
        ),
        Rule(
            _none_of(keyword.kwlist),
            "is a Python keyword",
            "Choose another name.",
        ),
        Rule(
            lambda answer: answer not in sys.stdlib_module_names,
            "is a standard library module, which would be imported instead",
            "Choose another name.",
        ),
        Rule(
            f"(?i:{_none_of(ROOT_MODULES)})",
            "is a module or folder at the root of the project, which would be imported instead",
            "Choose another name.",
        ),
        _at_most(100),
    ),
    "description": (_at_most(512),),
    "author_name": (
        Rule(
            "[^,]*",
            "contains a comma, which package metadata does not allow",
            "Type the name of one person or organisation without it.",
        ),
    ),
    "author_email": (
        Rule(
            EMAIL,
            "is not an email address",
            "Type one such as 'you@example.com'.",
        ),
    ),
    "github_owner": (),  # ON_GITHUB or ON_GITLAB
    "license": (_one_of(LICENSES),),
    "build_backend": (_one_of(BACKENDS),),
    "publish_with": (_one_of(PUBLISHERS),),
}

ON_GITHUB = Rule(
    GITHUB_OWNER,
    "is not a GitHub user or organisation",
    "Type the name in the repository's address: letters, digits and '-', 39 at most, no 'https://'.",
)
ON_GITLAB = Rule(
    GITLAB_NAMESPACE,
    "is not a namespace on GitLab",
    "Type the user or the groups in the repository's address: 'group/subgroup', no 'https://'.",
)

#: What a build backend cannot carry, beyond the rules above.
BACKEND_RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("poetry", "author_name"): (
        Rule(
            "[^<>]*",
            "contains an angle bracket, which ends a name for Poetry",
            "Leave it out, or choose another build_backend.",
        ),
        Rule(
            lambda answer: unicodedata.is_normalized("NFC", answer),
            "contains a decomposed character (not NFC), which Poetry would change",
            "Type it again, or choose another build_backend.",
        ),
    ),
    ("uv", "author_name"): (
        Rule(
            lambda answer: getaddresses([f"{answer} <a@b.cc>"]) == [(answer, "a@b.cc")],
            "contains a special character of email headers, which uv does not quote",
            "Leave out quotes, brackets, '@', ':' and ';', or choose another build_backend.",
        ),
    ),
    ("setup.py", "description"): (
        Rule(
            "(?!file:).*",
            "begins with 'file:', which setup.cfg reads as a file path",
            "Begin it with another word, or choose another build_backend.",
        ),
    ),
}


def problems(answers: Mapping[str, object]) -> list[str]:
    """Return one line for each thing that is wrong with the answers."""
    return [
        f"{question}: {_shown(answers.get(question))} {rule.otherwise}. {rule.expected}"
        for question, rules in RULES.items()
        for rule in _broken(answers.get(question), (*rules, *_further_rules(answers, question)))
    ]


def _further_rules(answers: Mapping[str, object], question: str) -> tuple[Rule, ...]:
    """Return the rules that depend on the answer to another question."""
    if question == "github_owner":
        return (ON_GITLAB if answers.get("publish_with") == "gitlab" else ON_GITHUB,)
    return BACKEND_RULES.get((str(answers.get("build_backend")), question), ())


def _broken(answer: object, rules: tuple[Rule, ...]) -> Iterator[Rule]:
    if not isinstance(answer, str):
        yield Rule(bool, "is not text", "Type a value.")
        return
    broken = [rule for rule in TEXT if not rule.holds(answer)]
    yield from broken or [rule for rule in rules if not rule.holds(answer)]


def _shown(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 80 else f"{text[:76]}...{text[-1]}"


def kept(answers: Mapping[str, object]) -> Path | None:
    """Return the file in which cookiecutter keeps the answers, None if it is not in its usual place."""
    path = Path.home() / ".cookiecutter_replay" / f"{Path(str(answers.get('_repo_dir'))).name}.json"
    return path if path.is_file() else None


def main() -> None:
    """Print the problems, if there are any, and stop cookiecutter."""
    answers = json.loads(ANSWERS)
    found = problems(answers)
    for problem in found:
        print(problem, file=sys.stderr)  # unlike stdout, never fails on a character of the answer
    if found and (path := kept(answers)):
        remedy = "correct them there and run the same command with --replay"
        print(f"Your answers are kept in {str(path)!a}: {remedy}.", file=sys.stderr)
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
