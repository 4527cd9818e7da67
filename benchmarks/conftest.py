"""The environment of the tests, for what is measured."""

from tests.conftest import _clean_environment, _generated, project, pypiserver

__all__ = ["_clean_environment", "_generated", "project", "pypiserver"]
