"""What an index would refuse is refused before: by its rules, and by the files that it has."""

from __future__ import annotations

import ast
import gzip
import io
import re
import sys
import tarfile
import time
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from random import randbytes
from typing import TYPE_CHECKING

import pytest

import tagship_suite.dists.metadata as metadata
import tagship_suite.dists.rules as rules
from tagship.publisher import Registration
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.servers import Servers, running
from tagship_suite import build
from tagship_suite.dists.modules import unresolved
from tagship_suite.dists.reading import Dist, read_dist
from tests.archives import write_sdist, write_wheel
from tests.conftest import ROOT, release, run, try_release

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
WHEEL, SDIST = "ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"
DAY = 24 * 3600.0
PUSH = TagPush(owner="Octo", repository="ship", tag="v1.0", sha="a" * 40)


def said(path: Path) -> str:
    return "\n".join(map(str, rules.problems([read_dist(path)], 100)))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Requires-Dist: other @ https://example.org/o.whl", "found dependency 'other @ https"),
        ("Requires-Dist: ???", "found dependency '???', expected a PEP 508 requirement"),
        ("Obsoletes-Dist: other @ https://example.org/o.whl", "found dependency 'other @ https"),
        ("Requires-Python: three", "found Requires-Python 'three', expected versions"),
        ("Project-URL: Home, gopher://x", "found Home 'gopher://x', expected an http or https URL"),
        ("Project-URL: Home", "found Home ''"),
        (f"Project-URL: {'x' * 33}, https://x", "of a URL, expected 1 to 32 characters"),
        ("Home-page: example.org", "found Home-page 'example.org'"),
        ("License-Expression: MIT\nLicense: MIT", "found License and License-Expression"),
        ("Author-email: me", "found Author-email 'me', expected an address such as"),
        ("Maintainer-email: Me <me@localhost>", "found Maintainer-email 'me@localhost'"),
        ("Author-email: a@b..org", "found Author-email 'a@b..org'"),
        ("Author-email: .a@b.org", "found Author-email '.a@b.org'"),
        ("Author-email: a@b_c.org", "found Author-email 'a@b_c.org'"),
        ("Author-email: a@-b.org", "found Author-email 'a@-b.org'"),
        ("Author-email: a@b.123", "found Author-email 'a@b.123'"),
        ("Author-email: a@b.local", "found Author-email 'a@b.local'"),
        (f"Author-email: a@{'b' * 64}.org", "found Author-email 'a@bbb"),
        ('Author-email: "a b"@b.org', "found Author-email '\"a b\"@b.org'"),
        ("Author-email: a@b.org\u200b", "found Author-email 'a@b.org\\u200b'"),
        ("License-File: COPYING", "/COPYING, expected one"),
        (f"Summary: {'x' * 513}", "found a longer summary"),
        ("Summary: \u2028", "found a longer summary"),
        ("Author-email: a@ab--cd.org", "found Author-email 'a@ab--cd.org'"),
        (f"Author-email: {'a' * 249}@b.org", "found Author-email 'aaa"),
        ("Author-email: A <UNKNOWN>", "found Author-email 'UNKNOWN'"),
        ("Project-URL: Home, https://[::1]:99999/", "found Home 'https://[::1]:99999/'"),
        ("Requires-Dist: \nRequires-Dist: other", "found dependency ''"),
        ("Summary: one\u2028two", "found a longer summary"),
        ("Summary: one\nSummary: two", "('summary' appears twice, or has invalid data)"),
        ("Name: ship", "('name' appears twice, or has invalid data)"),
        ("Keywords: one\nKeywords: two", "('keywords' appears twice, or has invalid data)"),
        ("Author-email: a@b.org\nAuthor-email: c@d.org", "('author-email' appears twice, or has invalid data)"),
        ("Project-URL: a, https://x.org\nProject-URL: a, https://y.org", "('project-url' appears twice, or has"),
        ("Description: one\n\ntwo", "('description' appears twice, or has invalid data)"),
        ("Import-Name: ship", "(import-name introduced in metadata version 2.5, not 2.4)"),
        ("Description-Content-Type: text/markdown\n\n  \n", "found a description of nothing but whitespace"),
        ("Description: \n\n  \n", "found a description of nothing but whitespace"),
        ("Dynamic: Name", "('name' is not allowed as a dynamic field)"),
        ("Dynamic: version", "('version' is not allowed as a dynamic field)"),
        ("Dynamic: Metadata-Version", "('metadata-version' is not allowed as a dynamic field)"),
        ("Dynamic: Dynamic", "('dynamic' is not a valid dynamic field)"),
        ("Dynamic: Colour", "('colour' is not a valid dynamic field)"),
        ("License-Expression: MIT AND", "('MIT AND' is invalid for 'license-expression')"),
        ("License-File: ../COPYING", "'../COPYING' is invalid for 'license-file'"),
        ("Provides-Extra: two words", "('two words' is invalid for 'provides-extra')"),
        ("Description-Content-Type: text/html", "('description-content-type' must be one of"),
        ("Description-Content-Type: text/markdown; charset=latin-1", "can only specify the UTF-8 charset"),
        ("Project-URL: Home, https://x.org/a[1]", "found Home 'https://x.org/a[1]'"),
        (
            "Classifier: Frameworks :: Ansible",
            "classifier 'Frameworks :: Ansible', expected one of https://pypi.org/cl",
        ),
        ("Classifier: programming language :: python", "found classifier 'programming language :: python'"),
        ("Classifier: Natural Language :: Ukranian", "expected 'Natural Language :: Ukrainian'; correct it"),
        ("Classifier: Private :: Do Not Upload\nRequires-Python: three", "found Requires-Python 'three'"),
        ("Project-URL: Home, https://x.org/?a=[1]", "found Home 'https://x.org/?a=[1]'"),
        ("Project-URL: Home, https://x.org:65536", "found Home 'https://x.org:65536'"),
        ("Classifier: Typing :: Typed\nClassifier: a\0b", "a null character in a field that is repeated"),
    ],
)
def test_metadata_that_pypi_refuses_is_refused_in_wheels_and_sdists(tmp_path: Path, line: str, words: str) -> None:
    assert words in said(write_wheel(tmp_path, extra=(line,)))
    assert words in said(write_sdist(tmp_path, extra=(line,)))


