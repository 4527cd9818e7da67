"""The command of the tests and what it needs, followed from a project's CI and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagship.facts.tests import guess
from tagship.facts.tests.tox import expanded
from tests.facts.test_tests import settings, write

if TYPE_CHECKING:
    from pathlib import Path

TEST = {"tests/test_a.py": "def test_a():\n    assert True\n"}
CI = """\
on: push
jobs:
  lint:
    steps:
      - run: pip install ruff
      - run: ruff check
  test:
    steps:
      - uses: actions/checkout@v4
"""
TOX = """\
[tox]
envlist = lint, py{{310,311}}-{{a,b}}
[testenv]
deps =
    pytest
    a: only-a
    b: only-b
    !b: not-b
    py310, lint: old
    {{[base]deps}}
setenv =
    THING = 1
    PYTHONPATH = src
    a: OTHER = 2
commands = {}
[base]
deps = mock
[testenv:lint]
deps = ruff
commands = ruff check
"""


NOXFILE = """\
import nox
PYPROJECT = nox.project.load_toml()
OTHER = "more"
ROOT = Path(__file__).parent
TESTS = ROOT / "tests"
NEEDED = nox.project.dependency_groups(PYPROJECT, OTHER)
ENV = {"THING": "1"}

@nox.session
def tests(session):
    session.install(INSTALL)
    session.run("pytest", str(TESTS), TESTS / "test_a.py", env=ENV)
"""
JUSTFILE = """\
test *args='-q':
  pytest {{args}}
cov python='' dir="tests": lint
  just go

go:
  uv run {{ if python != '' { '-p ' + python } else { '' } }} --group x pytest {{dir}}
lint:
  echo
