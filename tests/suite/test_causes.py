"""Why a build failed, in one line, with real backends; and a README in another markup than declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tagship_suite import backend
from tagship_suite.dists import metadata
from tagship_suite.dists.reading import read_dist
from tagship_suite.errors import ReleaseError
from tests.archives import write_sdist

SETUP = "from setuptools import setup\nsetup(name='ship', version='1.0', py_modules=['ship'], {0})\n"
PROJECT = '[project]\nname = "ship"\nversion = "1.0"\n'
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
UV = '[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n[tool.uv.build-backend]\nmodule-root = ""\n'
FLIT = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
PDM = '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
POETRY = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
MODULE = {"ship.py": '"""Ship it."""\n'}
EXTENSION = "from setuptools import Extension, setup\nsetup(name='ship', ext_modules=[Extension('ship', ['c/a.c'])])\n"
#: What is in a project, and what is said of it.
FAILURES: dict[str, tuple[dict[str, str], str]] = {
    "a file that setup.py opens": (
        {"setup.py": SETUP.format("install_requires=open('requirements.txt').read().split()"), "requirements.txt": ""},
        "the sdist lacks requirements.txt, which the build needs: write `include requirements.txt` in MANIFEST.in",
    ),
    "a file by its whole path": (
        {
            "setup.py": "from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
            + SETUP.format("description=(HERE / 'docs' / 'about.txt').read_text().strip()"),
            "docs/about.txt": "Ship it",
        },
        "the sdist lacks docs/about.txt, which",
    ),
    "a module that setup.py imports": (
        {"setup.py": "import tools\n" + SETUP.format(""), "tools.py": ""},
        "the sdist lacks tools.py, which the build needs",
    ),
    "a file that nobody has": (
        {"setup.py": SETUP.format("description=open('about.txt').read()")},
        "there is no about.txt: commit it, or correct the path",
    ),
    "the project itself": (
        {"setup.py": "import ship\n" + SETUP.format(""), "pyproject.toml": SETUPTOOLS},
        "setup.py cannot import ship.py: begin it with",
    ),
    "pkg_resources": (
        {"setup.py": "import pkg_resources\n" + SETUP.format("")},
        'setuptools no longer has pkg_resources: write "setuptools<81" in [build-system] requires of pyproject.toml',
    ),
    "a module of another distribution": (
        {"setup.py": "import numpy\n" + SETUP.format("")},
        "the build needs the module numpy: add the name of its distribution to [build-system] requires",
    ),
    "no project": ({}, 'write packages = ["FOLDER"] in [tool.tagship]'),
    "two packages": (
        {"pyproject.toml": PROJECT + SETUPTOOLS, "one/__init__.py": "", "two/__init__.py": ""},
        'write packages = ["NAME"] in [tool.setuptools]',
    ),
    "no package": (
        {"pyproject.toml": PROJECT.replace("ship", "boat") + HATCH},
        'write packages = ["FOLDER"] in [tool.hatch.build.targets.wheel]',
    ),
    "a backend that is not required": (
        {"pyproject.toml": PROJECT + HATCH.replace('"hatchling"', '"setuptools"')},
        "no build requirement provides hatchling.build: add the name of its distribution to [build-system] requires",
    ),
    "a requirement that is nowhere": (
        {"pyproject.toml": PROJECT + HATCH.replace('"hatchling"', '"no-such-thing-xyz"')},
        "the index has no no-such-thing-xyz: correct the name in [build-system] requires",
    ),
    "requirements that exclude each other": (
        {"pyproject.toml": PROJECT + HATCH.replace('"hatchling"', '"hatchling<1", "hatchling>1"')},
        "no installer can do that, as you require hatchling",
    ),
    "what nobody knows": (
        {"setup.py": "raise ValueError('the moon is full')\n"},
        "the build has failed: ValueError: the moon is full",
    ),
    "an old setuptools": (
        {"pyproject.toml": PROJECT + 'license = "MIT"\n' + SETUPTOOLS.replace('tools"', 'tools<75"', 1)},
        'write "setuptools>=77" in [build-system] requires',
    ),
    **{
        f"a licence that is no SPDX expression, with {name}": (
            {"pyproject.toml": f'{PROJECT}description = "x"\nlicense = "Proprietary"\n{backend}', **MODULE},
            'the license is no SPDX expression: write one of https://spdx.org/licenses, or "LicenseRef-" and a name',
        )
        for name, backend in {"hatchling": HATCH, "setuptools": SETUPTOOLS, "flit": FLIT, "uv": UV}.items()
    },
    **{
        f"license-files beside a table, with {name}": (
            {
                "pyproject.toml": f'{PROJECT}license = {{text = "MIT"}}\nlicense-files = ["LICENSE"]\n{backend}',
                "LICENSE": "MIT",
            },
            'license-files goes with an SPDX expression: write license = "MIT" or the like, not a table',
        )
        for name, backend in {"setuptools": SETUPTOOLS, "uv": UV, "poetry": POETRY}.items()
    },
    **{
        f"a wrong e-mail address, with {name}": (
            {"pyproject.toml": f'{PROJECT}description = "x"\nauthors = [{{name = "A", email = "a at b"}}]\n{backend}'},
            "authors or maintainers has an invalid e-mail address: correct it",
        )
        for name, backend in {"hatchling": HATCH, "setuptools": SETUPTOOLS, "flit": FLIT, "poetry": POETRY}.items()
    },
    "an error that goes on in the next line": (
        {"pyproject.toml": f"{PROJECT}requires-python = '3.10+'\n{SETUPTOOLS}"},
        "`project.requires-python`. configuration error: `project.requires-python` must be pep508-versionspec",
    ),
    "an error with its cause below": (
        {"pyproject.toml": f"{PROJECT}dependencies = ['foo=1']\n{UV}"},
        'no such comparison operator "=", must be one of',
    ),
    "a README that setuptools does not find": (
        {"pyproject.toml": f"{PROJECT}readme = 'ABOUT.md'\n{SETUPTOOLS}"},
        "setuptools built without a file: there is no ABOUT.md: commit it",
    ),
    "a header that the sdist lacks": (
        {"setup.py": EXTENSION, "c/a.c": '#include "a.h"\n', "c/a.h": ""},
        "the sdist lacks c/a.h, which the build needs: write `include c/a.h` in MANIFEST.in",
    ),
    "a header of another project that an environment here happens to have": (
        {"setup.py": EXTENSION, "c/a.c": '#include "np/a.h"\n', ".venv/np/a.h": "", "venv/site-packages/np/a.h": ""},
        "the compiler says error: np/a.h",
    ),
    "code that does not compile": (
        {"setup.py": EXTENSION, "c/a.c": "int main( {\n"},
        "the compiler says error: ",
    ),
    "a source that something else has to make": (
        {"setup.py": EXTENSION, "c/a.pyx": ""},
        "there is no c/a.c, which the compiler needs: commit it, or let the build backend generate it",
    ),
}
#: Metadata that the backend lets through, and what is said of it.
METADATA = {
    "a dependency": (f"dependencies = ['foo=1']\n{FLIT}", "dependency 'foo=1', expected a PEP 508 requirement"),
    "a licence": (f"license = 'Proprietary'\n{PDM}", "'Proprietary' is invalid for 'license-expression'"),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in {"ship.py": "", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def refusal(folder: Path, out: Path) -> str:
    with pytest.raises(ReleaseError) as caught:
        backend.build([folder], out, 1_700_000_000)
    (line,) = caught.value.args
    return str(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
def test_a_build_that_fails_is_explained_in_one_line(name: str, tmp_path: Path) -> None:
    files, words = FAILURES[name]
    said = refusal(write(tmp_path / "ship", files), tmp_path / "dist")
    assert words in said
    assert "\n" not in said


@pytest.mark.slow
@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_the_backend_lets_through_is_an_error_of_each_dist(name: str, tmp_path: Path) -> None:
    text, words = METADATA[name]
    folder = write(tmp_path / "ship", {"pyproject.toml": f'{PROJECT}description = "x"\n{text}', **MODULE})
    with pytest.raises(ReleaseError) as caught:
        backend.build([folder], tmp_path / "dist", 1_700_000_000)
    assert [words in str(line) for line in caught.value.args] == [True, True]


@pytest.mark.slow
def test_a_cutoff_of_uv_is_named_as_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cutoff = '[tool.uv]\nexclude-newer = "2020-01-01T00:00:00Z"\n'
    monkeypatch.chdir(write(tmp_path / "ship", {"pyproject.toml": PROJECT + HATCH + cutoff}))
    assert "exclude-newer of uv hides what the build needs: set a later one" in refusal(Path(), tmp_path / "dist")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["../LICENSE", "/LICENSE", "../../LICENSE"])
def test_a_link_out_of_the_project_is_named(target: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a/b", {"pyproject.toml": PROJECT + 'license-files = ["LICENSE"]\n' + HATCH})
    write(tmp_path, {"LICENSE": "MIT", "a/LICENSE": "MIT"})
    (folder / "LICENSE").symlink_to(f"{tmp_path}{target}" if target[0] == "/" else target)
    said = refusal(folder, tmp_path / "dist")
    found = "ship-1.0/LICENSE: found a link out of the project, expected a file"
    assert said == f"{found}; replace it with a copy [outward-link]"


@pytest.mark.slow
def test_a_project_without_a_build_system_is_built_by_setuptools(tmp_path: Path) -> None:
    backend.build([write(tmp_path / "ship", {"pyproject.toml": PROJECT})], tmp_path / "dist", 1_700_000_000)
    assert {path.suffix for path in (tmp_path / "dist").iterdir()} == {".gz", ".whl"}


MARKDOWN, RST = "# Ship it\n\n[docs](docs/index.md)\n", "Ship it\n=======\n\n`docs <docs/index.html>`_\n"


@pytest.mark.parametrize(
    ("name", "text", "kind", "wrong"),
    [
        ("README.md", MARKDOWN, "", "README.md as text/x-rst, expected text/markdown"),
        ("README.md", MARKDOWN, "text/x-rst", "README.md as text/x-rst, expected text/markdown"),
        ("docs.markdown", MARKDOWN, "", "docs.markdown as text/x-rst, expected text/markdown"),
        ("README.rst", RST, "text/markdown", "README.rst as text/markdown, expected text/x-rst"),
        ("README.md", MARKDOWN, "text/markdown; charset=UTF-8; variant=GFM", ""),
        ("README.md", MARKDOWN, "text/plain", ""),
        ("README.rst", RST, "", ""),
        ("README.md", "", "", ""),
        ("README", MARKDOWN, "", ""),
    ],
)
def test_a_readme_of_another_markup_than_its_type_is_refused(
    tmp_path: Path, name: str, text: str, kind: str, wrong: str
) -> None:
    (tmp_path / name).write_text(text)
    extra = (f"Description-Content-Type: {kind}",) if kind else ()
    path = write_sdist(tmp_path / "dist", extra=(*extra, "", text, "More of it."))
    found = [str(problem) for problem in metadata.mistaken(read_dist(path), tmp_path)]
    assert len(found) == bool(wrong)
    for line in found:
        assert f"found {wrong}; write readme = {{ file =" in line
        assert "long_description_content_type=" in line


@pytest.mark.parametrize("path", [r"C:\\me\\ship-1.0\\a.txt", "/me/ship-1.0/a.txt", "a.txt"])
def test_the_whole_path_of_a_missing_file_is_read(path: str) -> None:
    found = re.search(backend.LACKS, f"FileNotFoundError: [Errno 2] No such file or directory: '{path}'")
    assert found
    assert found[1] == path