@pytest.mark.parametrize(
    "line",
    [
        "Home-page: UNKNOWN",
        "Project-URL: Home, https://example.org/a,b",
        "Requires-Python: >=3.10,!=3.11.*",
        "Requires-Dist: other[extra]>=1; python_version < '3.12'",
        "Author-email: Doe, John <john@example.org>",
        "Author-email: Jöhn <john@example.org>\nMaintainer-email: UNKNOWN",
        "Author-email: a+tag.b@b-c.example.com",
        "Author-email: a@[127.0.0.1]",
        "Author-email: a@münchen.de",
        f"Author-email: {'a' * 65}@b.org",
        "Project-URL: Home, https://[bad",
        "Project-URL: Home, https://x.org:65535/#a[1]",
        "Requires-Dist:\nX-Unknown: a\nX-Unknown: b",
        "Description-Content-Type: text/plain\n\n  \n",
        "License: MIT",
        "License-Expression: MIT\nLicense: UNKNOWN ",
        "License-File:",
        "License-File: COPYING\nLicense-File: UNKNOWN",
        "Requires-Python: UNKNOWN",
        "Project-URL: UNKNOWN",
        "Project-URL:",
        "Project-URL: Home, nowhere\nProject-URL: UNKNOWN",
        "Project-URL: Home, https://x.org:999999/",
        "Author-email: a@b[c].org",
        "Author-email: a(b@c.org",
        "Author-email: a@b\u3002org",
        f"Author-email: {'a' * 248}@b.org",
        "Description-Content-Type: text/markdown\n\n\u00a0\n",
        "Classifier: Typing :: Typed\nClassifier: Programming Language :: Python :: 3.14",
        "Classifier: UNKNOWN",
        "License-Expression: MIT\nLicense:",
        "License-Expression: MIT\nLicense: UNKNOWN",
        "License-Expression: UNKNOWN",
        "Dynamic: Requires-Dist\nDynamic: license-file",
        "Provides-Extra: Foo_Bar",
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM",
    ],
)
def test_metadata_that_pypi_accepts_is_fine(tmp_path: Path, line: str) -> None:
    assert said(write_wheel(tmp_path, extra=(line,))) == said(write_sdist(tmp_path, extra=(line,))) == ""


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"])
def test_the_metadata_versions_that_pypi_accepts_are_fine(tmp_path: Path, version: str) -> None:
    assert said(write_wheel(tmp_path, metadata_version=version)) == ""
    assert said(write_sdist(tmp_path, metadata_version=version)) == ""


