"""The same projects as for the checks, and the forges."""

from tests.checks.conftest import project
from tests.forges.conftest import forge, start

__all__ = ["forge", "project", "start"]
