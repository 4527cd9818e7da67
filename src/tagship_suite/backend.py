"""The build backend, in an isolated environment: `python -m tagship_suite build`, which needs pypa/build and twine."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from build import BuildBackendException, BuildException, ProjectBuilder, RunnerType
from build.env import DefaultIsolatedEnv
from twine.exceptions import TwineException

from .dists import metadata, rules, tars
from .dists.reading import read_dist, read_dists
from .errors import Problem, ReleaseError, refuse
from .files import load_toml, subtable
from .repo.packages import is_compiled

FAILURES = (BuildException, BuildBackendException, tarfile.TarError, subprocess.CalledProcessError)
LINE = 2000  # characters of a line that are searched, as some patterns need quadratic time
#: Matches the message that a file or a module is missing.
LACKS = (
    r"(?:No such file or directory: |does not exist: |No module named |fatal error: )['`]?((?:[A-Za-z]:\\)?[^'`:\n]+)"
)
#: setuptools then goes on without the file.
IGNORED = re.compile(r"File '([^']+)' cannot be found")
REQUIRES = "[build-system] requires of pyproject.toml"
LOST = "the sdist lacks {0}, which the build needs: write `include {0}` in MANIFEST.in (setuptools)"
LONGEST = 300
ENGINE = "CIBW_CONTAINER_ENGINE"
ANSWER = 20  # seconds for Docker or Podman to answer: their daemons can hang
NO_CONTAINERS = "cibuildwheel needs Docker or Podman here: start one of them, or let CI build the wheels"
HIDDEN = "setup.py cannot import {0}: begin it with `import os, sys; sys.path.insert(0, os.path.dirname(__file__))`"
#: Regular expressions for the output of a failed build, each with its advice below it. The last matching line counts.
TABLE = rf"""
docker is too old or is not working|(?:docker|podman) not found|No such file or directory: '(?:docker|podman)'
  {NO_CONTAINERS}
No space left on device|Errno 28
  the disk is full: free some space
No module named '(pkg_resources)
  setuptools no longer has \1: write "setuptools<81" in {REQUIRES}
No module named '(distutils|imp|asyncore)
  this Python no longer has \1: update what imports it, or set the repository's variable BUILD_PYTHON to an older one
No module named '([^']+)
  the build needs the module \1: add the name of its distribution to {REQUIRES}
(?:No such file or directory: |does not exist: )['`]?([^'`\n]+)
  there is no \1: commit it, or correct the path
[Rr]equires (?:a different )?Python|does not satisfy Python
  the project or its build backend needs another Python: run nox with that one; on GitHub, set the variable BUILD_PYTHON
not appear to be a Python project
  there is no project here: if it is in a folder, write packages = ["FOLDER"] in [tool.tagship] of ./pyproject.toml
Multiple top-level (?:packages|modules) discovered
  setuptools cannot tell which folders to ship: write packages = ["NAME"] in [tool.setuptools] of pyproject.toml
Unable to determine which files to ship
  no folder has the project's name: write packages = ["FOLDER"] in [tool.hatch.build.targets.wheel] of pyproject.toml
invalid command 'bdist_wheel'
  setuptools before 70 needs wheel: write "wheel" in {REQUIRES}
'SPDX'|SPDX (?:license ID|expression: )|Unknown license|Invalid license exp|for 'license-expression'
  the license is no SPDX expression: write one of https://spdx.org/licenses, or "LicenseRef-" and a name of your own
project\.license[`\]]* must be (?:an? )?(?:\w+ )*string
  license-files goes with an SPDX expression: write license = "MIT" or the like, not a table
