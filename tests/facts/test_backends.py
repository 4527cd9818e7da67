"""The version and the modules by each build backend, as it would determine them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagship.facts import distributions
from tests.facts.repositories import read, write

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = {"thing/__init__.py": "'''Docs.'''\n__version__ = '1.2.3'\n"}
SRC = {f"src/{name}": text for name, text in PACKAGE.items()}


def project(backend: str, *lines: str, dynamic: bool = True) -> dict[str, str]:
    version = 'dynamic = ["version"]' if dynamic else 'version = "1.2.3"'
    top = f'[build-system]\nrequires = ["x"]\nbuild-backend = "{backend}"\n[project]\nname = "thing"\n{version}\n'
    return {"pyproject.toml": top + "\n".join(lines) + "\n"}


SETUPTOOLS, HATCH, FLIT, PDM = "setuptools.build_meta", "hatchling.build", "flit_core.buildapi", "pdm.backend"
POETRY, POETRY_DYNAMIC = "poetry.core.masonry.api", "poetry_dynamic_versioning.backend"


def setup_py(arguments: str) -> dict[str, str]:
    return {"setup.py": f"from setuptools import *\nsetup(name='thing', {arguments})\n"}


def poetry(backend: str, *lines: str) -> dict[str, str]:
    top = f'[build-system]\nrequires = ["x"]\nbuild-backend = "{backend}"\n[tool.poetry]\nname = "thing"\n'
    return {"pyproject.toml": top + "\n".join(lines) + "\n"}


WRITTEN: dict[str, tuple[str, str, dict[str, str]]] = {
    "static": ("pyproject:static", "pyproject.toml", project(SETUPTOOLS, dynamic=False)),
    "uv": ("pyproject:static", "pyproject.toml", project("uv_build", dynamic=False)),
    "attr": (
        "pyproject:setuptools-attr",
        "thing/__init__.py",
        project(SETUPTOOLS, "[tool.setuptools.dynamic]", 'version = {attr = "thing.__version__"}'),
    ),
    "attr, made of numbers by a function of another module": (
        "pyproject:setuptools-attr",
        "thing/__init__.py",
        project(SETUPTOOLS, "[tool.setuptools.dynamic]", 'version = {attr = "thing.made"}')
        | {
            "thing/__init__.py": "from thing.parts import join\nNUMBERS = (1, 2, 3, 'final')\nmade = join(NUMBERS)\n",
            "thing/parts.py": "def join(parts):\n    return '.'.join(str(part) for part in parts[:3])\n",
        },
    ),
    "file": (
        "pyproject:setuptools-file",
        "V.txt",
        project(SETUPTOOLS, "[tool.setuptools.dynamic]", 'version = {file = ["V.txt"]}') | {"V.txt": "1.2.3\n"},
    ),
    "dynamic, and setup.py passes it": (
        "setup.py:constant",
        "setup.py",
        project(SETUPTOOLS) | {"setup.py": "from setuptools import setup\nV = '1.2.3'\nsetup(version=V)\n"},
    ),
    "setup.cfg static": (
        "setup.cfg:static",
        "setup.cfg",
        {
            "setup.cfg": "[metadata]\nname = thing\nversion = 1.2.3\n",
            "setup.py": "from setuptools import setup\nsetup()",
        },
    ),
    "setup.cfg attr": (
        "setup.cfg:attr",
        "thing/__init__.py",
        {"setup.cfg": "[metadata]\nname = thing\nversion = attr: thing.__version__\n"},
    ),
    "setup.cfg file": (
        "setup.cfg:file",
        "V",
        {"setup.cfg": "[metadata]\nname = thing\nversion = file: V\n", "V": "1.2.3"},
    ),
    "setup.py before setup.cfg": (
        "setup.py:literal",
        "setup.py",
        {
            "setup.cfg": "[metadata]\nname = thing\nversion = 9.9\n",
            "setup.py": "from setuptools import setup\nsetup(version='1.2.3')",
        },
    ),
    "hatch": (
        "hatch:regex",
        "thing/__init__.py",
        project(HATCH, "[tool.hatch.version]", 'path = "thing/__init__.py"'),
    ),
    "hatch with a pattern": (
        "hatch:regex",
        "v.txt",
        project(HATCH, "[tool.hatch.version]", 'path = "v.txt"', "pattern = 'v=(?P<version>.*)'")
        | {"v.txt": "v=1.2.3\n"},
    ),
    "hatch code": (
        "hatch:code",
        "v.py",
        project(HATCH, "[tool.hatch.version]", 'source = "code"', 'path = "v.py"')
        | {"v.py": "__version__ = '.'.join(['1', '2', '3'])\n"},
    ),
    "hatch nodejs": (
        "hatch:nodejs",
        "package.json",
        project(HATCH, "[tool.hatch.version]", 'source = "nodejs"') | {"package.json": '{"version": "1.2.3"}'},
    ),
    "hatch.toml": (
        "hatch:regex",
        "thing/__init__.py",
        project(HATCH) | {"hatch.toml": '[version]\npath = "thing/__init__.py"\n'},
    ),
    "flit": ("flit:module", "thing/__init__.py", project(FLIT)),
    "flit's old table": (
        "flit:module",
        "thing/__init__.py",
        {"pyproject.toml": f'[build-system]\nbuild-backend = "{FLIT}"\n[tool.flit.metadata]\nmodule = "thing"\n'},
    ),
    "pdm": ("pdm:file", "thing/__init__.py", project(PDM, "[tool.pdm]", 'version = {from = "thing/__init__.py"}')),
    "pdm's new table": (
        "pdm:file",
        "thing/__init__.py",
        project(PDM, "[tool.pdm.version]", 'source = "file"', 'path = "thing/__init__.py"'),
    ),
    "pdm call": (
        "pdm:call",
        "v.py",
        project(PDM, "[tool.pdm.version]", 'source = "call"', 'getter = "v:get"')
        | {"v.py": "def get():\n    return '1.2.3'\n"},
    ),
    "poetry": ("poetry:static", "pyproject.toml", poetry(POETRY, 'version = "1.2.3"')),
    "poetry 2": ("pyproject:static", "pyproject.toml", project(POETRY, dynamic=False)),
    "poetry 2, dynamic": ("poetry:static", "pyproject.toml", project(POETRY, "[tool.poetry]", 'version = "1.2.3"')),
    "poetry-dynamic-versioning from a file": (
        "poetry-dynamic-versioning:from-file",
        "thing/__init__.py",
        poetry(
            POETRY_DYNAMIC,
            'version = "0.0.0"',
            "[tool.poetry-dynamic-versioning]\nenable = true",
            "[tool.poetry-dynamic-versioning.from-file]",
            'source = "thing/__init__.py"',
            "pattern = \"__version__ = '(.*)'\"",
        ),
    ),
    "incremental": (
        "incremental",
        "thing/_version.py",
        project(SETUPTOOLS, "[tool.incremental]", 'name = "thing"')
        | {"thing/_version.py": "from incremental import Version\n__version__ = Version('thing', 1, 2, 3)\n"},
    ),
    "maturin": (
        "maturin:cargo",
        "Cargo.toml",
        project("maturin") | {"Cargo.toml": '[package]\nname = "thing"\nversion = "1.2.3"\n'},
    ),
    "meson": (
        "meson:project",
        "meson.build",
        project("mesonpy") | {"meson.build": "project('thing', 'c', version: '1.2.3')\n"},
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_version_that_is_written_is_found_with_its_source(kind: str, tmp_path: Path) -> None:
    source, file, files = WRITTEN[kind]
    found = read(tmp_path, PACKAGE | files)
    shown = (found.name, found.version, found.version_source.kind, found.version_source.file)
    assert shown == ("thing", "1.2.3", source, file), found.unknown
    assert found.import_names == ("thing",)


TAGS: dict[str, tuple[str, dict[str, str]]] = {
    "setuptools_scm": ("setuptools_scm:pyproject", project(SETUPTOOLS, "[tool.setuptools_scm]")),
    "hatch-vcs": ("hatch:vcs", project(HATCH, "[tool.hatch.version]", 'source = "vcs"')),
    "pdm scm": ("pdm:scm", project(PDM, "[tool.pdm.version]", 'source = "scm"')),
    "pdm's old table": ("pdm:scm", project(PDM, "[tool.pdm]", "version = {use_scm = true}")),
    "flit_scm": ("flit:scm", project("flit_scm:buildapi")),
    "versioningit": ("versioningit", project(SETUPTOOLS, "[tool.versioningit]")),
    "setuptools-git-versioning": (
        "setuptools-git-versioning",
        project(SETUPTOOLS, "[tool.setuptools-git-versioning]", "enabled = true"),
    ),
    "poetry-dynamic-versioning": (
        "poetry-dynamic-versioning",
        poetry(POETRY_DYNAMIC, 'version = "0.0.0"', "[tool.poetry-dynamic-versioning]", "enable = true"),
    ),
    "uv-dynamic-versioning": (
        "hatch:uv-dynamic-versioning",
        project(HATCH, "[tool.hatch.version]", 'source = "uv-dynamic-versioning"'),
    ),
    "pbr": (
        "pbr",
        {"setup.cfg": "[metadata]\nname = thing\n", "setup.py": "import setuptools\nsetuptools.setup(pbr=True)"},
    ),
}
SIMPLE = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools-scm[simple]"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "thing"\ndynamic = ["version"]\n'
}


@pytest.mark.parametrize("kind", TAGS)
def test_a_version_that_only_tags_know_is_null_with_its_source(kind: str, tmp_path: Path) -> None:
    source, files = TAGS[kind]
    found = read(tmp_path, PACKAGE | files)
    assert (found.version, found.version_source.kind, found.unknown) == (None, source, ())


def test_setuptools_scm_needs_no_table_if_it_is_simple(tmp_path: Path) -> None:
    assert read(tmp_path, PACKAGE | SIMPLE).version_source.kind == "setuptools_scm:simple"


UNKNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "no version at all": ("neither pyproject.toml nor setup.cfg", {"setup.cfg": "[metadata]\nname = thing\n"}),
    "a project without one": ("does not list it as dynamic", {"pyproject.toml": "[project]\nname = 'thing'\n"}),
    "an environment variable": (
        "the environment variable V",
        project(HATCH, "[tool.hatch.version]", 'source = "env"', 'variable = "V"'),
    ),
    "a file that is not there": (
        "there is no nowhere.py",
        project(HATCH, "[tool.hatch.version]", 'path = "nowhere.py"'),
    ),
    "no version by PEP 440": (
        "is not a version by PEP 440",
        project(PDM, "[tool.pdm]", "version = {from = 'v.py'}") | {"v.py": "__version__ = 'one'\n"},
    ),
    "a broken expression": (
        "unterminated",
        project(HATCH, "[tool.hatch.version]", 'path = "thing/__init__.py"', "pattern = '('"),
    ),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_is_not_known_is_reported(kind: str, tmp_path: Path) -> None:
    reason, files = UNKNOWN[kind]
    found = read(tmp_path, PACKAGE | files)
    assert found.version is None
    assert any(reason in line for line in found.unknown), found.unknown


NAMES: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "setuptools finds the only package": (
        "flat-package",
        ("thing",),
        project(SETUPTOOLS) | PACKAGE | {"tests/__init__.py": ""},
    ),
    "setuptools finds src": ("src-package", ("thing",), project(SETUPTOOLS) | SRC),
    "setuptools finds a module": (
        "single-module",
        ("thing",),
        project(SETUPTOOLS) | {"thing.py": "", "setup.py": "", "noxfile.py": ""},
    ),
    "modules and packages": (
        "multi-module",
        ("more", "other", "thing"),
        setup_py("py_modules=['thing', 'other'], packages=['more']"),
    ),
    "stubs": (
        "flat-package",
        ("thing-stubs",),
        project(SETUPTOOLS, "[tool.setuptools]", 'packages = ["thing-stubs"]') | {"thing-stubs/a.pyi": ""},
    ),
    "find_packages leaves tests out": (
        "flat-package",
        ("thing",),
        PACKAGE
        | {
            "tests/__init__.py": "",
        }
        | setup_py("packages=find_packages(exclude=['tests', 'tests.*'])"),
    ),
    "find_packages finds tests": (
        "flat-package",
        ("tests", "thing"),
        PACKAGE
        | {
            "tests/__init__.py": "",
            "setup.py": "import setuptools\nsetuptools.setup(name='thing', packages=setuptools.find_packages())",
        },
    ),
    "package_dir": (
        "src-package",
        ("thing",),
        {"lib/thing/__init__.py": ""} | setup_py("package_dir={'': 'lib'}, packages=find_packages('lib')"),
    ),
    "pruned": (
        "flat-package",
        ("thing",),
        PACKAGE
        | {"sample/__init__.py": "", "sample/inner/__init__.py": "", "MANIFEST.in": "include a\nprune sample/\n"}
        | setup_py("packages=find_packages()"),
    ),
    "pruned with setup.cfg": (
        "src-package",
        ("thing",),
        SRC
        | {"src/sample/__init__.py": "", "MANIFEST.in": "prune src/sam*\n"}
        | {
            "setup.cfg": "[metadata]\nname = thing\n[options]\npackages = find:\n[options.packages.find]\nwhere = src\n"
        },
    ),
    "setup.cfg find": (
        "src-package",
        ("thing",),
        SRC
        | {
            "setup.cfg": "[metadata]\nname = thing\n[options]\npackages = find:\npackage_dir =\n  = src\n"
            "[options.packages.find]\nwhere = src\n"
        },
    ),
    "setup.cfg py_modules": (
        "single-module",
        ("thing",),
        {"setup.cfg": "[metadata]\nname = x\n[options]\npy_modules = thing\n"},
    ),
    "an extension module": (
        "single-module",
        ("_thing",),
        {"src/a.c": ""} | setup_py("ext_modules=[Extension('_thing', ['src/a.c'])]"),
    ),
    "hatch by its name": ("flat-package", ("thing",), project(HATCH) | PACKAGE | {"other/__init__.py": ""}),
    "hatch packages": (
        "src-package",
        ("other", "thing"),
        project(HATCH, "[tool.hatch.build.targets.wheel]", 'packages = ["src/thing", "src/other"]')
        | SRC
        | {"src/other/__init__.py": ""},
    ),
    "hatch one module": ("single-module", ("thing",), project(HATCH) | {"thing.py": ""}),
    "poetry packages": (
        "src-package",
        ("one", "two"),
        poetry(POETRY, 'packages = [{include = "one", from = "src"}, {include = "two", from = "src"}]'),
    ),
    "poetry by its name": ("src-package", ("thing",), poetry(POETRY) | SRC),
    "flit namespace": (
        "flat-package",
        ("space",),
        project(FLIT, "[tool.flit.module]", 'name = "space.thing"')
        | {"space/thing/__init__.py": "__version__ = '1'\n"},
    ),
    "flit one module": ("single-module", ("thing",), project(FLIT) | {"thing.py": "'''D'''\n__version__ = '1'\n"}),
    "pdm finds src": ("src-package", ("thing",), project(PDM) | SRC),
    "pdm puts no tests into a wheel": (
        "flat-package",
        ("thing",),
        project(PDM) | {"thing/__init__.py": "", "tests/__init__.py": ""},
    ),
    "pdm puts nothing that is for the sdist into a wheel": (
        "flat-package",
        ("tests", "thing"),
        project(PDM, "[tool.pdm.build]", 'source-includes = ["docs_src/", "scripts/**"]')
        | {f"{each}/__init__.py": "" for each in ("thing", "tests", "docs_src", "scripts")},
    ),
    "uv": ("src-package", ("thing",), project("uv_build", dynamic=False) | SRC),
    "uv at the root": (
        "flat-package",
        ("other",),
        project("uv_build", "[tool.uv.build-backend]", 'module-root = ""', 'module-name = "other"'),
    ),
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_names_to_import_are_those_that_are_installed(kind: str, tmp_path: Path) -> None:
    layout, names, files = NAMES[kind]
    found = read(tmp_path, files)
    assert (found.layout, found.import_names) == (layout, names), found.unknown


def test_a_distribution_in_a_subfolder_is_found_and_no_example_or_test(tmp_path: Path) -> None:
    files = {
        f"{folder}/pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n"
        for folder in ("python", "examples/a", "tests/data", "vendor/a", "docs", "node_modules/a")
    }
    assert [each.path for each in distributions.find(write(tmp_path, files))] == ["python"]


def test_several_distributions_are_found_if_the_root_is_none(tmp_path: Path) -> None:
    files = {f"packages/{n}/pyproject.toml": f"[project]\nname = '{n}'\nversion = '1'\n" for n in "ab"}
    files |= {"pyproject.toml": "[tool.ruff]\n", "c/setup.py": "from setuptools import setup\nsetup(name='c')"}
    found = [(each.path, each.name) for each in distributions.find(write(tmp_path, files))]
    assert found == [("c", "c"), ("packages/a", "a"), ("packages/b", "b")]


def test_members_of_a_workspace_are_found_besides_the_root(tmp_path: Path) -> None:
    text = "[project]\nname = '{}'\nversion = '1'\n[build-system]\nrequires = []\n"
    files = {f"libs/{name}/pyproject.toml": text.format(name) for name in ("a", "b")}
    files["pyproject.toml"] = text.format("top") + "[tool.uv.workspace]\nmembers = ['libs/*']\nexclude = ['libs/b']\n"
    assert [each.path for each in distributions.find(write(tmp_path, files))] == [".", "libs/a"]


BUILT = "[build-system]\nrequires = []\n[project]\nname = '{}'\nversion = '1'\n"


@pytest.mark.parametrize("mark", ["classifiers = ['Private :: Do Not Upload']", "description = ''"])
def test_a_root_that_is_never_uploaded_is_no_distribution(mark: str, tmp_path: Path) -> None:
    root = BUILT.format("top").replace("'1'", "'1'" if "Private" in mark else "'0.1+private'")
    files = {f"libs/{name}/pyproject.toml": BUILT.format(name) for name in "ab"}
    assert [each.path for each in distributions.find(write(tmp_path, {"pyproject.toml": f"{root}{mark}\n"}))] == ["."]
    assert [each.path for each in distributions.find(write(tmp_path, files))] == ["libs/a", "libs/b"]


def test_pythons_are_those_of_the_classifiers_or_of_the_range(tmp_path: Path) -> None:
    known = [f"Programming Language :: Python :: {version}" for version in ("3.10", "3.9", "2.7")]
    one = project(SETUPTOOLS, f"classifiers = {known[:2]}")
    assert read(tmp_path / "a", PACKAGE | one).pythons == ("3.9", "3.10")
    two = project(SETUPTOOLS, 'requires-python = ">=3.11,<3.14"')
    assert read(tmp_path / "b", PACKAGE | two).pythons == ("3.11", "3.12", "3.13")
    assert read(tmp_path / "c", PACKAGE | setup_py(f"classifiers={known[2:]}")).pythons == ("2.7",)


def test_the_packages_of_pbr_may_be_those_of_setuptools(tmp_path: Path) -> None:
    files = project("pbr.build", "[tool.setuptools.packages.find]", 'include = ["thing_utils"]')
    files |= {"setup.cfg": "[metadata]\nname = thing.utils\n", "thing_utils/__init__.py": "", "tests/a.py": ""}
    assert read(tmp_path, files).import_names == ("thing_utils",)


def test_extensions_are_added_to_what_is_listed(tmp_path: Path) -> None:
    files = {
        "setup.cfg": "[metadata]\nname = thing\nversion = 1\n[options]\npackages = thing-stubs\n",
        **setup_py("ext_modules=[Extension('thing', ['a.c']), Extension('other._speed', ['b.c'])]"),
    }
    assert read(tmp_path, files).import_names == ("other", "thing", "thing-stubs")


def test_newer_setuptools_scm_needs_only_to_be_required(tmp_path: Path) -> None:
    text = project(SETUPTOOLS)["pyproject.toml"].replace('"x"', '"setuptools-scm>=10"')
    assert read(tmp_path, PACKAGE | {"pyproject.toml": text}).version_source.kind == "setuptools_scm:pyproject"


def test_a_backend_of_the_project_itself_is_read_as_the_one_that_it_wraps(tmp_path: Path) -> None:
    text = project("own", "[tool.hatch.version]", 'path = "thing/__init__.py"')["pyproject.toml"]
    found = read(tmp_path, PACKAGE | {"pyproject.toml": text.replace('"x"', '"hatchling>=1"')})
    assert (found.version, found.version_source.kind, found.backend) == ("1.2.3", "hatch:regex", "own")
