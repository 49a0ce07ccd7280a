"""The data: its schema holds and refuses what is wrong, and the split is honest."""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

SCHEMA = pa.DataFrameSchema.from_yaml(Path(__file__).parent.parent / "schemas" / "irises.yaml")


def test_the_flowers_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"), [("petal_width", -1.0), ("sepal_length", None), ("species", "rosa"), ("flower", 1)]
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_no_flower_is_in_both_parts(table: pd.DataFrame, parts: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    train, test = (set(part["flower"]) for part in parts)
    assert (train & test, train | test) == (set(), set(table["flower"]))
