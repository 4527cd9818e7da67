"""Versions that setup.py passes, however it gets them, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.facts.repositories import read

if TYPE_CHECKING:
    from pathlib import Path

INIT = "'''Docs, with __version__ = \"0.0.1\".'''\n# __version__ = '0.0.2'\n__version__ = '1.2.3'\n"
READ = """\
import io, os, re, ast, codecs
from setuptools import setup
here = os.path.abspath(os.path.dirname(__file__))
def read(*parts):
    with io.open(os.path.join(here, *parts), encoding='utf-8') as file:
        return file.read()
"""
FILES = {"thing/__init__.py": INIT, "VERSION": "1.2.3\n", "thing/other.py": "__version__ = '9.9'\n"}

WAYS: dict[str, tuple[str, str, str]] = {
    "a literal": ("setup.py:literal", "setup.py", "setup(version='1.2.3')"),
    "a constant": ("setup.py:constant", "setup.py", "V = '1.2.3'\nsetup(version=V)"),
    "joined constants": ("setup.py:constant", "setup.py", "V = (1, 2, 3)\nsetup(version='.'.join(map(str, V)))"),
    "a percent format": ("setup.py:constant", "setup.py", "A, B = 1, 2\nsetup(version='%d.%d.%s' % (A, B, 3))"),
    "format": ("setup.py:constant", "setup.py", "setup(version='{}.{}.{p}'.format(1, 2, p=3))"),
    "an f-string": ("setup.py:constant", "setup.py", "MAJOR = 1\nsetup(version=f'{MAJOR}.2.3')"),
    "a dict of arguments": ("setup.py:literal", "setup.py", "kw = dict(version='1.2.3')\nkw['a'] = 1\nsetup(**kw)"),
    "a function": ("setup.py:constant", "setup.py", "def v():\n    return '1.2.3'\nsetup(version=v())"),
    "a loop": (
        "setup.py:constant",
        "setup.py",
        "v = ''\nfor n in range(1, 4):\n    v += str(n)\n    if n < 3:\n        v += '.'\nsetup(version=v)",
    ),
    "a file": ("setup.py:read-file", "VERSION", "setup(version=read('VERSION').strip())"),
    "a file by pathlib": (
        "setup.py:read-file",
        "VERSION",
        "from pathlib import Path\nsetup(version=(Path(__file__).resolve().parent / 'VERSION').read_text().strip())",
    ),
    "a search": (
        "setup.py:regex",
        "thing/__init__.py",
        "setup(version=re.search(r\"^__version__ = '([^']+)'\", read('thing', '__init__.py'), re.M).group(1))",
    ),
    "a compiled search in bytes": (
        "setup.py:regex",
        "thing/__init__.py",
        (
            'P = re.compile(br"(?m)^__version__\\s+=\\s+(.*)")\n'
            "with open('thing/__init__.py', 'rb') as f:\n"
            "    setup(version=str(ast.literal_eval(P.search(f.read()).group(1).decode('utf-8'))))"
        ),
    ),
    "findall": (
        "setup.py:regex",
        "thing/__init__.py",
        "setup(version=re.findall(r\"^__version__ = '(.*)'$\", read('thing/__init__.py'), re.MULTILINE)[0])",
    ),
    "a function with a search": (
        "setup.py:regex",
        "thing/__init__.py",
        (
            "def find(path):\n"
            '    match = re.search(r"^__version__ = [\'\\"]([^\'\\"]*)[\'\\"]", read(path), re.M)\n'
            "    if match:\n        return match.group(1)\n"
            "    raise RuntimeError('no version')\n"
            "setup(version=find('thing/__init__.py'))"
        ),
    ),
    "a line loop": (
        "setup.py:line-parse",
        "thing/__init__.py",
        (
            "for line in open('thing/__init__.py'):\n"
            "    if line.startswith('__version__'):\n        version = line.split('=')[1].strip().strip(\"'\")\n"
            "setup(version=version)"
        ),
    ),
    "the first line that fits": (
        "setup.py:line-parse",
        "thing/__init__.py",
        (
            "with open('thing/__init__.py') as f:\n"
            "    line = next(l for l in f if l.startswith('__version__'))\n"
            "    setup(version=ast.literal_eval(line.split('=')[-1].strip()))"
        ),
    ),
    "a function that loops over lines": (
        "setup.py:line-parse",
        "thing/__init__.py",
        (
            "def get_version(path):\n    for line in read(path).splitlines():\n"
            "        if line.startswith('__version__'):\n"
            "            delim = '\"' if '\"' in line else \"'\"\n            return line.split(delim)[1]\n"
            "    else:\n        raise RuntimeError('none')\n"
            "setup(version=get_version('thing/__init__.py'))"
        ),
    ),
    "exec into a dict": (
        "setup.py:exec",
        "thing/__init__.py",
        (
            "about = {}\nwith open(os.path.join(here, 'thing', '__init__.py')) as f:\n    exec(f.read(), about)\n"
            "setup(version=about['__version__'])"
        ),
    ),
    "exec into the module": (
        "setup.py:exec",
        "thing/__init__.py",
        "exec(compile(read('thing/__init__.py'), 'x', 'exec'))\nsetup(version=__version__)",
    ),
    "exec of a line": (
        "setup.py:exec",
        "thing/__init__.py",
        (
            "for line in open('thing/__init__.py'):\n    if line.startswith('__version__'):\n        exec(line)\n"
            "setup(version=__version__)"
        ),
    ),
    "a function that is called as versioneer's": (
        "setup.py:constant",
        "setup.py",
        "V = ('1.2.3', 0)\ndef get_versions():\n    return V\nv, _ = get_versions()\nsetup(version=v)",
    ),
    "a tuple by exec": (
        "setup.py:exec",
        "v.py",
        "exec(read('v.py'))\nsetup(version='.'.join(str(n) for n in VERSION if n is not None))",
    ),
    "a copy of a script": (
        "setup.py:regex",
        "script",
        (
            "import shutil\nif os.path.isfile('script'):\n    shutil.copyfile('script', 'script.py')\n"
            "setup(version=re.search(r'V = \"(.*?)\"', open('script.py').read()).group(1))"
        ),
    ),
    "a dict of which another value raises": (
        "setup.py:literal",
        "setup.py",
        "config = {'version': '1.2.3', 'extras_require': read('NOWHERE')}\nsetup(**config)",
    ),
    "an import": ("setup.py:import", "thing/__init__.py", "import thing\nsetup(version=thing.__version__)"),
    "an import by its path": (
        "setup.py:import",
        "thing/__init__.py",
        (
            "import importlib.util\ns = importlib.util.spec_from_file_location('x', 'thing/__init__.py')\n"
            "m = importlib.util.module_from_spec(s)\ns.loader.exec_module(m)\nsetup(version=m.__version__)"
        ),
    ),
    "a constant of a module": (
        "setup.py:import",
        "thing/__init__.py",
        (
            "from typing import cast\nfrom setuptools.depends import get_module_constant\n"
            "setup(version=cast(str, get_module_constant('thing', '__version__')))"
        ),
    ),
    "run_path": (
        "setup.py:exec",
        "thing/__init__.py",
        "import runpy\nsetup(version=runpy.run_path('thing/__init__.py')['__version__'])",
    ),
    "a syntax tree": (
        "setup.py:ast",
        "thing/__init__.py",
        (
            "for node in ast.parse(read('thing/__init__.py')).body:\n"
            "    if isinstance(node, ast.Assign) and node.targets[0].id == '__version__':\n"
            "        v = node.value.value\nsetup(version=v)"
        ),
    ),
    "a visitor of a syntax tree": (
        "setup.py:ast",
        "thing/__init__.py",
        (
            "class Finder(ast.NodeVisitor):\n    def __init__(self):\n        self.version = None\n"
            "    def visit_Assign(self, node):\n"
            "        if node.targets[0].id == '__version__':\n            self.version = node.value.value\n"
            "f = Finder()\nf.visit(ast.parse(read('thing/__init__.py')))\nsetup(version=f.version)"
        ),
    ),
    "a regex into a table": (
        "setup.py:regex",
        "thing/__init__.py",
        (
            "meta = dict(re.findall(r\"^__(\\w+)__ = '(.*)'$\", read('thing/__init__.py'), re.M))\n"
            "setup(version=meta['version'])"
        ),
    ),
    "a publish command before it": (
        "setup.py:literal",
        "setup.py",
        (
            "import sys\nif sys.argv[-1] == 'publish':\n    os.system('twine upload dist/*')\n    sys.exit()\n"
            "setup(version='1.2.3')"
        ),
    ),
    "a main function": (
        "setup.py:literal",
        "setup.py",
        "def main():\n    setup(name='thing', version='1.2.3')\nif __name__ == '__main__':\n    main()",
    ),
    "an unknown condition about something else": (
        "setup.py:constant",
        "setup.py",
        "import Cython\nv = '1.2.3'\ne = []\nif Cython.a > '3':\n    e = [1]\nsetup(version=v, ext_modules=e)",
    ),
    "two ways that agree": (
        "setup.py:constant",
        "setup.py",
        "import whoknows\nif whoknows.x:\n    v = '1.2.3'\nelse:\n    v = '1.2.3'\nsetup(version=v)",
    ),
    "a file that may be missing": (
        "setup.py:constant",
        "setup.py",
        "try:\n    v = read('NOWHERE')\nexcept IOError:\n    v = '1.2.3'\nsetup(version=v)",
    ),
    "an environment variable that only appends": (
        "setup.py:constant",
        "setup.py",
        "v = '1.2.3'\nif 'BUILD' in os.environ:\n    v += '.dev' + os.environ['BUILD']\nsetup(version=v)",
    ),
    "package.json": (
        "setup.py:read-file",
        "package.json",
        "import json\nsetup(version=json.load(open('package.json'))['version'])",
    ),
    "setup.cfg by configparser": (
        "setup.py:read-file",
        "my.cfg",
        "import configparser\nc = configparser.ConfigParser()\nc.read('my.cfg')\nsetup(version=c.get('m', 'version'))",
    ),
}
EXTRA = {
    "v.py": "VERSION = (1, 2, 3, None)\n",
    "script": 'V = "1.2.3"\n',
    "package.json": '{"version": "1.2.3"}',
    "my.cfg": "[m]\nversion = 1.2.3\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_version_that_setup_py_passes_is_found_with_its_source(way: str, tmp_path: Path) -> None:
    kind, file, code = WAYS[way]
    found = read(tmp_path, FILES | EXTRA | {"setup.py": READ + code})
    source = found.version_source
    assert (found.version, source.kind, source.file) == ("1.2.3", kind, file), found.unknown


MODULES = {
    "annotated": "__version__: str = '1.2.3'\n",
    "joined": "version_info = (1, 2, 3)\n__version__ = '.'.join(str(n) for n in version_info)\n",
    "formatted": "MAJOR = 1\n__version__ = f'{MAJOR}.2.3'\n",
    "imported": "from ._v import __version__\n",
    "imported by another name": "from thing._v import V as __version__\n",
    "star import": "from ._v import *\nfrom os import path\n",
    "of a submodule": "from . import _v\n__version__ = _v.V\n",
    "in try": "try:\n    from ._v import V as __version__\nexcept ImportError:\n    __version__ = '0'\n",
    "after imports of others": "import numpy as np\nfrom numpy import array\nnp.seterr()\n__version__ = '1.2.3'\n",
    "a tuple": "__version__ = (1, 2, 3)\n",
    "chained": "VERSION = __version__ = '1.2.3'\n",
    "assigned twice": "__version__ = '0'\n__version__ = '1.2.3'\n",
}


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_binds_is_followed(module: str, tmp_path: Path) -> None:
    code = (
        "import thing\nfrom setuptools import setup\nsetup(name='thing', packages=['thing'], version=thing.__version__)"
    )
    files = {"setup.py": code, "thing/_v.py": "__version__ = V = '1.2.3'\n", "thing/__init__.py": MODULES[module]}
    assert read(tmp_path, files).version == "1.2.3"


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        ("setup.py:environment", "import os\nsetup(version=os.environ.get('TAG', '0.0.0'))", "variable TAG"),
        (
            "setup.py:command",
            "import subprocess\nsetup(version=subprocess.check_output(['git', 'describe']).decode())",
            "printed by a command",
        ),
        ("setup.py:clock", "import datetime\nsetup(version=datetime.date.today().isoformat())", "time of the build"),
        ("setup.py:computed", "from whoknows import version\nsetup(version=version())", "module whoknows"),
        (
            "setup.py:computed",
            "import whoknows\nif whoknows.a:\n    v = '1'\nelse:\n    v = '2'\nsetup(version=v)",
            "whoknows",
        ),
        ("versioneer", "import versioneer\nsetup(version=versioneer.get_version())", ""),
        ("setuptools_scm:get_version", "from setuptools_scm import get_version\nsetup(version=get_version())", ""),
        ("setuptools_scm:use_scm_version", "setup(use_scm_version=True)", ""),
        ("pbr", "setup(setup_requires=['pbr'], pbr=True)", ""),
    ],
)
def test_what_only_running_it_shows_is_unknown_with_the_reason(
    kind: str, code: str, reason: str, tmp_path: Path
) -> None:
    files = {
        "setup.py": f"from setuptools import setup\n{code}\n",
        "thing/__init__.py": INIT,
        "versioneer.py": "x = 1\n",
    }
    found = read(tmp_path, files)
    assert (found.version, found.version_source.kind) == (None, kind)
    assert not reason or any(reason in line for line in found.unknown)


def test_the_file_that_an_old_versioneer_writes_is_what_setup_py_assigns(tmp_path: Path) -> None:
    code = "import versioneer\nversioneer.versionfile_source = 'thing/v.py'\nsetup(version=versioneer.get_version())"
    files = {"setup.py": f"from setuptools import setup\n{code}\n", "versioneer.py": "x = 1\n"}
    assert read(tmp_path, files).version_source.file == "thing/v.py"


@pytest.mark.parametrize(
    "code",
    [
        "x = 'a' * 10**12",
        "while True:\n    x = 1",
        "def f(n):\n    return f(n + 1)\nf(0)",
        "x = 'a'\nwhile True:\n    x = x + x",
        "x = [1]\nwhile True:\n    x += x",
        "x = [1]\nfor y in x:\n    x = x + x",
        "x = '{:>1000000000}'.format('a')",
        "x = '%1000000000d' % 1",
        "x = 'a'.ljust(10**12)",
        "x = 10 ** 10 ** 10",
        "x = 1 << 10**10",
        "x = list(range(10**12))",
        "x = " + "(" * 150 + ")" * 150,
        "x = " + "-" * 5000 + "1",
        "x = [[] for _ in range(10**4) for _ in range(10**4)]",
        "import os\nos.system('touch RAN')\nopen('RAN', 'w').write('x')",
        "__import__('os').system('touch RAN')",
        "eval(\"__import__('os').system('touch RAN')\")",
        "().__class__.__base__.__subclasses__()",
        "'{0.__class__}'.format('a')",
    ],
)
def test_hostile_code_is_neither_run_nor_followed_forever(code: str, tmp_path: Path) -> None:
    text = f"from setuptools import setup\n{code}\nsetup(name='thing', version='1.2.3')\n"
    found = read(tmp_path, {"setup.py": text, "thing/__init__.py": ""})
    assert found.version in {"1.2.3", None}
    assert found.version or found.unknown
    assert not (tmp_path / "RAN").exists()