@pytest.mark.parametrize("version", ["2.0", "2", "2.6", "3.0", "two", ""])
def test_other_metadata_versions_are_refused(tmp_path: Path, version: str) -> None:
    for path in (write_wheel(tmp_path, metadata_version=version), write_sdist(tmp_path, metadata_version=version)):
        assert f"found Metadata-Version {version!r}, expected one of 1.0, 1.1, 1.2, 2.1" in said(path)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["22.0", "23.1", "24.0"])
def test_an_old_packaging_in_the_environment_of_nox_checks_what_it_knows(tmp_path: Path, version: str) -> None:
    path = write_wheel(tmp_path, extra=("License-Expression: MIT", "Dynamic: Requires-Dist", "Home-page: example.org"))
    code = (
        "import pathlib, sys; from tagship_suite.dists import rules; from tagship_suite.dists.reading import read_dist;"
        "print(*rules.problems([read_dist(pathlib.Path(sys.argv[1]))], 100), sep='\\n')"
    )
    command = ["uv", "run", "--no-project", "--python", sys.executable, "--with", f"packaging=={version}", "--with"]
    done = run(*command, "tomli", "python", "-c", code, str(path), cwd=tmp_path, PYTHONPATH=str(ROOT / "src"))
    (problem,) = [line for line in done.stdout.splitlines() if "found" in line]
    assert "found Home-page 'example.org'" in problem


def test_a_license_file_may_be_a_folder_of_an_sdist_but_not_of_a_wheel(tmp_path: Path) -> None:
    line = "License-File: LICENSES"
    wheel = write_wheel(tmp_path, files={"ship-1.0.dist-info/licenses/LICENSES/MIT.txt": ""}, extra=(line,))
    assert "no ship-1.0.dist-info/licenses/LICENSES" in said(wheel)
    sdist = write_sdist(tmp_path, files={"LICENSES/MIT.txt": ""}, extra=(line,))
    assert "no ship-1.0/LICENSES" in said(sdist), "PyPI finds only a folder that is listed"
    content = gzip.decompress(sdist.read_bytes())
    with tarfile.open(fileobj=(raw := io.BytesIO(content)), mode="a") as archive:
        folder = tarfile.TarInfo("ship-1.0/LICENSES")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    sdist.write_bytes(gzip.compress(raw.getvalue()))
    assert said(sdist) == ""


def test_entry_points_and_metadata_have_no_byte_order_mark(tmp_path: Path) -> None:
    points = {"ship-1.0.dist-info/entry_points.txt": "\ufeff[console_scripts]\nship = ship:main\n"}
    assert "entry_points.txt: found a byte order mark" in said(write_wheel(tmp_path, files=points))
    assert "found Metadata-Version ''" in said(write_sdist(tmp_path, metadata_version="2.4", before="\ufeff"))


