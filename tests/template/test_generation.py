"""The generated project, and that everything is generated or nothing."""

import email.utils
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from html.parser import HTMLParser
from importlib import import_module
from io import BytesIO
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet
from cookiecutter.exceptions import FailedHookException
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nox.project import dependency_groups
from packaging.metadata import Metadata, RawMetadata, parse_email
from readme_renderer import markdown

from tagship import suite
from tests.conftest import commit, drift, run

from .support import (
    CHOICES,
    CONFIG,
    QUESTIONS,
    ROOT,
    answers,
    environment,
    generate,
    load_hook,
    tomllib,
    working_directory,
)

HOOK = load_hook("pre_gen_project")
NUMBERS = count()


def _pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def _wheel(project: Path) -> zipfile.ZipFile:
    """Build the wheel in this process, by the backend that the project names."""
    backend = import_module(_pyproject(project)["build-system"]["build-backend"])
    with TemporaryDirectory() as folder, working_directory(project):
        return zipfile.ZipFile(BytesIO((Path(folder) / backend.build_wheel(folder)).read_bytes()))


def _metadata(project: Path) -> RawMetadata:
    with _wheel(project) as wheel:
        [path] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        raw, unparsed = parse_email(wheel.read(path))
    assert not unparsed
    Metadata.from_raw(raw)
    return raw


def _run(command: list[str], cwd: Path, home: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        input=typed,
        cwd=cwd,
        env=environment(home),
        encoding="utf-8",
        capture_output=True,
        check=False,
    )


# What the default answers give


def test_a_fresh_project_holds_nothing_but_what_the_template_names(project: Path) -> None:
    with working_directory(project):
        names = {str(path) for path in Path().rglob("*") if path.is_file()}
    managed = {name for name in names if name.startswith(".github/") or name in {"noxfile.py", "tasks.py"}}
    assert names - managed == {
        ".gitattributes",
        ".gitignore",
        ".pre-commit-config.yaml",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "pyproject.toml",
        "src/my_package/__init__.py",
        "src/my_package/py.typed",
        "tests/test_packages.py",
        "tests/test_readme.py",
    }


