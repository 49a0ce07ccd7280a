"""Rows against what a model takes."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from git_mlops.models import contract
from git_mlops.serve import columns
from git_mlops.serve.columns import Column, ContractError, Takes
from tests.serve.conftest import SIGNATURE, rows

SAID = contract.parse("signature.json", SIGNATURE.encode())
TAKES = columns.of_contract(SAID)


def problems(given: dict[str, list[Any]], takes: Takes = TAKES) -> list[tuple[str | None, str, Any]]:
    with pytest.raises(ContractError) as error:
        columns.records(takes, given, "refuse")
    return [(p.column, p.reason, p.rows) for p in error.value.problems]


def test_a_signature_says_what_a_model_takes() -> None:
    age, visits = Column("age", "double"), Column("visits", "long")
    assert Takes((age, visits, Column("income", "double", required=False))) == TAKES


def test_rows_come_in_the_order_and_the_types_of_the_model() -> None:
    given: dict[str, list[Any]] = {"visits": [1, 2.0], "income": [None, 2], "age": [30, 40.5]}
    made = columns.records(TAKES, given, "refuse")
    assert made.schema == pa.schema([("age", pa.float64()), ("visits", pa.int64()), ("income", pa.float64())])
    assert made.to_pydict() == {"age": [30.0, 40.5], "visits": [1, 2], "income": [None, 2.0]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"visits": None}, [("visits", "missing", ())]),
        ({"more": [1, 2]}, [("more", "extra", ())]),
        ({"age": [1.0, "old"]}, [("age", "type", ((2, "`old`"),))]),
        ({"age": [None, 1.0]}, [("age", "null", ((1, "null"),))]),
        ({"visits": [1, 2.5]}, [("visits", "type", ((2, "2.5"),))]),
        ({"visits": [1, True]}, [("visits", "type", ((2, "True"),))]),
        ({"visits": [1, 2**70]}, [("visits", "type", ((2, str(2**70)),))]),
        ({"age": [[1.0], {}]}, [("age", "type", ((1, "[1.0]"), (2, "{}")))]),
    ],
)
def test_what_does_not_fit_is_said_by_column_and_row(change: dict[str, Any], said: list[Any]) -> None:
    given: dict[str, Any] = {"age": [1.0, 2.0], "visits": [1, 2], "income": [1.0, 2.0]}
    given |= change
    assert problems({name: values for name, values in given.items() if values is not None}) == said


def test_a_renamed_column_is_recognised() -> None:
    given = rows(2)
    given["Age"] = given.pop("age")
    with pytest.raises(ContractError, match=r"the column `age` is missing; is it `Age`\?"):
        columns.records(TAKES, given, "refuse")


def test_an_optional_column_may_be_absent_and_extra_ones_ignored() -> None:
    made = columns.records(TAKES, {"age": [1.0], "visits": [1], "id": ["a"]}, "ignore")
    assert made.to_pydict() == {"age": [1.0], "visits": [1], "income": [None]}


def test_times_and_bytes_are_text_in_json() -> None:
    takes = Takes((Column("when", "datetime"), Column("what", "binary")))
    made = columns.records(takes, {"when": ["2026-01-02T03:04:05+01:00"], "what": ["aGk="]}, "refuse")
    assert made.to_pylist() == [{"when": dt.datetime(2026, 1, 2, 2, 4, 5), "what": b"hi"}]  # noqa: DTZ001  # UTC
    bad: dict[str, list[Any]] = {"when": ["soon"], "what": ["?"]}
    assert problems(bad, takes) == [("when", "type", ((1, "`soon`"),)), ("what", "type", ((1, "`?`"),))]


def test_cells_of_a_csv_are_read_as_the_model_takes_them() -> None:
    texts = pa.table({"age": ["1", "2.5"], "visits": ["3", "4"], "income": [None, "1e3"]})
    made = columns.table(TAKES, texts, "refuse", texts=True)
    assert made.to_pydict() == {"age": [1.0, 2.5], "visits": [3, 4], "income": [None, 1000.0]}
    with pytest.raises(ContractError, match=r"`visits` must be of type long \(row 102: `x`\)"):
        columns.table(
            TAKES, pa.table({"age": ["1", "1"], "visits": ["1", "x"]}), "refuse", texts=True, first=100
        )


@pytest.mark.parametrize(
    ("array", "fits"),
    [
        (pa.array([1, 2]), True),
        (pa.array([1, 2], pa.float32()), True),
        (pa.array(["1", "2"]), False),
        (pa.array([True, False]), False),
        (pa.array([1, 2]).cast(pa.decimal128(25, 2)), True),
    ],
)
def test_types_of_a_file_may_widen_and_no_more(array: Any, fits: bool) -> None:
    takes = Takes((Column("age", "double"),))
    if fits:
        assert columns.table(takes, pa.table({"age": array}), "refuse").to_pydict() == {"age": [1.0, 2.0]}
    else:
        with pytest.raises(ContractError, match="`age` must be of type double, it is"):
            columns.table(takes, pa.table({"age": array}), "refuse")


def test_an_array_must_have_the_shape() -> None:
    takes = Takes(shape=(-1, 2), dtype="float32")
    made = columns.array(takes, [[1, 2], [3, 4]])
    assert (made.shape, made.dtype) == ((2, 2), np.dtype("float32"))
    for bad in ([[1, 2, 3]], [1, 2], [[1], [2, 3]], [["a", "b"]], [[None, 1]]):
        with pytest.raises(ContractError):
            columns.array(takes, bad)