"""


def ci(*lines: str, file: str = ".github/workflows/ci.yml") -> dict[str, str]:
    """Return a workflow whose job `test` runs `lines`."""
    return {file: CI + "".join(f"      - run: {line}\n" for line in lines)}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (ci("pytest --mypy --ruff-format tests"), {"command": ["pytest", "tests"]}),
        (ci("pip install -e .[a] mock ruff", "pytest -v --cov=thing tests"), {"command": ["pytest", "tests"]}),
        (ci("python -m pip install '.[a,b]' 'x>=1'", "python -m pytest -k 'not slow'"), {"extras": ["a", "b"]}),
        (
            ci("uv sync --group test --extra a --no-dev", "uv run --no-dev pytest"),
            {"groups": ["test"], "extras": ["a"]},
        ),
        (ci("uv run --all-extras --group x pytest -q"), {"groups": ["x", "dev"], "extras": ["a", "b"]}),
        (ci("uv run --with x --no-dev pytest"), {"requires": ["x", "pytest"]}),
        (
            ci("pip install -r need.txt -c limits.txt", "python -m unittest"),
            {"requires": ["-r need.txt", "-c limits.txt"]},
        ),
        (ci("pip install pytest", "pip install dist/*.whl", "pytest"), {"requires": ["pytest"]}),
        (
            ci("pip install -Ur need.txt", "pip install -qUe .[a]", "pytest"),
            {"requires": ["-r need.txt"], "extras": ["a"]},
        ),
        (ci("pip install -i https://x -U pip pytest", "cd tests && pytest ."), {"command": ["pytest", "tests"]}),
        (ci("make install", "make test"), {"command": ["python", "-m", "pytest"], "requires": ["-r need.txt"]}),
        (ci("./run.sh"), {"command": ["python", "-m", "unittest"], "requires": ["mock"]}),
        (ci("stestr run"), {"command": ["stestr", "run"], "requires": ["stestr"]}),
        (ci("zope-testrunner --test-path=src"), {"requires": ["zope.testrunner"]}),
        (ci("python runtests.py"), {"command": ["python", "runtests.py"]}),
        (ci("python tests/run-tests -x"), {"command": ["python", "tests/run-tests", "-x"]}),
        (ci("cd tests", "cd ..", "pytest > log.txt 2>&1"), {"command": None}),
        (
            ci("(cd tests && make) && export X=1; python -m pytest"),
            {"command": ["env", "X=1", "python", "-m", "pytest"]},
        ),
        (ci("X=1 PYTHONPATH=src pytest"), {"command": ["env", "X=1", "pytest"]}),
        (ci("LC_ALL=en_US.UTF-8 pytest"), {"command": ["env", "LC_ALL=en_US.UTF-8", "pytest"]}),
        (ci("pytest ${{ matrix.arguments }} --junitxml=x.xml -n auto tests"), {"command": ["pytest", "tests"]}),
        (ci("tox -e ${{ matrix.env }}"), {"requires": ["pytest", "only-a", "not-b", "mock"]}),
        (ci("tox -e py311-b"), {"command": ["env", "THING=1", "pytest"], "requires": ["pytest", "only-b", "mock"]}),
        (ci("hatch test"), {"requires": ["pytest", "pytest-mock", "pytest-rerunfailures", "pytest-xdist[psutil]"]}),
        (ci("hatch run ci:go"), {"command": ["pytest", "tests"], "requires": ["x", "pytest"], "extras": ["a"]}),
        (ci("pipx run nox -s unit"), {"command": ["pytest", "tests"], "requires": ["y", "pytest"], "extras": ["a"]}),
        (ci("pdm install -G x", "pdm run go"), {"command": ["python", "-m", "unittest"]}),
        (ci("uv run --group x --no-dev poe ${{ matrix.task }}"), {"groups": ["x"]}),
        (ci("poetry install --extras a", "poetry run pytest"), {"requires": ["q>=1,<2"]}),
        (
            {
                ".travis.yml": "install: pip install mock\nscript:\n  - python -m unittest\n",
                "tox.ini": "",
                "noxfile.py": "",
            },
            {"requires": ["mock"]},
        ),
        (
            {".gitlab-ci.yml": "t:\n  before_script: [pip install mock]\n  script: [pytest]\n"},
            {"requires": ["mock", "pytest"]},
        ),
        (
            ci("just python=3.12 cov") | {"Justfile": JUSTFILE},
            {"groups": ["x", "dev"]},
        ),
        (
            ci(
                "pytest --collect-only .",
                "pytest --durations-min 1 --co -q",
                "python -m pytest --version",
                "pytest --durations-min=1 --durations 3 tests",
            ),
            {"command": ["pytest", "tests"]},
        ),
        (ci("pip install -r urls.txt", "pytest"), {"requires": ["mock", "https://x.org/a.zip#egg=a", "pytest"]}),
        (ci("./.github/x.sh") | {".github/x.sh": "pip install mock\npython -m unittest\n"}, {"requires": ["mock"]}),
    ],
)
def test_the_command_and_its_needs_are_those_of_ci(
    files: dict[str, str], expected: dict[str, list[str]], tmp_path: Path
) -> None:
    more = {
        "pyproject.toml": (
            '[project]\nname = "thing"\noptional-dependencies = {a = ["a"], b = ["b"]}\n'
            '[dependency-groups]\ntest = ["pytest"]\ndev = ["pytest", "ruff"]\nx = ["pytest"]\n'
            '[tool.hatch.envs.ci]\ndependencies = ["x"]\nfeatures = ["a"]\nscripts.go = "pytest {args:tests}"\n'
            '[tool.poe.tasks]\nlint = "ruff"\ntest = "pytest"\n'
            '[tool.pdm.scripts]\ngo = {cmd = "python -m unittest"}\n'
            '[tool.poetry.group.q.dependencies]\nq = "^1"\n[tool.poetry.group.o]\noptional = true\n'
        ),
        "tox.ini": TOX.format("pytest {posargs}"),
        "need.txt": "pytest\n",
        "limits.txt": "",
        "urls.txt": "https://x.org/a/zipball/main\nmock\nhttps://x.org/a.zip#egg=a\n",
        "Makefile": "install:\n\tpip install -r need.txt\ntest: other\n\t@python -m pytest\nother:\n\techo\n",
        "run.sh": "#!/bin/sh\npip install mock\npython -m unittest\n",
        "noxfile.py": (
            "import nox\nX = ['y']\n\n@nox.session\ndef unit(session):\n    session.install('.[a]', *X)\n"
            "    session.run('pytest', *(session.posargs or ['tests']))\n"
        ),
    }
    found = settings(guess(write(tmp_path, {**TEST, **more, **files})))
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("install", "expected"),
    [
        ('*PYPROJECT["dependency-groups"]["check"]', {"groups": ["check"]}),
        ('*PYPROJECT["project"]["optional-dependencies"]["x"], *["mock"]', {"requires": ["mock"], "extras": ["x"]}),
        ('"-e.", *nox.project.dependency_groups(PYPROJECT, "check", OTHER)', {"groups": ["check", "more"]}),
        ("*NEEDED", {"groups": ["more"]}),
        ('"--group", "check", "-e.[x]"', {"groups": ["check"], "extras": ["x"]}),
    ],
)
def test_what_a_session_takes_from_pyproject_toml_is_found(
    install: str, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    noxfile = NOXFILE.replace("INSTALL", install)
    declared = (
        '[project]\nname = "thing"\noptional-dependencies = {x = ["pytest"]}\n'
        '[dependency-groups]\ncheck = ["pytest"]\nmore = ["pytest"]\n'
    )
    found = settings(guess(write(tmp_path, {**TEST, "noxfile.py": noxfile, "pyproject.toml": declared})))
    assert found == {"command": ["env", "THING=1", "pytest", "tests", "tests/test_a.py"], **expected}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest {posargs:tests}", ["pytest", "tests"]),
        (
            "pytest --tb short --ignore-glob '*slow*' --flag tests",
            ["pytest", "--ignore-glob", "*slow*", "--flag", "tests"],
        ),
        ("coverage run --source thing -m pytest", ["python", "-m", "pytest"]),
        ("pytest --cov {envsitepackagesdir}/thing tests", ["pytest", "tests"]),
        ("pytest {envsitepackagesdir}/thing/inner {tox_root}/tests", ["pytest", "--pyargs", "thing.inner", "tests"]),
        ("python -m unittest {env:MORE:discover}", ["python", "-m", "unittest", "discover"]),
        ("- {envpython} -bb -m pytest {toxinidir}/tests {env:X}", ["python", "-m", "pytest", "tests"]),
        ('python -b -m coverage run "{envdir}/bin/pytest" tests', ["pytest", "tests"]),
    ],
)
def test_without_ci_tox_says_how_the_tests_run(command: str, expected: list[str], tmp_path: Path) -> None:
    found = settings(guess(write(tmp_path, {**TEST, "tox.ini": TOX.format(command)})))
    assert found["command"] == ["env", "THING=1", "OTHER=2", *expected]
    assert found["requires"] == ["pytest", "only-a", "not-b", "mock"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("{toxinidir}/tests/lib", ["PYTHONPATH=tests/lib"]),
        ("{toxinidir}:{toxinidir}/tests{:}missing", ["PYTHONPATH=.:tests"]),
        ("{toxinidir}/src", []),
        ("src:tests/lib", ["PYTHONPATH=tests/lib"]),
    ],
)
def test_a_path_that_the_tests_need_stays_and_one_that_hides_the_wheel_goes(
    value: str, kept: list[str], tmp_path: Path
) -> None:
    files = {"setup.cfg": "[metadata]\nname = thing\n[options]\npackage_dir =\n    = src\npackages = thing\n"}
    files |= {"src/thing/__init__.py": "", "tests/lib/helper.py": "", **TEST}
    tox = f"[testenv]\nsetenv =\n    PYTHONPATH = {value}\n    X = {{env:Y:}}\n    Z = -k {{env:A:b}}\n    A = c d\n"
    found = settings(guess(write(tmp_path, {**files, "tox.ini": f"{tox}commands = python -m pytest\n"})))
    assert found["command"] == ["env", *kept, "Z=-k c d", "A=c d", "python", "-m", "pytest"]


@pytest.mark.parametrize(
    ("files", "command", "expected"),
    [
        (["thing/__init__.py", "thing/tests/__init__.py"], "-s thing -p *tests.py", "-s thing -t . -p *tests.py"),
        (["src/thing/inner/__init__.py"], "-s src/thing", "-s src/thing/inner -t src"),
        (["thing/__init__.py", "tests/test_a.py"], "-s tests", "-s tests"),
    ],
)
def test_unittest_finds_the_tests_in_a_package_by_its_name(
    files: list[str], command: str, expected: str, tmp_path: Path
) -> None:
    declared = {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "thing"\n'}
    run = ci(f"python -m unittest discover {command}".replace("*", "'*'"))
    found = settings(guess(write(tmp_path, {**declared, **dict.fromkeys(files, ""), **run})))
    assert found["command"] == ["python", "-m", "unittest", "discover", *expected.split()]


def test_the_factor_of_a_single_environment_is_none_that_the_tests_need(tmp_path: Path) -> None:
    tox = "[tox]\nenvlist = lint, py{310,311}-pytestlatest, py310-fast\n[testenv]\nextras = fast: fast\n"
    found = settings(guess(write(tmp_path, {**TEST, "tox.ini": f"{tox}deps = pytest\ncommands = pytest\n"})))
    assert found == {"requires": ["pytest"]}


def test_the_workflow_that_is_called_after_tests_counts_before_one_for_something_special(tmp_path: Path) -> None:
    special = ci("pip install special", "pytest", file=".github/workflows/test-special.yml")
    usual = ci("pip install pytest", "pytest", file=".github/workflows/test.yml")
    assert settings(guess(write(tmp_path, {**TEST, **special, **usual}))) == {"requires": ["pytest"]}


def test_a_function_that_several_sessions_call_has_the_arguments_of_each(tmp_path: Path) -> None:
    helper = "def impl(session, group, all=False, only=True, more=None):\n    session.install(*more)\n"
    helper += "    session.run('uv', 'sync', '--only-group', group)\n"
    helper += "    session.run('pytest', *(('--all',) if all else ()), *('-s',) if not only else (), 'tests')\n"
    noxfile = f"import nox\n{helper}@nox.session\ndef tests(session):\n    impl(session, 'b', only=False)\n"
    declared = {"pyproject.toml": '[dependency-groups]\na = ["pytest"]\nb = ["pytest"]\n'}
    found = settings(guess(write(tmp_path, {**TEST, **declared, "noxfile.py": noxfile})))
    assert found == {"command": ["pytest", "-s", "tests"], "groups": ["b"]}


def test_of_equal_environments_of_tox_the_newest_dependency_counts(tmp_path: Path) -> None:
    tox = "[tox]\nenvlist = py{310,311}-tw{212,238}\n[testenv]\ndeps =\n    tw212: old\n    pytest\n"
    found = settings(guess(write(tmp_path, {**TEST, "tox.ini": f"{tox}commands = pytest\n"})))
    assert found == {"requires": ["pytest"]}


@pytest.mark.parametrize("env", ['dict(DATA=str(ROOT / "tests"))', '{**os.environ, "DATA": str(ROOT / "tests")}'])
def test_variables_and_the_folder_of_a_session_are_those_of_its_tests(env: str, tmp_path: Path) -> None:
    session = f"    env = {env}\n    session.install('pytest')\n    session.chdir('tests')\n"
    other = "    env = {}\n    session.run('true', env=env)\n"
    noxfile = NOXFILE.partition("@nox")[0]
    noxfile += f"@nox.session\ndef tests(session):\n{session}    session.run('pytest', env=env)\n"
    noxfile += f"@nox.session\ndef other(session):\n{other}"
    found = settings(guess(write(tmp_path, {**TEST, "noxfile.py": noxfile})))
    assert found["command"] == ["env", "DATA=tests", "pytest", "tests"]


def test_an_environment_that_needs_a_server_is_not_taken(tmp_path: Path) -> None:
    tox = "[tox]\nenvlist = mypy, py{310,311}-postgres\n[testenv]\nsetenv =\n    postgres: X=1\ndeps = pytest\n"
    found = settings(guess(write(tmp_path, {**TEST, "tox.ini": f"{tox}commands = pytest tests tests\n"})))
    assert found == {"command": ["pytest", "tests"], "requires": ["pytest"]}


@pytest.mark.parametrize("text", ["[a, &b [*b]]", "x: [", "a: &a [1]\nb: [*a, *a]\n", "\x00", "- &x {jobs: *x}"])
def test_a_workflow_that_cannot_be_read_says_nothing(text: str, tmp_path: Path) -> None:
    found = settings(guess(write(tmp_path, {**TEST, ".github/workflows/a.yml": text, ".travis.yml": text})))
    assert found == {"requires": ["pytest"]}


def test_a_pytest_that_is_configured_to_measure_coverage_does_not(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = --cov=thing --cov-fail-under=90\n", **TEST}
    assert settings(guess(write(tmp_path, files))) == {
        "command": ["pytest", "--no-cov"],
        "requires": ["pytest", "pytest-cov"],
    }


def test_generative_names_of_tox_are_expanded() -> None:
    assert expanded("py{310,311}-{a,b}") == ["py310-a", "py310-b", "py311-a", "py311-b"]
    assert expanded("3.1{0-2}-{a,b-1}") == [f"3.1{minor}-{name}" for minor in (0, 1, 2) for name in ("a", "b-1")]
    assert expanded("lint") == ["lint"]


@pytest.mark.parametrize(
    "arguments",
    [
        '"-e", f".[{\',\'.join(EXTRAS)}]"',
        '*(f".[{name}]" for name in EXTRAS)',
        '*[".[%s]" % name for name in EXTRAS if name != "docs"]',
        '".[" + ",".join(sorted(EXTRAS)) + "]"',
    ],
)
def test_extras_that_a_session_puts_together_are_found(arguments: str, tmp_path: Path) -> None:
    noxfile = f"""import nox
