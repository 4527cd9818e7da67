"""The clean environment of the tests, for the benchmarks."""

from tests.conftest import _clean_environment, _generated, project, pypiserver

__all__ = ["_clean_environment", "_generated", "project", "pypiserver"]
