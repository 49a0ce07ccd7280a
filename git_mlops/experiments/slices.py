"""Metrics of parts of the data: `slices.women.auc` is the metric `auc` of the slice `women`. Pure."""

import re
from typing import NamedTuple


class Slice(NamedTuple):
    """Whose metric it is."""

    name: str
    metric: str


def parse(metric: str) -> Slice | None:
    """By a metric's name, with or without the file that it stands in; None where it is of all the data."""
    found = _SLICE.fullmatch(metric)
    return Slice(found["slice"], found["metric"]) if found else None


_SLICE = re.compile(r"(?:.*:)?slices?\.(?P<slice>.+)\.(?P<metric>[^.]+)")
