"""A project's own tools are not affected by the suite: its sdist, its hooks, its bot, its tags and branches."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
import yaml
from readme_renderer import markdown

from tagship import suite
from tagship.adopt import settings
from tagship.adopt.files import hooks, neighbours
from tagship_suite.files import tomllib
from tests.adopt.repositories import FLIT, SETUP_CFG, make
from tests.adopt.test_adopt import adopt, refused
from tests.conftest import check_schema, commit, git, run

if TYPE_CHECKING:
    from pathlib import Path

HATCHLING = {
    "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    '[project]\nname = "thing"\nversion = "1.2.0"\n',
    "thing/__init__.py": "",
}
SCM = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n'
    'build-backend = "setuptools.build_meta"\n'
    '[project]\nname = "thing"\ndynamic = ["version"]\n[tool.setuptools_scm]\n',
    "thing/__init__.py": "",
}
GRAFT = {**SETUP_CFG, "MANIFEST.in": "graft .\nglobal-exclude *.pyc"}


def sdist(folder: Path, to: Path) -> set[str]:
    """Return what the sdist of the project in `folder` holds."""
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", to, folder, cwd=folder)
    with tarfile.open(next(to.glob("*.tar.gz"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.mark.slow
@pytest.mark.parametrize(("line", "excluded"), [("include README.rst *.py", True), ("include docs/*.py", False)])
def test_modules_at_the_top_that_import_the_suite_are_not_in_the_sdist(
    line: str, excluded: bool, tmp_path: Path
) -> None:
    folder = make(tmp_path / "thing", {**SETUP_CFG, "MANIFEST.in": f"{line}\n"})
    adopt(folder)
    added = "exclude noxfile.py\nexclude tasks.py\n"
    assert (folder / "MANIFEST.in").read_text() == f"{line}\n{added * excluded}"


@pytest.mark.slow
@pytest.mark.parametrize("files", [HATCHLING, FLIT, GRAFT], ids=["hatchling", "flit", "MANIFEST.in"])
def test_the_sdist_does_not_grow_by_the_suite(files: dict[str, str], tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", files)
    copy = shutil.copytree(folder, tmp_path / "copy")
    adopt(folder)
    commit(folder, "adopt")
    grown = sdist(folder, tmp_path / "after") - sdist(copy, tmp_path / "before")
    assert grown <= {"pyproject.toml", ".gitignore"}


def test_the_file_finder_of_setuptools_scm_gets_what_to_exclude(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", SCM)
    adopt(folder)
    assert "prune .github/release\n" in (folder / "MANIFEST.in").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool.hatch.version]\npath = 'x'\n",
        "[tool.hatch.build.targets.sdist]\nexclude = ['/docs']  # big\n",
        "[tool.hatch.version]\npath = 'x'\n[tool.ruff]\n[tool.hatch.build]\nexclude = ['x']\n",
    ],
)
def test_hatchling_gets_an_exclude_and_keeps_every_line(text: str, tmp_path: Path) -> None:
    before = f'[build-system]\nbuild-backend = "hatchling.build"\n{text}'
    (tmp_path / "pyproject.toml").write_text(before)
    after, _, _ = neighbours.sdist(tmp_path, before, [suite.WORKFLOW.as_posix(), "tasks.py"])
    exclude = tomllib.loads(after)["tool"]["hatch"]["build"]["targets"]["sdist"]["exclude"]
    assert exclude[-3:] == ["/.github/release", "/.github/workflows/release.yml", "/tasks.py"]
    assert "path = 'x'" in after if "path" in before else True
    assert "# big" in after if "# big" in before else True


@pytest.mark.parametrize("text", ["only-include = ['src']", "include = ['/src']", "exclude = ['/.github']"])
def test_an_sdist_that_is_chosen_by_the_project_stays(text: str, tmp_path: Path) -> None:
    before = f'[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.sdist]\n{text}\n'
    (tmp_path / "pyproject.toml").write_text(before)
    assert neighbours.sdist(tmp_path, before, []) == (before, {}, "")


def test_only_what_is_not_in_an_excluded_folder_is_excluded_from_the_sdist(tmp_path: Path) -> None:
    new = [suite.WORKFLOW.as_posix(), "noxfile.py", "tasks.py"]
    before = '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build]\nexclude = ["/.github"]\n'
    (tmp_path / "pyproject.toml").write_text(before)
    build = tomllib.loads(neighbours.sdist(tmp_path, before, new)[0])["tool"]["hatch"]["build"]
    assert build["targets"]["sdist"]["exclude"] == ["/noxfile.py", "/tasks.py"]
    (tmp_path / "pyproject.toml").write_text(SCM["pyproject.toml"])
    (tmp_path / "MANIFEST.in").write_text("prune .github\nexclude tasks.py\n")
    _, files, _ = neighbours.sdist(tmp_path, SCM["pyproject.toml"], new)
    assert [*files.values()] == [b"prune .github\nexclude tasks.py\nexclude noxfile.py\n"]


@pytest.mark.parametrize(
    ("settings", "excluded"),
    [
        ('lint.select = ["ALL"]\nlint.preview = true\n', True),
        ('lint.extend-select = ["RUF"]\npreview = true\n', True),
        ('lint.select = ["ALL"]\n', False),
        ('lint.select = ["E"]\npreview = true\n', False),
        ('target-version = "py39"\n', True),
        ("lint.select = 1\npreview = true\n", False),
    ],
)
def test_ruff_skips_the_suite_where_comments_in_it_do_not_suffice(settings: str, excluded: bool) -> None:
    after = neighbours.ruff(f"[tool.ruff]\n{settings}")
    assert (tomllib.loads(after)["tool"]["ruff"].get("extend-exclude") == [".github/release"]) is excluded
    for own, before in ((f"{settings}[format]\n", []), (f"extend-exclude = ['x']\n{settings}", ["x"])):
        found = tomllib.loads(neighbours.ruff(own, ""))
        assert found.get("extend-exclude", []) == [*before, *[".github/release"] * excluded]


@pytest.mark.parametrize(("before", "gap"), [("lint.select = ['E']\r\n", ""), ("[lint]\r\nselect = ['E']\r\n", "\r\n")])
def test_ruff_toml_is_read_with_the_pythons_of_pyproject_toml(before: str, gap: str, tmp_path: Path) -> None:
    pyproject = f"{HATCHLING['pyproject.toml']}requires-python = '>=3.8'\n"
    folder = make(tmp_path / "thing", {**HATCHLING, "pyproject.toml": pyproject, "ruff.toml": before})
    adopt(folder)
    expected = f'extend-exclude = [".github/release"]\r\n{gap}{before}'
    assert (folder / "ruff.toml").read_bytes() == expected.encode()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("# mine\nrepos: []\n", "# mine\n\n# The managed files of tagship\nexclude: 'P'\nrepos: []\n"),
        ("exclude: ^docs/ # no\nrepos: []\n", "exclude: P|^docs/ # no\nrepos: []\n"),
        ("repos: []\nexclude: '(?x)^docs/'\n", "repos: []\nexclude: '(?x)P|^docs/'\n"),
        (
            "exclude: >\n  (?x)^(\n    docs/|x\n  )$\nrepos: []\n",
            "exclude: >\n  (?x)P|^(\n    docs/|x\n  )$\nrepos: []\n",
        ),
        ("exclude: |-\r\n  ^docs/\r\nrepos: []\r\n", "exclude: |-\r\n  P|^docs/\r\nrepos: []\r\n"),
        ('repos: []\nexclude:\n  "a\\\\.py|\n   b"\n', 'repos: []\nexclude:\n  "Q|a\\\\.py|\n   b"\n'),
    ],
)
def test_hooks_leave_out_what_is_generated(before: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / hooks.NAME
    path.write_bytes(before.encode())
    changes, todo = hooks.hooks(tmp_path)
    after = expected.replace("P", hooks.PATTERN).replace("Q", hooks.PATTERN.replace("\\", "\\\\"))
    assert ([content.decode() for content in changes.values()], todo) == ([after], "")
    path.write_bytes(after.encode())
    assert hooks.hooks(tmp_path) == ({}, "")
    found = re.compile(yaml.safe_load(after)["exclude"])
    assert found.search(".github/release/README.md")
    assert not found.search("noxfile.py")


@pytest.mark.parametrize("text", ["exclude: [a]\nrepos: []\n", "exclude: &x ''\n", "repos: [", "a: &a [*a]\n"])
def test_hooks_that_cannot_be_edited_are_left_to_a_person(text: str, tmp_path: Path) -> None:
    (tmp_path / hooks.NAME).write_text(text)
    assert hooks.hooks(tmp_path) == ({}, hooks.BY_HAND)


def test_dependabot_updates_the_tools_and_the_actions_of_the_release(tmp_path: Path) -> None:
    path = tmp_path / ".github/dependabot.yml"
    path.parent.mkdir()
    before = "version: 2\nupdates:\n- package-ecosystem: pip  # ours\n  directory: /\n  schedule: {interval: daily}\n"
    path.write_text(before)
    [content] = neighbours.dependabot(tmp_path)[0].values()
    assert content.decode().startswith(before)
    path.write_bytes(content)
    assert neighbours.dependabot(tmp_path) == ({}, "")
    check_schema("--builtin-schema", "vendor.dependabot", path)


def test_the_workflow_runs_on_the_default_branch_and_stays_untouched(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT)
    git(folder, "branch", "-m", "develop")
    adopt(folder)
    assert "    branches: [main, master, develop]\n" in (folder / suite.WORKFLOW).read_text()
    run(sys.executable, "-m", "tagship", "sync", "--check", folder, cwd=folder)
    commit(folder, "adopt")
    assert "nothing to do" in adopt(folder)


def test_a_dotted_key_follows_those_that_begin_alike(tmp_path: Path) -> None:
    tables = '[tool.hatch]\nversion.path = "thing/__init__.py"\nbuild.dev-mode-dirs = []\nmetadata.hooks.x = {}\n'
    folder = make(tmp_path / "thing", {**HATCHLING, "pyproject.toml": HATCHLING["pyproject.toml"] + tables})
    text = (folder / "pyproject.toml").read_text()
    after, _, _ = neighbours.sdist(
        folder, text.replace("build.packages = []", "build.dev-mode-dirs = []"), ["tasks.py"]
    )
    keys = re.findall(r"(?m)^([\w.-]+) = ", after.partition("[tool.hatch]")[2])
    assert keys == ["version.path", "build.dev-mode-dirs", "build.targets.sdist.exclude", "metadata.hooks.x"]


def test_tags_that_the_gate_does_not_accept_are_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", FLIT)
    git(folder, "tag", "other-1.1.0")
    assert "tag releases vX.Y.Z from now on: other-X.Y.Z" in adopt(folder)


VERSIONED = """\
on: {{push: {{tags: ["v*"]}}}}
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          pip install build twine
          {}
      - run: twine upload dist/*
"""


@pytest.mark.parametrize(
    "line",
    [
        'sed -i "s/0.0.0/${GITHUB_REF_NAME#v}/" thing/__init__.py',
        'sed -E -i.bak "s/^x = \\".*\\"/x = \\"$TAG\\"/" \\\n            "thing/__init__.py"',
        "poetry version ${{ github.ref_name }}",
        "echo \"__version__ = '$GITHUB_REF_NAME'\" > thing/_version.py",
    ],
)
def test_a_version_that_ci_writes_from_the_tag_is_refused_with_the_line(line: str, tmp_path: Path) -> None:
    files = {**HATCHLING, ".github/workflows/out.yml": VERSIONED.format(line)}
    [said] = refused(make(tmp_path / "thing", files))
    assert said.startswith(
        ".github/workflows/out.yml:9: found a version that CI writes for a release; 1.2.0 is committed"
    )


@pytest.mark.parametrize(
    "line",
    [
        "poetry version -s",
        "sed -i s/a/b/ README.md",
        "echo $GITHUB_REF_NAME",
        'sed -n "0,/^## Version ${TAG} /d;/^## Version /q;p" CHANGELOG.md > notes.txt',
        'sed -i "s/version/${TAG_VERSION}/" README.md',
    ],
)
def test_what_only_reads_the_version_is_no_reason_to_refuse(line: str, tmp_path: Path) -> None:
    files = {**HATCHLING, ".github/workflows/out.yml": VERSIONED.format(line)}
    adopt(make(tmp_path / "thing", files))


def test_the_text_of_a_pull_request_has_what_was_found_and_the_order(tmp_path: Path) -> None:
    files = {**HATCHLING, ".github/workflows/out.yml": VERSIONED.format("python -m build")}
    files[".github/workflows/out.yml"] += "        env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}\n"
    folder = make(tmp_path / "thing", files)
    git(folder, "remote", "add", "origin", "https://github.com/acme/thing.git")
    adopt(folder, "--pull-request", str(tmp_path / "body.md"))
    text = (tmp_path / "body.md").read_text()
    assert "| existing publish job: publish | token, PYPI_TOKEN | .github/workflows/out.yml:10 |" in text
    assert "manage/project/thing/settings/publishing/?provider=github&owner=acme&repository=thing" in text
    order = ["create the environments", "register the publisher", "merge the branch", "delete the secret PYPI_TOKEN"]
    places = [text.index(step) for step in order]
    assert places == sorted(places)
    assert "- [ ] rehearse the release: tagship rehearse\n" in text
    assert str(tmp_path) not in text, "a reviewer has it elsewhere"
    assert "git commit" not in text
    commit(folder, "adopt")
    said = run(sys.executable, "-m", "tagship", "publisher", folder, cwd=folder).stdout
    assert "note: .github/workflows/out.yml published before: delete the secret PYPI_TOKEN" in said


def test_no_name_in_the_text_of_a_pull_request_is_bold_or_html(tmp_path: Path) -> None:
    version = '__version__ = "1.2.0"\n'
    dynamic = HATCHLING["pyproject.toml"].replace('version = "1.2.0"', 'dynamic = ["version"]')
    dynamic += '[tool.hatch.version]\npath = "thing/__init__.py"\n'
    made = VERSIONED.format("python -m build").replace(
        "- run: |", "- run: pybabel compile -d __locale__\n      - run: |"
    )
    files = {"pyproject.toml": dynamic, "thing/__init__.py": version, ".github/workflows/out.yml": made}
    folder = make(tmp_path / "thing", {**files, "docs/_static/__x__/release_guide.md": "Merge.\n"})
    adopt(folder, "--pull-request", str(tmp_path / "body.md"))
    shown = markdown.render((tmp_path / "body.md").read_text()) or ""
    assert not re.search("<(strong|em|b|i)>", shown)
    for text in (
        "thing/__init__.py:1",
        "docs/_static/__x__/release_guide.md",
        "<code>pybabel compile -d __locale__</code>",
    ):
        assert text in shown


def test_the_secret_of_a_removed_job_is_named_although_another_file_uploaded(tmp_path: Path) -> None:
    files = {**HATCHLING, ".github/workflows/out.yml": VERSIONED.format("tox -e ship")}
    files[".github/workflows/out.yml"] = files[".github/workflows/out.yml"].replace(
        "twine upload dist/*", "scripts/up.sh"
    )
    files[".github/workflows/out.yml"] += "        env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}\n"
    folder = make(tmp_path / "thing", {**files, "scripts/up.sh": "#!/bin/sh\ntwine upload dist/*\n"})
    adopt(folder)
    commit(folder, "adopt")
    said = run(sys.executable, "-m", "tagship", "publisher", folder, cwd=folder).stdout
    assert "note: .github/workflows/out.yml published before: delete the secret PYPI_TOKEN" in said


def test_the_text_of_a_pull_request_names_a_script_that_uploads_by_hand(tmp_path: Path) -> None:
    scripts = {"Makefile": "release:\n\ttwine upload dist/*\n", "up.sh": "#!/bin/sh\ntwine upload dist/*\n"}
    folder = make(tmp_path / "thing", HATCHLING, **scripts)
    adopt(folder, "--pull-request", str(tmp_path / "body.md"))
    row = "| existing publish job: release | no stored credentials | Makefile:1, Makefile:2 |"
    assert row in (tmp_path / "body.md").read_text()
    said = run(sys.executable, "-m", "tagship", "publisher", folder, cwd=folder).stdout
    assert "note: Makefile, release: also publishes, without any checks; remove it\n" in said
    assert "note: up.sh: also publishes, without any checks; remove it\n" in said


def test_many_repositories_give_a_line_of_json_each_and_one_bad_does_not_stop_the_others(tmp_path: Path) -> None:
    first, last = make(tmp_path / "a", FLIT), make(tmp_path / "c", HATCHLING)
    (tmp_path / "b").mkdir()
    listed = tmp_path / "paths"
    listed.write_text(f"{first}\n{tmp_path / 'b'}\n{last}\n")
    command = (sys.executable, "-m", "tagship", "adopt", "--format=json", "--from-file", listed)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [each["status"] for each in answers] == ["adopted", "refused", "adopted"]
    assert "no git repository" in answers[1]["reason"]
    keys = {"distributions", "tests", "tag_style", "default_branch", "publishing", "written", "changed", "deleted"}
    assert all(keys | {"path", "reason", "todo"} <= {*each} for each in answers)


def test_a_dry_run_prints_the_difference(tmp_path: Path) -> None:
    said = adopt(make(tmp_path / "thing", {**HATCHLING, "noxfile.py": "import nox\n"}), "--dry-run")
    assert "--- a/noxfile.py\n+++ b/noxfile.py\n" in said
    assert '+    importlib.import_module("tagship_suite.sessions")\n' in said


@pytest.mark.slow
@pytest.mark.parametrize("target", ["target-version = 'py37'", "line-length = 100"])
def test_ruff_finds_no_more_if_it_checks_for_an_older_python(target: str, tmp_path: Path) -> None:
    declared = HATCHLING["pyproject.toml"] + "requires-python = '>=3.8'\n"
    files = {**HATCHLING, "pyproject.toml": f"{declared}[tool.ruff]\n{target}\n[tool.ruff.lint]\nselect = ['E']\n"}
    folder = make(tmp_path / "thing", files)
    adopt(folder)
    run("ruff", "check", ".", cwd=folder)


@pytest.mark.parametrize(
    "settings",
    [
        'line-length = 9\nexclude = [\n  "x",\n]\n@\n# why\nlint.preview = true\n',
        'target-version = "py38"\n@fix = true\n\n[tool.x]\ny = 1\n',
        'target-version = "py38"\n@',
        "@# why\nfix = true\n",
    ],
)
def test_ruff_has_the_new_key_where_formatters_put_it(settings: str) -> None:
    text = f'[project]\nrequires-python = ">=3.8"\n\n[tool.ruff]\n{settings}'
    expected = text.replace("@", 'extend-exclude = [".github/release"]\n')
    assert neighbours.ruff(text.replace("@", "")) == expected


FORMATTED = """\
[build-system]
build-backend = "hatchling.build"

[tool.ruff]
line-length = 100
lint.select = [{0}"A",{1}"B"{0}]
format.exclude = [
{2}"something",
]
"""


@pytest.mark.parametrize(("gap", "indent"), [(" ", "  "), ("", "    ")])
def test_what_is_written_to_pyproject_toml_is_formatted_as_the_rest_is(gap: str, indent: str, tmp_path: Path) -> None:
    before = FORMATTED.format(gap, " ", indent)
    (tmp_path / "pyproject.toml").write_text(before)
    paths = ["/.github/release", "/.github/workflows/release.yml", "/noxfile.py", "/tasks.py"]
    lines = "".join(f'{indent}"{path}",\n' for path in paths)
    table = f"[tool.hatch]\nbuild.targets.sdist.exclude = [\n{lines}]\n\n"
    after, _, _ = neighbours.sdist(tmp_path, before, [path[1:] for path in paths[1:]])
    assert after == before.replace("[tool.ruff]", f"{table}[tool.ruff]")
    block = f'\n[tool.tagship]\n# tox.ini\ntest-command = [{gap}"pytest", "tests"{gap}]\n'
    assert settings.added(after, [settings.Setting("test-command", ["pytest", "tests"], "tox.ini")]) == after + block


@pytest.mark.parametrize(
    "config",
    [
        {".pre-commit-config.yaml": "repos: [{repo: x, hooks: [{id: double-quote-string-fixer}]}]\n"},
        {"ruff.toml": "[format]\nquote-style = 'single'\n"},
        {"pyproject.toml": f'{HATCHLING["pyproject.toml"]}[tool.ruff.lint]\nflake8-quotes.inline-quotes = "single"\n'},
        {"setup.cfg": "[flake8]\ninline-quotes = '\n"},
    ],
)
def test_new_files_are_as_the_hooks_want_them(config: dict[str, str], tmp_path: Path) -> None:
    first = "[tool.isort]\nlines_after_imports = 2\nadd_imports = ['from __future__ import annotations']\n"
    files = {**HATCHLING, **config}
    folder = make(tmp_path / "thing", files | {"pyproject.toml": files["pyproject.toml"] + first})
    adopt(folder)
    for name in ("noxfile.py", "tasks.py"):
        text = (folder / name).read_text().partition('."""\n')[2]
        assert text.startswith("\nfrom __future__ import annotations\n\nimport importlib.util\nimport sys\n\n\nsys.")
        assert '"' not in text


def test_line_ends_of_windows_stay_where_the_sdists_list_is_written(tmp_path: Path) -> None:
    before = '[build-system]\r\nbuild-backend = "hatchling.build"\r\n'
    (tmp_path / "pyproject.toml").write_bytes(before.encode())
    after, _, _ = neighbours.sdist(tmp_path, before, ["tasks.py"])
    assert "/tasks.py" in after
    assert after.count("\n") == after.count("\r\n")


SED = 'sed -i "s/0.0.0/${GITHUB_REF_NAME#v}/"'
PLACEHOLDER = {
    **HATCHLING,
    "pyproject.toml": HATCHLING["pyproject.toml"].replace("1.2.0", "0.0.0"),
    "thing/__init__.py": '__version__ = "0.0.0"\n',
    "thing/names.py": "ZERO = '0.0.0'\n",
}


def made_in_ci(folder: Path, line: str, *tags: str) -> Path:
    make(folder, {**PLACEHOLDER, ".github/workflows/out.yml": VERSIONED.format(line)})
    for tag in tags:
        git(folder, "tag", tag)
    return folder


@pytest.mark.parametrize("line", ["poetry version $GITHUB_REF_NAME", f"{SED} pyproject.toml thing/__init__.py"])
def test_a_version_that_only_ci_wrote_is_committed_as_the_newest_tag_has_it(line: str, tmp_path: Path) -> None:
    folder = made_in_ci(tmp_path / "thing", line, "v1.9.0", "v1.10.0")
    said = adopt(folder)
    assert re.search(
        r"committed version +1\.10\.0, as the newest tag  \(\.github/workflows/out\.yml:9 wrote it\)", said
    )
    assert "release with `inv release`, which commits the version before it creates the tag" in said
    assert 'version = "1.10.0"' in (folder / "pyproject.toml").read_text()
    assert (folder / "thing/__init__.py").read_text() == '__version__ = "1.10.0"\n'
    assert (folder / "thing/names.py").read_text() == PLACEHOLDER["thing/names.py"]
    assert not (folder / ".github/workflows/out.yml").exists()


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("poetry version $GITHUB_REF_NAME", ()),
        (f"{SED} pyproject.toml thing/names.py", ("v1.10.0",)),
        ("echo \"__version__ = '$GITHUB_REF_NAME'\" > thing/_version.py", ("v1.10.0",)),
    ],
)
def test_a_version_for_other_files_or_without_any_tag_is_still_refused(
    line: str, tags: tuple[str, ...], tmp_path: Path
) -> None:
    [said] = refused(made_in_ci(tmp_path / "thing", line, *tags))
    assert said.startswith(".github/workflows/out.yml:9: found a version that CI writes for a release; 0.0.0")


@pytest.mark.parametrize(("variable", "is_refused"), [("THING_VERSION", True), ("OTHER", False)])
def test_a_version_that_ci_sets_in_a_variable_is_refused(variable: str, is_refused: bool, tmp_path: Path) -> None:
    setup = (
        "import os\nfrom setuptools import setup\nsetup(name='thing', version=os.environ.get('THING_VERSION', '0'))\n"
    )
    step = VERSIONED.format("python -m build") + "        env: {" + variable + ": v1}\n"
    folder = make(tmp_path / "thing", {"setup.py": setup, "thing.py": "", ".github/workflows/out.yml": step})
    if not is_refused:
        adopt(folder)
        return
    [said] = refused(folder)
    assert said.startswith(
        ".github/workflows/out.yml:11: found a version that CI writes for a release; none is committed"
    )


def test_a_command_that_would_write_the_version_again_is_named(tmp_path: Path) -> None:
    folder = made_in_ci(tmp_path / "thing", "poetry version $GITHUB_REF_NAME", "v1.10.0")
    workflow = folder / ".github/workflows/out.yml"
    workflow.write_text(workflow.read_text() + "      - run: docker push thing\n")
    commit(folder)
    assert ".github/workflows/out.yml:9: remove the command that writes the version" in adopt(folder)


@pytest.mark.parametrize(("own", "after"), [("1.1.0", "1.2.0"), ("2.2.8", "2.2.8"), ("1.2", "1.2"), ("1.0.5", "1.0.5")])
def test_a_version_that_was_left_at_an_earlier_release_is_corrected(own: str, after: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "thing", {**HATCHLING, "thing/__init__.py": f'__version__ = "{own}"\n'})
    git(folder, "tag", "v1.1.0")
    said = adopt(folder)
    assert (folder / "thing/__init__.py").read_text() == f'__version__ = "{after}"\n'
    step = f"thing/__init__.py:1: __version__ is {own}, but the version is 1.2.0, so verify-version would fail"
    assert (step in said) == (own in {"2.2.8", "1.0.5"})
    assert ("1.2.0, was 1.1.0  (thing/__init__.py:1)" in said) == (own == "1.1.0")