EXTRAS = ["a", "b"]
@nox.session
def tests(session):
    session.install({arguments}, *session.posargs)
    session.run("pytest")
"""
    pyproject = "[project]\nname = 'thing'\noptional-dependencies = {a = ['pytest'], b = []}\n"
    write(tmp_path, {**TEST, "noxfile.py": noxfile, "pyproject.toml": pyproject})
    assert guess(tmp_path).extras == ("a", "b")


@pytest.mark.parametrize(
    "lines",
    [
        "deps = pytest\ncommands_pre = python -m pip install mock -c limits.txt",
        "deps =\n    pytest\n    mock\n    -c{toxinidir}/limits.txt",
        "deps =\n    pytest\n    mock\nsetenv = PIP_CONSTRAINT = {toxinidir}/limits.txt",
        "deps =\n    pytest\n    mock\nconstraints = limits.txt",
    ],
)
def test_what_tox_installs_first_and_its_constraints_are_found(lines: str, tmp_path: Path) -> None:
    tox = f"[tox]\nenvlist = py311\n[testenv]\n{lines}\ncommands = pytest\n"
    write(tmp_path, {**TEST, "tox.ini": tox, "limits.txt": "mock<5\n"})
    assert settings(guess(tmp_path)) == {"requires": ["pytest", "mock", "-c limits.txt"]}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("addopts = --doctest-modules", ["pytest", "--ignore=noxfile.py", "--ignore=tasks.py", "--ignore=bundle"]),
        ("addopts = --doctest-modules\ntestpaths = tests", None),
        (
            "addopts = --doctest-modules\ntestpaths = .",
            ["pytest", "--ignore=noxfile.py", "--ignore=tasks.py", "--ignore=bundle"],
        ),
    ],
)
def test_modules_of_the_release_are_ignored_only_where_pytest_would_collect_them(
    config: str, expected: list[str] | None, tmp_path: Path
) -> None:
    write(tmp_path, {**TEST, "pytest.ini": f"[pytest]\n{config}\n"})
    assert settings(guess(tmp_path)).get("command") == expected


def test_a_job_that_tests_another_repository_with_this_one_is_not_taken(tmp_path: Path) -> None:
    other = "      - uses: actions/checkout@v7\n        with: {repository: other/thing}\n      - run: pytest other\n"
    files = {".github/workflows/tests.yml": f"{CI}{other}", **ci("python -Im pytest tests -v")}
    write(tmp_path, {**TEST, "other/test_b.py": "", **files})
    assert settings(guess(tmp_path))["command"] == ["pytest", "tests"]


def test_what_ci_installs_on_some_pythons_has_a_marker_and_tests_for_older_ones_are_left_out(tmp_path: Path) -> None:
    job = CI.replace(
        "    steps:\n      - uses",
        '    strategy: {matrix: {python: ["3.9", "3.14", "pypy3.11"]}}\n    steps:\n      - uses',
    )
    steps = (
        ("pip install old -r old.txt .[a]", "matrix.python == '3.9' || matrix.python == '3.10'"),
        ("pytest old", "matrix.python == '3.9'"),
        ("pip install pytest", "matrix.python"),
        ("pip install new", "matrix.python != '3.9' && matrix.python != '3.10'"),
        ("pip install some", "matrix.some == 'a'"),
        ("pytest pypy", "${{ startsWith(matrix.python, 'pypy') }}"),
        ("pytest tests", "${{ !startsWith(matrix.python, 'pypy') }}"),
    )
    text = job + "".join(f'      - run: {run}\n        if: "{condition}"\n' for run, condition in steps)
    found = settings(
        guess(write(tmp_path, {**TEST, "pypy/test_b.py": "", "old.txt": "old", ".github/workflows/ci.yml": text}))
    )
    older, newer = "python_version < '3.14'", "python_version >= '3.14'"
    needs = [f"old; {older}", f"-r old.txt; {older}", "pytest", f"new; {newer}", "some"]
    assert (found["command"], found["requires"]) == (["pytest", "tests"], needs)


def test_a_step_for_all_pythons_but_others_counts_before_a_later_one_with_variables(tmp_path: Path) -> None:
    steps = """\
    strategy: {matrix: {python: ["3.14", pypy3.11]}}
    steps:
      - run: pytest tests
        if: ${{ !startsWith(matrix.python, 'pypy') }}
      - run: pytest tests
        env: {PURE: 1}
