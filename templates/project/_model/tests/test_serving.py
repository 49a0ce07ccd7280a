"""From training to serving: the same model, the same answers, the same bytes."""

import io
import json
from typing import Any

import joblib
import numpy as np
import pandas as pd
from features import LABEL
from model import fit, predict
from project import params
from serve import answers
from watched import watched

Parts = tuple[pd.DataFrame, pd.DataFrame]


def stored(model: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def test_training_twice_gives_the_same_model(model: Any, parts: Parts) -> None:
    again = fit(parts[0], **params("train"))
    np.testing.assert_array_equal(predict(again, parts[1]), predict(model, parts[1]))


def test_a_stored_model_predicts_the_same(model: Any, parts: Parts) -> None:
    loaded = joblib.load(io.BytesIO(stored(model)))
    np.testing.assert_array_equal(predict(loaded, parts[1]), predict(model, parts[1]))


def test_what_is_served_is_what_was_evaluated(model: Any, parts: Parts) -> None:
    """Row by row and through JSON, from the stored model, without the label: as a client would ask."""
    some = parts[1].head(20)
    rows = some.drop(columns=LABEL).to_json(orient="records", lines=True, double_precision=15).splitlines()
    loaded = joblib.load(io.BytesIO(stored(model)))
    served = [json.loads(line)["prediction"] for line in answers(loaded, rows)]
    expected = predict(model, some)
    if np.asarray(expected).dtype.kind == "f":
        np.testing.assert_allclose(served, expected, rtol=1e-9)
    else:
        assert served == list(expected)


def test_what_was_asked_is_kept_with_its_answer(model: Any, parts: Parts) -> None:
    rows = parts[1].head(3).drop(columns=LABEL).to_json(orient="records", lines=True).splitlines()
    log = io.StringIO()
    served = [json.loads(line) for line in answers(model, rows, log)]
    kept = [json.loads(line) for line in log.getvalue().splitlines()]
    assert kept == [{**watched(json.loads(row)), **one} for row, one in zip(rows, served, strict=True)]
