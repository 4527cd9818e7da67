"""Unmodified clients publish to the local index and install from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rehearsal.conftest import PUSH
from tests.rehearsal.dists import Dist, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagship.rehearsal.servers import Servers
    from tests.rehearsal.conftest import Run


def test_twine_publishes_with_nothing_but_the_variables_of_a_job(
    registered: Servers, folder: Path, twine: Callable[..., Run]
) -> None:
    files = [Dist().write_wheel(folder), Dist().write_sdist(folder)]
    done = twine(registered.job(PUSH, "pypi"), *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "https://pypi.org/project/tiny/1.0/" in done.stdout
    stored = {file.filename: file.sha256 for file in registered.index.files("tiny")}
    assert stored == {path.name: sha256(path) for path in files}