"""
    text = CI.partition("    steps:\n")[0] + steps
    found = settings(guess(write(tmp_path, {**TEST, ".github/workflows/ci.yml": text})))
    assert found["command"] == ["pytest", "tests"]


def test_what_all_jobs_of_a_matrix_have_is_known_and_so_are_the_variables_of_the_step(tmp_path: Path) -> None:
    pyproject = "[project]\nname = 'x'\nversion = '1'\n[project.optional-dependencies]\ntrio = ['trio']\n"
    steps = """\
    env: {OF_JOB: a b, SOME: '${{ github.sha }}'}
    strategy:
      matrix:
        extras: ["[trio]"]
        oldest: [false]
        other: [a, b]
        include: [{extras: "", oldest: true}]
    steps:
      - run: pip install pytest new -e .${{ matrix.extras }}
        if: matrix.oldest == false
      - run: pip install old ${{ matrix.other }}
        if: matrix.oldest
      - run: pytest tests
        env: {OF_STEP: 1, FORCE_COLOR: 1}
"""
    text = CI.partition("    steps:\n")[0] + steps
    files = {**TEST, "pyproject.toml": pyproject, "x.py": "", ".github/workflows/ci.yml": text}
    found = settings(guess(write(tmp_path, files)))
    assert found["command"] == ["env", "OF_JOB=a b", "OF_STEP=1", "pytest", "tests"]
    assert (found["requires"], found["extras"]) == (["pytest", "new"], ["trio"])


def test_what_a_session_installs_for_one_database_is_not_what_the_tests_need(tmp_path: Path) -> None:
    noxfile = """import nox
@nox.session
@nox.parametrize("database", ["sqlite", "mysql"])
def tests(session, database):
    _tests(session, database, "all", coverage=False)
def _tests(session, database, kind, coverage):
    session.install("pytest")
    match kind:
        case Database.NONE: session.install("none")
        case "some": session.install("some")
        case "all" | "every": session.install("all")
        case _: session.install("none")
    match database:
        case "mysql": session.install("mysqlclient")
    if database == "oracle":
        session.install("oracledb")
    elif coverage:
        session.install("coverage")
    else:
        session.install("mock")
    session.run("pytest")
"""
    write(tmp_path, {**TEST, "noxfile.py": noxfile})
    assert guess(tmp_path).requires == ("pytest", "all", "mock")
