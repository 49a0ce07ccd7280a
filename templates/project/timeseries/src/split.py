"""From a series to windows, each a month and what was known before; and what trains and measures."""

import pandas as pd

LAGS = 13
"""Months before that a window holds: last year's, and the one before it."""


def windows(table: pd.DataFrame) -> pd.DataFrame:
    """A row per month whose last thirteen months are all there: `lag_1` is the month before."""
    months = pd.PeriodIndex(table["month"], freq="M")
    series = table["co2"].set_axis(months).sort_index()
    whole = series.reindex(pd.period_range(months.min(), months.max(), freq="M"))
    lags = {f"lag_{lag}": whole.shift(lag) for lag in range(1, LAGS + 1)}
    rows = pd.DataFrame({"month": whole.index.astype(str), **lags, "co2": whole}).dropna()
    return rows.reset_index(drop=True)


def split(table: pd.DataFrame, *, test_months: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All but the last windows to train on, the last to measure on: the future trains nothing."""
    rows = windows(table)
    return rows.iloc[:-test_months], rows.iloc[-test_months:]
