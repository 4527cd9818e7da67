"""Put the suite into the wheel; everything else about the build is in pyproject.toml."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithSuite(build_py):
    """Copy the managed files, as cookiecutter.json lists them, to `tagship/_suite/` of the build."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for path in managed():
                to = Path(self.build_lib, "tagship", "_suite", path)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, to)


def managed() -> list[Path]:
    """Return the managed files, relative to the root."""
    patterns = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))["_copy_without_render"]
    found = (path for pattern in patterns for path in ROOT.glob(pattern))
    return sorted(path.relative_to(ROOT) for path in found if path.is_file())


setup(cmdclass={"build_py": BuildWithSuite})
