"""Each build backend and each way of publishing that the template offers: its own nox, a release, the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship_suite.dists.reading import read_dists
from tests.conftest import commit, git, nightly, nox, run
from tests.template.support import CHOICES, generate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Pypiserver

pytestmark = pytest.mark.slow

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v0.1.0"}
FILES = ["my_package-0.1.0-py3-none-any.whl", "my_package-0.1.0.tar.gz"]
BACKENDS = CHOICES["build_backend"]


#: The jobs before the upload are the same for each publisher.
COMBINATIONS = [
    nightly(backend, publisher, when=publisher != "nox" and backend != "hatchling")
    for backend, publisher in product(BACKENDS, CHOICES["publish_with"])
]


@pytest.mark.parametrize(("backend", "publisher"), COMBINATIONS)
def test_a_fresh_project_is_tested_verified_released_and_installed_back(
    backend: str, publisher: str, pypiserver: Pypiserver, tmp_path: Path
) -> None:
    project = generate(tmp_path, build_backend=backend, publish_with=publisher)
    commit(project)
    git(project, "tag", "v0.1.0")
    done = nox(project, "-s", "build", "test", "verify-version", "-P", HERE, "--", "--installpkg", "dist")
    assert "2 passed" in done.stdout
    assert "`long_description` missing" not in done.stdout
    assert git(project, "status", "--porcelain") == ""
    bundle = Path(shutil.move(project / "bundle", tmp_path / "empty"))
    if publisher == "nox":
        nox(bundle, "-s", "publish", **TAG, **pypiserver.twine)
    else:
        # What the action does, see its `twine-upload.sh`.
        dists = sorted((bundle / "dist").iterdir())
        run("twine", "check", "--strict", *dists, cwd=bundle)
        run("twine", "upload", "--disable-progress-bar", *dists, cwd=bundle, **pypiserver.twine)
    assert pypiserver.files() == FILES
    target = tmp_path / "target"
    index = f"{pypiserver.url}simple/"
    run("uv", "pip", "install", "-q", "--default-index", index, "--target", target, "my-package==0.1.0", cwd=tmp_path)
    assert (target / "my_package/py.typed").is_file()


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_clones_on_two_machines_give_the_same_bytes(backend: str, tmp_path: Path) -> None:
    project = generate(tmp_path, build_backend=backend)
    script = project / "src/my_package/tool.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    manifest = project / "MANIFEST.in"
    if manifest.exists():  # setuptools ships no other files unless they are named
        manifest.write_text(manifest.read_text() + "graft src\n")
    commit(project)
    git(project, "tag", "v0.1.0")
    here = build(project, tmp_path / "here", "022", HERE, TZ="UTC", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    foreign = {"TZ": "Pacific/Apia", "LANG": "de_DE.ISO-8859-1", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    user = {"USER": "somebody", "LOGNAME": "somebody", "HOSTNAME": "elsewhere", "XDG_CONFIG_HOME": str(tmp_path)}
    python = next(other_pythons(), HERE)
    there = build(project, tmp_path / "over/there and away", "077", python, **foreign, **user)
    assert [path.name for path in here] == FILES
    assert [path.read_bytes() for path in here] == [path.read_bytes() for path in there]
    with tarfile.open(here[1]) as archive:
        modes = {member.name.partition("/")[2]: member.mode for member in archive if member.isfile()}
    assert modes["src/my_package/tool.sh"] == 0o755
    assert set(modes.values()) == {0o755, 0o644}
    run("uv", "pip", "install", "-q", "--target", tmp_path / "target", here[1], cwd=tmp_path)
    assert (tmp_path / "target/my_package/py.typed").is_file()


def build(project: Path, clone: Path, umask: str, python: str, **env: str) -> list[Path]:
    """Clone and build the project as another person on another machine; return the dists."""
    before = os.umask(int(umask, 8))
    try:
        git(project.parent, "clone", "-q", str(project), str(clone))
        seconds = 981_000_000 if umask == "077" else 1_577_000_000
        for path in clone.rglob("*"):
            if ".git" not in path.relative_to(clone).parts:
                os.utime(path, (seconds, seconds), follow_symlinks=False)
        nox(clone, "-s", "build", "-P", python, **env)
    finally:
        os.umask(before)
    return [dist.path for dist in read_dists(clone / "dist")]


def other_pythons() -> Iterator[str]:
    """Yield the CPythons of this machine, newest first, that the release tools support and that are not this one."""
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for minor in range(14, 9, -1):
        name = f"python3.{minor}"
        for path in (shutil.which(name), *map(str, installed.glob(f"3.{minor}.*/bin/{name}"))):
            if path and f"3.{minor}" != HERE and subprocess.run([path, "-V"], capture_output=True).returncode == 0:
                yield path
