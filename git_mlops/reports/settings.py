"""The `report:` section of mlops.yaml."""

from typing import NamedTuple


class Settings(NamedTuple):
    """What a pull request's report has besides what it always has."""

    audit: bool = False
    """What the change does to the score of `git mlops audit`."""
