"""The same projects as for the checks."""

from tests.checks.conftest import project

__all__ = ["project"]
