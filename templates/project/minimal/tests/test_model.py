"""The model: good enough, the right way round, indifferent to what must not matter."""

import numpy as np
import pandas as pd
from measure import measured
from model import predict, probability
from sklearn.pipeline import Pipeline

Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_minimum_performance(model: Pipeline, parts: Parts) -> None:
    assert measured(model, parts[1])[0]["accuracy"] >= 0.9


def test_no_slice_is_left_behind(model: Pipeline, parts: Parts) -> None:
    slices = measured(model, parts[1])[1]
    assert sorted(slices) == ["setosa", "versicolor", "virginica"]
    assert min(values["accuracy"] for values in slices.values()) >= 0.8


def test_larger_petals_speak_for_virginica(model: Pipeline, parts: Parts) -> None:
    some = parts[1][parts[1]["species"] == "versicolor"]
    larger = some.assign(petal_length=some["petal_length"] * 1.3, petal_width=some["petal_width"] * 1.3)
    change = probability(model, larger, "virginica") - probability(model, some, "virginica")
    assert (change > 0).all()


def test_key_and_order_of_the_flowers_do_not_matter(model: Pipeline, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(flower=range(len(parts[1])))
    np.testing.assert_array_equal(predict(model, turned)[::-1], predict(model, parts[1]))
