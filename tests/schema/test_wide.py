"""A wide table: what holds is taken out before pandera looks, and nobody can tell the difference."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from git_mlops.schema import pandera
from git_mlops.schema.load import load
from git_mlops.schema.pandera import Broken

NUMBERS, NONE = [1, 2, 3, 4], None
VALUES: Mapping[str, Any] = {
    "whole": pd.Series(NUMBERS, dtype="int64"),
    "short": pd.Series(NUMBERS, dtype="int8"),
    "masked": pd.Series([1, NONE, 3, 4], dtype="Int64"),
    "fraction": pd.Series([1.0, 2.0, 3.5, 4.0]),
    "holes": pd.Series([1.0, np.nan, 3.5, np.inf]),
    "nothing": pd.Series([np.nan] * 4),
    "text": pd.Series(["a", "b", "c", "d"], dtype="str"),
    "gaps": pd.Series(["a", NONE, "c", "d"], dtype="str"),
    "mixed": pd.Series([1, "a", NONE, 2.5], dtype="object"),
    "flag": pd.Series([True, False, True, True]),
    "maybe": pd.Series([True, NONE, True, True], dtype="boolean"),
    "day": pd.Series(pd.date_range("2026-01-01", periods=4).astype("datetime64[ns]")),
    "kind": pd.Series(["a", "b", "a", "b"], dtype="category"),
}
PARTS: Sequence[Mapping[str, Any]] = [
    {"dtype": "int64"}, {"dtype": "Int64", "nullable": True}, {"dtype": "float64"}, {"dtype": "str"},
    {"dtype": "float64", "nullable": True, "checks": {"ge": 0}}, {"dtype": "bool"}, {"dtype": "boolean"},
    {"dtype": "datetime64[ns]"}, {"dtype": "category"}, {"nullable": True}, {},
    {"nullable": True, "checks": {"in_range": {"min_value": 1, "max_value": 3}}},
    {"nullable": True, "checks": {"isin": [1, 2, 3, 4, "a"]}}, {"checks": {"isin": ["a", "b", "c", "d"]}},
    {"nullable": True, "checks": {"str_matches": "^[a-d]$"}}, {"unique": True},
    {"nullable": True, "checks": {"notin": [9], "gt": 1}}, {"coerce": True, "dtype": "float64"},
    {"nullable": True, "checks": {"unique_values_eq": [1, 2, 3, 4]}},
    {"nullable": True, "checks": [
        {"options": {"check_name": "ge", "raise_warning": True}, "value": 2},
    ]},
    {"nullable": True, "checks": [{"options": {"check_name": "lt", "ignore_na": False}, "value": 9}]},
]  # fmt: skip


def _both(
    document: Mapping[str, Any], frame: pd.DataFrame, patch: pytest.MonkeyPatch
) -> tuple[list[Broken], list[Broken]]:
    schema = load(yaml.safe_dump(document, sort_keys=False).encode(), "schemas/x.yaml").built
    found = []
    for wide in (1, 10_000):
        patch.setattr(pandera, "WIDE", wide)
        found.append(pandera.broken(schema, frame.copy()))
    return found[0], found[1]


@pytest.mark.parametrize("number", range(len(PARTS)))
def test_every_kind_of_column_is_judged_the_same(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in VALUES.items():
        document = {"columns": {name: PARTS[number], "whole2": {"dtype": "int64"}}}
        frame = pd.DataFrame({name: values, "whole2": VALUES["whole"]})
        quick, slow = _both(document, frame, monkeypatch)
        assert quick == slow, name


@pytest.mark.parametrize(
    "more",
    [{"strict": True}, {"ordered": True}, {"unique": ["b", "c"]}, {"dtype": "int64"}, {"coerce": True}],
    ids=str,
)
def test_what_the_whole_table_must_be_is_judged_the_same(
    more: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {
        "c": {"dtype": "int64"},
        "a": {"dtype": "str"},
        "gone": {},
        "^r": {"regex": True, "dtype": "str"},
    }
    frame = pd.DataFrame(dict.fromkeys(("a", "b", "c", "r1"), VALUES["whole"]))
    quick, slow = _both({"columns": columns | {"b": {}}, **more}, frame, monkeypatch)
    assert quick == slow
    assert quick


def test_what_holds_is_not_looked_at_twice() -> None:
    schema: Any = load(b"columns: {a: {dtype: int64, checks: {ge: 1}}, b: {checks: {ge: 2}}}", "x.yaml").built
    pandera._lighten(schema, pd.DataFrame({"a": NUMBERS, "b": NUMBERS}))
    assert [(part.dtype is None, len(part.checks)) for part in schema.columns.values()] == [
        (True, 0),
        (True, 1),
    ]
