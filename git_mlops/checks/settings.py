"""The sections `checks:` and `gates:` of mlops.yaml."""

from typing import Literal, NamedTuple

Levels = dict[str, Literal["error", "warning", "note", "off"]]
"""Rule → the level its findings get instead of their own."""


class Gate(NamedTuple):
    """What a metric must hold before a change may enter the branch."""

    min: float | None = None
    """The least it may be."""
    max: float | None = None
    """The most it may be."""
    regression: float | None = None
    """How much worse than the merge base's result it may be, beside its noise."""
    regression_percent: float | None = None
    """The same, in percent of the merge base's value."""


Gates = dict[str, Gate]
"""Name of a metric, or a pattern of names (`slices.*.auc`) → its gate."""
