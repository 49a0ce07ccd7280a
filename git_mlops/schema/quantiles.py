"""Quantiles as pandas computes them, without the frame that it makes of a column for each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def of(present: "pd.Series[Any]", parts: Sequence[float]) -> list[float]:
    """Quantiles of numbers without nulls."""
    import numpy as np

    plain = isinstance(present.dtype, np.dtype) and present.dtype.kind in "iuf" and present.dtype.itemsize > 2
    values = present.to_numpy() if plain else np.array([np.nan])
    if len(values) and not np.isnan(values).any():
        with np.errstate(all="ignore"):  # infinities, as in pandas
            return [float(one) for one in np.quantile(values, np.array(parts, dtype="float64"))]
    return [float(present.quantile(part)) for part in parts]
