"""Keeps a project's own tools working: its sdist and Dependabot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship import suite
from tagship.facts import marked
from tagship.facts.marked import Map, Seq, Unreadable
from tagship_suite.files import load_toml, read_text, subtable, tomllib

from .lists import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

RELEASE = suite.RELEASE.as_posix()
#: A MANIFEST.in that includes whole folders.
GREEDY = re.compile(
    r"(?m)^\s*(graft\s+\.(\s|$|/|github)|global-include\s+(\*\s|\*$|\*\.(py|txt|\*))|recursive-include\s+(\.|\*)\s)"
)
#: The keys of ruff that formatters of TOML put before `extend-exclude`.
FIRST = re.compile(
    r"required-version|extend|target-version|line-length|indent-width|builtins|namespace-packages|src"
    r"|(extend-)?include|exclude"
)
#: One that includes the modules at the top.
MODULES = re.compile(r"(?m)^[ \t]*include[ \t](?:.*[ \t])?\*\.(?:py|\*)(?=\s|$)")
DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")


def sdist(root: Path, text: str, new: Iterable[str]) -> tuple[str, dict[Path, bytes], str]:
    """Return the `text` of pyproject.toml and other files so that the sdist does not hold the suite.

    `new` are the other files that are added. The last value is a sentence, "" if there is nothing to do.
    """
    pyproject = load_toml(root / "pyproject.toml")
    system = subtable(pyproject, "build-system")
    backend, requires = str(system.get("build-backend", "")), str(system.get("requires", ""))
    paths = [RELEASE, *new]
    if backend.startswith("hatchling"):
        return _hatchling(pyproject, text, paths)
    if backend.startswith("scikit_build_core"):
        found = listed(text, ["tool", "scikit-build", "sdist", "exclude"], paths)
        return found, {}, "scikit-build-core adds all files that git tracks to the sdist"
    if backend.startswith("mesonpy"):
        lines = "".join(f"/{path} export-ignore\n" for path in paths)
        return (
            text,
            {Path(".gitattributes"): _appended(root / ".gitattributes", lines)},
            "meson adds all files that git tracks",
        )
    by_setuptools = not backend or backend.startswith(("setuptools", "pbr"))
    return (text, *_manifest(root, requires, paths)) if by_setuptools else (text, {}, "")


def ruff(text: str, pyproject: str | None = None) -> str:
    """Return the `text` of pyproject.toml so that ruff skips the suite if comments in it do not suffice for that.

    It has the syntax of Python 3.10, an error for older ones, and rules in preview may be about such comments. With the
    text of `pyproject`, `text` is that of a ruff.toml next to it.
    """
    keys = ["tool", "ruff"] if pyproject is None else []
    table = subtable(tomllib.loads(text), *keys)
    target, lint = str(table.get("target-version", "")), subtable(table, "lint")
    project = subtable(tomllib.loads(text if pyproject is None else pyproject), "project")
    declared = str(project.get("requires-python", ""))
    older = re.fullmatch(r"py3[6-9]", target) or (not target and re.match(r"\s*(>=|~=)\s*3\.[6-9]\b", declared))
    chosen = re.search(r"'(ALL|RUF1?)'", f"{lint.get('select')} {lint.get('extend-select')}")
    in_preview = chosen and lint.get("preview", table.get("preview"))
    if not table or not (older or in_preview):
        return text
    if keys or "extend-exclude" in table:
        return listed(text, [*keys, "extend-exclude"], [RELEASE], FIRST)
    end = "\r\n" if "\r\n" in text else "\n"
    gap = end * text.startswith(("[", "#"))  # before all tables
    return f'extend-exclude = ["{RELEASE}"]{end}{gap}{text}'


def _hatchling(pyproject: dict[str, Any], text: str, paths: list[str]) -> tuple[str, dict[Path, bytes], str]:
    build = subtable(pyproject, "tool", "hatch", "build")
    target = subtable(build, "targets", "sdist")
    keys = ("include", "only-include", "packages")
    chosen = any(key in target or key in build for key in keys)
    known = [*target.get("exclude", []), *build.get("exclude", [])]
    if any(str(each).strip("/").split("/")[0] in {".github", ".*"} for each in known):
        paths = [path for path in paths if not path.startswith(".github")]
    if chosen or not paths:
        return text, {}, ""
    slashed = [f"/{path}" for path in paths]
    after = listed(text, ["tool", "hatch", "build", "targets", "sdist", "exclude"], slashed)
    return after, {}, "hatchling adds all files that git tracks to the sdist"


def _manifest(root: Path, requires: str, paths: list[str]) -> tuple[dict[Path, bytes], str]:
    path = root / "MANIFEST.in"
    text = read_text(path) if path.is_file() else ""
    setup = read_text(root / "setup.py") if (root / "setup.py").is_file() else ""
    scm = re.search(r"setuptools[-_](?:scm|git)|vcs_versioning", requires + setup)
    checked = any("check-manifest" in read_text(each) for each in _configs(root))
    all_of_it = scm or GREEDY.search(text) or checked or "pbr" in requires
    if f"prune {RELEASE}" in text or not (all_of_it or MODULES.search(text)):
        return {}, ""
    outside = not all_of_it or bool(re.search(r"(?m)^prune\s+\.github\b", text))
    others = [each for each in paths if each != RELEASE and not (outside and each.startswith(".github"))]
    lines = f"prune {RELEASE}\n" * (not outside) + "".join(
        f"exclude {each}\n"
        for each in others
        if not re.search(rf"(?m)^exclude\b.*(?<!\S){re.escape(each)}(?!\S)", text)
    )
    if not lines:
        return {}, ""
    why = (
        "check-manifest requires it"
        if checked
        else f"{scm[0]} would add it"
        if scm
        else f"MANIFEST.in would include {'it' if all_of_it else 'the modules that import it'}"
    )
    return {Path("MANIFEST.in"): _appended(path, lines)}, why


def _configs(root: Path) -> list[Path]:
    names = ("tox.ini", ".pre-commit-config.yaml", "setup.cfg", "pyproject.toml", "noxfile.py", "Makefile")
    found = [root / name for name in names] + sorted(root.glob(".github/workflows/*.y*ml"))
    return [path for path in found if path.is_file() and path.stat().st_size < marked.MAX_BYTES]


def _appended(path: Path, lines: str) -> bytes:
    text = read_text(path) if path.is_file() else ""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return (text + gap + lines.replace("\n", end)).encode()


def dependabot(root: Path) -> tuple[dict[Path, bytes], str]:
    """Return Dependabot's configuration with entries for the release's tools and actions, or what to do by hand."""
    path = next((root / name for name in DEPENDABOT if (root / name).is_file()), None)
    hint = f"let Dependabot update the release's pins: ecosystems uv, in /{RELEASE}/requirements, and github-actions"
    if path is None:
        return {}, hint
    text = read_text(path)
    try:
        read = marked.parse(text.encode(), path.name)
    except Unreadable:
        return {}, hint
    updates = read.get("updates") if isinstance(read, Map) else None
    entries = [each for each in updates if isinstance(each, Map)] if isinstance(updates, Seq) else []
    known = {(str(each.text("package-ecosystem")), directory) for each in entries for directory in _directories(each)}
    wanted = [("uv", f"/{RELEASE}/requirements", "The release's tools")]
    if not any(ecosystem == "github-actions" for ecosystem, _ in known):
        wanted.append(("github-actions", "/", "Pins of the workflows"))
    missing = [each for each in wanted if each[:2] not in known]
    if not missing:
        return {}, ""
    rows = text.splitlines(keepends=True)
    if not entries or "-" not in rows[entries[-1].line - 1]:
        return {}, hint
    after = _with_entries(rows, entries, missing)
    try:
        marked.parse(after, path.name)
    except Unreadable:
        return {}, hint
    return {path.relative_to(root): after}, ""


def _directories(entry: Map) -> list[str]:
    return [str(entry.text("directory")), *(str(each) for each in entry.list("directories"))]


def _with_entries(rows: list[str], entries: list[Map], missing: list[tuple[str, str, str]]) -> bytes:
    last = entries[-1].end
    lead = rows[entries[-1].line - 1].partition("-")[0]
    end = "\r\n" if rows[0].endswith("\r\n") else "\n"
    gap = end if len(entries) > 1 and not rows[entries[-1].line - 2].strip() else ""
    block = "".join(
        f"{gap}{lead}# {why}{end}{lead}- package-ecosystem: {ecosystem}{end}{lead}  directory: {directory}{end}"
        f"{lead}  schedule:{end}{lead}    interval: monthly{end}"
        for ecosystem, directory, why in missing
    )
    if not rows[last - 1].endswith(("\n", "\r")):
        rows[last - 1] += end
    return "".join([*rows[:last], block, *rows[last:]]).encode()