@pytest.mark.parametrize(
    ("points", "script", "refused"),
    [
        ("[console_scripts]\nship = ship:main\n", "ship-1.0.data/scripts/ship", True),
        ("[console_scripts]\nship = ship:main\n", "ship-1.0.data/data/bin/Ship", True),
        ("[console_scripts]\nship = ship:main\n[gui_scripts]\nship = ship:window\n", "", True),
        ("[console_scripts]\nship = ship:main\nShip = ship:window\n", "", True),
        ("[console_scripts]\nship = ship:main\nShip = ship:main\n", "ship-1.0.data/scripts/ship2", False),
        ("[ship.plugins]\nship = ship:main\n", "ship-1.0.data/scripts/ship", False),
    ],
)
def test_a_script_has_one_source(tmp_path: Path, points: str, script: str, *, refused: bool) -> None:
    files = {"ship-1.0.dist-info/entry_points.txt": points, **({script: ""} if script else {})}
    found = said(write_wheel(tmp_path, files=files))
    assert ("entry_points.txt: found two different scripts 'ship'" in found.lower()) if refused else not found


@pytest.mark.parametrize(("length", "refused"), [(246 - len("-1.0-py3-none-any.whl"), False), (226, True)])
def test_a_file_name_has_room_for_that_of_its_metadata(tmp_path: Path, length: int, *, refused: bool) -> None:
    found = said(write_wheel(tmp_path, name="s" * length, files={"ship.py": ""}))
    assert found == "" if not refused else "found a file name of 247 bytes, expected at most 246" in found


def test_an_sdist_is_named_after_the_version_in_its_metadata(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, version="1.0.0")
    path = path.rename(tmp_path / SDIST)
    assert "found 'ship-1.0.tar.gz', expected 'ship-1.0.0.tar.gz'" in said(path)


