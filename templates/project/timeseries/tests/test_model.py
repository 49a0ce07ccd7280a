"""The model: better than a guess, the right way round, indifferent to what must not matter."""

import numpy as np
import pandas as pd
from measure import SEASONS, measured
from model import predict
from sklearn.ensemble import GradientBoostingRegressor
from split import LAGS

Parts = tuple[pd.DataFrame, pd.DataFrame]
LAG_NAMES = [f"lag_{lag}" for lag in range(1, LAGS + 1)]


def test_minimum_performance(model: GradientBoostingRegressor, parts: Parts) -> None:
    found, _slices = measured(model, parts[1])
    assert found["mean_error"] <= 0.4
    assert found["skill"] > 0


def test_no_season_is_left_behind(model: GradientBoostingRegressor, parts: Parts) -> None:
    _found, slices = measured(model, parts[1])
    assert sorted(slices) == sorted(SEASONS)
    assert max(values["mean_error"] for values in slices.values()) <= 0.5


def test_it_falls_in_summer_and_rises_in_winter(model: GradientBoostingRegressor, parts: Parts) -> None:
    change = predict(model, parts[1]) - parts[1]["lag_1"]
    month = parts[1]["month"].str[-2:]
    assert change[month == "08"].max() < 0 < change[month == "12"].min()


def test_a_higher_level_is_a_higher_forecast(model: GradientBoostingRegressor, parts: Parts) -> None:
    higher = parts[1].assign(**{name: parts[1][name] + 0.5 for name in LAG_NAMES})
    np.testing.assert_allclose(predict(model, higher) - predict(model, parts[1]), 0.5, atol=0.2)


def test_the_order_of_the_windows_does_not_matter(model: GradientBoostingRegressor, parts: Parts) -> None:
    np.testing.assert_array_equal(predict(model, parts[1].iloc[::-1])[::-1], predict(model, parts[1]))
