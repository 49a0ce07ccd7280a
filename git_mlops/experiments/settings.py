"""The `experiments:` section of mlops.yaml."""

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """How a metric is read."""

    direction: Literal["max", "min"] = "max"
    tolerance: float = 0.0
    """Differences up to this are noise."""


class Settings(NamedTuple):
    """What an experiment is made of."""

    code: tuple[str, ...] = ()
    """Paths that decide the result; default: every file that is not data, output or document."""
    metrics: dict[str, Metric] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    params: tuple[str, ...] = ()
    """Parameter files besides those that dvc.yaml names."""