@pytest.mark.parametrize(
    ("name", "code", "tool"),
    [
        ("a.py", "__py@armor__(__name__, __file__, b'PY000000')\n", "PyArmor"),
        ("a.py", "def __py@armor_enter__(): ...\n", "PyArmor"),
        ("a.pye", "---BEGIN@ PYE FILE---\nabc\n---END@ PYE FILE---\n", "SourceDefender"),
        ("a.PY", "---END@ PYE FILE---\n---BEGIN@ PYE FILE---\n", "SourceDefender"),
    ],
)
def test_code_that_only_a_runtime_can_read_is_refused(tmp_path: Path, name: str, code: str, tool: str) -> None:
    code = code.replace("@", "")  # in one piece, this file itself would be refused
    for path in (write_wheel(tmp_path, files={f"ship/{name}": code}), write_sdist(tmp_path, files={name: code})):
        assert re.search(rf"/{name}: found code that {tool} encrypted, expected source", said(path))
    assert (
        said(write_wheel(tmp_path, files={"ship/a.txt": code, "ship/b.py": "import pyarmor", "ship/.py": code})) == ""
    )


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("Tag: py3-none-any\n", ""),
        ("Tag: py2.py3-none-any\n", "WHEEL has the tags py2-none-any py3-none-any, the file name py3-none-any: rename"),
        ("Tag: cp312-cp312-win32\n", "WHEEL has the tags cp312-cp312-win32, the file name py3-none-any: rename"),
        ("Tag: nonsense\n", ""),
        ("", ""),
    ],
)
def test_tags_in_a_wheel_that_are_not_those_of_its_name_are_noted(
    suite: Path, capsys: pytest.CaptureFixture[str], tags: str, words: str
) -> None:
    path = write_wheel(suite / "dist", wheel=f"Wheel-Version: 1.0\n{tags}")
    write_sdist(suite / "dist")
    assert said(path) == ""
    build.describe(suite, {})
    printed = capsys.readouterr().out
    assert words in printed
    assert ("note: " in printed) == bool(words)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ship-1.0.data/scripts/python": ""}, ".data/scripts/python replaces the interpreter where it is installed"),
        ({"ship-1.0.data/scripts/Python3.12.exe": ""}, "scripts/python3.12.exe replaces the interpreter"),
        ({"ship-1.0.data/scripts/python-ship": ""}, ""),
    ],
)
def test_a_script_that_replaces_the_interpreter_is_noted(tmp_path: Path, files: dict[str, str], words: str) -> None:
    found = "\n".join(rules.notes(read_dist(write_wheel(tmp_path, files={"ship/__init__.py": "", **files}))))
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Import-Name: ship", ""),
        ("Import-Name: Ship.a", ""),
        ("Import-Name:", ""),
        ("Import-Name: ship.b ; private", "no module for the Import-Name 'ship.b ; private': correct import-names"),
        ("Import-Name: ship\nImport-Name: boat", "no module for the Import-Name 'boat'"),
    ],
)
def test_a_module_that_is_only_announced_is_noted(tmp_path: Path, line: str, words: str) -> None:
    files = {"Ship/__init__.py": "", "Ship/a.pyi": ""}
    path = write_wheel(tmp_path, files=files, extra=(line,), metadata_version="2.5")
    found = "\n".join(rules.notes(read_dist(path)))
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ship.cli:main", "a module 'ship.cli'"),
        ("ship.deep.cli:main", "a module 'ship.deep.cli'"),
        ("shipping:main", "a module 'shipping'"),
        ("ship:main", "a 'main' in ship/__init__.py"),
        ("ship.core:main [color]", "a 'main' in ship/core.py"),
        ("ship.core:Core.run", ""),
        ("ship.core", ""),
        ("ship:core.main", ""),  # a module that something else may import
        ("ship.native:main", ""),
        ("ship.lazy:main", ""),
        ("ship.star:main", ""),
        ("ship.newer:main", ""),
        ("ship.table:main", ""),
        ("ship.deferred:main", ""),
        ("ship.local:main", ""),
        ("ship.both:main", ""),
        ("ship.both:other", "a 'other' in ship/both/__init__.py"),
        ("space.other:main", ""),  # the namespace may hold other distributions
        ("ship.tests.missing:Broken", ""),
        ("json.tool:main", ""),
        ("no reference", ""),
    ],
)
def test_an_entry_point_names_what_the_wheel_has(tmp_path: Path, value: str, found: str) -> None:
    files = {
        "ship/__init__.py": "from .core import Core\n",
        "ship/core.py": "class Core:\n    def run(self): ...\n",
        "ship/native.cpython-313-x86_64-linux-gnu.so": "",
        "ship/lazy.py": "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach(__name__)\n",
        "ship/star.py": "from .core import *\n",
        "ship/newer.py": "def ?\n",
        "ship/table.py": 'import apipkg\napipkg.initpkg(__name__, {"main": "ship.core:run"})\n',
        "ship/deferred.py": 'from zope.deferredimport import define\ndefine(main="ship.core:run")\n',
        "ship/local.py": 'locals().update({"ma" + "in": print})\n',
        "ship/both.py": "other = print\n",
        "ship/both/__init__.py": "main = print\n",
        "space/ship/__init__.py": "",
        "ship-1.0.dist-info/entry_points.txt": f"[console_scripts]\nship = {value}\n",
    }
    lost = [problem.expected for problem in unresolved(read_dist(write_wheel(tmp_path, files=files)))]
    assert lost == ([f"{found} in the wheel"] if found else [])


def test_a_module_of_many_entry_points_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = ast.parse

    def counted(text: str) -> ast.Module:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr("ast.parse", counted)
    points = "[ship.plugins]\n" + "".join(f"{number} = ship:Plugin\n" for number in range(9))
    files = {"ship.py": "class Plugin: ...\n", "ship-1.0.dist-info/entry_points.txt": points}
    assert not [*unresolved(read_dist(write_wheel(tmp_path, files=files)))]
    assert parsed == [files["ship.py"]]


