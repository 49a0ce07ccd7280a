"""The model: good enough, the right way round, indifferent to what must not matter."""

import numpy as np
import pandas as pd
import pytest
from features import LABEL
from measure import measured
from model import predict, probability
from sklearn.pipeline import Pipeline

Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_minimum_performance(model: Pipeline, parts: Parts) -> None:
    baseline = parts[1][LABEL].value_counts(normalize=True).max()
    assert measured(model, parts[1])[0]["accuracy"] >= max(0.75, baseline + 0.2)


def test_no_slice_is_left_behind(model: Pipeline, parts: Parts) -> None:
    slices = measured(model, parts[1])[1]
    assert {"short", "long", "numpy", "pandas", "scipy", "sklearn"} == set(slices)
    assert min(values["accuracy"] for values in slices.values()) >= 0.6


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("pandas", "of the DataFrame or Series"),
        ("sklearn", "of the estimator on training samples"),
        ("numpy", "of the masked array"),
    ],
)
def test_words_of_a_package_speak_for_it(model: Pipeline, parts: Parts, package: str, words: str) -> None:
    others = parts[1][parts[1][LABEL] != package]
    longer = others.assign(text=others["text"] + f" {words}")
    change = probability(model, longer, package) - probability(model, others, package)
    assert (change > 0).mean() > 0.95


def test_capitals_spaces_and_numbers_do_not_matter(model: Pipeline, parts: Parts) -> None:
    other = parts[1].assign(text="  " + parts[1]["text"].str.upper().str.replace(" ", "\n "))
    np.testing.assert_array_equal(predict(model, other), predict(model, parts[1]))


def test_name_and_order_of_the_texts_do_not_matter(model: Pipeline, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(name="sklearn.metrics.f")
    np.testing.assert_array_equal(predict(model, turned)[::-1], predict(model, parts[1]))
