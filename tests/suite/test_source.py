"""Reads and changes the version where it is written."""

from pathlib import Path

import pytest

from tagship_suite.config import Config
from tagship_suite.errors import ReleaseError
from tagship_suite.files import read_text
from tagship_suite.repo import version_source
from tagship_suite.repo.literals import Written, find

#: The pattern of many a home-made workflow.
LEGACY = r"""^__version__ = "(.*)"$"""


def found(tmp_path: Path, text: str, pattern: str = "", name: str = "module.py") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(find(path, pattern).text)


def replaced(written: Written, version: str) -> str:
    text = read_text(written.path)
    return text[: written.start] + version + text[written.end :]


@pytest.mark.parametrize("pattern", ["", LEGACY, r"__version__ = '([^']+)'", r"^__version__\s*=\s*['\"]([^'\"]*)['\"]"])
@pytest.mark.parametrize(
    "text",
    [
        '__version__ = "1.2"\n',
        "__version__ = '1.2'\n",
        '__version__: str = "1.2"\n',
        '__version__ = "1.2"  # not "0.9"\n',
        '# __version__ = "0.9"\n__version__ = "1.2"\n',
        '__version__ = "1.2"\n# __version__ = "0.9"\n',
        '"""\n__version__ = "0.9"\n"""\n__version__ = "1.2"\n',
        '__version__ = version = "1.2"\n',
        '__version__="1.2"\n',
        'VERSION = "0.9"\n__version__ = "1.2"\n',
        'def old():\n    __version__ = "0.9"\n\n\n__version__ = "1.2"\n',
        'if True:\n    __version__ = "1.2"\n',
        'if TYPE_CHECKING:\n    __version__ = "0"\nelse:\n    __version__ = "1.2"\n',
        'if not TYPE_CHECKING:\n    __version__ = "1.2"\n',
        pytest.param(f'if {"not " * 900}x:\n    __version__ = "1.2"\n', id="nested deeply"),
        '__version__ = (\n    "1.2"\n)\n',
        '__version__ = u"1.2"\r\n',
        '\ufeff__version__ = "1.2"\n',
        '\fimport os\r\n\f\r\n__version__ = "1.2"\r\n# \u2028\r\n',
    ],
)
def test_only_the_assignment_that_python_sees_counts(tmp_path: Path, text: str, pattern: str) -> None:
    assert found(tmp_path, text, pattern) == "1.2"


@pytest.mark.parametrize(
    ("name", "text", "pattern", "version"),
    [
        ("VERSION", "v1.2\n", "", "1.2"),
        ("VERSION", "  1.2  \n", "", "1.2"),
        ("setup.py", '\fimport os\nsetup(\n    # version="0.9"\n    version="1.2",\n)\n', r'version="(.*)"', "1.2"),
        (
            "setup.py",
            'setup(\n    # version="0.9",\n    version="1.2",  # was "0.9"\n)\n',
            r'version="(.*)"',
            "1.2",
        ),
        ("package.json", '{"version": "1.2"}', r'"version": "([^"]+)"', "1.2"),
        ("setup.cfg", "[metadata]\n# version = 0.9\nversion = 1.2\n", r"^version = (\S+)$", "1.2"),
        ("old.py", 'print "python 2"\n# __version__ = "0.9"\n__version__ = "1.2"\n', "", "1.2"),
        ("module.py", 'VERSION = "1.2"\n', r'VERSION = "(.*)"', "1.2"),
    ],
)
def test_a_pattern_works_in_any_file(tmp_path: Path, name: str, text: str, pattern: str, version: str) -> None:
    assert found(tmp_path, text, pattern, name) == version