def test_a_dependency_may_have_the_module_of_an_entry_point(tmp_path: Path) -> None:
    files = {"ship.py": "", "ship-1.0.dist-info/entry_points.txt": "[console_scripts]\nship = shipping:main\n"}
    wheel = write_wheel(tmp_path, files=files, extra=("Requires-Dist: shipping",))
    assert not [*unresolved(read_dist(wheel))]


def test_the_case_of_an_entry_point_matters(tmp_path: Path) -> None:
    points = "[ship.plugins]\nFits = ship:Fits\nfits = ship:fits\n"
    assert said(write_wheel(tmp_path, files={"ship-1.0.dist-info/entry_points.txt": points})) == ""


def test_files_are_named_after_the_normalised_name(tmp_path: Path) -> None:
    assert "found a file name of 'Ship', expected 'ship'" in said(write_wheel(tmp_path, name="Ship"))
    assert "found 'Ship-1.0.tar.gz', expected 'ship-1.0.tar.gz'" in said(write_sdist(tmp_path, name="Ship"))
    path = write_wheel(tmp_path)
    assert "found metadata of 'ship' '1.0'" in said(path.rename(tmp_path / "ship-2.0-py3-none-any.whl"))
    sdist = write_sdist(tmp_path, version="1.0.0-1")
    assert "found 'ship-1.0.0-1.tar.gz'" in said(sdist)


@pytest.mark.parametrize(
    "platform", ["linux_x86_64", "manylinux_2_17_sparc", "macosx_9_0_x86_64", "macosx_16_0_arm64", "win_mips"]
)
def test_platforms_that_pypi_does_not_know_are_refused(tmp_path: Path, platform: str) -> None:
    assert f"found platform '{platform}', which PyPI refuses" in said(write_wheel(tmp_path, tag=f"py3-none-{platform}"))


@pytest.mark.parametrize(
    "platform",
    [
        *("any", "manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_riscv64", "macosx_10_9_universal2"),
        *("macosx_26_0_arm64", "macosx_27_0_arm64", "win_arm64", "linux_armv7l", "ios_13_0_arm64_iphoneos"),
        *("android_24_arm64_v8a", "pyemscripten_2025_0_wasm32"),
    ],
)
def test_platforms_that_pypi_knows_are_fine(tmp_path: Path, platform: str) -> None:
    assert said(write_wheel(tmp_path, tag=f"cp313-cp313-{platform}")) == ""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("", ".. nonsense::"), "a description that does not render (<string>:1: (ERROR/3) Unknown directive type"),
        (("Description-Content-Type: text/x-rst; charset=UTF-8", "", ".. include:: /etc/passwd"), "does not render"),
        (("Description-Content-Type: text/markdown", "", ".. nonsense::"), ""),
        (("Description-Content-Type: text/plain", "", "Title\n=="), ""),
        (("", "*fine*"), ""),
        ((), ""),
    ],
)
def test_a_description_must_render(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    found = metadata.unrendered(
        [read_dist(write_wheel(tmp_path, extra=lines)), read_dist(write_sdist(tmp_path, extra=lines))]
    )
    assert len(found) == 2 * bool(words)
    assert all(words in str(problem) for problem in found)


def dist(folder: Path) -> Dist:
    return read_dist(write_wheel(folder))


def ago(days: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("there", "refused"),
    [
        ({SDIST: ago(15)}, True),
        ({"ship-1.0.0.tar.gz": ago(15), "ship-1.0-py2-none-any.whl": ago(1)}, True),
        ({SDIST: ago(13)}, False),
        (
            {"ship-0.9.tar.gz": ago(500), "ship-0.9-py3-none-any.whl": ago(500), "odd": ago(500), "odd.whl": ago(500)},
            False,
        ),
        ({SDIST: ""}, False),
        ({SDIST: "soon"}, False),
        ({SDIST: ago(15).partition(".")[0]}, True),
        ({}, False),
    ],
)
def test_a_release_is_closed_14_days_after_its_first_file(
    tmp_path: Path, there: dict[str, str], *, refused: bool
) -> None:
    assert bool(rules.too_old(there, [dist(tmp_path)])) == refused
    assert rules.too_old(there, []) == []


# Against the index of the rehearsal, which has PyPI's address and its rules.


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path / "state") as servers:
        servers.index.register(Registration("ship", "Octo", "ship", "release.yml", "pypi", PUSH.owner_id))
        yield servers
        assert servers.errors == []