@pytest.mark.slow
@pytest.mark.parametrize("backend", CHOICES["build_backend"])
def test_a_fresh_project_passes_its_own_checks(
    backend: str, projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    cache = tmp_path_factory.getbasetemp() / "mypy"  # for all: most of what mypy reads is the standard library
    for command in ("ruff check --no-cache", "ruff format --no-cache --check", f"mypy --cache-dir={cache}"):
        done = _run(command.split(), projects[backend], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def _test_against_wheel(project: Path, installed: Path) -> subprocess.CompletedProcess[str]:
    script = f"import sys, pytest; sys.path.insert(0, {str(installed)!r}); sys.exit(pytest.main())"
    command = [sys.executable, "-B", "-c", script, "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=project, capture_output=True, encoding="utf-8", check=False)


def test_a_fresh_project_passes_its_own_tests_against_its_wheel(project: Path, tmp_path: Path) -> None:
    with _wheel(project) as wheel:
        wheel.extractall(tmp_path)
    done = _test_against_wheel(project, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def test_a_fresh_project_s_tests_fail_when_its_wheel_lacks_the_types(project: Path, tmp_path: Path) -> None:
    with _wheel(project) as wheel:
        wheel.extractall(tmp_path)
    (tmp_path / "my_package" / "py.typed").unlink()
    assert _test_against_wheel(project, tmp_path).returncode == 1


def test_a_fresh_project_s_tests_fail_when_an_example_of_its_readme_does(tmp_path: Path) -> None:
    project = generate(tmp_path)
    with _wheel(project) as wheel:
        wheel.extractall(tmp_path / "installed")
    readme = project / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("print(", "print(missing, "), encoding="utf-8")
    done = _test_against_wheel(project, tmp_path / "installed")
    assert (done.returncode, "'missing' is not defined" in done.stdout) == (1, True), done.stdout


def test_the_wheel_ships_the_package_its_types_and_its_licence(project: Path) -> None:
    with _wheel(project) as wheel:
        names = set(wheel.namelist())
    assert {"my_package/__init__.py", "my_package/py.typed"} <= names
    assert "my_package-0.1.0.dist-info/licenses/LICENSE" in names


def test_every_path_that_the_readme_names_exists(project: Path) -> None:
    text = (project / "README.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:`|\()([\w./-]+(?:\.\w+|/)|LICENSE)(?:`|\))", text)) - {"dist/", "release.yml"}
    assert {"pyproject.toml", "CHANGELOG.md", "LICENSE", ".github/workflows/release.yml"} <= paths
    managed = set(CONFIG["_copy_without_render"])
    assert [path for path in paths - managed if not (project / path).exists()] == []


def test_every_tool_that_the_readme_calls_is_in_the_group_that_it_installs(project: Path) -> None:
    text = (project / "README.md").read_text(encoding="utf-8")
    table = text.partition("| Command | Does |")[2].partition("\n\n")[0]
    commands = " ".join(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE))
    tools = {command.split()[0] for command in re.findall(r"`([^`]+)`", commands)}
    packages = {each.removesuffix("[uv]") for each in dependency_groups(_pyproject(project), "dev")} - {"pytest"}
    assert tools - {"inv"} | {"invoke"} == packages


@pytest.mark.parametrize(("host", "environment_name"), [("pypi.org", "pypi"), ("test.pypi.org", "testpypi")])
def test_the_readme_holds_the_publisher_of_each_index(host: str, environment_name: str, tmp_path: Path) -> None:
    project = generate(tmp_path, project_slug="Some.Name", github_owner="Some-Owner")
    text = (project / "README.md").read_text(encoding="utf-8")
    assert f"https://{host}/manage/account/publishing/" in text
    assert (
        f"https://{host}/manage/project/Some.Name/settings/publishing/?provider=github&owner=Some-Owner"
        f"&repository=Some.Name&workflow_filename=release.yml&environment={environment_name})"
    ) in text


def test_the_versions_of_the_pre_commit_hooks_are_releases(project: Path) -> None:
    text = (project / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert len(re.findall(r"^    rev: v\d+\.\d+\.\d+$", text, re.MULTILINE)) == text.count("- repo:")


# What each choice gives


def _combinations() -> Iterator[ParameterSet]:
    """Yield all combinations; all but a few, in which each choice occurs, are slow."""
    longest = max(map(len, CHOICES.values()))
    few = {tuple(choices[number % len(choices)] for choices in CHOICES.values()) for number in range(longest)}
    for chosen in product(*CHOICES.values()):
        yield pytest.param(chosen, marks=[pytest.mark.slow] * (chosen not in few), id="-".join(chosen))


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [*_combinations()])
def test_every_combination_of_choices_gives_files_that_parse(chosen: tuple[str, ...], tmp_path: Path) -> None:
    choices = dict(zip(CHOICES, chosen, strict=True))
    project = generate(tmp_path, **choices)
    names = {path.name for path in project.iterdir()}
    assert not [path for path in project.rglob("*") if "{" in path.name]
    assert _license(project) == _expression(choices["license"])
    assert ("setup.py" in names, "setup.cfg" in names) == (choices["build_backend"] == "setup.py",) * 2
    assert drift(project, suite.files(choices["publish_with"])) == []


def _license(project: Path) -> str:
    if "project" in (pyproject := _pyproject(project)):
        return str(pyproject["project"]["license"])
    legacy = ConfigParser()
    legacy.read_string((project / "setup.cfg").read_text(encoding="utf-8"))
    return legacy["metadata"]["license_expression"]


def _expression(licence: str) -> str:
    return "LicenseRef-Proprietary" if licence == "Proprietary" else licence


@pytest.mark.slow
@pytest.mark.parametrize("backend", CHOICES["build_backend"])
@pytest.mark.parametrize(("name", "package"), [("my-package", "my_package"), ("Some.Name_2", "Package2")])
def test_each_backend_ships_the_same_files(backend: str, name: str, package: str, tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend=backend, project_slug=name, package_name=package)
    with _wheel(project) as wheel:
        names = set(wheel.namelist())
    info = next(name for name in names if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
    shipped = {name for name in names if not name.startswith(f"{info}/") and not name.endswith("/")}
    assert shipped == {f"{package}/__init__.py", f"{package}/py.typed"}
    assert f"{info}/licenses/LICENSE" in names
    with _sdist(project) as sdist:
        files = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    assert {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "tests/test_packages.py"} <= files
    assert not {"noxfile.py", "tasks.py", ".gitattributes"} & files


def _sdist(project: Path) -> tarfile.TarFile:
    backend = import_module(_pyproject(project)["build-system"]["build-backend"])
    with TemporaryDirectory() as folder, working_directory(project):
        return tarfile.open(fileobj=BytesIO((Path(folder) / backend.build_sdist(folder)).read_bytes()))


@pytest.mark.parametrize("licence", CHOICES["license"])
def test_each_licence_is_named_and_shipped_whole(licence: str, tmp_path: Path) -> None:
    project = generate(tmp_path, license=licence, author_name='Jane "J" <Doe>')
    text = (project / "LICENSE").read_text(encoding="utf-8")
    assert _metadata(project)["license_expression"] == _expression(licence)
    assert text == _licence_text(licence).replace("{{ cookiecutter.author_name }}", 'Jane "J" <Doe>')
    assert "{{" not in text


def _licence_text(licence: str) -> str:
    return (ROOT / "templates" / "licenses" / f"{licence}.txt").read_text(encoding="utf-8")


# What any text gives


class Readme(NamedTuple):
    """The structure of a rendered README, and the text of its title and first paragraphs."""

    tags: list[str]
    title: str
    description: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.is_inside = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in {"h1", "p"}:
            self.is_inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "p"}:
            self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.texts[-1] += data


def _readme(project: Path) -> Readme:
    html = markdown.render((project / "README.md").read_text(encoding="utf-8"))
    assert html is not None
    reader = _Reader()
    reader.feed(html)
    title, _badges, description = reader.texts[:3]
    return Readme(reader.tags, title.strip(), description.strip())


NASTY = [
    '"', '"""', "'", "\\", ":", "\n", "\t", "\x00", "\x85", "\u2028", "\ud83d", "{", "{{", "{%", "{#", "}}",
    "%}",
    "#", "# ", "<", "<script>", "<!--", "-->", "|", "%", "%s", "&amp;", "`", "```", "*", "_", "~~~", "===",
    "---",
    "[x](y)", "![x](y)", "[x]: y", "- ", "+ ", "1. ", "1) ", "> ", "$",
    "$x$", "@", ",", ";", "www.example.com",
    "https://example.com", "\N{SHIP}", "\N{WOMAN}\u200d\N{ROCKET}", "שלום", "\u202e", "e\u0301", " ", "\xa0",
    "=?utf-8?q?x?=", "a", "x y", "file:", "attr:", "%(x)s",
]  # fmt: skip
ANY = st.lists(st.sampled_from(NASTY) | st.characters(exclude_categories=[]), min_size=1, max_size=8).map("".join)
TEXT = ANY | ANY.map(lambda text: "".join(filter(str.isprintable, text)).strip() or "x")
EMAIL = st.emails(domains=st.just("example.com")) | TEXT
BACKENDS = st.sampled_from(CHOICES["build_backend"])


@pytest.mark.slow
@example(
    backend="setup.py",
    name="See https://a.b/c_d",
    description="wWw.a.b/c_d and a_b@c.d",
    author="www.a_b.c",
    address="a_b@c.d.ee",
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(backend=BACKENDS, name=TEXT, description=TEXT, author=TEXT, address=EMAIL)
@example(
    backend="hatchling",
    name="C #",
    description='# 1. [x](y) <script> `x` | \\ "x" *a* _b_ &amp;',
    author='Jane "J\\" <Doe>',
    address="a@example.com",
)
@example(backend="poetry", name="1) x", description="1. x", author="=?utf-8?q?x?=", address="a.b+c@example.com")
@example(backend="setup.py", name="x", description="file: README.md", author="x", address="a@example.com")
@example(backend="setup.py", name="x", description="100 % %% ; # =", author="%(name)s", address="a%@example.com")
@example(backend="setup.py", name="x", description="[options] ; x", author="# a = b", address="#a@example.com")
@example(backend="flit", name="- x", description="=== 👩\u200d🚀 שלום | %", author="a  b", address="a@example.com")
@example(backend="pdm", name="a\nb", description="{{ 1 + 1 }}", author="a, b", address="a")
def test_any_text_is_carried_exactly_or_refused(
    backend: str,
    name: str,
    description: str,
    author: str,
    address: str,
    tmp_path_factory: pytest.TempPathFactory,
    projects: dict[str, Path],
) -> None:
    given_answers = {
        "build_backend": backend,
        "project_name": name,
        "description": description,
        "author_name": author,
        "author_email": address,
    }
    into = tmp_path_factory.mktemp(f"any{next(NUMBERS)}")
    if HOOK.problems(answers(**given_answers)):
        with pytest.raises(FailedHookException):
            generate(into, **given_answers)
        assert list((into / "projects").iterdir()) == []
    else:
        _assert_carried(generate(into, **given_answers), given_answers, _readme(projects[backend]).tags)


def _assert_carried(project: Path, given_answers: dict[str, str], tags: list[str]) -> None:
    metadata, readme = _metadata(project), _readme(project)
    assert metadata["name"] == "my-package"
    assert metadata["summary"] == given_answers["description"]
    assert _author(metadata) == (given_answers["author_name"], given_answers["author_email"])
    assert readme.title == given_answers["project_name"]
    assert readme.description == given_answers["description"]
    assert [tag for tag in readme.tags if tag != "a"] == [tag for tag in tags if tag != "a"]
    assert f"Copyright (c) {given_answers['author_name']}\n" in (project / "LICENSE").read_text(encoding="utf-8")


def _author(metadata: RawMetadata) -> tuple[str, str]:
    """Read the author from `Name <address>`, or from the two fields that some backends write."""
    name, bracket, address = metadata["author_email"].rpartition(" <")
    return email.utils.unquote(name) if bracket else metadata["author"], address.removesuffix(">")


# All of it or nothing


def test_the_command_says_what_is_wrong_and_leaves_nothing(tmp_path: Path) -> None:
    arguments = ["cookiecutter", str(ROOT), "--no-input", "project_slug=a b", "author_email=x"]
    (tmp_path / "out").mkdir()
    done = _run(arguments, tmp_path / "out", tmp_path)
    assert done.returncode == 1
    assert HOOK.problems(answers(project_slug="a b", package_name="a b", author_email="x")) == [
        line for line in done.stderr.splitlines() if line.partition(":")[0] in QUESTIONS
    ]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("slug", ["../escaped", "../neighbour", "..", ".", "", "a/../../escaped"])
def test_a_name_that_leads_elsewhere_neither_writes_nor_deletes_there(slug: str, tmp_path: Path) -> None:
    (tmp_path / "neighbour").mkdir()
    (tmp_path / "neighbour" / "kept").touch()
    (tmp_path / "out").mkdir()
    done = _run(["cookiecutter", str(ROOT), "--no-input", f"project_slug={slug}"], tmp_path / "out", tmp_path)
    assert done.returncode == 1
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert [path.name for path in (tmp_path / "neighbour").iterdir()] == ["kept"]
    assert not (tmp_path / "escaped").exists()


def test_typed_answers_are_taken_as_they_are(tmp_path: Path) -> None:
    typed = ["Name [b] \\", "", "", 'It says "\\n" & 100 % }}', 'Jane "J" Doe', "", "Some-Owner", "2", "4", "2"]
    done = _run(["cookiecutter", str(ROOT)], tmp_path, tmp_path, typed="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    project = tmp_path / "name-b"
    metadata = _metadata(project)
    assert metadata["summary"] == 'It says "\\n" & 100 % }}'
    assert metadata["author"] == 'Jane "J" Doe'
    assert not metadata.get("author_email"), "what nobody typed is not published"
    assert metadata["license_expression"] == CHOICES["license"][1]
    assert (project / "setup.py").is_file()
    assert "gh-action-pypi-publish" in (project / ".github/workflows/release.yml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_licence_ships_from_a_folder_with_brackets_too(tmp_path: Path) -> None:
    """hatchling takes the path of the project for a pattern."""
    (tmp_path / "a[b]").mkdir()
    project = generate(tmp_path / "a[b]", build_backend="hatchling")
    run(sys.executable, "-m", "build", "--installer=uv", cwd=project)
    (wheel,) = (project / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "my_package-0.1.0.dist-info/licenses/LICENSE" in archive.namelist()


def test_the_next_steps_hold_the_values_to_type(tmp_path: Path) -> None:
    arguments = ["cookiecutter", str(ROOT), "--no-input", "project_slug=Some.Name", "github_owner=Some-Owner"]
    done = _run(arguments, tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    for value in (
        "Some.Name",
        "Some-Owner",
        "release.yml",
        "testpypi",
        "https://test.pypi.org/manage/account/",
    ):
        assert value in done.stdout


def test_the_next_steps_begin_on_the_branch_that_the_workflows_and_the_pages_name(tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[init]\ndefaultBranch = master\n")
    steps = load_hook("post_gen_project").next_steps(answers()).splitlines()
    (command,) = (line.split(" && ")[0].split() for line in steps if line.lstrip().startswith("git init"))
    subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), check=True)
    assert (tmp_path / ".git/HEAD").read_text() == "ref: refs/heads/main\n"
    assert " ".join(command) in (ROOT / "docs/new-project.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_first_release_is_named_if_the_version_comes_from_the_tag(tmp_path: Path) -> None:
    chosen = {"build_backend": "hatch-vcs"}
    project = generate(tmp_path, **chosen)
    command = "inv release 0.1.0 --push"
    assert command in load_hook("post_gen_project").next_steps(answers(**chosen))
    assert command in (project / "README.md").read_text(encoding="utf-8")
    assert _metadata(project)["version"] == "0.0.0", "outside git"
    commit(project)
    run(*command.split()[:-1], cwd=project)
    assert _metadata(project)["version"] == "0.1.0"


@pytest.mark.parametrize("kind", ["zip", "git"])
def test_the_template_works_from_an_archive_and_from_a_repository(
    kind: str, template_repository: Path, project: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "tagship.zip"
    command = ["git", "archive", "--prefix=tagship-main/", f"--output={archive}", "HEAD"]
    subprocess.run(command, cwd=template_repository, check=True)
    source = {"zip": str(archive), "git": f"git+{template_repository.as_uri()}"}[kind]
    (tmp_path / "out").mkdir()
    done = _run(["cookiecutter", source, "--no-input"], tmp_path / "out", tmp_path)
    assert done.returncode == 0, done.stderr
    made = _contents(tmp_path / "out" / "my-package")
    readme = made.pop("README.md").decode()
    assert made == {name: content for name, content in _contents(project).items() if name != "README.md"}
    # A path on the user's machine must not be in the project.
    assert (f"generated from the template `{source}`" in readme, str(tmp_path) in readme) == ((kind == "git"),) * 2


def _contents(project: Path) -> dict[str, bytes]:
    files = (path for path in project.rglob("*") if path.is_file())
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


def test_the_workflow_of_a_fresh_project_passes_the_auditors(project: Path) -> None:
    folder = project / ".github/workflows"
    assert {path.name for path in folder.iterdir()} == {"ci.yml", "release.yml"}
    command = ["zizmor", "--persona=auditor", "--offline", "--no-exit-codes", "--format=json", str(folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout.strip(), "WARN" in done.stderr) == ("[]", False), done.stdout + done.stderr


def test_a_session_of_ones_own_works_together_with_those_of_the_release(project: Path) -> None:
    with (project / "noxfile.py").open("a") as noxfile:
        noxfile.write(
            "\n\n@nox.session(venv_backend='none')\ndef mine(session: nox.Session) -> None:\n    session.log('MINE')\n"
        )
    done = subprocess.run(["nox", "-s", "mine"], cwd=project, capture_output=True, encoding="utf-8", check=False)
    assert "MINE" in done.stderr
    listed = subprocess.run(["nox", "--list"], cwd=project, capture_output=True, encoding="utf-8", check=False).stdout
    sessions = [line.split()[1] for line in listed.splitlines() if line.startswith(("* ", "- "))]
    others = [name for name in sessions if not name.startswith("test-")]
    assert others == ["build", "verify-version", "publish-test", "publish", "github-release", "lint", "mine"]
