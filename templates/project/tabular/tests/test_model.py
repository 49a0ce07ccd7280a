"""The model: good enough, the right way round, indifferent to what must not matter, reproducible."""

import io

import joblib
import numpy as np
import pandas as pd
from evaluate import metrics
from features import label
from model import fit, risk
from sklearn.ensemble import RandomForestClassifier

Parts = tuple[pd.DataFrame, pd.DataFrame]
SIZES = [f"{kind}_{size}" for kind in ("mean", "worst") for size in ("radius", "perimeter", "area")]


def test_minimum_performance(model: RandomForestClassifier, parts: Parts) -> None:
    measured = metrics(label(parts[1]), risk(model, parts[1]))
    baseline = max(label(parts[1]).mean(), 1 - label(parts[1]).mean())
    assert measured["roc_auc"] >= 0.95
    assert measured["accuracy"] >= baseline + 0.2


def test_no_slice_is_left_behind(model: RandomForestClassifier, parts: Parts) -> None:
    large = parts[1]["mean_area"] > parts[0]["mean_area"].median()
    for part in (parts[1][large], parts[1][~large]):
        assert metrics(label(part), risk(model, part))["accuracy"] >= 0.8


def test_larger_nuclei_raise_the_risk(model: RandomForestClassifier, parts: Parts) -> None:
    benign = parts[1][parts[1]["diagnosis"] == "benign"]
    larger = benign.assign(**{name: benign[name] * 1.5 for name in SIZES})
    assert np.mean(risk(model, larger)) > np.mean(risk(model, benign)) + 0.1


def test_key_and_order_of_the_patients_do_not_matter(model: RandomForestClassifier, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(patient=range(len(parts[1])))
    np.testing.assert_array_equal(risk(model, turned)[::-1], risk(model, parts[1]))


def test_training_twice_gives_the_same_model(
    model: RandomForestClassifier, parts: Parts, params: dict[str, dict]
) -> None:
    again = fit(parts[0], **params["train"])
    np.testing.assert_array_equal(risk(again, parts[1]), risk(model, parts[1]))


def test_a_stored_model_predicts_the_same(model: RandomForestClassifier, parts: Parts) -> None:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    np.testing.assert_array_equal(risk(joblib.load(file), parts[1]), risk(model, parts[1]))
