"""What must hold for every package in `src`, once it is installed."""

from importlib.resources import files
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
PACKAGES = sorted(path.parent.name for path in SOURCES.glob("*/__init__.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_can_be_imported_and_ships_its_types(package: str) -> None:
    assert files(package).joinpath("py.typed").is_file()
