"""Every error that is printed has a code, and docs/errors.md says what each means."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagship_suite.errors import PAGE, Problem, ReleaseError, links
from tagship_suite.publish.explain import CAUSES, UNKNOWN

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / "src/tagship_suite").rglob("*.py")), *sorted((ROOT / "src/tagship").rglob("*.py"))]
ERRORS = {"ReleaseError", "TransientError", "kind", "Exit", "TagshipError", "Refused", "Unreadable", "failed"}
CODE = re.compile(r" \[((?!a-z)[a-z]+(?:-[a-z]+)*)\]$")  # and no regular expression


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def first_line(argument: ast.expr) -> str:
    """Return the first line of a text or an f-string, each expression in it as `{}`."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    return text.partition("\n")[0]


def codes(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {call.args[0] for name, call in calls(tree) if name in {"Problem", "problem", "refusal"} and call.args}
    faults = [node.value for node in ast.walk(tree) if isinstance(node, ast.Yield)]
    faults += [call.args[0] for name, call in calls(tree) if name == "append"]
    made |= {fault.elts[0] for fault in faults if isinstance(fault, ast.Tuple) and len(fault.elts) >= 4}
    found = {code.value for code in made if isinstance(code, ast.Constant)}
    texts = [node for node in ast.walk(tree) if isinstance(node, (ast.Constant, ast.JoinedStr))]
    found |= {match[1] for text in texts if (match := CODE.search(first_line(text)))}
    return {str(code) for code in found}


def uncoded(path: Path) -> Iterator[str]:
    """Yield the places of errors whose text ends without a code."""
    for name, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
        if name not in ERRORS:
            continue
        for argument in call.args[:1]:
            shown = ast.unparse(argument)
            literal = isinstance(argument, (ast.Constant, ast.JoinedStr))
            if literal and not CODE.search(first_line(argument)) and "{error}" not in shown:
                yield f"{path.relative_to(ROOT)}:{call.lineno} {shown}"


def test_every_error_has_a_code() -> None:
    assert [line for path in SOURCES for line in uncoded(path)] == []


def test_the_page_explains_each_code_and_no_other() -> None:
    headings = re.findall(r"^### (\S+)$", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = {code for path in SOURCES for code in codes(path)} | {cause.code for cause in (*CAUSES, UNKNOWN)}
    assert len(headings) == len(set(headings))
    assert set(headings) == known


@pytest.mark.parametrize("remedy", ["fix it", "write there:\n  an example"])
def test_a_problem_ends_with_its_code_and_leads_to_its_meaning(remedy: str) -> None:
    error = ReleaseError(Problem("tag-mismatch", "tag 'v2'", "2", "1", remedy))
    assert str(error).splitlines()[0] == f"tag 'v2': found 2, expected 1; {remedy.splitlines()[0]} [tag-mismatch]"
    assert links([*error.args, *error.args]) == [f"see: {PAGE}#tag-mismatch"]


def test_the_address_of_this_repository_is_the_same_everywhere() -> None:
    address = PAGE.split("/blob/")[0]
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    found = {
        f"https://github.com/{owner}/tagship"
        for page in pages
        for owner in re.findall(r"(?:gh:|github\.com/)([\w-]+)/tagship\b", page.read_text(encoding="utf-8"))
    }
    assert found == {address}
