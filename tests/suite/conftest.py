"""A bundle as a publish job has it, and an index that knows its publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import write_release
from tests.conftest import release
from tests.suite.publishing import TAG, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagship.rehearsal.servers import Servers


@pytest.fixture
def bundle(suite: Path) -> Path:
    """A bundle that the gate let through, in a folder that holds nothing else."""
    write_release(suite / "dist")
    release(suite, "verify", **TAG)
    return (suite / "bundle").rename(suite.parent / "bundle")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """The rehearsal's index, which has the publisher of the project `ship`."""
    with serving(tmp_path / "index") as servers:
        yield servers
