"""The build backend, in an isolated environment: `python -m tagship_suite build`, which needs pypa/build and twine."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path

from build import BuildBackendException, BuildException, ProjectBuilder
from build.env import DefaultIsolatedEnv
from twine.commands.check import check

from .dists.sdist import normalise
from .errors import ReleaseError
from .repo.packages import is_compiled


def build(folders: list[Path], out: Path, seconds: int) -> None:
    """Build the project in each of `folders`: its sdist, normalised to `seconds`, and its wheels from that sdist.

    Raises `ReleaseError` where a backend fails, or `twine check` does; the reason is printed above it.
    """
    for folder in folders:
        try:
            _build(folder, out, seconds)
        except (BuildException, BuildBackendException, tarfile.TarError, subprocess.CalledProcessError) as error:
            raise ReleaseError(f"{folder}: the build has failed, see above: {error}") from None
    if check([str(path) for path in sorted(out.iterdir())]):
        raise ReleaseError("twine check: the description of a dist does not render, see above")


def _build(folder: Path, out: Path, seconds: int) -> None:
    with ExitStack() as stack:
        env = stack.enter_context(DefaultIsolatedEnv(installer="uv"))
        builder = ProjectBuilder.from_isolated_env(env, folder)
        env.install(requires := builder.build_system_requires)
        env.install(more := builder.get_requires_for_build("sdist"))
        sdist = Path(builder.build("sdist", out))
        normalise(sdist, seconds)
        if is_compiled(folder):
            subprocess.run(["cibuildwheel", f"--output-dir={out}", str(sdist)], check=True)
            return
        unpacked = stack.enter_context(tempfile.TemporaryDirectory())
        with tarfile.open(sdist) as archive:
            if hasattr(tarfile, "data_filter"):  # from Python 3.10.12 and 3.11.4
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(unpacked)
        source = next(Path(unpacked).iterdir())
        builder = ProjectBuilder.from_isolated_env(env, source)
        if more or builder.build_system_requires != requires:
            # Only where both would hold the same is the environment of the sdist as good as a new one.
            env = stack.enter_context(DefaultIsolatedEnv(installer="uv"))
            builder = ProjectBuilder.from_isolated_env(env, source)
            env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("wheel"))
        builder.build("wheel", out)