project\.license`? must be
  this setuptools does not know an SPDX license expression: write "setuptools>=77" in {REQUIRES}
License classifiers have been superseded
  a license expression replaces license classifiers: remove the classifiers that begin with "License ::"
Backend '([^']+)' is not available
  no build requirement provides \1: add the name of its distribution to {REQUIRES}
(\S+) was not found in the package registry
  the index has no \1: correct the name in {REQUIRES}, or wherever the build backend gets it from
was filtered by `(exclude-newer)`
  \1 of uv hides what the build needs: set a later one in [tool.uv] of pyproject.toml, or in uv.toml
Because (.+), we can conclude that\b
  no installer can do that, as \1: correct {REQUIRES}
must be (?:idn-)?email|addr-spec
  authors or maintainers has an invalid e-mail address: correct it
fatal error: '?(Python\.h)
  there is no \1: install the headers of this Python, such as python3-dev
^\w+: (?:fatal )?error: (?:no such file or directory: ')?([^:']+)(?:: No such file or directory|'$)
  there is no \1, which the compiler needs: commit it, or let the build backend generate it
^\S+:\d+(?::\d+)?: (?:fatal )?(error: .+)
  the compiler says \1
use_2to3 is invalid
  setuptools no longer has use_2to3: remove it, or write "setuptools<58" in {REQUIRES}
"""
LINES = [line.strip() for line in TABLE.strip().splitlines()]
CAUSES = dict(zip(LINES[::2], LINES[1::2], strict=True))


def build(folders: list[Path], out: Path, seconds: int) -> None:
    """Build the project in each of `folders`: its sdist, normalised to `seconds`, and its wheels from that sdist.

    Raises `ReleaseError` if a backend or `twine check` fails, which print the reason, or for unknown classifiers.
    """
    for number, folder in enumerate(folders):
        output = deque[str](maxlen=1000)
        try:
            with warnings.catch_warnings():
                warnings.showwarning = partial(_warn, output)  # `build` repeats those of the backend
                _build(folder, out, seconds, partial(_run, output))
        except FAILURES as error:
            streams = (getattr(error, name, None) or b"" for name in ("stdout", "stderr"))
            print(silent := b"".join(streams).decode(errors="replace"))  # of an installer
            output.extend([str(error), *silent.splitlines()])
            cause = _cause(folder, output, has_sdist=len(list(out.glob("*.tar.gz"))) > number)
            raise ReleaseError(f"{folder}: the build has failed: {cause} [build-failed]") from None
        if match := next(filter(None, map(IGNORED.search, output)), None):
            own = _own(folder, match[1])
            cause = LOST.format(own) if own else f"there is no {Path(match[1]).name}: commit it, or correct the path"
            raise ReleaseError(f"{folder}: setuptools built without a file: {cause} [build-failed]")
    _check(out)
    dists = read_dists(out)
    refuse([dist.problem(*fault) for dist in dists for fault in rules.classifiers(dist)])


def _check(out: Path) -> None:
    from twine.commands.check import check  # which `_build` has imported

    try:
        failed = check([str(path) for path in sorted(out.iterdir())])
    except TwineException as error:  # about metadata that it cannot read
        refuse(rules.problems(read_dists(out), sys.maxsize, public=True))
        raise ReleaseError(f"twine check: {error} [metadata]") from None
    if failed:
        raise ReleaseError("twine check: the description of a dist does not render, see above [description]")


def _warn(output: deque[str], message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning, and append it to `output`."""
    print(f"warning: {message}", flush=True)
    output.append(f"{message}")


def _run(
    output: deque[str], command: Sequence[str], cwd: str | None = None, more: Mapping[str, str] | None = None
) -> None:
    """Run `command`, print its output, and append it to `output`."""
    env, pipe = {**os.environ, **(more or {})}, subprocess.PIPE
    with subprocess.Popen(
        command, cwd=cwd, env=env, text=True, errors="replace", stdout=pipe, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            output.append(line)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def _cause(folder: Path, output: deque[str], *, has_sdist: bool) -> str:
    """Return why the build in `folder` failed, before or after its sdist: the known cause, else the last error."""
    lines = [line[:LINE] for line in output]
    for line in reversed(lines):
        match = re.search(LACKS, line)
        if match and (own := _own(folder, match[1])) and (has_sdist or "module" in match[0]):
            return (LOST if has_sdist else HIDDEN).format(own)
        for pattern, advice in CAUSES.items():
            if match := re.search(pattern, line):
                return match.expand(advice)
    return _last(lines) or f"see above: {lines[-1].strip()}"


def _last(output: list[str]) -> str:
    """Return the last error, with the lines that explain it: some backends say only there what is wrong."""
    at = [number for number, line in enumerate(output) if re.match(r"\S*([Ee]rror|Exception)\S*: ", line)][-1:]
    found = " ".join(" ".join(output[number:]) for number in at)
    return " ".join(re.split(r"Stack backtrace|Backend subprocess", found)[0].split())[:LONGEST]


def _own(folder: Path, name: str) -> str:
    """Return the path in `folder` of the file or module `name`, "" if it has none; `name` may begin elsewhere."""
    parts = [Path(form).parts for form in (name, name.replace(".", "/"))]
    tails = ["/".join(each[at:]) for each in parts for at in range(len(each))]
    found = (f"{top}{tail}{end}" for tail in tails for top in ("", "src/") for end in ("", ".py", "/__init__.py"))
    headers = folder.rglob(Path(name).name) if name.endswith((".h", ".hpp")) else ()
    nested = sorted((path.relative_to(folder).as_posix() for path in headers), key=len)
    own = (path for path in nested if not re.search(r"(?:^|/)(?:\.|site-packages/)", path))  # in no environment
    return next((path for path in (*found, *own) if (folder / path).is_file()), "")


def _build(folder: Path, out: Path, seconds: int, runner: RunnerType) -> None:
    isolated = partial(DefaultIsolatedEnv, installer="uv" if shutil.which(os.environ.get("UV") or "uv") else "pip")
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:  # this import takes as long as the installation, and the backend runs later
            pool.submit(import_module, "twine.commands.check")
            env = stack.enter_context(isolated())
            builder = ProjectBuilder.from_isolated_env(env, folder, runner)
            env.install(requires := builder.build_system_requires)
        env.install(more := builder.get_requires_for_build("sdist"))
        sdist = Path(builder.build("sdist", out))
        tars.normalise(sdist, seconds)
        link = ("a link out of the project", "a file", "replace it with a copy")
        links = [Problem("outward-link", name, *link) for name in tars.outward(sdist)]
        refuse([*links, *metadata.mistaken(read_dist(sdist), folder)])
        if is_compiled(folder) and (engine := _engine(folder)) is not None:
            runner(["cibuildwheel", f"--output-dir={out}", str(sdist)], None, engine)
            return
        unpacked = stack.enter_context(tempfile.TemporaryDirectory())
        with tarfile.open(sdist) as archive:
            if hasattr(tarfile, "data_filter"):  # from Python 3.10.12 and 3.11.4
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(unpacked)
        source = next(Path(unpacked).iterdir())
        builder = ProjectBuilder.from_isolated_env(env, source, runner)
        if more or builder.build_system_requires != requires:
            # The environment of the sdist is reused only if a new one would hold the same packages.
            env = stack.enter_context(isolated())
            builder = ProjectBuilder.from_isolated_env(env, source, runner)
            env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("wheel"))
        wheel = read_dist(Path(builder.build("wheel", out)))
    if is_compiled(folder):
        # The gate must refuse this wheel: one that it accepted could be published without those of other platforms.
        if not rules.problems([wheel], sys.maxsize):
            raise ReleaseError(f"{folder}: the build has failed: {NO_CONTAINERS} [build-failed]")
        print(f"note: {out / wheel.path.name} is only for tests on this machine: {NO_CONTAINERS}")


def _engine(folder: Path) -> dict[str, str] | None:
    """Return how to tell cibuildwheel which engine has the containers that it needs on Linux; None if none answers."""
    if sys.platform != "linux" or _answers("docker"):
        return {}
    is_chosen = "container-engine" in str(subtable(load_toml(folder / "pyproject.toml"), "tool", "cibuildwheel"))
    chosen = {} if is_chosen or ENGINE in os.environ else {ENGINE: "podman"}  # its default is Docker
    return chosen if _answers("podman") else None


def _answers(engine: str) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        return not subprocess.run([engine, "info"], capture_output=True, check=False, timeout=ANSWER).returncode
    return False