def publish(bundle: Path, servers: Servers) -> subprocess.CompletedProcess[str]:
    return try_release(bundle, "publish", "pypi", "--no-attestations", **{**servers.job(PUSH, "pypi"), **TAG})


@pytest.mark.slow
def test_a_file_is_as_large_as_pypi_granted(suite: Path, servers: Servers) -> None:
    write_wheel(suite / "dist", files={"ship/noise.txt": b64encode(randbytes(101 * 2**20)).decode()})
    done = try_release(suite, "verify", **TAG)
    assert done.returncode == 1
    assert re.search(
        r"ship-1.0-py3-none-any.whl: found 10\d.\d MiB, expected at most 100 MiB; .* file-limit", done.stdout
    )
    (suite / "pyproject.toml").write_text("[tool.tagship]\nfile-limit = 200\n")
    release(suite, "verify", **TAG)
    servers.index.grant(200)
    assert publish(suite / "bundle", servers).returncode == 0
    assert [entry.filename for entry in servers.index.uploads()] == [WHEEL]


def test_a_release_that_is_closed_is_not_begun(bundle: Path, servers: Servers) -> None:
    there = {SDIST: (bundle / "dist" / SDIST).read_bytes()}
    servers.index.put_release("ship", "1.0", files=there, uploaded=time.time() - 15 * DAY)
    done = publish(bundle, servers)
    assert done.returncode == 1
    assert f"error: {WHEEL}: missing at the index: found a release of " in done.stdout
    assert "'Uploading new files to releases older than 14 days is not allowed.'" in done.stdout
    assert servers.index.mints() == []
    assert servers.index.uploads() == []


def test_a_release_of_13_days_is_completed(bundle: Path, servers: Servers) -> None:
    there = {SDIST: (bundle / "dist" / SDIST).read_bytes()}
    servers.index.put_release("ship", "1.0", files=there, uploaded=time.time() - 13 * DAY)
    done = publish(bundle, servers)
    assert done.returncode == 0, done.stdout
    assert [entry.filename for entry in servers.index.uploads()] == [WHEEL]


def test_a_release_that_is_closed_and_complete_is_fine(bundle: Path, servers: Servers) -> None:
    there = {name: (bundle / "dist" / name).read_bytes() for name in (SDIST, WHEEL)}
    servers.index.put_release("ship", "1.0", files=there, uploaded=time.time() - 500 * DAY)
    done = publish(bundle, servers)
    assert done.returncode == 0, done.stdout
    assert servers.index.uploads() == []


def test_a_description_that_does_not_render_stops_publish_before_any_network(suite: Path) -> None:
    write_wheel(suite / "dist", extra=("", ".. nonsense::"))
    release(suite, "verify", **TAG)
    done = try_release(suite, "publish", "pypi", **TAG, TWINE_REPOSITORY_URL="http://127.0.0.1:9/")
    assert done.returncode == 1
    assert f"{WHEEL}: found a description that does not render" in done.stdout
    assert "no response" not in done.stdout


def test_the_suite_in_an_sdist_is_not_taken_for_encrypted_code() -> None:
    files = [path.read_bytes() for path in (ROOT / "src/tagship_suite").rglob("*.py")]
    assert not [text for text in files if rules.encrypted(text)]
