"""The suite's own code (.github/release/), imported from where the suite lies: written once, used twice."""

from tagship import suite

__path__ = [str(suite.source() / ".github" / "release")]
