"""The `checks:` section of mlops.yaml."""

from typing import Literal

Levels = dict[str, Literal["error", "warning", "note", "off"]]
"""Rule → the level its findings get instead of their own."""