@pytest.mark.parametrize("text", ["", '# __version__ = "1.2"\n', '__version__ = "1"\nif 1:\n    __version__ = "2"\n'])
def test_no_version_and_two_versions_are_refused_with_the_file_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReleaseError, match=r"module\.py: found (no version|'1' and '2'), expected one"):
        found(tmp_path, text)


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"pyproject.toml": '[project]\nname = "p"\nversion = "1.2" # now\n'}, "pyproject.toml"),
        (
            {"pyproject.toml": '[tool.other]\nversion = "9"\n[project]\nname = "p"\nversion = "1.2"\n'},
            "pyproject.toml",
        ),
        ({"pyproject.toml": "[tool.poetry]\nname = 'p'\nversion = '1.2'\n"}, "pyproject.toml"),
        (
            {
                "pyproject.toml": '[project]\ndynamic = ["version"]\n[tool.hatch.version]\npath = "p/__about__.py"\n',
                "p/__about__.py": '__version__ = "1.2"\n',
            },
            "p/__about__.py",
        ),
        (
            {
                "pyproject.toml": '[tool.setuptools.dynamic]\nversion = {attr = "p.__version__"}\n',
                "src/p/__init__.py": "__version__ = '1.2'\n",
            },
            "src/p/__init__.py",
        ),
        (
            {
                "pyproject.toml": '[tool.setuptools.dynamic]\nversion = {file = "VERSION"}\n',
                "VERSION": "1.2\n",
            },
            "VERSION",
        ),
        (
            {
                "pyproject.toml": '[build-system]\nbuild-backend = "flit_core.buildapi"\n[project]\nname = "a-p"\n',
                "a_p.py": '__version__ = "1.2"\n',
            },
            "a_p.py",
        ),
        (
            {
                "pyproject.toml": '[tool.pdm.version]\nsource = "file"\npath = "p.py"\n',
                "p.py": '__version__ = "1.2"\n',
            },
            "p.py",
        ),
        ({"setup.cfg": "[metadata]\nname = p\nversion = 1.2\n", "setup.py": "setup()\n"}, "setup.cfg"),
        ({"setup.cfg": "[metadata]\nversion = attr: p.V\n", "p.py": 'V = "1.2"\n'}, "p.py"),
        ({"setup.cfg": "[metadata]\nversion = file: VERSION\n", "VERSION": "1.2"}, "VERSION"),
        ({"setup.py": 'setup(name="p", version="1.2")\n'}, "setup.py"),
        ({"setup.py": 'V = "1.2"\nsetup(name="p", version=V)\n'}, "setup.py"),
        (
            {
                "setup.py": "import re\nsetup(version=re.search('x', open('p.py').read()))\n",
                "p.py": "__version__ = '1.2'\n",
            },
            "p.py",
        ),
    ],
)
def test_the_version_is_found_and_changed_in_its_one_place(tmp_path: Path, files: dict[str, str], where: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    written = version_source.locate(tmp_path, Config())
    assert written
    assert written.path == tmp_path / where
    assert written.text == "1.2"
    assert replaced(written, "1.3") == files[where].replace("1.2", "1.3")


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[tool.hatch.version]\nsource = "vcs"\n'},
        {"pyproject.toml": '[tool.hatch.version]\nsource = "uv-dynamic-versioning"\n'},
        {"pyproject.toml": "[tool.setuptools-git-versioning]\nenabled = true\n"},
        {"pyproject.toml": "[tool.setuptools_scm]\n"},
        {"pyproject.toml": '[tool.pdm.version]\nsource = "scm"\n'},
        {"setup.py": "setup(use_scm_version=True)\n"},
        {"setup.py": "import versioneer\nsetup(version=versioneer.get_version())\n"},
        {"pyproject.toml": '[tool.poetry]\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true\n'},
    ],
)
def test_a_version_from_git_is_written_nowhere(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert version_source.locate(tmp_path, Config()) is None


def test_a_project_that_does_not_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="write version-file = "):
        version_source.locate(tmp_path, Config())


