"""The Open Inference Protocol: tensors into what the model takes, and back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from git_mlops.serve import inference
from git_mlops.serve.columns import Column, Takes
from git_mlops.serve.inference import Asked
from git_mlops.serve.loaded import Loaded, Source
from git_mlops.serve.requests import Parsed, RequestError

TAKES = Takes((Column("age", "double"), Column("city", "string")))


class Silent:
    features: tuple[str, ...] = ()
    params: frozenset[str] = frozenset()

    def predict(self, rows: Any, params: Any = None) -> Any:
        raise NotImplementedError


LOADED = Loaded(Source("churn", "v1.0.0", None, "", Path(), None), Silent(), TAKES)


def tensor(name: str, shape: list[int], kind: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": kind, "data": data}


def parsed(*inputs: dict[str, Any], takes: Takes = TAKES) -> Parsed:
    return inference.parse(json.dumps({"inputs": inputs}).encode(), takes)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v2", Asked("server")),
        ("/v2/health/live", Asked("live")),
        ("/v2/health/ready", Asked("ready")),
        ("/v2/models/churn", Asked("model", "churn")),
        ("/v2/models/churn/ready", Asked("model ready", "churn")),
        ("/v2/models/dir:churn/versions/v1.0.0/infer", Asked("infer", "dir:churn", "v1.0.0")),
        ("/v2/nothing", None),
    ],
)
def test_paths(path: str, asked: Asked | None) -> None:
    assert inference.routed(path) == asked


def test_a_tensor_for_each_column() -> None:
    found = parsed(tensor("age", [2], "FP64", [1.5, 2]), tensor("city", [2, 1], "BYTES", [["a"], ["b"]]))
    assert found == Parsed({"age": [1.5, 2], "city": ["a", "b"]})


def test_one_tensor_for_all_columns_or_for_an_array() -> None:
    assert parsed(tensor("x", [2, 2], "FP32", [1, 2, 3, 4])) == Parsed(None, [[1, 2], [3, 4]])
    assert parsed(tensor("x", [2, 1, 2], "FP32", [[[1, 2]], [[3, 4]]]), takes=Takes()) == Parsed(
        None, [[[1, 2]], [[3, 4]]]
    )


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "a list `inputs` of tensors"),
        ([{"name": "age"}], "a tensor must have"),
        ([tensor("age", [1], "COMPLEX", [1])], "a tensor must have"),
        ([tensor("age", [-1], "FP64", [1])], "must be a list of sizes"),
        ([tensor("age", [3], "FP64", [1])], "`age` has 1 values, its shape says 3"),
        ([tensor("age", [0], "FP64", [])], "there are no rows"),
        ([tensor("age", [1], "FP64", [1]), tensor("age", [1], "FP64", [1])], "a name stands twice"),
        (
            [tensor("age", [1], "FP64", [1]), tensor("city", [2], "BYTES", ["a", "b"])],
            "not of the same length",
        ),
        ([tensor("age", [1, 2], "FP64", [1, 2]), tensor("city", [1], "BYTES", ["a"])], "must be of shape"),
    ],
)
def test_what_is_malformed_is_said(inputs: list[Any], said: str) -> None:
    with pytest.raises(RequestError, match=said) as error:
        inference.parse(json.dumps({"inputs": inputs}).encode(), TAKES)
    assert error.value.status == 400


def test_answers_are_tensors() -> None:
    assert inference.rendered(np.array([1, 0]), 2, LOADED, "r1") == {
        "model_name": "churn", "model_version": "v1.0.0", "id": "r1",
        "outputs": [{"name": "prediction", "shape": [2], "datatype": "INT64", "data": [1, 0]}],
    }  # fmt: skip
    probabilities = inference.rendered(np.array([[0.25, 0.75]]), 1, LOADED, "r1")["outputs"]
    assert isinstance(probabilities, list)
    assert [(one["name"], one["datatype"], one["data"]) for one in probabilities] == [
        ("prediction_0", "FP64", [0.25]), ("prediction_1", "FP64", [0.75]),
    ]  # fmt: skip


def test_what_the_model_takes_is_told() -> None:
    assert inference.metadata(LOADED)["inputs"] == [
        {"name": "age", "datatype": "FP64", "shape": [-1]},
        {"name": "city", "datatype": "BYTES", "shape": [-1]},
    ]
