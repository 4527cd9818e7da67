"""Put the managed files that are not code into the wheel; everything else about the build is in pyproject.toml."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent.resolve()
sys.path.insert(0, str(ROOT / "src"))

from tagship.suite import sources  # noqa: E402


class BuildWithSuite(build_py):
    """Copy the managed files, the same bytes, to `tagship/_suite/` of the wheel."""

    def run(self) -> None:
        """Build as ever, then add the suite; an editable install finds it at the root."""
        super().run()
        if not self.editable_mode:
            for path in sources(ROOT):
                to = Path(self.build_lib, "tagship", "_suite", path)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, to)


setup(cmdclass={"build_py": BuildWithSuite})
