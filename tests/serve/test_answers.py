"""What models answer, as a table and as JSON."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from git_mlops.serve import answers
from git_mlops.serve.answers import AnswerError

PAIR = np.array([[0.25, 0.75], [0.5, 0.5]], dtype="float32")
SPREAD = {"p_0": [0.25, 0.5], "p_1": [0.75, 0.5]}


@pytest.mark.parametrize(
    ("raw", "columns"),
    [
        (np.array([1, 0]), {"prediction": [1, 0]}),
        ([1, 0], {"prediction": [1, 0]}),
        (["a", None], {"prediction": ["a", None]}),
        (PAIR, {"prediction_0": [0.25, 0.5], "prediction_1": [0.75, 0.5]}),
        (pd.Series([1.5, np.nan]), {"prediction": [1.5, None]}),
        (pd.DataFrame({"a": [1, 2], 7: ["x", "y"]}), {"a": [1, 2], "7": ["x", "y"]}),
        ({"label": np.array([1, 0]), "p": PAIR}, {"label": [1, 0], **SPREAD}),
        ({"label": [1, 0], "p": [{0: 0.25, 1: 0.75}, {0: 0.5, 1: 0.5}]}, {"label": [1, 0], **SPREAD}),
        (pd.DataFrame({"p": [{0: 0.25, 1: 0.75}, {0: 0.5, 1: 0.5}]}), SPREAD),
        ([{"a": 1}, {"a": 2}], {"prediction": [{"a": 1}, {"a": 2}]}),
        (np.zeros((2, 2, 1)), {"prediction": [[[0.0], [0.0]]] * 2}),
    ],
)
def test_answers_become_columns(raw: Any, columns: dict[str, list[object]]) -> None:
    assert answers.table(raw, 2).to_pydict() == columns


@pytest.mark.parametrize("raw", [np.array([1]), {"a": [1, 2], "b": [1]}])
def test_what_is_no_table_of_so_many_rows_is_refused(raw: Any) -> None:
    with pytest.raises(AnswerError):
        answers.table(raw, 2)


def test_json_has_no_word_for_nan() -> None:
    assert answers.plain({"p": np.array([np.nan, 1.0]), 3: [{0: np.float32(0.5)}]}) == {
        "p": [None, 1.0],
        "3": [{"0": 0.5}],
    }