def test_a_byte_order_mark_and_form_feeds_do_not_move_the_version_of_setup_py(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(before := "\ufeff\f\nsetup(\n\f\n    name='ship', version='1.2')\n")
    located = version_source.locate(tmp_path, Config())
    assert located is not None
    assert replaced(located, "1.3") == before.replace("1.2", "1.3")


def test_a_character_of_several_bytes_before_it_does_not_move_the_version(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_text('é = "ü"; __version__ = "1.2"  # ☃\n', encoding="utf-8")
    assert replaced(find(path), "1.3") == 'é = "ü"; __version__ = "1.3"  # ☃\n'


SETUPTOOLS = '[project]\nname = "ship"\ndynamic = ["version"]\n[build-system]\nrequires = [{requires}]\n'
SETUPTOOLS += 'build-backend = "setuptools.build_meta"\n'


@pytest.mark.parametrize(
    ("files", "from_git"),
    [
        (
            {"setup.py": "from setuptools import setup\n# once versioneer, use_scm_version\nsetup(version='1.2')\n"},
            False,
        ),
        ({"setup.py": "import versioneer\nsetup(version=versioneer.get_version())\n"}, True),
        ({"setup.py": "from setuptools_scm import get_version\nsetup(version=get_version())\n"}, True),
        ({"setup.py": "setup(use_scm_version=True)\n"}, True),
        ({"setup.py": "\ufeffsetup(use_scm_version=True)\n"}, True),
        ({"setup.py": "setup(setup_requires=['pbr'], pbr=True)\n"}, True),
        ({"pyproject.toml": SETUPTOOLS.format(requires='"setuptools-scm[simple]>=9.2"')}, True),
        ({"pyproject.toml": SETUPTOOLS.format(requires='"setuptools_scm[toml, simple]"')}, True),
        (
            {
                "pyproject.toml": SETUPTOOLS.format(requires='"setuptools-scm"'),
                "setup.cfg": "[metadata]\nversion = 1\n",
            },
            False,
        ),
    ],
)
def test_git_is_the_source_by_code_and_not_by_a_comment(tmp_path: Path, files: dict[str, str], from_git: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert version_source.is_from_git(tmp_path, Config()) == from_git


def test_poetrys_plugin_may_read_a_file_and_then_no_tag(tmp_path: Path) -> None:
    plugin = "[tool.poetry-dynamic-versioning]\nenable = true\nfrom-file.source = 'VERSION'\n"
    (tmp_path / "pyproject.toml").write_text(f"[tool.poetry]\nname = 'ship'\nversion = '0.0.0'\n{plugin}")
    (tmp_path / "VERSION").write_text("1.2\n")
    located = version_source.locate(tmp_path, Config())
    assert located is not None
    assert (located.path.name, located.text) == ("VERSION", "1.2")
    assert [each.path.name for each in version_source.places(tmp_path, Config())] == ["VERSION"]


def test_setuptools_git_versioning_may_read_a_file_too(tmp_path: Path) -> None:
    plugin = "[tool.setuptools-git-versioning]\nenabled = true\nversion_file = 'VERSION'\n"
    (tmp_path / "pyproject.toml").write_text(SETUPTOOLS.format(requires='"setuptools-git-versioning"') + plugin)
    (tmp_path / "VERSION").write_text("1.2\n")
    located = version_source.locate(tmp_path, Config())
    assert located is not None
    assert (located.path.name, located.text) == ("VERSION", "1.2")


@pytest.mark.parametrize(
    "statement",
    [
        "from ._version import __version__",
        "from ship._version import V as __version__",
        "\ufefffrom ._version import __version__",
    ],
)
def test_an_attribute_that_a_package_imports_is_found_where_it_is_assigned(tmp_path: Path, statement: str) -> None:
    dynamic = "[tool.setuptools.dynamic]\nversion = {attr = 'ship.__version__'}\n"
    (tmp_path / "pyproject.toml").write_text(SETUPTOOLS.format(requires='"setuptools"') + dynamic)
    (tmp_path / "ship").mkdir()
    (tmp_path / "ship/__init__.py").write_text(f"{statement}\n")
    (tmp_path / "ship/_version.py").write_text('__version__ = "1.2"\nV = "1.2"\n')
    located = version_source.locate(tmp_path, Config())
    assert located is not None
    assert (located.path.name, located.text) == ("_version.py", "1.2")


CODE = "[tool.hatch.version]\nsource = 'code'\npath = 'ship.py'\n"


def test_hatch_may_evaluate_an_expression_and_a_name_is_one(tmp_path: Path) -> None:
    (tmp_path / "ship.py").write_text("V = '1.2'\n__version__ = '1.3'\n")
    for expression, version in (("", "1.3"), ("expression = 'V'\n", "1.2")):
        (tmp_path / "pyproject.toml").write_text(CODE + expression)
        located = version_source.locate(tmp_path, Config())
        assert located is not None
        assert located.text == version
    (tmp_path / "pyproject.toml").write_text(f"{CODE}expression = 'get()'\n")
    by_hand = "or, if code computes the version, change that by hand, commit, and tag that commit"
    with pytest.raises(ReleaseError, match=by_hand):
        version_source.locate(tmp_path, Config())


def test_modules_that_import_a_version_from_each_other_are_an_error_and_no_loop(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nversion = attr: one.__version__\n")
    (tmp_path / "one.py").write_text("from two import __version__\n")
    (tmp_path / "two.py").write_text("from one import __version__\n")
    with pytest.raises(ReleaseError, match="no version"):
        version_source.locate(tmp_path, Config())
