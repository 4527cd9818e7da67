"""Run a verb: `python .github/release VERB`."""

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def load() -> None:
    """Make this folder the package `release`, without a folder on the path in which others could lie in wait."""
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() not in {FOLDER, Path.cwd()}]
    spec = importlib.util.spec_from_file_location("release", FOLDER / "__init__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["release"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    load()
    from release.cli import main

    sys.exit(main())
