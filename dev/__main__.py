"""Work on this repository with nothing but Python and git: `python3 dev demo|test|bench|docs`.

The environment in .venv/ is created on first use, and again when pyproject.toml has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
#: The Python that creates .venv/, also if this runs in .venv/ itself.
PYTHON = sys.executable
if Path(sys.prefix).resolve() == VENV and os.name != "nt":
    PYTHON = str(Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
#: Two for each processor: a test waits for servers and other programs for half of its time. They steal work, as each
#: then runs tests of the same module, which share what is made once.
WORKERS = ("-n", "auto", "--dist", "worksteal")
USAGE = """usage: python3 dev VERB
  demo        generate a project, release it to a local index, install it back
  test [...]  run the tests, with pytest's arguments
  bench       run the benchmarks, print the table
  docs        build the site in build/site/"""


def main(arguments: list[str]) -> int:
    """Run one verb; return its exit status."""
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # as pip does
    os.environ.setdefault("PYTEST_XDIST_AUTO_NUM_WORKERS", str(2 * (os.cpu_count() or 2)))  # none with --pdb
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # containers set it, and each process compiles all that it imports
    verb, *rest = arguments or [""]
    modules = {
        "demo": ["dev.demo"],
        "test": ["pytest", *WORKERS],
        "bench": ["dev.bench"],
        "docs": ["nox", "-s", "docs"],
    }
    if verb not in modules:
        print(USAGE)
        return 0 if verb in {"-h", "--help"} else 2
    python = environment()
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    command = [str(python), "-m", *modules[verb], *rest]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=False).returncode


def environment() -> Path:
    """Return the Python of .venv/, which has this package and what its tests need."""
    python = BIN / ("python.exe" if os.name == "nt" else "python")
    made_for = VENV / "made-for"
    wanted = hashlib.sha256(sys.version.encode() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if made_for.is_file() and made_for.read_text() == wanted:
        return python
    print(
        f"creating {VENV.relative_to(ROOT)}/ with what the tests need; this is done once", file=sys.stderr, flush=True
    )
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian's Python has no ensurepip, so `venv` cannot install pip: pip installs uv into a folder instead.
    boot = VENV / "boot"
    pip = ("install", "--quiet", "--disable-pip-version-check", "--target", str(boot), "uv")
    run(PYTHON, "-m", "pip", *pip, PIP_ROOT_USER_ACTION="ignore")
    uv = (PYTHON, "-m", "uv")
    run(*uv, "venv", "--quiet", "--allow-existing", "--python", PYTHON, str(VENV), PYTHONPATH=str(boot))
    wanted_by_tests = ("--group", f"{ROOT / 'pyproject.toml'}:test", "--editable", str(ROOT))
    run(*uv, "pip", "install", "--quiet", "--python", str(python), *wanted_by_tests, PYTHONPATH=str(boot))
    made_for.write_text(wanted)
    return python


def run(*command: str, **env: str) -> None:
    """Run `command`; end with its exit status if it fails."""
    status = subprocess.run(command, env={**os.environ, **env}, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
