"""Inserts the release's sessions and tasks into a project's own noxfile.py and tasks.py, in its own style."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize

from tagship.noxfile import SESSIONS_MODULE, TASKS_MODULE

#: The imports that the inserted lines need, by the name that they use.
NEEDED = {"sys": "import sys", "importlib.util": "import importlib.util"}
#: The folder of the suite, for nox, which runs in the folder of its noxfile, and for invoke, which may run below it.
FOR_NOX, FOR_INVOKE = '".github/release"', '__file__.removesuffix("tasks.py") + ".github/release"'
STANDARD = 1  # the section of the standard library


def with_sessions(text: str, quote: str = "", gap: int = 1) -> str:
    """Return the text of a noxfile with the import of the release's sessions after its imports.

    nox runs every session that is registered when the noxfile is imported. It is a call, not an import statement,
    which would be E402, F401 or F403 for one linter, and a needless `noqa` for another. An sdist may have the noxfile
    without the suite, where the project's own sessions still work. `quote` is the quote character, by default the
    file's, and `gap` the number of blank lines after imports.
    """
    return _insert(text, FOR_NOX, [f'importlib.import_module("{SESSIONS_MODULE}")'], quote, gap)


def with_tasks(text: str, taken: set[str], quote: str = "", gap: int = 1) -> str:
    """Return the text of a tasks file with the release's tasks after its imports, without those that are `taken`."""
    names = [name for name in ("check", "lock", "rehearse", "release") if name not in taken]
    first = f'of_release = importlib.import_module("{TASKS_MODULE}")'
    return _insert(text, FOR_INVOKE, [first, *(f"{name} = of_release.{name}" for name in names)], quote, gap)


def _insert(text: str, place: str, lines: list[str], quote: str, gap: int) -> str:
    end, mark = "\r\n" if "\r\n" in text else "\n", "\ufeff" * text.startswith("\ufeff")
    text = text.removeprefix(mark)  # a byte order mark is only valid as the first character
    rows, tree = io.StringIO(text, newline="\n").readlines(), ast.parse(text)
    imports = _leading(tree)
    after = (imports[-1].end_lineno or 0) if imports else _head(tree, rows)
    if after == len(rows) and rows and not rows[-1].endswith(("\n", "\r")):
        rows[-1] += end
    missing = [line for name, line in NEEDED.items() if not _binds(imports, name)]
    block = [
        f"sys.path.insert(0, {place})",
        'if importlib.util.find_spec("tagship_suite"):  # an sdist does not contain it',
        *(f"    {line}" for line in lines),
    ]
    block = [line.replace('"', quote or _quote(text)) for line in block]
    if not imports:
        block = ["", *sorted(missing), *[""] * gap, *block, *([""] if rows[after:] and rows[after].strip() else [])]
    rows[after:after] = [
        f"{line}{end}" for line in ([""] * gap if imports else []) + block[not imports and not after :]
    ]
    if imports:
        _insert_imports(rows, imports, missing, end)
    return mark + "".join(rows)


def _quote(text: str) -> str:
    """Return the quote character that most strings of a module have, of those that could have either."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    quotes = [
        token.string.lstrip("bBfFrRuU")[0]
        for token in tokens
        if token.type == tokenize.STRING and not re.search(r"^\w*(\"{3}|'{3})|['\"].*['\"].*['\"]", token.string)
    ]
    return "'" if quotes.count("'") > quotes.count('"') else '"'


def _leading(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """Return the import statements that a module begins with."""
    found: list[ast.Import | ast.ImportFrom] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif not _is_text(node):
            break
    return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _head(tree: ast.Module, rows: list[str]) -> int:
    """Return how many lines come before the code of a module without imports: its comments and its docstring."""
    if tree.body and _is_text(tree.body[0]):
        return tree.body[0].end_lineno or 0
    return next((at for at, row in enumerate(rows) if not row.startswith("#")), len(rows))


def _binds(imports: list[ast.Import | ast.ImportFrom], name: str) -> bool:
    return any((alias.asname or alias.name) == name for node in imports for alias in node.names)


def _insert_imports(rows: list[str], imports: list[ast.Import | ast.ImportFrom], missing: list[str], end: str) -> None:
    """Insert imports of the standard library where isort and ruff sort them."""
    mixed = _is_mixed(imports)
    if not any(_section(node) == STANDARD for node in imports):  # in a separate section
        at = next((node.lineno - 1 for node in imports if _section(node) > STANDARD), None)
        block = [*sorted(missing), ""] if at is not None else ["", *sorted(missing)]
        at = (imports[-1].end_lineno or 0) if at is None else at
        rows[at:at] = [f"{line}{end}" for line in block if missing]
        return
    for line in sorted(missing, reverse=True):  # from the bottom up, so that the line numbers above stay valid
        rank = _rank(ast.parse(line).body[0], mixed=mixed)
        before = [
            node.end_lineno or 0
            for node in imports
            if _section(node) >= STANDARD and (_section(node), _rank(node, mixed=mixed)) < (STANDARD, rank)
        ]
        first = next(node.lineno - 1 for node in imports if _section(node) == STANDARD)
        at = before[-1] if before else first
        rows[at:at] = [f"{line}{end}"]


def _is_mixed(imports: list[ast.Import | ast.ImportFrom]) -> bool:
    """Return whether `import` and `from` imports are sorted together, by module."""
    found = [_rank(node, mixed=False) for node in imports if _section(node) == STANDARD]
    return found != sorted(found)


def _section(node: ast.stmt) -> int:
    """Return the number of an import's section, in sorting order."""
    module = _module(node)
    return 0 if module == "__future__" else STANDARD if module.partition(".")[0] in sys.stdlib_module_names else 2


def _rank(node: ast.stmt, *, mixed: bool) -> tuple[int, str]:
    """Return the sorting key of an import in its section: `import` before `from` unless mixed, then its module."""
    return (0 if mixed else int(isinstance(node, ast.ImportFrom))), _module(node)


def _module(node: ast.stmt) -> str:
    if isinstance(node, ast.ImportFrom):
        return node.module or ""
    return node.names[0].name if isinstance(node, ast.Import) else ""
