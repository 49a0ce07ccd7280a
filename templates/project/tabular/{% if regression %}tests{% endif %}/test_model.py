"""The model: good enough, the right way round, indifferent to what must not matter."""

import numpy as np
import pandas as pd
from features import label
from measure import measured
from model import predict
from sklearn.ensemble import RandomForestRegressor

Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_minimum_performance(model: RandomForestRegressor, parts: Parts) -> None:
    found, _slices = measured(model, parts[1])
    guessed = (label(parts[1]) - label(parts[0]).median()).abs().mean()
    assert found["r2"] >= 0.3
    assert found["mean_error"] <= 0.85 * guessed


def test_no_slice_is_left_behind(model: RandomForestRegressor, parts: Parts) -> None:
    found, slices = measured(model, parts[1])
    assert max(values["mean_error"] for values in slices.values()) <= 1.3 * found["mean_error"]


def test_more_body_mass_raises_the_expected_progression(model: RandomForestRegressor, parts: Parts) -> None:
    heavier = parts[1].assign(body_mass=parts[1]["body_mass"] * 1.2)
    assert np.mean(predict(model, heavier)) > np.mean(predict(model, parts[1])) + 5


def test_key_and_order_of_the_patients_do_not_matter(model: RandomForestRegressor, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(patient=range(len(parts[1])))
    np.testing.assert_array_equal(predict(model, turned)[::-1], predict(model, parts[1]))
