"""The data: its schema holds and refuses what is wrong, and the split is honest."""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors
from split import split, windows

SCHEMA = pa.DataFrameSchema.from_yaml(Path(__file__).parent.parent / "schemas" / "months.yaml")
Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_the_months_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"), [("co2", -99.99), ("co2", None), ("month", "1958-13"), ("month", "1958-03")]
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_what_is_measured_on_is_later_than_all_that_is_trained_on(parts: Parts) -> None:
    assert parts[0]["month"].max() < parts[1]["month"].min()


def test_a_window_holds_what_was_measured_and_no_gap_is_filled(table: pd.DataFrame) -> None:
    rows = windows(table)
    known = dict(zip(table["month"], table["co2"], strict=True))
    assert [known[month] for month in rows["month"]] == list(rows["co2"])
    assert rows["lag_1"].iloc[1:].isin(table["co2"]).all()
    gap = rows[rows["month"].between("1964-02", "1965-05")]
    assert gap.empty


def test_a_shorter_test_part_leaves_the_earlier_windows_as_they_are(table: pd.DataFrame) -> None:
    long, short = split(table, test_months=60)[0], split(table, test_months=24)[0]
    pd.testing.assert_frame_equal(short.head(len(long)), long)
