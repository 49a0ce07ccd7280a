"""Projects with models, as the tests of models have them."""

from tests.models.conftest import project
from tests.registry.conftest import tagged

__all__ = ["project", "tagged"]
