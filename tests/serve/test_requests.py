"""Whatever a client sends: it is understood, or it is said why not."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from git_mlops.models import contract
from git_mlops.serve import columns, inference, requests
from git_mlops.serve.requests import RequestError
from tests.serve.conftest import SIGNATURE

TAKES = columns.of_contract(contract.parse("signature.json", SIGNATURE.encode()))

_NAMES = st.sampled_from(["age", "visits", "columns", "data", "name", "shape", "datatype", "\ud800"])
_scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_value = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)
_body = st.dictionaries(st.sampled_from([*requests.FORMATS, "params"]), _value, min_size=1, max_size=2)


def answered(kind: str, body: bytes) -> None:
    """Either rows, or an error that can be sent."""
    for takes in (TAKES, columns.Takes(), columns.Takes(shape=(-1, 2), dtype="float64")):
        error = refusal(kind, body, takes)
        if error is not None:
            assert error.status in (400, 422)
            assert json.loads(error.body("r"))["message"] == json.loads(error.body("r", short=True))["error"]


def refusal(kind: str, body: bytes, takes: columns.Takes) -> RequestError | None:
    try:
        parsed = inference.parse(body, takes) if kind == "v2" else requests.parse(kind, body)
        requests.fitted(parsed, takes, "refuse")
    except RequestError as error:
        return error
    return None


@settings(max_examples=100, deadline=None)
@given(_body)
@example({"inputs": {"age": None, "\ud800": None}})
def test_any_json_is_answered(body: dict[str, Any]) -> None:
    answered(requests.JSON, json.dumps(body).encode())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({
    "name": st.sampled_from(["age", "visits", "\ud800"]), "datatype": st.sampled_from(["FP64", "BYTES", "?"]),
    "shape": st.lists(st.integers(-1, 3), max_size=3) | _value, "data": _value,
}), max_size=2))  # fmt: skip
def test_any_tensors_are_answered(inputs: list[Any]) -> None:
    answered("v2", json.dumps({"inputs": inputs}).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='age,visits\n"1. \r\0x', max_size=60).map(str.encode))
def test_any_csv_is_answered(body: bytes) -> None:
    answered(requests.CSV, body)


@pytest.mark.parametrize(
    "value", ["application/json", "Application/JSON;", 'application/json; charset="UTF-8"']
)
def test_content_types(value: str) -> None:
    assert requests.media(value) == "application/json"
