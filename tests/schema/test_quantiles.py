"""Quantiles: those of pandas, to the last bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.schema import quantiles

PARTS = (0.01, 0.25, 0.75, 0.99)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=300),
    st.sampled_from(["float64", "float32", "float16"]),
)
def test_fractions_have_those_of_pandas(numbers: list[float], dtype: str) -> None:
    values = pd.Series([number if abs(number) < 6e4 else 1.0 for number in numbers], dtype=dtype)
    assert quantiles.of(values, PARTS) == [float(values.quantile(part)) for part in PARTS]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=300),
    st.sampled_from(["int64", "int32", "uint64", "Int64"]),
)
def test_whole_numbers_have_those_of_pandas(numbers: list[int], dtype: str) -> None:
    values = pd.Series(numbers, dtype=dtype)
    assert quantiles.of(values, PARTS) == [float(values.quantile(part)) for part in PARTS]


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_treated_as_pandas_does(number: float) -> None:
    values = pd.Series([number, *map(float, range(99))])
    with np.errstate(all="ignore"):
        expected = [float(values.quantile(part)) for part in PARTS]
    assert repr(quantiles.of(values, PARTS)) == repr(expected)
