"""Tasks for people; CI runs the nox sessions. `inv --list` shows them."""

import sys

sys.path.insert(0, "src")

from tagship_suite.tasks import check, lock, rehearse, release

__all__ = ["check", "lock", "rehearse", "release"]
