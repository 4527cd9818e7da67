"""The release code of this project: six nox sessions and the logic behind them."""

import sys
from pathlib import Path

_release = Path(__file__).resolve().parents[1]
_sums = _release / "SHA256SUMS"  # only a project has one there
for _line in _sums.read_text("utf-8", "replace").splitlines() if _sums.is_file() else ():
    _name = _line.partition("  ")[2]
    if _name.endswith(".py") and not (_release.parents[1] / _name).is_file():
        sys.exit(f"error: {_name}: found no such file, expected the whole suite; run: tagship sync [managed-files]")
