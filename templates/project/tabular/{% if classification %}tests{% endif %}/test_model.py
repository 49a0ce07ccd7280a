"""The model: good enough, the right way round, indifferent to what must not matter."""

import numpy as np
import pandas as pd
from features import LABEL, label
from measure import measured
from model import predict
from sklearn.ensemble import RandomForestClassifier

Parts = tuple[pd.DataFrame, pd.DataFrame]
SIZES = [f"{kind}_{size}" for kind in ("mean", "worst") for size in ("radius", "perimeter", "area")]


def test_minimum_performance(model: RandomForestClassifier, parts: Parts) -> None:
    found, _slices = measured(model, parts[1])
    baseline = max(label(parts[1]).mean(), 1 - label(parts[1]).mean())
    assert found["roc_auc"] >= 0.95
    assert found["accuracy"] >= baseline + 0.2


def test_no_slice_is_left_behind(model: RandomForestClassifier, parts: Parts) -> None:
    _found, slices = measured(model, parts[1])
    assert min(values["accuracy"] for values in slices.values()) >= 0.8


def test_larger_nuclei_raise_the_risk(model: RandomForestClassifier, parts: Parts) -> None:
    benign = parts[1][parts[1]["diagnosis"] == "benign"]
    larger = benign.assign(**{name: benign[name] * 1.5 for name in SIZES})
    assert np.mean(predict(model, larger)) > np.mean(predict(model, benign)) + 0.1


def test_key_and_order_of_the_patients_do_not_matter(model: RandomForestClassifier, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(patient=range(len(parts[1])))
    np.testing.assert_array_equal(predict(model, turned)[::-1], predict(model, parts[1]))


def test_malignant_is_the_positive_class(table: pd.DataFrame) -> None:
    assert set(table.loc[label(table) == 1, LABEL]) == {"malignant"}
